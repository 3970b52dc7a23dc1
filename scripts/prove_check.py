"""Are the questions of `hoplab check` good enough? The matrix says: it knows which cells are wrong.

    python -m scripts.prove_check [EACH]

Starts the lab's own application in every cell, right and wrong (or in each EACH-th), and asks it
what `hoplab check` asks of anybody's: the routes come from its route table, what is right from its
own answers without a proxy. In each cell in which something is wrong, something has to be found,
and in the others nothing. Prints the cells where that is not so, by what is wrong there; exits with
1 if one of them has no reason in docs/check.md.
"""

import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from app.own_routes import discovered
from app.plain import app
from hoplab.catalogue import Catalogue, load
from hoplab.commands.ask import ask_whole
from hoplab.commands.check import bare_of, explored_alone, jobs_of
from hoplab.commands.session import Session, deployments_of
from hoplab.commands.showing import cells_of
from hoplab.engines.process import ProcessEngine
from hoplab.predictions import predict
from hoplab.report.progress import Progress
from hoplab.results import Verdict
from hoplab.suites import SUITES, own
from hoplab.suites.own.explore import Wish
from hoplab.system import interrupts
from hoplab.topology import Cell
from hoplab.workspace import checkout

PAGE = checkout().root / "docs/check.md"
RIGHT = "nothing"
"""In place of symptoms: what is predicted for a right cell, and what is found where nothing is."""

_ROW = re.compile(r"^\| (`[^|]+`|nothing) \| (`[^|]+`|nothing) \| ([^|]+) \|$", re.MULTILINE)
_MOST = 200


@dataclass(frozen=True)
class Proof:
    """A cell: the symptoms that it must have by the lab's rules, and those that `check` found."""

    cell: Cell
    wrong: frozenset[str]
    found: frozenset[str]
    errors: tuple[str, ...] = ()

    @property
    def holds(self) -> bool:
        """Whether something is found exactly where something is wrong."""
        return bool(self.wrong) == bool(self.found) and not self.errors

    @property
    def kind(self) -> tuple[str, str]:
        """What a reason is about: what is wrong, and what is found."""
        return _names(self.wrong), _names(self.found)


def _names(symptoms: Iterable[str]) -> str:
    return ", ".join(sorted(symptoms)) or RIGHT


def prove(session: Session, cells: Sequence[Cell]) -> list[Proof]:
    """Start the cells, ask, stop. What can't be started is left out."""
    catalogue = session.catalogue
    bare = bare_of(catalogue, cells[0])
    wish = Wish(most=_MOST, prefix=catalogue.prefix.encoded)
    session.clean_up()
    deployments = list(dict.fromkeys([*deployments_of(cells), bare]))
    engine = ProcessEngine(
        catalogue, deployments, session.new_run(), session.certificates(), partial=True
    )
    with session.running(engine) as endpoints:
        session.progress.stage("exploring")
        explored = explored_alone(
            endpoints,
            bare,
            lambda _: discovered(app),
            wish,
            (),
            session.progress.count,
            engine.died,
        )
        able = [cell for cell in cells if cell.deployment not in engine.failures]
        jobs = jobs_of(catalogue, able, endpoints, explored)
        results = ask_whole(session, jobs, own.CHECKS, session.progress.count)
    proofs = []
    for result in results:
        found = frozenset(f.symptom for f in result.findings if f.symptom)
        errors = tuple(f.detail for f in result.findings if f.verdict is Verdict.ERROR)
        wrong = frozenset(predict(result.cell, catalogue).values())
        proofs.append(Proof(result.cell, wrong, found, errors))
    return proofs


def reasons() -> dict[tuple[str, str], str]:
    """Those of docs/check.md: by what is wrong, and what is found."""
    return {
        (wrong.replace("`", ""), found.replace("`", "")): why.strip()
        for wrong, found, why in _ROW.findall(PAGE.read_text())
    }


def gaps(proofs: Iterable[Proof]) -> Mapping[tuple[str, str], list[Proof]]:
    """The cells of which the questions say something else than the rules, by what both say."""
    found: dict[tuple[str, str], list[Proof]] = {}
    for proof in proofs:
        if not proof.holds:
            found.setdefault(proof.kind, []).append(proof)
    return found


def every(catalogue: Catalogue) -> list[Cell]:
    """All of the contract: every combination, and its variations."""
    return cells_of(catalogue, SUITES["contract"])


def main(arguments: Sequence[str]) -> int:
    """Prove it, and print what does not hold."""
    interrupts.install()
    catalogue = load(checkout())
    cells = every(catalogue)[:: int(arguments[0]) if arguments else 1]
    with Progress() as progress:
        proofs = prove(Session(catalogue, progress), cells)
    known, unknown = reasons(), 0
    wrong = sum(bool(proof.wrong) for proof in proofs)
    print(f"{len(proofs)} cells, of which {wrong} are wrong; something was found in", end=" ")
    print(sum(bool(proof.wrong and proof.found) for proof in proofs), "of these")
    for kind, some in sorted(gaps(proofs).items(), key=lambda item: -len(item[1])):
        unknown += kind not in known
        print(f"\n{len(some)} cells, such as {some[0].cell.id}")
        print(f"  wrong: {kind[0]}\n  found: {kind[1]}")
        for error in dict.fromkeys(error for proof in some for error in proof.errors):
            print(f"  error: {error}")
        print(f"  reason: {known.get(kind, 'NOT KNOWN')}")
    return 1 if unknown else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
