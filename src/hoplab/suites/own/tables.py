"""What a person reads: one table, and then each problem once."""

from collections.abc import Mapping, Sequence

from rich.console import RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from hoplab.client.explored import Explored
from hoplab.report.text import render
from hoplab.report.words import count
from hoplab.results import CellResult, Results, Verdict
from hoplab.suites.own.checks import CHECKS
from hoplab.suites.own.problems import Problem, hop, problems, topologies_of, without_ports
from hoplab.suites.own.tried import fixes_tried, how_it_ran, what_to_change
from hoplab.symptom import Symptom
from hoplab.topology import Scheme

_SIGNS = {
    Verdict.PASS: "✓",
    Verdict.FAIL: "✗",
    Verdict.NOT_APPLICABLE: "-",
    Verdict.RECORDED: "-",
    Verdict.ERROR: "!",
}
_LEGEND = "✓ right  ✗ wrong  - not asked  ! error of hoplab's  A/B: over http/https"


def report(
    results: Results,
    explored: Explored | None,
    symptoms: Mapping[str, Symptom],
    *,
    plain: bool = False,
) -> str:
    """The whole text; `symptoms` are those of the prefix that was asked.

    explored: None for results that come from a file, which does not say what was not judged.
    """
    found = problems(results.cells)
    parts: list[RenderableType] = [_table(results.cells), Text(_LEGEND)]
    if found:
        parts.append(Text(f"\n{count(len(found), 'problem')}:", style="bold"))
    for problem in found:
        parts += _shown(problem, results.cells, symptoms, fixes_tried(problem, results.tried))
    parts += _errors(results.cells)
    if explored:
        parts += [Text(), *_summary(results, explored)]
    told = render(parts, plain=plain)
    if (own := results.configuration) is None:
        return told
    return "\n".join([*how_it_ran(own), "", told, "", *what_to_change(own)])


def _table(results: Sequence[CellResult]) -> Table:
    table = Table(*["topology", *CHECKS], box=None, pad_edge=False, padding=(0, 1, 0, 0))
    for topology in dict.fromkeys(result.cell.topology for result in results):
        of = {r.cell.scheme: r for r in results if r.cell.topology == topology}
        signs = [_sign([_verdict(of[scheme], name) for scheme in of]) for name in CHECKS]
        table.add_row(Text(topology.name, no_wrap=True), *signs)
    return table


def _verdict(result: CellResult, name: str) -> Verdict:
    verdicts = [finding.verdict for finding in result.findings if finding.check == name]
    return Verdict.FAIL if Verdict.FAIL in verdicts else verdicts[0]


def _sign(verdicts: Sequence[Verdict]) -> Text:
    signs = [_SIGNS[verdict] for verdict in verdicts]
    bad = any(verdict in {Verdict.FAIL, Verdict.ERROR} for verdict in verdicts)
    text = signs[0] if len(set(signs)) == 1 else "/".join(signs)
    return Text(text, style="bold red" if bad else "")


def _shown(
    problem: Problem,
    every: Sequence[CellResult],
    symptoms: Mapping[str, Symptom],
    tried: Sequence[str],
) -> list[RenderableType]:
    symptom = problem.finding.symptom or ""
    lines: list[RenderableType] = [
        Text(f"\n{problem.finding.check}: {symptom}", style="bold"),
        Padding(Text(problem.told), (0, 0, 0, 2)),
        Padding(Text(f"where: {where(problem.cells, every)}"), (0, 0, 0, 2)),
        Padding(Text(f"from:  {hop(problem)}"), (0, 0, 0, 2)),
    ]
    if symptom in symptoms:
        lines.append(Padding(Text(f"fix:   {symptoms[symptom].fix}"), (0, 0, 0, 2)))
    lines += [Padding(Text(f"tried: {each}"), (0, 0, 0, 2)) for each in tried]
    if symptom in symptoms:
        lines.append(Padding(Text(f"more:  hoplab explain {symptom}"), (0, 0, 0, 2)))
    return lines


def where(cells: Sequence[CellResult], every: Sequence[CellResult]) -> str:
    """The topologies of these cells in a few words, and the scheme if it is one alone."""
    topologies = topologies_of(cells)
    whole = topologies_of(every)
    schemes = list(dict.fromkeys(result.cell.scheme for result in cells))
    alone = f", over {schemes[0]}" if len(schemes) < len(Scheme) else ""
    if topologies == whole:
        return f"everywhere ({count_topologies(len(whole))}){alone}"
    names = ", ".join(topology.name for topology in topologies)
    return f"{names}{alone}"


def count_topologies(number: int) -> str:
    """`1 topology`, `2 topologies`."""
    return "1 topology" if number == 1 else f"{number} topologies"


def _errors(results: Sequence[CellResult]) -> list[RenderableType]:
    told: dict[str, list[CellResult]] = {}
    for result in results:
        for finding in result.findings:
            if finding.verdict is Verdict.ERROR:
                told.setdefault(without_ports(finding.detail), []).append(result)
    return [
        Text(f"\n{detail}\n  ({where(cells, results)})", style="bold yellow")
        for detail, cells in told.items()
    ]


def _summary(results: Results, explored: Explored) -> list[RenderableType]:
    asked = [
        count(len(explored.pages), "path"),
        *([count(len(explored.sockets), "WebSocket")] if explored.sockets else []),
        *([count(len(explored.streams), "stream")] if explored.streams else []),
    ]
    topologies = topologies_of(results.cells)
    how_many = f"{', '.join(asked)} asked in {count_topologies(len(topologies))}"
    lines = [f"{how_many}, each with its recipe ({results.seconds:.1f} s)"]
    if explored.is_empty:
        lines.append("Nothing of the application was judged: it is not known to work.")
    lines += [f"not judged: {number} {reason}" for reason, number in explored.unjudged.items()]
    return [Text(line) for line in lines]
