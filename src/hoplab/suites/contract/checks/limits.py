from hoplab.client.probe import Probe, Recorded
from hoplab.client.target import Purpose, needs
from hoplab.suites.check import Part, independent_of

_KIB = 1024
_COOKIES = (12, 24, 48)
"""KiB. ASGI servers have limits too, mostly of 64 KiB for all headers."""

_OFFERED = (("http.response.early_hint", "early hints"), ("http.response.trailers", "trailers"))
"""What a server says in the scope that it can send: ASGI, "HTTP & WebSocket extensions"."""


@independent_of(Part.SCHEME, Part.STRATEGY, Part.TRUST)
@needs(Purpose.REQUEST, Purpose.SCOPE)
def limits(probe: Probe) -> str:
    """Where is a topology not transparent, in what few applications need?

    A `;` in the query, `//` in the path, cookies above those that browsers keep; and whether the
    server lets the application send early hints (103) and trailers. Recorded, not judged.
    """
    route = probe.route(Purpose.REQUEST)
    query = probe.told(probe.get(f"{route}?a=1;b=2"), "query_string")["query_string"]
    scope = probe.get(f"{probe.route(Purpose.SCOPE)}/a//b").json()
    path = scope["raw_path"] if isinstance(scope, dict) and "raw_path" in scope else "not at all"
    told = [
        f"?a=1;b=2 arrives as ?{query}",
        f"/scope/a//b arrives as {path[max(path.find('/scope'), 0) :]}",
    ]
    for kib in _COOKIES:
        answer = probe.get(f"{route}?cookie={kib}", [("Cookie", "a=" + "c" * kib * _KIB)])
        if answer.status != probe.get(route).status:
            told.append(f"a cookie of {kib} KiB is {answer.status} {probe.answered_by(answer)}")
            break
    else:
        told.append(f"a cookie of {_COOKIES[-1]} KiB arrives")
    offered = probe.told(probe.get(probe.route(Purpose.SCOPE)), "extensions")["extensions"]
    told += [f"{what}: {'offered' if name in offered else 'none'}" for name, what in _OFFERED]
    raise Recorded("; ".join(told))
