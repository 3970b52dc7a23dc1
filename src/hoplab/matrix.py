"""Asks the questions of many cells at once."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import replace

from hoplab import interrupts
from hoplab.checks import Check
from hoplab.endpoint import Endpoint
from hoplab.errors import HarnessError
from hoplab.probe import Answers, Failed, NotApplicable, Probe, Recorded
from hoplab.results import CellResult, Finding, Verdict
from hoplab.topology import Cell
from hoplab.wire import Connections

THREADS = 24
"""They wait more than they work: the servers' two cores are the limit."""


def ask(
    cells: Sequence[Cell],
    endpoints: Iterable[Endpoint],
    checks: Mapping[str, Check],
    is_recommended: Callable[[Cell], bool],
    progress: Callable[[int, int], None],
) -> list[CellResult]:
    """Ask every check of every cell; `progress` is told how many of how many are answered.

    Raises Unfinished, with the cells that are answered by then, if a signal came.
    """
    where = {endpoint.deployment: endpoint for endpoint in endpoints}
    pool = ThreadPoolExecutor(THREADS)
    directly: Answers = {}
    answered: list[None] = []  # one for each finding; threads append to it
    results: dict[Cell, CellResult] = {}
    try:
        futures: dict[Future[list[Finding]], Cell] = {
            pool.submit(
                _ask_cell,
                cell,
                where[cell.deployment],
                checks,
                is_recommended(cell),
                directly,
                answered,
            ): cell
            # One application's cells after the other: fewer processes are at work at a time.
            for cell in sorted(cells, key=lambda cell: where[cell.deployment].nonce)
        }
        pending = set(futures)
        while pending:
            done, pending = wait(pending, timeout=0.1, return_when=FIRST_COMPLETED)
            for future in done:
                cell = futures[future]
                results[cell] = CellResult(cell, is_recommended(cell), future.result())
            interrupts.check()
            progress(len(answered), len(cells) * len(checks))
    except interrupts.Interrupted as signal:
        raise Unfinished(signal, [results[cell] for cell in cells if cell in results]) from signal
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
    return [results[cell] for cell in cells]


class Unfinished(Exception):
    """A signal came; `results` are those of the cells of which every question was answered."""

    def __init__(self, signal: interrupts.Interrupted, results: Sequence[CellResult]) -> None:
        super().__init__(f"interrupted with {len(results)} cells finished")
        self.signal = signal
        self.results = results


def _ask_cell(
    cell: Cell,
    endpoint: Endpoint,
    checks: Mapping[str, Check],
    recommended: bool,  # noqa: FBT001 - an executor passes no keywords
    asked_directly: Answers,
    answered: list[None],
) -> list[Finding]:
    """One check after the other: they share connections, whose handshakes cost the most."""
    connections: Connections = {}
    findings = []
    for name, check in checks.items():
        probe = Probe(cell, endpoint, connections, asked_directly, recommended=recommended)
        finding = _ask(name, check, probe)
        findings.append(replace(finding, exchanges=[e.shortened() for e in finding.exchanges]))
        answered.append(None)
    for connection in connections.values():
        connection.close()
    return findings


def ask_one(
    name: str, check: Check, cell: Cell, endpoint: Endpoint, *, recommended: bool = True
) -> Finding:
    """Put one question to one cell, over connections of its own."""
    probe = Probe(cell, endpoint, recommended=recommended)
    try:
        return _ask(name, check, probe)
    finally:
        probe.client.close()


def _ask(name: str, check: Check, probe: Probe) -> Finding:
    """Whatever the check raises that is no answer is the lab's own trouble.

    It is an error, and says nothing about the cell.
    """
    symptom = None
    try:
        verdict, detail = Verdict.PASS, check(probe)
    except Failed as failed:
        verdict, symptom, detail = Verdict.FAIL, failed.symptom, failed.detail
    except NotApplicable as reason:
        verdict, detail = Verdict.NOT_APPLICABLE, str(reason)
    except Recorded as answer:
        verdict, detail = Verdict.RECORDED, str(answer)
    except HarnessError as trouble:
        verdict, detail = Verdict.ERROR, str(trouble)
    except Exception as bug:
        verdict, detail = Verdict.ERROR, f"{type(bug).__name__}: {bug}"
    return Finding(name, verdict, symptom, detail, probe.client.exchanges)
