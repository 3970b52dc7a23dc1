"""Two ways of the same request side by side: where they differ.

What differs between any two requests is no difference: ports, dates, keys of a WebSocket, and the
port from which a connection came.
"""

import json
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from hoplab.report.live.journey import Kind, Line, Step

_EACH_TIME = {"date", "sec-websocket-key", "sec-websocket-accept", "x-request-id"}
_PORT = re.compile(r"(?<=[\w\]]):\d+(?![\w:.])")
_VALUES_OF_PORTS = {"x-forwarded-port"}


def beside(one: Sequence[Step], other: Sequence[Step]) -> tuple[list[Step], list[Step]]:
    """Both, with the lines marked of which the other has no equal in the same place."""
    places = [_places(each) for each in (one, other)]
    return (
        [_marked(step, places[1].get(place)) for place, step in places[0].items()],
        [_marked(step, places[0].get(place)) for place, step in places[1].items()],
    )


def _places(steps: Sequence[Step]) -> dict[tuple[Kind, int], Step]:
    """By kind and distance: requests from the client, answers back to it."""
    requests = [step for step in steps if step.kind is Kind.REQUEST]
    answers = [step for step in steps if step.kind is Kind.ANSWER][::-1]
    found = {}
    for step in steps:
        same = {Kind.REQUEST: requests, Kind.ANSWER: answers}.get(step.kind, [step])
        found[step.kind, next(n for n, each in enumerate(same) if each is step)] = step
    return found


def _marked(step: Step, other: Step | None) -> Step:
    if other is None:
        return replace(step, differs=True)
    left = Counter(_essence(line) for line in other.lines)
    lines = []
    for line in step.lines:
        essence = _essence(line)
        differs = left[essence] == 0
        left[essence] -= not differs
        lines.append(replace(line, differs=differs))
    first = step.line and replace(step.line, differs=_first(step) != _first(other))
    return replace(step, line=first, lines=lines, differs=bool(step.note) != bool(other.note))


def _first(step: Step) -> str:
    return _without_ports(step.line.value) if step.line else ""


def _essence(line: Line) -> tuple[str, str, str]:
    name = line.name.lower()
    if name in _EACH_TIME:
        return name, "", line.mark
    if name in _VALUES_OF_PORTS:
        return name, "port", line.mark
    if name == "client":
        return name, _address(line.value), line.mark
    return name, _without_ports(line.value), line.mark


def _without_ports(value: str) -> str:
    return _PORT.sub(":…", value)


def _address(value: str) -> str:
    """Of the scope's `["127.0.0.9", 40312]` the address: the port is the connection's own."""
    try:
        told = json.loads(value)
    except ValueError:
        return value
    return str(told[0]) if isinstance(told, list) and told else value
