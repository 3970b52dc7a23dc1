"""What `hoplab check` found as alerts at the application's lines."""

import re
from collections.abc import Iterator, Mapping, Sequence

from hoplab.advice import Tried, as_json
from hoplab.client.explored import Explored
from hoplab.report import sarif
from hoplab.report.sarif import Alert, Line
from hoplab.results import Results, Verdict
from hoplab.suites.own.problems import Problem, hop, problems
from hoplab.suites.own.tried import what_to_change
from hoplab.symptom import Symptom

_AT = re.compile(r", ([^,]+):(\d+)$")


def as_sarif(results: Results, explored: Explored, symptoms: Mapping[str, Symptom]) -> str:
    """The findings as SARIF, each once, whatever the number of topologies in which it shows."""
    errors = {f.detail for r in results.cells for f in r.findings if f.verdict is Verdict.ERROR}
    notes = [f"not judged: {number} {reason}" for reason, number in explored.unjudged.items()]
    if explored.is_empty:
        notes.append("Nothing of the application was judged: it is not known to work.")
    if results.configuration:
        notes.append("\n".join(what_to_change(results.configuration)))
    return sarif.document(
        alerts(results, explored),
        symptoms,
        started=results.started,
        errors=sorted(errors),
        notes=notes,
    )


def alerts(results: Results, explored: Explored) -> list[Alert]:
    """One for each place where a problem shows, as far as the finding names it."""
    known = _lines(explored)
    found = [
        alert
        for problem in problems(results.cells)
        for alert in _alerts(problem, known, results.tried or ())
    ]
    return list({(alert.rule, alert.message): alert for alert in found}.values())


def _alerts(problem: Problem, known: Mapping[str, Line], tried: Sequence[Tried]) -> Iterator[Alert]:
    rule = problem.finding.symptom or problem.finding.check
    properties = {
        "question": problem.finding.check,
        "topologies": list(dict.fromkeys(r.cell.topology.name for r in problem.cells)),
        "schemes": list(dict.fromkeys(r.cell.scheme.value for r in problem.cells)),
        "from": hop(problem),
    }
    for each in tried:
        if (each.symptom, each.detail) == problem.key:
            properties["tried"] = as_json(each).get("fixes", [])
    for text in problem.told.split("\n"):
        told, _, where = text.removesuffix(")").rpartition(" (")
        line = known.get(where) if told else None
        yield Alert(rule, told if line else text, line, properties)


def _lines(explored: Explored) -> dict[str, Line]:
    """The application's lines, by how a finding names what is there: `index, main.py:9`."""
    places = [page.where for page in (*explored.pages, *explored.sockets)]
    places += [stream.where for stream in explored.streams]
    return {
        where: Line(at[1], int(at[2])) for where in places if (at := _AT.search(where)) is not None
    }
