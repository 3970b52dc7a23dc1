"""What the matrix costs, and how that grows: everything in one run, side by side.

    python scripts/bench_matrix.py

Prints, for a quarter, a half and the whole of the full product, cells and checks in a second, the
share of starting, processes and memory; whether cost grows faster than the cells; and the ratio to
starting one application and one proxy for each cell of a sample. Exits 1 if a goal is missed:
30 s, 5 s of it to start, 3 GiB, no faster than linear.
"""

import sys
from collections.abc import Sequence
from dataclasses import replace

from rich.console import Console
from rich.table import Table

from hoplab.catalogue import load
from hoplab.commands.ask import matrix
from hoplab.commands.session import Session
from hoplab.report.progress import Progress
from hoplab.results import Results
from hoplab.system import interrupts
from hoplab.topology import Cell
from hoplab.workspace import checkout

SECONDS, START_SECONDS, GIB = 30.0, 5.0, 3.0
NOISE = 1.15
"""A machine does not take the same time twice; what is within this is not called growth."""

SAMPLE = 12


def main() -> int:
    """Measure, print, judge."""
    interrupts.install()
    catalogue = load(checkout())
    product = catalogue.product
    with Progress() as progress:
        session = Session(catalogue, progress)
        ask(session, product[:2])  # the first start reads everything from the disk
        parts = {"a quarter": product[::4], "a half": product[::2], "the whole": product}
        runs = {name: ask(session, cells) for name, cells in parts.items()}
        sample = product[:: len(product) // SAMPLE][:SAMPLE]
        alone = sum(ask(session, [cell]).seconds for cell in sample) / len(sample)
    table = Table("", "cells", "s", "cells/s", "checks/s", "start", "processes", "GiB", box=None)
    for name, run in runs.items():
        checks = sum(len(result.findings) for result in run.cells)
        table.add_row(
            name,
            str(len(run.cells)),
            f"{run.seconds:.1f}",
            f"{len(run.cells) / run.seconds:.1f}",
            f"{checks / run.seconds:.0f}",
            f"{run.start_seconds:.1f} s, {run.start_seconds / run.seconds:.0%}",
            str(run.processes),
            f"{run.memory_bytes / 2**30:.2f}",
        )
    whole = runs["the whole"]
    shared = whole.seconds / len(whole.cells)
    console = Console(highlight=False)
    console.print(table)
    console.print(
        f"\nA cell alone, with an application and a proxy of its own: {alone:.2f} s"
        f" ({SAMPLE} of them); in the whole: {shared:.3f} s. {alone / shared:.0f} times."
    )
    missed = judge(runs)
    for miss in missed:
        console.print(f"MISSED: {miss}")
    return 1 if missed else 0


def ask(session: Session, cells: Sequence[Cell]) -> Results:
    """The whole contract of these cells; nothing else counts as having measured them."""
    results, signal = matrix(session, cells)
    if signal:
        raise signal
    if not results.as_predicted or len(results.cells) != len(cells):
        sys.exit("not as predicted: see `hoplab matrix`")
    # Without the evidence: each run is to find this process as small as a first one does.
    return replace(
        results,
        cells=[
            replace(cell, findings=[replace(found, exchanges=()) for found in cell.findings])
            for cell in results.cells
        ],
    )


def judge(runs: dict[str, Results]) -> list[str]:
    """The goals that were missed."""
    whole = runs["the whole"]
    goals = {
        f"{whole.seconds:.1f} s, goal {SECONDS} s": whole.seconds <= SECONDS,
        f"{whole.start_seconds:.1f} s to start, goal {START_SECONDS} s": (
            whole.start_seconds <= START_SECONDS
        ),
        f"{whole.memory_bytes / 2**30:.2f} GiB, goal {GIB} GiB": whole.memory_bytes <= GIB * 2**30,
    }
    for smaller, larger in (("a quarter", "a half"), ("a half", "the whole")):
        cells = len(runs[larger].cells) / len(runs[smaller].cells)
        seconds = runs[larger].seconds / runs[smaller].seconds
        told = (
            f"{larger} takes {seconds:.2f} times as long as {smaller}, with {cells:.2f} the cells"
        )
        goals[told] = seconds <= cells * NOISE
    return [told for told, reached in goals.items() if not reached]


if __name__ == "__main__":
    sys.exit(main())
