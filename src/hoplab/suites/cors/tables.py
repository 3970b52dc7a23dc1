"""The CORS variants as a table: which origins get in, with a preflight and without one."""

from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import urlsplit

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from hoplab.client.wire import Exchange
from hoplab.report.summary import summary, surprises
from hoplab.report.text import render
from hoplab.results import CellResult, Results
from hoplab.suites.cors.right import ORIGINS, Right, lets_in, preflight_passes, right_of

_PATHS = {
    "/items/": "/items/",
    "/fail": "/fail: 500",
    "/metrics": "/metrics",
    "/metrics/": "/metrics/",
    "/metrics/missing": "…missing: 404",
    "/metrics/fail": "…fail: 500",
}
_LEGEND = """\
GET / preflight with credentials, of a page of this origin: does a browser let
it? An exclamation mark is for what the variant's author does not want."""
_LABEL, _PLACE = 8, 10


def cors_tables(
    results: Results, right: Mapping[str, Mapping[str, Any]], *, plain: bool = False
) -> str:
    """A table for each variant, what is not as predicted, and a summary."""
    variants: dict[str, list[CellResult]] = {}
    for result in results.cells:
        variants.setdefault(result.cell.variation, []).append(result)
    parts: list[RenderableType] = []
    for variant, cells in variants.items():
        if any(_outcomes(cells)):
            parts += [_table(variant, right_of(right[variant]), cells), Text()]
    if parts:
        parts = [Text(_LEGEND), Text(), *parts]
    return render([*parts, *surprises(results.cells), summary(results)], plain=plain)


def _table(variant: str, right: Right, cells: Iterable[CellResult]) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0), title_justify="left")
    table.title = Text(variant, "bold")
    table.add_column("", min_width=_LABEL)
    for head in _PATHS.values():
        table.add_column(head, min_width=_PLACE)
    outcomes = _outcomes(cells)
    for label, origin in ORIGINS.items():
        if origin:
            both = [
                _place(
                    outcomes.get((origin, path, "GET"), set()),
                    outcomes.get((origin, path, "OPTIONS"), set()),
                    wants=origin in right.wanted(path),
                )
                for path in _PATHS
            ]
            table.add_row(label, *both)
    return table


def _place(simple: set[str], preflight: set[str], *, wants: bool) -> Text:
    told = [_told(simple), _told(preflight)]
    wrong = any(outcome not in {"-", "yes" if wants else "no"} for outcome in told)
    shown = " / ".join(each for each in told if each != "-")
    return Text(shown + "!" * wrong, style="red" if wrong else "")


def _told(outcomes: set[str]) -> str:
    return "-" if not outcomes else outcomes.pop() if len(outcomes) == 1 else "differ"


def _outcomes(cells: Iterable[CellResult]) -> Mapping[tuple[str, str, str], set[str]]:
    """By origin, path and method, whatever a browser made of it in these cells."""
    found: dict[tuple[str, str, str], set[str]] = {}
    for result in cells:
        for finding in result.findings:
            if finding.check in {"preflight", "simple", "errors"}:
                for exchange in finding.exchanges:
                    origin = dict(exchange.sent).get("Origin")
                    if origin:
                        path = urlsplit(exchange.url).path.removeprefix(result.cell.prefix.encoded)
                        key = (origin, path, exchange.method)
                        found.setdefault(key, set()).add(_outcome(exchange, origin))
    return found


def _outcome(exchange: Exchange, origin: str) -> str:
    passes = preflight_passes if exchange.method == "OPTIONS" else lets_in
    return "yes" if passes(exchange, origin, credentials=True) else "no"
