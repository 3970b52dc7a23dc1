"""Tables for a terminal, at most 80 columns wide."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rich.console import Console, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from hoplab.endpoint import Endpoint
from hoplab.prefix import DEFAULT_PREFIX
from hoplab.report.causes import causes
from hoplab.report.words import count
from hoplab.results import CellResult, Results, Verdict
from hoplab.topology import Scheme, Topology

WIDTH = 80

_STYLES = {Verdict.PASS: "green", Verdict.FAIL: "bold red", Verdict.ERROR: "bold yellow"}


def results_table(results: Results, *, plain: bool = False) -> str:
    """Topologies down, schemes across; then whatever is not right; then a summary.

    `plain`: without colours, even at a terminal.
    """
    table = Table("topology", "strategy", "trust", *Scheme, box=None, pad_edge=False)
    by_topology: dict[Topology, dict[Scheme, CellResult]] = {}
    for result in results.cells:
        by_topology.setdefault(result.cell.topology, {})[result.cell.scheme] = result
    for topology, by_scheme in by_topology.items():
        cell = next(iter(by_scheme.values())).cell
        verdicts = [_verdict(by_scheme.get(scheme)) for scheme in Scheme]
        table.add_row(topology.name, cell.strategy, cell.trust, *verdicts)
    return render([table, *_failures(results.cells), Text(), summary(results)], plain=plain)


def up_table(
    endpoints: Iterable[Endpoint], results: Results, pages: Sequence[str] = ("/app", "/docs")
) -> str:
    """What runs: where to look, and whether it is right, or as wrong as predicted.

    Of the pages, the first is shown over https too.
    """
    table = Table("topology", "look at", "verdict", box=None, pad_edge=False)
    by_topology: dict[Topology, list[CellResult]] = {}
    for result in results.cells:
        by_topology.setdefault(result.cell.topology, []).append(result)
    for endpoint in endpoints:
        bases = {scheme: endpoint.base(scheme, endpoint.host) for scheme in Scheme}
        first, *more = pages
        urls = [f"{bases[scheme]}{first}" for scheme in Scheme]
        urls += [f"{bases[Scheme.HTTP]}{page}" for page in more]
        asked = by_topology.get(endpoint.topology, [])
        worst = max(asked, key=lambda r: r.verdict is not Verdict.PASS, default=None)
        verdict = _verdict(worst) if worst else Text("not asked")
        if worst and _wrong_as_predicted(worst):
            verdict = Text(f"{worst.verdict}, as predicted")
        table.add_row(endpoint.topology.name, "\n".join(urls), verdict)
    to_explain = [result for result in results.cells if not _wrong_as_predicted(result)]
    return render([table, *_failures(to_explain), Text(), summary(results)])


def _wrong_as_predicted(result: CellResult) -> bool:
    return bool(result.prediction) and not result.surprises


def ps_table(entries: Sequence[Mapping[str, Any]]) -> str:
    """What is up; of each topology, below the table, what of it is not."""
    table = Table("topology", "engine", "look at", box=None, pad_edge=False)
    for entry in entries:
        urls = f"{entry['http']}/app\n{entry['https']}/app\n{entry['http']}/docs"
        table.add_row(entry["topology"], entry["engine"], urls)
    broken = [Text(f"{e['topology']}: {e['state']}") for e in entries if e["state"] != "up"]
    return render([table, *([Text(), *broken] if broken else [])])


def summary(results: Results) -> Text:
    """How many cells, findings and exchanges came to what, in one or two lines."""
    cells = Counter(result.verdict for result in results.cells)
    findings = Counter(f.verdict for result in results.cells for f in result.findings)
    told = ", ".join(f"{count} {verdict}" for verdict, count in findings.items())
    told += "".join(f"\nnot asked: {line}" for line in _not_asked(results.cells))
    if not cells[Verdict.PASS] and not cells[Verdict.FAIL] and not cells[Verdict.ERROR]:
        told += "\nNothing was judged: name another --check as well."
    prefix = prefix_of(results)
    how = f"{results.engine} engine" + (f", prefix {prefix}" if prefix else "")
    return Text(
        f"{count(len(results.cells), 'cell')}: {cells[Verdict.PASS]} pass,"
        f" {cells[Verdict.FAIL]} fail, {cells[Verdict.ERROR]} error"
        f" ({how}, {results.seconds:.1f} s)\n"
        f"{count(sum(findings.values()), 'finding')}: {told}"
    )


def _not_asked(cells: Iterable[CellResult]) -> list[str]:
    """What no cell's verdict says: the checks that were not applicable, and why."""
    reasons: dict[str, list[str]] = {}
    for finding in (finding for result in cells for finding in result.findings):
        if finding.verdict is Verdict.NOT_APPLICABLE:
            reasons.setdefault(finding.check, []).append(finding.detail)
    return [f"{check} in {len(details)} cells: {details[0]}" for check, details in reasons.items()]


