"""Docker and local processes: the same findings. And no check, no topology is without its tests."""

from pathlib import Path

import pytest

from hoplab.results import Finding, Verdict
from hoplab.results_file import recorded
from hoplab.suites.contract.checks import CHECKS
from hoplab.topology import Cell
from tests.catalogue import CATALOGUE
from tests.docker_required import needs_docker
from tests.topologies.labs import CELLS, Labs

NOT_ASKED_IN_DOCKER = {"bypass"}
"""Every client of a container has an address of a network that is trusted."""


@needs_docker
@pytest.mark.parametrize("cell", CELLS, ids=[f"{c.topology.name}-{c.scheme}" for c in CELLS])
def test_findings(labs: Labs, cell: Cell) -> None:
    docker, process = (
        {check: f for (asked, check), f in labs.findings(engine).items() if asked == cell}
        for engine in ("docker", "process")
    )

    assert list(docker) == list(process) == list(CHECKS)
    not_asked = {name for name, f in docker.items() if f.verdict is Verdict.NOT_APPLICABLE}
    assert not_asked == NOT_ASKED_IN_DOCKER
    assert not [name for name, f in process.items() if f.verdict is Verdict.NOT_APPLICABLE]
    for check in [name for name in CHECKS if name not in not_asked]:
        given, expected = docker[check], process[check]
        assert (given.verdict, given.symptom) == (expected.verdict, expected.symptom), check
        assert questions(given) == questions(expected), check


def questions(finding: Finding) -> set[tuple[str, str]]:
    """What was asked, but for the origin, and for words of one question alone.

    Events may be asked for again, with more time.
    """
    return {
        (exchange.method, exchange.url.split("/", 3)[3].partition("?count=")[0])
        for exchange in map(recorded, finding.exchanges)
    }


def test_the_eight_topologies_and_their_recipes() -> None:
    recipes = {t.name: CATALOGUE.recipe(t).strategy.value for t in CATALOGUE.topologies}

    assert (
        recipes.items()
        >= {
            "traefik-uvicorn-strip": "server-option",
            "traefik-hypercorn-strip": "forwarded-prefix",
            "nginx-uvicorn-strip": "server-option",
            "nginx-hypercorn-strip": "forwarded-prefix",
            "traefik-uvicorn-preserve": "forwarded-prefix",
            "traefik-hypercorn-preserve": "server-option",
            "nginx-uvicorn-preserve": "forwarded-prefix",
            "nginx-hypercorn-preserve": "server-option",
        }.items()
    )


@pytest.mark.parametrize("check", CHECKS)
def test_check_has_its_module(check: str) -> None:
    modules = Path(__file__).parent.glob(f"test_{check.replace('-', '_')}*.py")

    assert any(f'public.verdict("{check}")' in module.read_text() for module in modules)
