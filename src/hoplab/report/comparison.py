"""What changed between two runs: by the checks of the cells that both have asked."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from hoplab.results import CellResult, Finding, Results
from hoplab.topology import Cell

NOT_ASKED = "not asked"


@dataclass(frozen=True)
class Change:
    """A check's answer that is another one than before, in one cell or more.

    before, after: its symptoms, or else a verdict, or NOT_ASKED. details: what was found before, by
    cell.
    """

    check: str
    before: str
    after: str
    details: dict[Cell, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Comparison:
    """Two runs. only_before, only_after: the cells that one of them lacks.

    versions: what has another version in the later run, with both; an empty one is that of nothing.
    """

    changes: Sequence[Change]
    both: Sequence[Cell]
    only_before: Sequence[Cell]
    only_after: Sequence[Cell]
    versions: Mapping[str, tuple[str, str]]


def compare(before: Results, after: Results) -> Comparison:
    """What changed, that of the most cells first."""
    earlier, later = _by_cell(before), _by_cell(after)
    both = [cell for cell in later if cell in earlier]
    changes: dict[tuple[str, str, str], Change] = {}
    for cell in both:
        was, now = _by_check(earlier[cell]), _by_check(later[cell])
        for check in dict.fromkeys([*now, *was]):
            told = _told(was.get(check, ())), _told(now.get(check, ()))
            if told[0] != told[1]:
                change = changes.setdefault((check, *told), Change(check, *told))
                change.details[cell] = "\n".join(each.detail for each in was.get(check, ()))
    names = dict.fromkeys([*before.versions, *after.versions])
    versions = {n: (before.versions.get(n, ""), after.versions.get(n, "")) for n in names}
    return Comparison(
        sorted(changes.values(), key=lambda change: -len(change.details)),
        both,
        [cell for cell in earlier if cell not in later],
        [cell for cell in later if cell not in earlier],
        {name: (was, now) for name, (was, now) in versions.items() if was != now},
    )


def _by_cell(results: Results) -> dict[Cell, CellResult]:
    return {result.cell: result for result in results.cells}


def _by_check(result: CellResult) -> dict[str, list[Finding]]:
    """A check may have said no in several ways."""
    found: dict[str, list[Finding]] = {}
    for finding in result.findings:
        found.setdefault(finding.check, []).append(finding)
    return found


def _told(findings: Sequence[Finding]) -> str:
    """Whatever the order in which they were found."""
    told = sorted({finding.symptom or finding.verdict.value for finding in findings})
    return ", ".join(told) or NOT_ASKED
