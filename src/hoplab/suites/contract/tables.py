"""The matrix for the eye: a grid for each mode, strategies down, servers across, codes in it."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import product
from typing import Any

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from hoplab.report.summary import summary, surprises
from hoplab.report.text import render
from hoplab.report.words import count
from hoplab.results import CellResult, Results, Verdict
from hoplab.topology import Mode, Scheme, Strategy, Trust

_MARKS = {Verdict.PASS: "✓", Verdict.ERROR: "error"}
_STYLES = {Verdict.PASS: "green", Verdict.FAIL: "red", Verdict.ERROR: "bold yellow"}
_NOT_JUDGED, _NOT_ASKED = "·", "-"
_LEGEND = """\
✓: passes. A code: what fails first, as below. A/B: over http A, over https B.
!: not as predicted. -: not asked. ·: asked, and nothing of it was judged."""

_Codes = Mapping[str, str]
_Row = tuple[Text, ...]


def matrix_tables(
    results: Results,
    right: Mapping[str, Mapping[str, Any]],  # noqa: ARG001 - here it follows from the contract
    *,
    plain: bool = False,
    variations: bool = False,
) -> str:
    """A grid for each mode, what is not as predicted, and a summary.

    The variations' own table only if they are asked for, or if there is nothing else.
    """
    of_product = [result for result in results.cells if not result.cell.variation]
    varied = [result for result in results.cells if result.cell.variation]
    listed = varied if variations or not of_product else []
    codes = codes_of(s for r in [*of_product, *listed] for s in r.symptoms[:1])
    parts: list[RenderableType] = []
    for mode in dict.fromkeys(result.cell.topology.mode for result in of_product):
        chosen = [result for result in of_product if result.cell.topology.mode is mode]
        parts += [_grid(mode, chosen, codes), Text()]
    if listed:
        parts += [_variations_table(listed, codes), Text()]
    elif varied:
        names = {result.cell.variation for result in varied}
        told = f"And {count(len(names), 'variation')} in {count(len(varied), 'cell')}"
        parts += [Text(f"{told}: --variations shows them."), Text()]
    if parts:
        parts += [Text(_LEGEND), *_legend(codes), Text()]
    return render([*parts, *surprises(results.cells), summary(results)], plain=plain)


def codes_of(symptoms: Iterable[str]) -> dict[str, str]:
    """A short code for each: its words' initials, or as many letters of the last as it needs."""
    codes: dict[str, str] = {}
    for symptom in sorted(set(symptoms)):
        *words, last = symptom.split("-")
        initials = "".join(word[0] for word in words if word)
        lengths = range(1 if words else 2, len(last) + 1)
        free = (f"{initials}{last[:length]}" for length in lengths)
        taken = set(codes.values())
        codes[symptom] = next((code for code in free if code not in taken), symptom)
    return codes


def _legend(codes: _Codes) -> list[RenderableType]:
    """Codes and names, in two columns."""
    table = Table.grid(padding=(0, 2, 0, 0))
    lines = [(code, symptom) for symptom, code in codes.items()]
    half = (len(lines) + 1) // 2
    for number in range(half):
        others = lines[half + number] if half + number < len(lines) else ("", "")
        table.add_row(*lines[number], *others)
    return [table] if lines else []


def _grid(mode: Mode, results: Sequence[CellResult], codes: _Codes) -> Table:
    """A line for each strategy and trust; several, if proxies differ there."""
    proxies = list(dict.fromkeys(result.cell.topology.proxy for result in results))
    servers = list(dict.fromkeys(result.cell.topology.server for result in results))
    lines: list[tuple[Strategy, Trust, str, _Row]] = []
    for strategy, trust in product(Strategy, Trust):
        row = [r for r in results if (r.cell.strategy, r.cell.trust) == (strategy, trust)]
        for row_of, texts in _by_proxy(row, proxies, servers, codes).items():
            lines.append((strategy, trust, row_of, texts))
    differ = any(row_of for _, _, row_of, _ in lines)
    title = mode if len(proxies) > 1 else f"{mode}, {proxies[0]}"
    heads = [title, "trust", *(["proxy"] if differ else []), *servers]
    table = Table(*heads, box=None, pad_edge=False)
    before: tuple[str, str] = ("", "")
    for strategy, trust, row_of, texts in lines:
        first = "" if strategy == before[0] else strategy
        second = "" if (strategy, trust) == before else trust
        table.add_row(first, second, *([row_of or "all"] if differ else []), *texts)
        before = (strategy, trust)
    return table


def _by_proxy(
    results: Sequence[CellResult], proxies: Sequence[str], servers: Sequence[str], codes: _Codes
) -> dict[str, _Row]:
    """The line of each proxy, by its name; those that are the same once, and no name if all are."""
    found: dict[tuple[str, ...], tuple[list[str], _Row]] = {}
    for proxy in proxies:
        own = [r for r in results if r.cell.topology.proxy == proxy]
        if own:
            texts = tuple(
                _both([r for r in own if r.cell.topology.server == server], codes)
                for server in servers
            )
            found.setdefault(tuple(map(str, texts)), ([], texts))[0].append(proxy)
    if len(found) == 1:
        [(_, texts)] = found.values()
        return {"": texts}
    return {", ".join(names): texts for names, texts in found.values()}


def _variations_table(results: Sequence[CellResult], codes: _Codes) -> Table:
    """A line for each deployment; its name can be copied: `hoplab explain NAME.https+VARIATION`."""
    table = Table("variation", "", box=None, pad_edge=False)
    variation = ""
    for deployment in dict.fromkeys(result.cell.deployment for result in results):
        if deployment.variation != variation:
            variation = deployment.variation
            table.add_row(Text(variation, "bold"))
        both = [result for result in results if result.cell.deployment == deployment]
        table.add_row(f"  {deployment.name}", _both(both, codes))
    return table


def _both(results: Sequence[CellResult], codes: _Codes) -> Text:
    """Http and https in one: what fails first, or a tick; both if they differ."""
    if not results:
        return Text(_NOT_ASKED)
    in_order = sorted(results, key=lambda result: list(Scheme).index(result.cell.scheme))
    told = list(dict.fromkeys(_told(result, codes) for result in in_order))
    surprising = any(result.surprises for result in results)
    worst = max(results, key=lambda result: _badness(result.verdict))
    return Text("/".join(told) + "!" * surprising, style=_STYLES.get(worst.verdict, ""))


def _told(result: CellResult, codes: _Codes) -> str:
    if result.verdict is Verdict.FAIL:
        return codes[result.symptoms[0]]
    return _MARKS.get(result.verdict, _NOT_JUDGED)


def _badness(verdict: Verdict) -> int:
    return {Verdict.ERROR: 2, Verdict.FAIL: 1}.get(verdict, 0)
