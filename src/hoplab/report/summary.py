"""What is not as predicted, and a summary: below every table of a suite."""

from collections import Counter
from collections.abc import Iterable

from rich.console import RenderableType
from rich.text import Text

from hoplab.report.text import prefix_of, render
from hoplab.results import CellResult, Results, Verdict

_SHOWN = 20


def summary_text(results: Results) -> str:
    """What is not as predicted, and a summary: for a person, where the results went elsewhere."""
    return render([*surprises(results.cells), summary(results)], plain=True)


def surprises(results: Iterable[CellResult]) -> list[RenderableType]:
    """What is not as predicted, and what nobody knows."""
    lines: list[RenderableType] = []
    ended: dict[str, list[str]] = {}  # cells that share a process share its end
    for result in results:
        if result.verdict is Verdict.ERROR:
            details = [f.detail for f in result.findings if f.verdict is Verdict.ERROR]
            ended.setdefault(next(iter(details), "nothing was asked"), []).append(result.cell.id)
        elif result.surprises:
            told = "\n".join(f"{s}\n{_indented(s.detail)}" for s in result.surprises)
            lines.append(Text(f"{result.cell.id}: surprise\n{_indented(told)}", "bold red"))
    if len(lines) > _SHOWN:
        more = Text(f"and {len(lines) - _SHOWN} more cells with surprises: see --format json")
        lines = [*lines[:_SHOWN], more]
    for detail, cells in ended.items():
        others = f" and {len(cells) - 1} more" if len(cells) > 1 else ""
        lines.append(Text(f"{cells[0]}{others}: error\n{_indented(detail)}", "bold yellow"))
    return [*lines, Text()] if lines else []


def _indented(text: str) -> str:
    return "\n".join(f"  {line}" for line in text.splitlines())


def summary(results: Results) -> Text:
    """Cells, verdicts, symptoms, processes and seconds."""
    cells = Counter(result.verdict for result in results.cells)
    asked = sum(len(result.findings) for result in results.cells)
    symptoms = Counter(f.symptom for result in results.cells for f in result.findings if f.symptom)
    unexpected = sum(len(result.surprises) for result in results.cells)
    told = ", ".join(f"{symptom} {count}" for symptom, count in symptoms.most_common())
    memory = f", {results.memory_bytes / 2**30:.1f} GiB" if results.memory_bytes else ""
    asked_below = prefix_of(results)
    prefix = f"prefix {asked_below}; " if asked_below else ""
    cut = f"INTERRUPTED: {results.unfinished} cells are missing\n" if results.unfinished else ""
    return Text(
        f"{cut}{len(results.cells)} cells: {cells[Verdict.PASS]} pass, {cells[Verdict.FAIL]} fail,"
        f" {cells[Verdict.ERROR]} error; {_count(unexpected, 'surprise')}\n"
        f"{asked} checks asked; failed: {told or 'none'}\n"
        f"{prefix}{results.processes} processes{memory}; {results.seconds:.1f} s, of which"
        f" {results.start_seconds:.1f} s to start"
    )


def _count(number: int, what: str) -> str:
    return f"{number or 'no'} {what}" + "s" * (number != 1)
