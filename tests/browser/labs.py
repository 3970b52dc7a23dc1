"""The topologies as local processes, and wrong ones beside them."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import TypeAlias

import pytest

from hoplab.endpoint import Endpoint
from hoplab.engines import certificates
from hoplab.engines.process import ProcessEngine
from hoplab.system import runs
from hoplab.topology import Cell, Deployment, Mode, Scheme, Setup, Strategy, Topology, Trust
from tests import catalogue
from tests.catalogue import CATALOGUE, WORKSPACE
from tests.interruptible import interruptible
from tests.topologies.labs import CELLS, DEPLOYMENTS

Endpoints: TypeAlias = Mapping[Deployment, Endpoint]


def predicted(cell: Cell) -> str | None:
    """The symptom that the check `docs` must find."""
    return catalogue.predicted(cell).get("docs")


def _each_outcome() -> list[Cell]:
    """For each server, strategy and prediction of `docs` a cell: proxies and schemes take turns.

    Not where a recipe is among them: those are all asked anyway.
    """
    cells: dict[tuple[str, Strategy, str | None], list[Cell]] = {}
    for cell in CATALOGUE.product:
        if cell.trust is Trust.PROXY:
            group = (cell.topology.server, cell.strategy, predicted(cell))
            cells.setdefault(group, []).append(cell)
    groups = [some for some in cells.values() if not set(some) & set(CELLS)]
    return [some[number % len(some)] for number, some in enumerate(groups)]


JUDGED = _each_outcome()
STOCK = [*DEPLOYMENTS, *(cell.deployment for cell in JUDGED)]
OFFLINE = [
    *(each for each in DEPLOYMENTS if each.topology.server == "uvicorn"),
    Deployment(Topology("nginx", "uvicorn", Mode.PRESERVE), Setup(Strategy.ROUTER, Trust.PROXY)),
    Deployment(Topology("traefik", "hypercorn", Mode.PRESERVE), Setup(Strategy.MOUNT, Trust.PROXY)),
]
"""Each proxy in both modes; and the strategies that have the docs below the prefix themselves."""


@contextmanager
def running(deployments: Iterable[Deployment], *, offline: bool) -> Iterator[Endpoints]:
    """Start them once, with the docs of that kind."""
    with interruptible(), pytest.MonkeyPatch.context() as patch:
        patch.setenv("DOCS_OFFLINE", "1" if offline else "")
        files = certificates.ensure(WORKSPACE.certificates)
        engine = ProcessEngine(
            CATALOGUE, list(dict.fromkeys(deployments)), runs.new(WORKSPACE.runs), files
        )
        endpoints = engine.start()
    try:
        yield {endpoint.deployment: endpoint for endpoint in endpoints}
    finally:
        with interruptible():
            engine.stop()


def scheme_of(deployment: Deployment) -> Scheme:
    """http for some and https for others, where both would take twice the time."""
    https = (deployment.topology.proxy == "nginx") == (deployment.topology.mode is Mode.STRIP)
    return Scheme.HTTPS if https else Scheme.HTTP
