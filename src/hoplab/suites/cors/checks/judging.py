"""What is wrong with the CORS headers of an answer; which of several symptoms is the worst."""

from collections.abc import Sequence
from typing import NamedTuple

from hoplab.client.probe import Failed
from hoplab.client.wire import Exchange
from hoplab.suites.cors.right import lets_in, preflight_passes, values

_WORST_FIRST = [
    "cors-wrong-policy",
    "cors-duplicated",
    "cors-preflight-redirected",
    "cors-missing",
    "cors-missing-on-error",
    "cors-vary-missing",
]
_SHOWN = 4
_ONCE = ["Allow-Origin", "Allow-Credentials", "Allow-Methods", "Allow-Headers", "Max-Age"]
_REDIRECTS = range(300, 400)


class Problem(NamedTuple):
    """A symptom, and the answer that shows it."""

    symptom: str
    told: str


def judge(exchange: Exchange, origin: str, allowed: Sequence[str]) -> list[Problem]:
    """What is wrong with an answer to a page of `origin`, where those of `allowed` may ask.

    With credentials, as the post has it: a `*` is then worth nothing.
    """
    found: list[Problem] = []
    preflight = exchange.method == "OPTIONS"
    given = ", ".join(values(exchange, "Access-Control-Allow-Origin")) or "none"
    told = f"{exchange.method} {exchange.url} of {origin} → {exchange.status}, allowed: {given}"
    doubled = [name for name in _ONCE if len(values(exchange, f"Access-Control-{name}")) > 1]
    if "," in given and "Allow-Origin" not in doubled:  # two in one header
        doubled.append("Allow-Origin")
    passes = preflight_passes if preflight else lets_in
    if doubled:
        found.append(Problem("cors-duplicated", f"{told}; twice: {', '.join(doubled)}"))
    if origin not in allowed:
        if given == "*" or origin in given.split(", "):
            found.append(Problem("cors-wrong-policy", f"{told}, expected none"))
    elif preflight and exchange.status in _REDIRECTS:
        found.append(Problem("cors-preflight-redirected", told))
    elif given == "none":
        found.append(Problem("cors-missing", told))
    elif not doubled and not passes(exchange, origin, credentials=True):
        found.append(Problem("cors-wrong-policy", f"{told}, expected {origin} with credentials"))
    return found


def without_vary(exchanges: Sequence[Exchange]) -> list[Problem]:
    """The answers of a path that a cache could give to a page of another origin.

    If one names an origin, then all depend on it, also those that name none. Not for preflights: no
    cache keeps the answer to OPTIONS (RFC 9110, 9.3.7).
    """
    named = {v for each in exchanges for v in values(each, "Access-Control-Allow-Origin")}
    if not named - {"*"}:
        return []
    return [
        Problem("cors-vary-missing", f"{each} of {dict(each.sent).get('Origin')}: no Vary: Origin")
        for each in exchanges
        if not varies(each)
    ]


def varies(exchange: Exchange) -> bool:
    """Whether a cache learns that the answer depends on who asks."""
    named = [n.strip().lower() for value in values(exchange, "Vary") for n in value.split(",")]
    return "origin" in named or "*" in named


def fail_with_the_worst(problems: Sequence[Problem]) -> None:
    """Raise Failed with the worst symptom, if there is any, and with what shows it."""
    if not problems:
        return
    worst = min((problem.symptom for problem in problems), key=_WORST_FIRST.index)
    lines = {
        symptom: [p.told for p in problems if p.symptom == symptom] for symptom in _WORST_FIRST
    }
    told = list(dict.fromkeys(lines.pop(worst)))  # with a cookie and without it is the same
    more = [f"and {len(told) - _SHOWN} more"] if len(told) > _SHOWN else []
    also = [f"also {symptom}: {others[0]}" for symptom, others in lines.items() if others]
    raise Failed(worst, "\n".join([*told[:_SHOWN], *more, *also]))
