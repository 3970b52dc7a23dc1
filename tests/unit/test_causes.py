"""A cause is what the exchanges say, whatever symptoms and checks are called."""

import json
from dataclasses import dataclass, replace
from typing import Any

import pytest

from hoplab.client.wire import Exchange
from hoplab.report.causes import causes, decisive
from hoplab.results import CellResult, Finding, Verdict
from hoplab.topology import Cell, Mode, Scheme, Strategy, Topology, Trust

CELL = Cell(Topology("nginx", "uvicorn", Mode.STRIP), Strategy.NONE, Trust.PROXY, Scheme.HTTPS)
PUBLIC = "mysuperapp.com:9499"
BASE = f"https://{PUBLIC}/api/v1"


def asked(
    path: str,
    status: int = 200,
    *,
    told: dict[str, Any] | None = None,
    by_application: bool = True,
    host: str = PUBLIC,
    location: str = "",
    base: str = BASE,
    method: str = "GET",
    lie: bool = False,
) -> Exchange:
    """A request and its answer; `told` is what is wrong in what the server told."""
    right = {
        "scheme": base.partition(":")[0],
        "client": ["127.0.0.9", 0],
        "root_path": "/api/v1",
        "path": f"/api/v1{path}".partition("?")[0],
    }
    headers = [("Location", location)] if location else []
    if by_application:
        headers.append(("X-ASGI-Scope", json.dumps({**right, **(told or {})})))
    sent = [("Host", PUBLIC), *([("X-Forwarded-For", "192.0.2.7")] if lie else [])]
    body = json.dumps({"headers": [["host", host]]}).encode()
    return Exchange(method, base + path, sent, status, headers, body)


@dataclass(frozen=True)
class Case:
    detail: str
    exchanges: list[Exchange]
    words: str


LABEL = {"path": "/sub/app"}
UNTOLD = {"root_path": "", "path": "/app"}
HTTP = {"scheme": "http", "client": ["127.0.0.1", 41234]}
CASES = {
    "redirect without port": Case(
        f"https://mysuperapp.com/api/v1/items/, expected {BASE}/items/",
        [asked("/items", 307, location="https://mysuperapp.com/api/v1/items/")],
        "is told the Host mysuperapp.com, and not mysuperapp.com:9499: the port is missing.",
    ),
    "static file under Host $host": Case(
        "url_for gives https://mysuperapp.com/api/v1/static/x, which leads to another place",
        [asked("/static/x"), asked("/scope", host="mysuperapp.com")],
        "is told the Host mysuperapp.com, and not",
    ),
    "bare prefix under Host $host": Case(
        f"GET {BASE} → 307 https://mysuperapp.com/api/v1/ (by the application), expected {BASE}/",
        [asked("", 307, location="https://mysuperapp.com/api/v1/")],
        "is told the Host mysuperapp.com, and not",
    ),
    "Host itself": Case(
        f"Host ['app'], expected '{PUBLIC}'",
        [asked("/scope", host="app")],
        "is told the Host app, and not mysuperapp.com:9499.",
    ),
    "redirect to http": Case(
        f"http://{PUBLIC}/api/v1/items/, expected {BASE}/items/",
        [asked("/items", 307, told=HTTP, location=f"http://{PUBLIC}/api/v1/items/")],
        "sees the scheme http, and not https",
    ),
    "client is the proxy": Case(
        "client '127.0.0.1', expected '127.0.0.9'",
        [asked("/scope", told={"client": ["127.0.0.1", 41234]})],
        "sees the client 127.0.0.1",
    ),
    "WebSocket's scheme": Case(
        "wss://x/ws: scheme 'ws', expected 'wss'",
        [asked("/ws", 101, method="WEBSOCKET", base=f"wss://{PUBLIC}/api/v1",
               told={"scheme": "ws"})],
        "sees the scheme ws, and not wss",
    ),
    "no upgrade": Case(
        "WEBSOCKET … → 404 (by the application, asked for /ws), expected 101 and a message",
        [asked("/ws", 404, method="WEBSOCKET", base=f"wss://{PUBLIC}/api/v1",
               told={"scheme": "https", "path": "/ws"})],
        "arrives at the application as a plain HTTP request",
    ),
    "untold": Case(
        "{'root_path': ''}, expected {'root_path': '/api/v1'}",
        [asked("/app", told=UNTOLD)],
        "is told the root_path '', and not '/api/v1'",
    ),
    "untold, docs": Case(
        f"GET https://{PUBLIC}/openapi.json → 404 (by the proxy), expected the document",
        [asked("/docs", told={**UNTOLD, "path": "/docs"}),
         asked("/openapi.json", 404, base=f"https://{PUBLIC}", by_application=False)],
        "is told the root_path ''",
    ),
    "label": Case(
        f"GET {BASE}/sub/app → 404 (by the application, asked for /sub/app), expected 200",
        [asked("/sub/app", 404, told=LABEL)],
        "is asked for /sub/app, and not for /api/v1/sub/app: the proxy strips the prefix",
    ),
    "doubled": Case(
        f"GET {BASE}/app → 404 (by the application, asked for /api/v1/api/v1/app), expected 200",
        [asked("/app", 404, told={"path": "/api/v1/api/v1/app"})],
        "is asked for /api/v1/api/v1/app, and not for /api/v1/app: the prefix is there twice.",
    ),
    "the proxy's own answer": Case(
        f"GET {BASE}/app → 502 (by the proxy), expected 200 from the application",
        [asked("/app", 502, by_application=False)],
        "nginx answers 502 to GET /api/v1/app itself",
    ),
}  # fmt: skip


