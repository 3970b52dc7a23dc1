"""What is not as predicted, and a summary: below every table of a suite."""

from collections import Counter
from collections.abc import Iterable

from rich.console import RenderableType
from rich.text import Text

from hoplab.report.text import prefix_of, render
from hoplab.report.words import count
from hoplab.results import CellResult, Results, Verdict

_SHOWN = 20


def summary_text(results: Results) -> str:
    """What is not as predicted, and a summary: for a person, where the results went elsewhere."""
    return render([*surprises(results.cells), summary(results)], plain=True)


def surprises(results: Iterable[CellResult]) -> list[RenderableType]:
    """What is not as predicted, and what nobody knows; the same in several cells once."""
    found: dict[tuple[str, ...], list[CellResult]] = {}
    ended: dict[str, list[str]] = {}  # cells that share a process share its end
    for result in results:
        if result.verdict is Verdict.ERROR:
            details = [f.detail for f in result.findings if f.verdict is Verdict.ERROR]
            ended.setdefault(next(iter(details), "nothing was asked"), []).append(result.cell.id)
        elif result.surprises:
            found.setdefault(tuple(map(str, result.surprises)), []).append(result)
    lines: list[RenderableType] = []
    for same in sorted(found.values(), key=len, reverse=True):
        told = "\n".join(f"{s}\n{_indented(s.detail)}" for s in same[0].surprises)
        names = _cells([result.cell.id for result in same])
        lines.append(Text(f"{names}: surprise\n{_indented(told)}", "bold red"))
    if len(lines) > _SHOWN:
        more = Text(f"and {count(len(lines) - _SHOWN, 'other surprise')}: see --format json")
        lines = [*lines[:_SHOWN], more]
    for detail, cells in ended.items():
        lines.append(Text(f"{_cells(cells)}: error\n{_indented(detail)}", "bold yellow"))
    return [*lines, Text()] if lines else []


def _cells(names: list[str]) -> str:
    """The first of them, by which the others can be told."""
    more = len(names) - 1
    return f"{names[0]} and {more} more" if more else names[0]


def _indented(text: str) -> str:
    return "\n".join(f"  {line}" for line in text.splitlines())


def summary(results: Results) -> Text:
    """Cells, verdicts, symptoms, processes and seconds."""
    asked = sum(len(result.findings) for result in results.cells)
    symptoms = Counter(f.symptom for result in results.cells for f in result.findings if f.symptom)
    told = ", ".join(f"{symptom} {number}" for symptom, number in symptoms.most_common())
    memory = f", {results.memory_bytes / 2**30:.1f} GiB" if results.memory_bytes else ""
    asked_below = prefix_of(results)
    prefix = f"prefix {asked_below}; " if asked_below else ""
    missing = results.unfinished
    are = "is" if missing == 1 else "are"
    cut = f"INTERRUPTED: {count(missing, 'cell')} {are} missing\n" if missing else ""
    return Text(
        f"{cut}{_verdicts(results)}\n"
        f"{count(asked, 'check')} asked; failed: {told or 'none'}\n"
        f"{prefix}{count(results.processes, 'process')}{memory}; {results.seconds:.1f} s, of which"
        f" {results.start_seconds:.1f} s to start"
    )


def _verdicts(results: Results) -> str:
    """What is wrong on purpose is not what a person has to look at: a surprise is."""
    cells = Counter(result.verdict for result in results.cells)
    unexpected = sum(len(result.surprises) for result in results.cells)
    errors, judged = cells[Verdict.ERROR], cells[Verdict.PASS] + cells[Verdict.FAIL]
    well = not unexpected and judged == len(results.cells)
    parts = [
        f"{cells[Verdict.PASS]} right" if cells[Verdict.PASS] or not judged else "",
        f"{cells[Verdict.FAIL]} wrong" + " on purpose" * well if cells[Verdict.FAIL] else "",
        count(errors, "error") if errors else "",
        f"{others} not judged" if (others := len(results.cells) - judged - errors) else "",
    ]
    told = f"{count(len(results.cells), 'cell')}: {', '.join(filter(None, parts))}"
    if well:
        return f"{told}, as predicted"
    return f"{told}; {count(unexpected, 'surprise') if unexpected else 'no surprises'}"
