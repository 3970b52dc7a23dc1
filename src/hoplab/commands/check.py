"""`check`: a person's own application behind each proxy, under each server, in each mode."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from hoplab.catalogue import Catalogue
from hoplab.client.explored import Explored
from hoplab.client.target import Limits, Target
from hoplab.client.wire import Headers
from hoplab.commands import own_server
from hoplab.commands.ask import ask_whole
from hoplab.commands.hosting import Application, Hosting, running
from hoplab.commands.session import Session, deployments_of, now
from hoplab.commands.targets import target
from hoplab.endpoint import PUBLIC_NAME, Endpoint
from hoplab.errors import HoplabError
from hoplab.results import CellResult, Finding, Results, Verdict
from hoplab.suites import own
from hoplab.suites.asking import Job
from hoplab.suites.own.explore import Wish, explore, forces_https
from hoplab.topology import Cell, Deployment, Setup, Strategy, Trust

LIMITS = Limits(seconds=15.0, download=2**20)
"""For an application that nobody here knows: it may answer without end."""

_PATIENCE = 5.0
"""Seconds that an answer may take without a proxy: then it is asked alone."""


@dataclass(frozen=True)
class Checked:
    """What came of it, and what was asked."""

    results: Results
    explored: Explored


def check(
    session: Session,
    application: Application,
    cells: Sequence[Cell],
    wish: Wish,
    headers: Headers = (),
) -> Checked:
    """Start the application behind all of these, and once without a proxy; ask; stop.

    Raises HoplabError if the application can't be imported or does not start, with what it says.
    """
    began, started = time.monotonic(), now()
    bare = _bare(session.catalogue, cells[0])
    with running(session, application, [*deployments_of(cells), bare]) as (
        endpoints,
        hosting,
        engine,
    ):
        start_seconds = time.monotonic() - began
        explored = _explore(session, hosting, endpoints, bare, wish, headers)
        jobs = [
            Job(cell, _target(session, cell, endpoints, explored, headers), recommended=True)
            for cell in cells
        ]
        found = ask_whole(session, jobs, own.CHECKS, _progress(session, hosting))
        died = engine.died()
        versions = engine.versions()
        processes = len(engine.processes)
    results = [_with_end(result, died.get(result.cell.deployment)) for result in found]
    seconds = time.monotonic() - began
    told = Results("process", started, seconds, versions, results, start_seconds, processes)
    return Checked(told, explored)


def _bare(catalogue: Catalogue, cell: Cell) -> Deployment:
    """The application as it is, to be asked past the proxy: under one of the lab's servers.

    Nothing is told, but it believes everybody: it may answer over https alone.
    """
    servers = (cell.topology.server, *catalogue.servers)
    server = next(name for name in servers if name != own_server.NAME)
    topology = replace(cell.topology, server=server)
    return Deployment(topology, Setup(Strategy.NONE, Trust.ANY), prefix=cell.prefix)


def _explore(
    session: Session,
    hosting: Hosting,
    endpoints: Sequence[Endpoint],
    bare: Deployment,
    wish: Wish,
    headers: Headers,
) -> Explored:
    session.progress.stage("exploring")
    (endpoint,) = (each for each in endpoints if each.deployment == bare)
    if endpoint.direct is None:
        message = "This machine can't reach the application past the proxy."
        raise HoplabError(message)
    base = f"http://{PUBLIC_NAME}:{endpoint.direct[1]}"
    control = Target(
        base,
        {base: endpoint.direct},
        source=endpoint.source,
        limits=replace(LIMITS, seconds=_PATIENCE),
        unsafe=wish.unsafe,
        instance=endpoint.nonce,
        headers=headers,
    )

    if forces_https(control):
        forwarded = [("X-Forwarded-Proto", "https"), ("X-Forwarded-For", "127.0.0.1")]
        control = replace(control, headers=[*headers, *forwarded])
        wish = replace(wish, https=True)
    return explore(control, hosting.report(endpoint.nonce), wish, _progress(session, hosting))


def _target(
    session: Session,
    cell: Cell,
    endpoints: Sequence[Endpoint],
    explored: Explored,
    headers: Headers,
) -> Target:
    (endpoint,) = (each for each in endpoints if each.deployment == cell.deployment)
    known = target(session.catalogue, None, cell, endpoint)
    return replace(known, limits=LIMITS, explored=explored, headers=headers)


def _progress(session: Session, hosting: Hosting) -> Callable[[int, int], None]:
    """Told how many of how many are asked; raises DoesNotStart as `Hosting.watch` does."""

    def progress(done: int, of: int) -> None:
        hosting.watch()
        session.progress.count(done, of)

    return progress


def _with_end(result: CellResult, died: str | None) -> CellResult:
    """If its process died, nothing is known of it."""
    if died is None:
        return result
    findings = [Finding(check, Verdict.ERROR, None, died) for check in own.CHECKS]
    return replace(result, findings=findings)
