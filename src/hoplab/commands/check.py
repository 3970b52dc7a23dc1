"""`check`: a person's own application behind each proxy, under each server, in each mode."""

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from typing import Any

from hoplab.catalogue import Catalogue
from hoplab.client.explored import Explored
from hoplab.client.target import Limits, Target
from hoplab.client.wire import Headers
from hoplab.commands import own_server
from hoplab.commands.ask import ask_whole
from hoplab.commands.hosting import Application, Hosting, running, with_launcher
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
    logs: Mapping[str, str] = field(default_factory=dict)
    """The end of what each server and proxy wrote, by its name."""


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
    bare = bare_of(session.catalogue, cells[0])
    with running(session, application, [*deployments_of(cells), bare]) as (
        endpoints,
        hosting,
        engine,
    ):
        start_seconds = time.monotonic() - began
        progress = watched(session, hosting)
        session.progress.stage("exploring")
        explored = explored_alone(
            endpoints, bare, hosting.report, wish, headers, progress, engine.died
        )
        found = ask_whole(
            session,
            jobs_of(session.catalogue, cells, endpoints, explored, headers),
            own.CHECKS,
            progress,
        )
        died = engine.died()
        versions = engine.versions()
        processes = len(engine.processes)
        logs = hosting.tails()
    results = [with_end(result, died.get(result.cell.deployment)) for result in found]
    seconds = time.monotonic() - began
    told = Results("process", started, seconds, versions, results, start_seconds, processes)
    return Checked(told, explored, logs)


def trying(session: Session, cells: Sequence[Cell]) -> AbstractContextManager[Session]:
    """A session for `check` of these cells and all trials after it: one launcher starts them."""
    bare = bare_of(session.catalogue, cells[0])
    names = dict.fromkeys([bare.topology.server, *(cell.topology.server for cell in cells)])
    return with_launcher(session, [session.catalogue.servers[name] for name in names])


def bare_of(catalogue: Catalogue, cell: Cell) -> Deployment:
    """The application as it is, to be asked past the proxy: under one of the lab's servers.

    Nothing is told, but it believes everybody: it may answer over https alone.
    """
    servers = (cell.topology.server, *catalogue.servers)
    server = next(name for name in servers if name != own_server.NAME)
    topology = replace(cell.topology, server=server)
    return Deployment(topology, Setup(Strategy.NONE, Trust.ANY), prefix=cell.prefix)


def explored_alone(
    endpoints: Sequence[Endpoint],
    bare: Deployment,
    told: Callable[[str], Mapping[str, Any]],
    wish: Wish,
    headers: Headers,
    progress: Callable[[int, int], None],
    died: Callable[[], Mapping[Deployment, str]],
) -> Explored:
    """What the bare application answers; told: what it says of itself, by its nonce.

    died: the end of the log of each deployment whose process has ended.
    """
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
    return explore(control, told(endpoint.nonce), wish, progress, lambda: died().get(bare))


def jobs_of(
    catalogue: Catalogue,
    cells: Sequence[Cell],
    endpoints: Sequence[Endpoint],
    explored: Explored,
    headers: Headers = (),
) -> list[Job]:
    """The cells as targets of which no more is known than of any application."""
    return [
        Job(
            cell,
            target_of(catalogue, cell, endpoints, explored, headers),
            catalogue.is_recommended(cell),
        )
        for cell in cells
    ]


def target_of(
    catalogue: Catalogue,
    cell: Cell,
    endpoints: Sequence[Endpoint],
    explored: Explored,
    headers: Headers = (),
) -> Target:
    """A cell that runs, of which no more is known than of any application."""
    (endpoint,) = (each for each in endpoints if each.deployment == cell.deployment)
    known = target(catalogue, None, cell, endpoint)
    return replace(known, limits=LIMITS, explored=explored, headers=headers)


def asked_where_it_starts(
    session: Session,
    application: Application,
    cells: Sequence[Cell],
    explored: Explored,
    headers: Headers,
) -> dict[Cell, CellResult]:
    """Try the application in these cells: what is found in each of those that start."""
    with running(session, application, deployments_of(cells), partial=True) as (
        endpoints,
        hosting,
        engine,
    ):
        able = [cell for cell in cells if cell.deployment not in engine.failures]
        jobs = [
            Job(
                cell,
                target_of(session.catalogue, cell, endpoints, explored, headers),
                recommended=False,
            )
            for cell in able
        ]
        found = ask_whole(session, jobs, own.CHECKS, watched(session, hosting)) if jobs else []
        died = engine.died()
    return {each.cell: with_end(each, died.get(each.cell.deployment)) for each in found}


def watched(session: Session, hosting: Hosting) -> Callable[[int, int], None]:
    """Told how many of how many are asked; raises DoesNotStart as `Hosting.watch` does."""

    def progress(done: int, of: int) -> None:
        hosting.watch()
        session.progress.count(done, of)

    return progress


def with_end(result: CellResult, died: str | None) -> CellResult:
    """If its process died, nothing is known of it."""
    if died is None:
        return result
    findings = [Finding(check, Verdict.ERROR, None, died) for check in own.CHECKS]
    return replace(result, findings=findings)
