"""`verify` and the suites' commands: start what the cells need, ask, stop."""

import time
from collections.abc import Callable, Mapping, Sequence

from hoplab.catalogue import Catalogue
from hoplab.commands.session import Session, deployments_of, now
from hoplab.commands.targets import jobs
from hoplab.endpoint import Endpoint
from hoplab.engines.process import ProcessEngine
from hoplab.predictions import predict
from hoplab.results import CellResult, Finding, Results, Verdict
from hoplab.suites import SUITES
from hoplab.suites.asking import Job, Unfinished, ask
from hoplab.suites.check import Check
from hoplab.suites.schedule import schedule
from hoplab.suites.suite import Suite
from hoplab.system.interrupts import Interrupted
from hoplab.system.memory import used
from hoplab.topology import Cell

CONTRACT = SUITES["contract"]


def verify(
    session: Session,
    wanted: str,
    cells: Sequence[Cell],
    checks: Mapping[str, Check] = CONTRACT.checks,
) -> Results:
    """Start what the cells need, on free ports; ask; stop."""
    deployments = deployments_of(cells)
    session.require_possible(CONTRACT, deployments)
    name = session.choose_engine(wanted)
    session.clean_up()
    began, started = time.monotonic(), now()
    engine = session.engine(name, deployments, session.new_run())
    with session.running(engine) as endpoints:
        found = ask_all(session, CONTRACT, cells, endpoints, checks)
        versions = engine.versions()
    return Results(engine.name, started, time.monotonic() - began, versions, found)


def ask_all(
    session: Session,
    suite: Suite,
    cells: Sequence[Cell],
    endpoints: Sequence[Endpoint],
    checks: Mapping[str, Check],
) -> list[CellResult]:
    """Every check of every cell. A signal ends it, and nothing is kept."""
    asked_of = jobs(session.catalogue, suite, cells, endpoints)
    return ask_whole(session, asked_of, checks, session.progress.count)


def ask_whole(
    session: Session,
    asked_of: Sequence[Job],
    checks: Mapping[str, Check],
    progress: Callable[[int, int], None],
) -> list[CellResult]:
    """The same of any jobs; `progress` is told how many of how many checks are answered."""
    session.progress.stage("asking")
    try:
        return ask(asked_of, checks, progress)
    except Unfinished as unfinished:
        raise unfinished.signal from None


def matrix(
    session: Session,
    cells: Sequence[Cell],
    suite: Suite = CONTRACT,
    checks: Mapping[str, Check] | None = None,
) -> tuple[Results, Interrupted | None]:
    """A suite's questions to any cells, with their predictions, as processes.

    What can't be started, or dies, is an error of its own cells. If a signal came meanwhile, it is
    given back with the results of the cells that were finished by then.
    """
    checks = suite.checks if checks is None else checks
    deployments = deployments_of(cells)
    session.require_possible(suite, deployments)
    session.clean_up()
    began, started = time.monotonic(), now()
    engine = ProcessEngine(
        session.catalogue,
        deployments,
        session.new_run(),
        session.certificates(),
        partial=True,
    )
    signal = None
    memory = 0
    with session.running(engine) as endpoints:
        start_seconds = time.monotonic() - began
        processes = engine.processes

        def count(done: int, of: int) -> None:
            nonlocal memory
            session.progress.count(done, of)
            if done == of and not memory:  # it only grows: caches, and recorded exchanges
                memory = used(processes)

        session.progress.stage("asking")
        able = [cell for cell in cells if cell.deployment not in engine.failures]
        try:
            # Who names checks wants their answers from each cell.
            named = len(checks) < len(suite.checks)
            which = None if named else schedule(checks, able, session.catalogue.is_recommended)
            found = ask(jobs(session.catalogue, suite, able, endpoints, which), checks, count)
        except Unfinished as unfinished:
            found, signal = list(unfinished.results), unfinished.signal
        failed = {**engine.died(), **engine.failures}
        versions = engine.versions()
    asked = {result.cell: result for result in found}
    results = [
        judged(session.catalogue, checks, cell, asked.get(cell), failed.get(cell.deployment))
        for cell in cells
        if cell in asked or (cell.deployment in failed and not signal)
    ]
    seconds = time.monotonic() - began
    return Results(
        engine.name,
        started,
        seconds,
        versions,
        results,
        start_seconds,
        len(processes),
        memory,
        len(cells) - len(results),
    ), signal


def judged(
    catalogue: Catalogue,
    checks: Mapping[str, Check],
    cell: Cell,
    result: CellResult | None,
    failed: str | None = None,
) -> CellResult:
    """A cell's result, with what was predicted of the checks that it was asked.

    If its process died, nothing is known of it.
    """
    findings = result.findings if result else []
    if failed:
        findings = [Finding(check, Verdict.ERROR, None, failed) for check in checks]
    predicted = predict(cell, catalogue)
    asked = {f.check: predicted[f.check] for f in findings if f.check in predicted}
    return CellResult(cell, catalogue.is_recommended(cell), findings, asked)