def prefix_of(results: Results) -> str | None:
    """The prefix that was asked, as in a URL; None if it is the usual one."""
    prefixes = {result.cell.prefix for result in results.cells} - {DEFAULT_PREFIX}
    return next((prefix.encoded for prefix in prefixes), None)


def _verdict(result: CellResult | None) -> Text:
    if result is None:
        return Text("-")
    # Without its symptoms, for which there is no room: they are told below the table.
    return Text(result.verdict, style=_STYLES.get(result.verdict, ""))


def _failures(cells: Sequence[CellResult]) -> list[RenderableType]:
    return [*_causes(cells), *_wrong(cells)]


def _causes(cells: Iterable[CellResult]) -> list[RenderableType]:
    """What failed by its causes: one paragraph for many findings, and how to see each."""
    found = causes(cells)
    if not found:
        return []
    every = sum(len(cause.found) for cause in found)
    how_many = "one cause" if len(found) == 1 else f"{len(found)} causes"
    lines: list[RenderableType] = [Text(f"\n{count(every, 'finding')}, {how_many}:", style="bold")]
    for cause in found:
        cell, finding = cause.found[0][0].cell, cause.found[0][1]
        told = f"{cause.symptom}: {finding.detail}" if cause.symptom else cause.told
        where = {result.cell for result, _ in cause.found}
        checks = ", ".join(dict.fromkeys(finding.check for _, finding in cause.found))
        lines.append(Padding(Text(told), (0, 0, 0, 2)))
        lines.append(Padding(Text(f"{checks} in {count(len(where), 'cell')}"), (0, 0, 0, 4)))
        option = "" if cell.prefix == DEFAULT_PREFIX else f" --prefix {cell.prefix.option}"
        line = f"    run: hoplab explain {cell.id}{option}"
        lines.append(Text(line, no_wrap=True))  # to be copied
    return lines


def _wrong(cells: Iterable[CellResult]) -> list[RenderableType]:
    """Each cell that is not right, with what was found."""
    lines: list[RenderableType] = []
    for result in cells:
        wrong = [f for f in result.findings if f.verdict in {Verdict.FAIL, Verdict.ERROR}]
        if wrong:
            lines.append(Text(f"\n{result.cell.id}", style="bold"))
        for finding in wrong:
            lines.append(Text(f"  {finding.check}: {finding.symptom or finding.verdict}"))
            lines.append(Padding(Text(finding.detail), (0, 0, 0, 4)))
    return lines


def render(parts: Iterable[RenderableType], *, plain: bool = False) -> str:
    """As text, with colours at a terminal unless `plain`."""
    terminal = False if plain else None
    console = Console(width=WIDTH, highlight=False, soft_wrap=False, force_terminal=terminal)
    with console.capture() as capture:
        for part in parts:
            console.print(part, soft_wrap=isinstance(part, Text) and part.no_wrap)
    return "\n".join(line.rstrip() for line in capture.get().splitlines())
