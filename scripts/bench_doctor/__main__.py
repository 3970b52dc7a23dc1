"""The doctor at every cell of the lab: told nothing but the URL, it has to find the cause.

    python -m scripts.bench_doctor [--only WORD] [--foreign] [--write]

Prints the confusion matrix (cause × diagnosis), the totals against the goals, and what can't be
told apart from outside; with --foreign, the same with applications that the doctor has never seen.
With --write, docs/doctor.md gets them. Exits 1 if a goal is missed.

What is wrong with a cell is known from how it is made; whether that shows outside, from the model.
"""

import argparse
import sys
import time
from collections.abc import Sequence
from statistics import median

from hoplab.catalogue import load
from hoplab.commands.session import Session
from hoplab.prefix import parse
from hoplab.report.progress import Progress
from hoplab.system import interrupts
from hoplab.workspace import checkout
from scripts.bench_doctor import cells, matrix
from scripts.bench_doctor.examining import Examined, of_a_stranger, of_the_lab, with_second_eye
from scripts.bench_doctor.strangers import INSTALLED, OWN, Stranger
from scripts.bench_doctor.truth import WITH_WINDOW, truth

OUTSIDE, WITH_EYE = 0.9, 0.98
"""In how many cells the true causes have to be named first."""


def main() -> int:
    """Examine, print, judge."""
    interrupts.install()
    parser = argparse.ArgumentParser(description="The doctor at every cell of the lab.")
    parser.add_argument("--only", default="", help="the cells whose id has this word")
    parser.add_argument("--foreign", action="store_true", help="other applications as well")
    parser.add_argument("--write", action="store_true", help="into docs/doctor.md")
    parser.add_argument("--verbose", action="store_true", help="every cell")
    given = parser.parse_args()
    catalogue = load(checkout())
    began = time.monotonic()
    with Progress() as progress:
        session = Session(catalogue, progress)
        every = [cell for cell in cells.every(catalogue) if given.only in cell.id]
        found = of_the_lab(session, every)
        outside = time.monotonic()
        # What is right is measured from outside; the second eye has to tell what is wrong.
        wrong = [cell for cell in every if truth(cell, catalogue, WITH_WINDOW)[0]]
        eye = with_second_eye(session, [*wrong, *catalogue.recommended_cells(catalogue.topologies)])
        ended = time.monotonic()
        forged = of_the_lab(session, cells.forgeable(catalogue), spoof=True)
        strangers = (*OWN, *INSTALLED) if given.foreign else ()
        foreign = {each.title: _of(each, progress) for each in strangers}
    print(matrix.told("The lab", found))
    print(matrix.told("With the second eye", eye))
    print(f"{outside - began:.0f} s for {len(found)} cells from outside,")
    print(f"{ended - outside:.0f} s for {len(eye)} with the second eye")
    well = [each.report for each in found if not each.visible]
    if well:
        requests = max(each.requests for each in well)
        seconds = median(each.seconds for each in well)
        print(f"of a healthy one at most {requests} requests, in {seconds:.1f} s (median)\n")
    print(matrix.told("With `--spoof`", forged))
    missed = [*judged(found), *judged(eye, goal=WITH_EYE), *judged(forged)]
    for name, examined in foreign.items():
        print(matrix.told(name, examined))
        missed += judged(examined, foreign=True)
    if given.verbose:
        _print_each(found, eye, *foreign.values())
    if given.write:
        page = catalogue.workspace.root / "docs/doctor.md"
        page.write_text(matrix.written(page.read_text(), found, eye, forged, foreign))
    print("\n".join(missed) or "every goal is met")
    return 1 if missed else 0


def _of(stranger: Stranger, progress: Progress) -> list[Examined]:
    catalogue = load(checkout(), parse(stranger.prefix))
    where = cells.of_an_application(catalogue)
    return of_a_stranger(Session(catalogue, progress), where, stranger)


def _print_each(*several: Sequence[Examined]) -> None:
    for each in (one for found in several for one in found):
        shown = " + ".join("|".join(sorted(group)) for group in each.groups)
        print(each.cell.id, each.cell.prefix, each.outcome, sorted(each.visible), "→", shown)


def judged(found: Sequence[Examined], *, foreign: bool = False, goal: float = OUTSIDE) -> list[str]:
    """The goals that are missed. Of a foreign application, it may well be unable to tell."""
    never = ["healthy, called sick", "sick, called healthy", "wrong"]
    missed = []
    for outcome in never if foreign else [*never, "cannot tell"]:
        ids = [each.cell.id for each in found if each.outcome == outcome]
        if ids:
            missed.append(f"{outcome}: {len(ids)}, such as {', '.join(ids[:3])}")
    sick = [each for each in found if each.visible]
    known = [each for each in sick if not (foreign and each.outcome == "cannot tell")]
    first = sum(each.outcome == "first" for each in known)
    if first < goal * len(known):
        missed.append(f"first in {first} of {len(known)} cells: less than {goal:.0%}")
    return missed


if __name__ == "__main__":
    sys.exit(main())
