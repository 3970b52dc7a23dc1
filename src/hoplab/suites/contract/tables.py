"""The matrix as tables, at most 80 columns wide: a proxy and mode each, strategies down."""

from collections.abc import Mapping, Sequence
from itertools import product
from textwrap import wrap
from typing import Any

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from hoplab.report.summary import summary, surprises
from hoplab.report.text import WIDTH, render
from hoplab.results import CellResult, Results, Verdict
from hoplab.topology import Mode, Scheme, Strategy, Trust

_COLUMN, _WIDE_COLUMN = 17, 27
_LABELS = 24
"""How wide the columns of strategy and trust are."""

_STYLES = {Verdict.PASS: "green", Verdict.FAIL: "red", Verdict.ERROR: "bold yellow"}


def matrix_tables(
    results: Results,
    right: Mapping[str, Mapping[str, Any]],  # noqa: ARG001 - here it follows from the contract
    *,
    plain: bool = False,
) -> str:
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


def _product_table(proxy: str, mode: Mode, results: Sequence[CellResult]) -> Table:
    servers = list(dict.fromkeys(result.cell.topology.server for result in results))
    table = Table(
        f"{proxy}, {mode}", "trust", *servers, box=None, pad_edge=False, padding=(0, 1, 0, 0)
    )
    width = min(_COLUMN, (WIDTH - _LABELS) // len(servers) - 1)
    shown = ""
    for strategy, trust in product(Strategy, Trust):
        row = [r for r in results if (r.cell.strategy, r.cell.trust) == (strategy, trust)]
        if row:
            verdicts = [
                _both([r for r in row if r.cell.topology.server == s], width) for s in servers
            ]
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


def _both(results: Sequence[CellResult], width: int) -> Text:
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
