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
    return render([table, *_troubles(results.cells), Text(), summary(results)], plain=plain)


def up_table(endpoints: Iterable[Endpoint], results: Results) -> str:
    """What runs: where to look, and whether it is right."""
    table = Table("topology", "look at", "verdict", box=None, pad_edge=False)
    by_topology: dict[Topology, list[CellResult]] = {}
    for result in results.cells:
        by_topology.setdefault(result.cell.topology, []).append(result)
    for endpoint in endpoints:
        bases = {scheme: endpoint.base(scheme, endpoint.host) for scheme in Scheme}
        urls = [f"{bases[Scheme.HTTP]}/app", f"{bases[Scheme.HTTPS]}/app"]
        urls.append(f"{bases[Scheme.HTTP]}/docs")
        worst = max(by_topology[endpoint.topology], key=lambda r: r.verdict is not Verdict.PASS)
        table.add_row(endpoint.topology.name, "\n".join(urls), _verdict(worst))
    return render([table, *_troubles(results.cells), Text(), summary(results)])


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
    prefix = prefix_of(results)
    how = f"{results.engine} engine" + (f", prefix {prefix}" if prefix else "")
    return Text(
        f"{len(results.cells)} cells: {cells[Verdict.PASS]} pass, {cells[Verdict.FAIL]} fail, "
        f"{cells[Verdict.ERROR]} error ({how}, {results.seconds:.1f} s)\n"
        f"{sum(findings.values())} findings: {told}"
    )


def prefix_of(results: Results) -> str | None:
    """The prefix that was asked, as in a URL; None if it is the usual one."""
    prefixes = {result.cell.prefix for result in results.cells} - {DEFAULT_PREFIX}
    return next((prefix.encoded for prefix in prefixes), None)


def _verdict(result: CellResult | None) -> Text:
    if result is None:
        return Text("-")
    # Without its symptoms, for which there is no room: they are told below the table.
    return Text(result.verdict, style=_STYLES.get(result.verdict, ""))


def _troubles(cells: Iterable[CellResult]) -> list[RenderableType]:
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
            console.print(part)
    return "\n".join(line.rstrip() for line in capture.get().splitlines())