def a_finding(case: Case, symptom: str = "a-symptom") -> Finding:
    return Finding("a-check", Verdict.FAIL, symptom, case.detail, case.exchanges)


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_the_cause_is_what_the_exchanges_say(case: Case) -> None:
    [cause] = causes([CellResult(CELL, recipe=False, findings=[a_finding(case)])])

    assert case.words in cause.told
    assert cause.symptom is None
    assert cause.fix


OWN = {
    "late events, of an application that is not told its prefix": Case(
        "events sent 1.0 s apart arrived 0.001 and 0.000 s apart, up to 2.001 s late",
        [asked("/events", told={**UNTOLD, "path": "/events"})],
        "",
    ),
    "a decoded path, of the same": Case(
        "path '/scope/a/b', raw_path '/scope/a/b', asked /a%2Fb",
        [asked("/scope/a%2Fb", told={**UNTOLD, "path": "/scope/a/b"})],
        "",
    ),
    "what the client said itself": Case(
        "forwarded headers (plain): client '192.0.2.7', was '127.0.0.9'",
        [asked("/scope"), asked("/scope", told={"client": ["192.0.2.7", 0]}, lie=True)],
        "",
    ),
    "past the proxy": Case(
        "asked directly: scheme 'https', was 'http'",
        [asked("/scope", base="http://127.0.0.1:8000", told={"scheme": "https"})],
        "",
    ),
    "no exchange at all": Case("nothing", [], ""),
}


@pytest.mark.parametrize("case", OWN.values(), ids=OWN)
def test_what_the_exchanges_do_not_say_is_its_symptom_s(case: Case) -> None:
    [cause] = causes([CellResult(CELL, recipe=False, findings=[a_finding(case, "own")])])

    assert cause.symptom == "own"


def test_many_findings_of_several_cells_have_one_cause() -> None:
    names = ["redirect without port", "static file under Host $host", "Host itself", "label"]
    port, static, _, label = (a_finding(CASES[name], name) for name in names)
    right = Finding("a-check", Verdict.PASS, None, "well", CASES["label"].exchanges)
    other = replace(CELL, trust=Trust.ANY)

    found = causes(
        [
            CellResult(CELL, recipe=False, findings=[label, port, right, static]),
            CellResult(other, recipe=False, findings=[port]),
        ]
    )

    assert [len(cause.found) for cause in found] == [3, 1]
    assert [finding for _, finding in found[0].found] == [port, static, port]
    assert [result.cell for result, _ in found[0].found] == [CELL, CELL, other]


def test_nothing_failed() -> None:
    errors = [Finding("a", verdict, None, "", []) for verdict in Verdict if verdict != "fail"]

    assert causes([CellResult(CELL, recipe=True, findings=errors)]) == []


def test_the_strategy_router_knows_no_root_path() -> None:
    cell = replace(CELL, strategy=Strategy.ROUTER)
    finding = a_finding(
        Case(f"GET {BASE}/app → 404", [asked("/app", 404, told={"root_path": ""})], ""), "own"
    )

    [cause] = causes([CellResult(cell, recipe=False, findings=[finding])])

    assert cause.symptom == "own"


# --- the exchange that shows it ---


def shown(detail: str, *exchanges: Exchange) -> Exchange | None:
    return decisive(Finding("a", Verdict.FAIL, "b", detail, exchanges))


def test_what_the_detail_quotes() -> None:
    first, second = asked("/a"), asked("/b")

    assert shown(f"{first} (by the application), expected 404", first, second) is first


def test_or_else_the_last() -> None:
    first, second = asked("/a"), asked("/b")

    assert shown("something", first, second) is second
    assert shown("something") is None


def test_of_a_redirect_that_was_followed_the_redirect() -> None:
    redirect = asked("/items", 307, location=f"{BASE}/api/v1/items/")
    landed = asked("/api/v1/items/", 404)

    assert shown(f"{landed} (by the application), expected the items", redirect, landed) is redirect


def test_of_several_origins_the_one_that_is_quoted() -> None:
    one, two = asked("/a"), asked("/a")
    one.sent, two.sent = [("Origin", "http://one")], [("Origin", "http://two")]

    assert shown(f"GET {BASE}/a of http://two → 200, allowed: none", one, two, asked("/b")) is two


def test_the_origin_of_a_page_is_no_host_that_the_application_was_told() -> None:
    """A CORS finding names the page's origin, and which one the answer lets in."""
    shown = asked("/metrics", method="OPTIONS")
    shown = replace(shown, sent=[*shown.sent, ("Origin", "http://main.co.kr")])
    detail = f"OPTIONS {BASE}/metrics of http://main.co.kr → 200, allowed: http://main.co.kr"
    finding = Finding("preflight", Verdict.FAIL, "cors-wrong-policy", detail, [shown])

    (cause,) = causes([CellResult(CELL, recipe=False, findings=[finding])])

    assert (cause.told, cause.symptom) == ("cors-wrong-policy", "cors-wrong-policy")
