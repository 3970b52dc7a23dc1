"""Asks the questions of many cells at once."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait

from hoplab import interrupts
from hoplab.checks import Check
from hoplab.endpoint import Endpoint
from hoplab.errors import HarnessError
from hoplab.probe import Failed, NotApplicable, Probe, Recorded
from hoplab.results import CellResult, Finding, Verdict
from hoplab.topology import Cell, Recipe, Topology

THREADS = 16
"""They wait more than they work: the servers' two cores are the limit."""


def ask(
    cells: Sequence[Cell],
    endpoints: Iterable[Endpoint],
    checks: Mapping[str, Check],
    recipe: Callable[[Topology], Recipe],
    progress: Callable[[int, int], None],
) -> list[CellResult]:
    """Ask every check of every cell; `progress` is told how many of how many are answered."""
    where = {endpoint.topology: endpoint for endpoint in endpoints}
    pool = ThreadPoolExecutor(THREADS)
    try:
        futures: dict[Future[Finding], tuple[Cell, str]] = {
            pool.submit(ask_one, name, check, cell, where[cell.topology]): (cell, name)
            for name, check in checks.items()
            for cell in cells
        }
        findings: dict[tuple[Cell, str], Finding] = {}
        pending = set(futures)
        while pending:
            done, pending = wait(pending, timeout=0.1, return_when=FIRST_COMPLETED)
            interrupts.check()
            for future in done:
                findings[futures[future]] = future.result()
            progress(len(findings), len(futures))
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
    return [
        CellResult(
            cell,
            recipe(cell.topology) == Recipe(cell.strategy, cell.trust),
            [findings[cell, name] for name in checks],
        )
        for cell in cells
    ]


def ask_one(name: str, check: Check, cell: Cell, endpoint: Endpoint) -> Finding:
    """Put one question to one cell.

    Whatever the check raises that is no answer is the lab's own trouble: an error, and no finding
    about the cell.
    """
    probe = Probe(cell, endpoint)
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
    finally:
        probe.client.close()
    return Finding(name, verdict, symptom, detail, probe.client.exchanges)
