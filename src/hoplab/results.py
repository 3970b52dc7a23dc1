"""What came of the questions: findings, of cells, of a run."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from hoplab.advice import OwnConfiguration, Tried
from hoplab.client.wire import Exchange
from hoplab.topology import Cell


class Verdict(StrEnum):
    """What a finding, or a whole cell, comes to.

    ERROR is the lab's own, never a statement about the topology; RECORDED is
    informational only.
    """

    PASS = "pass"  # noqa: S105 - a verdict
    FAIL = "fail"
    NOT_APPLICABLE = "not-applicable"
    RECORDED = "recorded"
    ERROR = "error"


_WORST_FIRST = (
    Verdict.ERROR,
    Verdict.FAIL,
    Verdict.PASS,
    Verdict.RECORDED,
    Verdict.NOT_APPLICABLE,
)


@dataclass(frozen=True)
class Finding:
    """A check's answer, with the exchanges that show it."""

    check: str
    verdict: Verdict
    symptom: str | None
    detail: str
    exchanges: Sequence[Exchange] = ()


@dataclass(frozen=True)
class Surprise:
    """A finding that is not as predicted: a symptom, or else the verdict."""

    check: str
    predicted: str | None
    found: str
    detail: str

    def __str__(self) -> str:
        """For example `docs: predicted pass, found docs-openapi-404`."""
        return f"{self.check}: predicted {self.predicted or 'pass'}, found {self.found}"


@dataclass(frozen=True)
class CellResult:
    """All findings of a cell."""

    cell: Cell
    recipe: bool
    findings: Sequence[Finding]
    prediction: Mapping[str, str] | None = None
    """The symptom of each check that must fail; None if nothing was predicted."""

    @property
    def surprises(self) -> list[Surprise]:
        """Where prediction and finding differ: nothing need be judged that is to pass."""
        if self.prediction is None:
            return []
        return [
            Surprise(f.check, predicted, f.symptom or f.verdict, f.detail)
            for f in self.findings
            if f.verdict is not Verdict.ERROR
            and f.symptom != (predicted := self.prediction.get(f.check))
        ]

    @property
    def verdict(self) -> Verdict:
        """ERROR if a finding is one (then nothing is known), else FAIL if one is, else PASS.

        A cell of which nothing was judged is what its findings are, RECORDED or NOT_APPLICABLE, and
        without any an ERROR: silence is not a pass.
        """
        verdicts = {finding.verdict for finding in self.findings}
        return next((verdict for verdict in _WORST_FIRST if verdict in verdicts), Verdict.ERROR)

    @property
    def symptoms(self) -> list[str]:
        """Each symptom once, in the order of the checks."""
        return list(dict.fromkeys(f.symptom for f in self.findings if f.symptom))


@dataclass(frozen=True)
class Results:
    """A run.

    `started` is UTC in ISO 8601 with a Z. `seconds` is the whole run's duration, of which
    `start_seconds` went until everything answered; `processes` were running then. `memory_bytes` is
    the memory that they and the lab itself had at the end, when it is the most. Those are 0 where
    nobody counts. `unfinished` cells are missing, because somebody interrupted the run. `tried` is
    what was tried for each problem that is not the application's own, None if nothing was to be.
    `configuration` is the person's own that was in place of the lab's.
    """

    engine: str
    started: str
    seconds: float
    versions: dict[str, str]
    cells: Sequence[CellResult] = field(default_factory=list)
    start_seconds: float = 0.0
    processes: int = 0
    memory_bytes: int = 0
    unfinished: int = 0
    tried: Sequence[Tried] | None = None
    configuration: OwnConfiguration | None = None

    @property
    def passed(self) -> bool:
        """Whether there is a cell, and every one passed: where nothing is judged, nothing does."""
        return bool(self.cells) and all(cell.verdict is Verdict.PASS for cell in self.cells)

    @property
    def as_predicted(self) -> bool:
        """Whether every cell was judged, none is an error, and every finding is as predicted."""
        known = all(cell.verdict in {Verdict.PASS, Verdict.FAIL} for cell in self.cells)
        return (
            bool(self.cells)
            and not self.unfinished
            and known
            and not any(cell.surprises for cell in self.cells)
        )
