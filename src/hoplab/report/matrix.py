"""The matrix as tables, at most 80 columns wide: a proxy and mode each, strategies down."""

from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import product
from textwrap import wrap

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from hoplab.report.text import render
from hoplab.results import CellResult, Results, Verdict
from hoplab.topology import Mode, Scheme, Strategy, Trust

_COLUMN, _WIDE_COLUMN = 17, 27
_STYLES = {Verdict.PASS: "green", Verdict.FAIL: "red", Verdict.ERROR: "bold yellow"}
_SHOWN = 20


def matrix_tables(results: Results, *, plain: bool = False) -> str:
    """Every cell, then the variations, what is not as predicted, and a summary."""
    plain_cells = [result for result in results.cells if not result.cell.variation]
    groups = dict.fromkeys((r.cell.topology.proxy, r.cell.topology.mode) for r in plain_cells)
    parts: list[RenderableType] = []
    for proxy, mode in groups:
        chosen = [
            result
            for result in plain_cells
            if (result.cell.topology.proxy, result.cell.topology.mode) == (proxy, mode)
        ]
        parts += [_product_table(proxy, mode, chosen), Text()]
    if varied := [result for result in results.cells if result.cell.variation]:
        parts += [_variations_table(varied), Text()]
    return render([*parts, *surprises(results.cells), summary(results)], plain=plain)


def matrix_summary(results: Results) -> str:
    """What is not as predicted, and a summary: for a person, where the results went elsewhere."""
    return render([*surprises(results.cells), summary(results)], plain=True)


def _product_table(proxy: str, mode: Mode, results: Sequence[CellResult]) -> Table:
    servers = list(dict.fromkeys(result.cell.topology.server for result in results))
    table = Table(
        f"{proxy}, {mode}", "trust", *servers, box=None, pad_edge=False, padding=(0, 1, 0, 0)
    )
    shown = ""
    for strategy, trust in product(Strategy, Trust):
        row = [r for r in results if (r.cell.strategy, r.cell.trust) == (strategy, trust)]
        if row:
            verdicts = [_both([r for r in row if r.cell.topology.server == s]) for s in servers]
            table.add_row("" if strategy == shown else strategy, trust, *verdicts)
            shown = strategy
    return table


def _variations_table(results: Sequence[CellResult]) -> Table:
    """A line for each deployment; its name can be copied: `hoplab explain NAME.https+VARIATION`."""
    table = Table("variation", "verdict", box=None, pad_edge=False, padding=(0, 1, 0, 0))
    variation = ""
    for deployment in dict.fromkeys(result.cell.deployment for result in results):
        if deployment.variation != variation:
            variation = deployment.variation
            table.add_row(Text(variation, "bold"), "")
        both = [result for result in results if result.cell.deployment == deployment]
        table.add_row(f"  {deployment.name}", _both(both, _WIDE_COLUMN))
    return table


def _both(results: Sequence[CellResult], width: int = _COLUMN) -> Text:
    """Http and https in one: the worst verdict and the first symptom, and where if in one alone."""
    if not results:
        return Text("-")
    worst = max(results, key=lambda result: _badness(result.verdict))
    # https last, and first in what is told: there most goes wrong.
    symptoms = [symptom for result in reversed(results) for symptom in result.symptoms]
    told = str(worst.verdict)
    if worst.verdict is Verdict.FAIL:
        told += f": {symptoms[0]}"
        right = [r.cell.scheme for r in results if r.verdict is not Verdict.FAIL]
        told += " (https)" if right == [Scheme.HTTP] else " (http)" if right else ""
    if any(result.surprises for result in results):
        told += " (!)"
    return Text("\n".join(wrap(told, width)), style=_STYLES.get(worst.verdict, ""))


def _badness(verdict: Verdict) -> int:
    return {Verdict.ERROR: 2, Verdict.FAIL: 1}.get(verdict, 0)


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
    cut = f"INTERRUPTED: {results.unfinished} cells are missing\n" if results.unfinished else ""
    return Text(
        f"{cut}{len(results.cells)} cells: {cells[Verdict.PASS]} pass, {cells[Verdict.FAIL]} fail,"
        f" {cells[Verdict.ERROR]} error; {_count(unexpected, 'surprise')}\n"
        f"{asked} checks asked; failed: {told or 'none'}\n"
        f"{results.processes} processes{memory}; {results.seconds:.1f} s, of which"
        f" {results.start_seconds:.1f} s to start"
    )


def _count(number: int, what: str) -> str:
    return f"{number or 'no'} {what}" + "s" * (number != 1)
