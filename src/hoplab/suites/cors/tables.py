"""The CORS variants as a table: which origins may read what, with a preflight and without one."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, TypeAlias, TypeVar
from urllib.parse import urlsplit

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from hoplab.client.wire import Exchange
from hoplab.report.summary import summary, surprises
from hoplab.report.text import render
from hoplab.results import CellResult, Results
from hoplab.suites.cors.checks.judging import varies
from hoplab.suites.cors.right import (
    ORIGINS,
    Right,
    lets_in,
    preflight_passes,
    right_of,
    values,
)
from hoplab.suites.suite import Grid

_T = TypeVar("_T")
_Outcomes: TypeAlias = defaultdict[tuple[str | None, str, str], set[str]]

_PATHS = {
    "/items/": "/items/",
    "/fail": "/fail",
    "/metrics": "/metrics",
    "/metrics/": "/metrics/",
    "/metrics/missing": "…/missing",
    "/metrics/fail": "…/fail",
}
LEGEND = """\
Does a browser let a page of this origin, with its cookies, read the answer to
a GET, and does it send what it asks for before (pre: the preflight)?
no Origin: it gets the answer, whatever the policy (CORS is no access control);
is that one marked Vary: Origin, for the caches?
!: not what the variant's author wants. ≠: not the same everywhere. -: not
asked. /fail and …/fail answer 500, …/missing 404."""
_LABEL, _ANSWER = 9, 5
_NOT_ASKED, _DIFFER = "-", "≠"


def cors_tables(
    results: Results,
    right: Mapping[str, Mapping[str, Any]],
    *,
    plain: bool,
    variations: bool,  # noqa: ARG001 - there is nothing else here
) -> str:
    """A table for each variant, what is not as predicted, and a summary."""
    parts: list[RenderableType] = []
    for grid in cors_grids(results, right):
        parts += [_table(grid), Text()]
    if parts:
        parts = [Text(LEGEND), Text(), *parts]
    return render([*parts, *surprises(results.cells), summary(results)], plain=plain)


def cors_grids(results: Results, right: Mapping[str, Mapping[str, Any]]) -> list[Grid]:
    """Of each variant, by origin and path, what came of a GET and of a preflight."""
    variants: dict[str, list[CellResult]] = {}
    for result in results.cells:
        variants.setdefault(result.cell.variation, []).append(result)
    columns = [(head, below) for head in _PATHS.values() for below in ("GET", "pre")]
    grids = []
    for variant, cells in variants.items():
        if outcomes := _outcomes(cells):
            wanted = right_of(right[variant])
            rows = [
                (
                    label if origin else "no Origin",
                    [told for path in _PATHS for told in _place(outcomes, origin, path, wanted)],
                )
                for label, origin in ORIGINS.items()
            ]
            grids.append(Grid(variant, columns, rows))
    return grids


def _table(grid: Grid) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0), title_justify="left")
    table.title = Text(grid.variation, "bold")
    table.add_column("\nOrigin", min_width=_LABEL)
    for (head, first), (_, second) in _pairs(grid.columns):
        table.add_column(f"{head}\n{first:{_ANSWER}}{second}", min_width=2 * _ANSWER)
    for label, answers in grid.rows:
        both = [f"{first:{_ANSWER}}{second}" for first, second in _pairs(answers)]
        table.add_row(label, *(Text(text, "red" if "!" in text else "") for text in both))
    return table


def _place(outcomes: _Outcomes, origin: str | None, path: str, right: Right) -> tuple[str, str]:
    """What came of a GET, and of a preflight."""
    if origin:
        wanted = "yes" if origin in right.wanted(path) else "no"
        get, preflight = (_told(outcomes[origin, path, way], wanted) for way in ("GET", "OPTIONS"))
        return get, preflight
    # no page, and no preflight
    depends = "yes" in outcomes[None, path, "names an origin"]
    return _told(outcomes[None, path, "GET"], "yes" if depends else None), _NOT_ASKED


def _pairs(told: Sequence[_T]) -> Iterable[tuple[_T, _T]]:
    return zip(told[::2], told[1::2], strict=True)


def _told(outcomes: Collection[str], wanted: str | None) -> str:
    """A word, and an exclamation mark if anything else is wanted."""
    if not outcomes:
        return _NOT_ASKED
    told = next(iter(outcomes)) if len(outcomes) == 1 else _DIFFER
    return told + "!" * (wanted is not None and told != wanted)


def _outcomes(cells: Iterable[CellResult]) -> _Outcomes:
    """By origin, path and method, whatever a browser made of it in these cells."""
    found: _Outcomes = defaultdict(set)
    for result in cells:
        for finding in result.findings:
            if finding.check in {"preflight", "simple", "errors"}:
                for exchange in finding.exchanges:
                    origin = dict(exchange.sent).get("Origin")
                    path = urlsplit(exchange.url).path.removeprefix(result.cell.prefix.encoded)
                    found[origin, path, exchange.method].add(_outcome(exchange, origin))
                    if {*values(exchange, "Access-Control-Allow-Origin")} - {"*"}:
                        found[None, path, "names an origin"].add("yes")
    return found


def _outcome(exchange: Exchange, origin: str | None) -> str:
    if origin is None:
        return "yes" if varies(exchange) else "no"
    passes = preflight_passes if exchange.method == "OPTIONS" else lets_in
    return "yes" if passes(exchange, origin, credentials=True) else "no"
