"""Was a fault noticed? What `hoplab verify` finds is compared with what it finds unbroken."""

import threading
from collections import defaultdict
from collections.abc import Callable
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from hoplab.errors import HoplabError
from hoplab.results import Results, Verdict
from scripts.sabotage.faults import Fault
from scripts.sabotage.lab import Lab, NotStarted


class Outcome(StrEnum):
    """What came of a fault, the worst of its topologies.

    ERROR: a check ended with an error of the lab's own, or was no longer asked, and nothing failed.
    NOT_STARTED: there is no result, so the fault is a bad one.
    """

    NOTICED = "noticed"
    ERROR = "error"
    NOT_NOTICED = "not noticed"
    NOT_STARTED = "not started"


_BEST_FIRST = list(Outcome)


@dataclass(frozen=True)
class Judgement:
    """A fault with what came of it.

    by: the checks and symptoms that noticed it, or the errors. shown: whether a plain client saw a
    difference; None if it was not asked.
    """

    fault: Fault
    outcome: Outcome
    by: tuple[str, ...]
    shown: tuple[str, ...] | None = None

    def as_json(self) -> dict[str, Any]:
        """For the file of results."""
        fault = asdict(self.fault)
        del fault["edits"]
        return {**fault, "outcome": self.outcome, "by": self.by, "shown": self.shown}


class Judge:
    """Asks the lab with each fault; several may share what the unbroken topologies answer."""

    def __init__(self, lab: Lab, unbroken: "Unbroken") -> None:
        self._lab = lab
        self._unbroken = unbroken

    def judge(
        self, fault: Fault, prove: Callable[[str], tuple[str, ...]] | None = None
    ) -> Judgement:
        """Ask each of the fault's topologies.

        Of what is not noticed, `prove` says what a plain client sees.
        """
        found: list[tuple[Outcome, tuple[str, ...]]] = []
        shown: set[str] = set()
        for name in fault.topologies:
            right = self._unbroken.of(name, self._lab)
            with self._lab.broken(fault):
                try:
                    found.append(compare(right, self._lab.verify(name)))
                    if prove and found[-1][0] is not Outcome.NOTICED:  # else it is shown by that
                        shown |= set(prove(name))
                except (NotStarted, HoplabError) as reason:
                    lines = str(reason).strip().splitlines() or ["it said nothing"]
                    found.append((Outcome.NOT_STARTED, (" / ".join(lines[-3:]),)))
        outcome, by = max(found, key=lambda each: _BEST_FIRST.index(each[0]))
        asked = prove is not None and outcome is not Outcome.NOTICED
        return Judgement(fault, outcome, by, tuple(sorted(shown)) if asked else None)


class Unbroken:
    """What is found in the topologies as they are: each is asked once, when it is needed."""

    def __init__(self) -> None:
        self._found: dict[str, Results] = {}
        self._locks: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)

    def of(self, name: str, lab: Lab) -> Results:
        """The results of this topology. Raises HoplabError if it does not pass."""
        with self._locks[name]:
            if name not in self._found:
                self._found[name] = _right(lab, name)
            return self._found[name]


def _right(lab: Lab, name: str) -> Results:
    try:
        right = lab.verify(name)
    except NotStarted as reason:
        message = f"the unbroken {name} can't be asked:\n{reason}"
        raise HoplabError(message) from None
    if not right.passed:
        message = f"the unbroken {name} does not pass: see `hoplab verify`"
        raise HoplabError(message)
    return right


def compare(right: Results, broken: Results) -> tuple[Outcome, tuple[str, ...]]:
    """What of the broken lab's findings says that it is broken. The right one passes."""
    verdicts = _findings(right)
    failed, errors = [], []
    for where, (verdict, told) in _findings(broken).items():
        if verdict is Verdict.FAIL:
            failed.append(told)
        elif verdict is not verdicts.get(where, (None,))[0]:
            errors.append(f"{told} ({verdict})")
    if failed:
        return Outcome.NOTICED, tuple(dict.fromkeys(failed))
    if errors:
        return Outcome.ERROR, tuple(dict.fromkeys(errors))
    return Outcome.NOT_NOTICED, ()


def _findings(results: Results) -> dict[tuple[str, str], tuple[Verdict, str]]:
    return {
        (cell.cell.id, finding.check): (
            finding.verdict,
            f"{finding.check}: {finding.symptom or finding.detail}",
        )
        for cell in results.cells
        for finding in cell.findings
    }
