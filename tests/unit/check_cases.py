"""Of each check of the contract: its symptoms, and the faults by which it has to find them."""

from collections.abc import Callable
from typing import Any

from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse
from starlette.types import ASGIApp

from app.instance import InstanceMiddleware
from hoplab.topology import Scheme
from tests.unit.check_faults import (
    BAD_GATEWAY,
    FORBIDDEN,
    NO_TRUST,
    NOT_FOUND,
    TOO_MUCH_TRUST,
    WELCOME,
    Case,
    appends,
    asks_elsewhere,
    believes_second,
    believes_underscores,
    by_another,
    confused,
    cut_short,
    decoded,
    fixed_prefix,
    hypercorn_trusts_all,
    keeps_encoded_dots,
    location,
    loses_a_byte,
    lower_case,
    merged,
    no_websocket,
    only_for,
    passes_dots_on,
    prefix_of_anybody,
    proxy_sets,
    redirects_as_told,
    refuses_forwarded,
    replacing,
    resolves_to_compare,
    script,
    servers,
    too_large,
    uvicorn_trusts_all,
    websocket_saying,
    with_ports,
)
from tests.unit.messages import (
    batched,
    begins_late,
    bytes_only,
    closing,
    held_back,
    sent_earlier,
    talking,
)
from tests.unit.stub import (
    LOOPBACK,
    PREFIX,
    all_of,
    altered,
    at,
    doubled,
    header,
    host,
    instead,
    lets_through,
    only,
    portless,
    rewritten,
    scoped,
    status,
    stripped,
    text,
    told,
    unaware,
)

HTTPS = Scheme.HTTPS
FOR, PROTO, HOST = "x-forwarded-for", "x-forwarded-proto", "x-forwarded-host"


def by_app(answer: ASGIApp) -> ASGIApp:
    """The application's own answer, though not of the route that was asked."""
    return InstanceMiddleware(answer)


def who_answered(path: str, missing: str = "application-has-no-route") -> list[Case]:
    """What every check has to tell apart, at one path below the prefix."""
    too_many = PlainTextResponse("Too Many Requests", 429)
    timeout = PlainTextResponse("", 504)
    return [
        Case("application-unreachable", f"{path}: 502", outside=instead(path, BAD_GATEWAY)),
        Case("application-unreachable", f"{path}: 504", outside=instead(path, timeout)),
        Case("proxy-answered", f"{path}: 429", outside=instead(path, too_many)),
        Case("proxy-answered", f"{path}: 403", outside=instead(path, FORBIDDEN)),
        Case("proxy-answered", f"{path}: its page", outside=instead(path, WELCOME)),
        Case("proxy-has-no-route", f"{path}: 404", outside=instead(path, NOT_FOUND)),
        Case(missing, f"{path}: 404 of the application", outside=altered(path, status(404))),
        Case("application-error", f"{path}: 500", outside=altered(path, status(500))),
        Case("application-error", f"{path}: its 503", outside=altered(path, status(503))),
    ]


def redirects(path: str) -> list[Case]:
    """What any redirect can be wrong in, at one path below the prefix."""
    drop = header("location", lambda _: None)
    return [
        Case("redirect-wrong-host", "upstream's Host", inside=only(path, host("app:8000"))),
        Case("redirect-wrong-host", "https", inside=only(path, host("app")), scheme=HTTPS),
        Case("redirect-wrong-host", "a user", outside=location("//", "//user@", path)),
        Case("redirect-drops-port", "nginx $host", inside=only(path, portless)),
        Case("redirect-drops-port", "https", inside=only(path, portless), scheme=HTTPS),
        Case("redirect-wrong-port", "another", outside=location(r":\d+", ":8080", path)),
        Case("redirect-wrong-port", "no number", outside=location(r":\d+", ":None", path)),
        Case("redirect-wrong-scheme", "no trust", inside=only(path, NO_TRUST), scheme=HTTPS),
        Case("redirect-wrong-scheme", "too much trust", inside=only(path, TOO_MUCH_TRUST)),
        Case("redirect-wrong-path", "twice", outside=location(PREFIX, PREFIX * 2, path)),
        Case("redirect-wrong-path", "slash lost", outside=location("items/", "items", path)),
        Case("redirect-wrong-path", "part of the prefix", outside=location("/api", "", path)),
        Case("redirect-missing", "200", outside=altered(path, status(200))),
        Case("redirect-missing", "no Location", outside=altered(path, drop)),
        Case("redirect-wrong-status", "308", outside=altered(path, status(308))),
        Case("redirect-wrong-status", "302", outside=altered(path, status(302))),
    ]


WRONG_URLS: list[tuple[str, str, Callable[[str], Any]]] = [
    ("url-wrong-host", "host", replacing("mysuperapp.com", "app")),
    ("url-drops-port", "no port", replacing(r":\d+", "")),
    ("url-wrong-port", "port", replacing(r":\d+", ":8080")),
    ("url-wrong-port", "no number", replacing(r":\d+", ":None")),
    ("url-wrong-scheme", "scheme", replacing("http", "https")),
]
WRONG_PATHS: list[tuple[str, str, Callable[[str], Any]]] = [
    ("url-drops-prefix", "prefix", replacing(PREFIX, "")),
    ("url-wrong-path", "part of the prefix", replacing("/v1", "")),
    ("url-wrong-path", "twice", replacing(PREFIX, PREFIX * 2)),
]

CASES: dict[str, list[Case]] = {
    "reach": [
        *who_answered("/app"),
        Case("application-has-no-route", "prefix twice (uvicorn#2213)", inside=doubled),
        Case("answer-wrong", "no JSON", outside=altered("/app", text('"', ""))),
        Case("answer-wrong", "no object", outside=altered("/app", text("{", "["), text("}", "]"))),
        Case("answer-wrong", "another message", outside=altered("/app", text("World", "Sub"))),
        Case("answer-wrong", "another status", outside=altered("/app", status(203))),
        Case("root-path-missing", "nobody told it", inside=unaware),
        Case("root-path-wrong", "another one", outside=altered("/app", text(PREFIX, "/api"))),
        Case("root-path-wrong", "a slash", outside=altered("/app", text(PREFIX, f"{PREFIX}/"))),
    ],
    "slash-redirect": [
        *redirects("/items"),
        *who_answered("/items"),
        *who_answered("/items/"),
        Case("redirect-drops-prefix", "nobody told it", inside=unaware),
        Case("redirect-drops-prefix", "only a label (fastapi#14238)", inside=stripped),
        Case("redirect-wrong-query", "query lost", outside=location(r"\?q=1", "")),
        Case("redirect-wrong-query", "another query", outside=location(r"q=1", "q=2")),
        Case("redirect-wrong-query", "a fragment", outside=location(r"$", "#x")),
        Case("redirect-wrong-path", "two slashes", outside=location(r"/items/", "//items/")),
        Case(
            "proxy-answered",
            "by the proxy",
            outside=instead("/items", RedirectResponse(f"{PREFIX}/items/?q=1", 307)),
        ),
        Case("redirect-wrong-status", "302 to a POST", outside=only_for("POST", "/items", 302)),
        Case("redirect-missing", "of a POST", outside=only_for("POST", "/items", 200)),
        Case("answer-wrong", "other items", outside=altered("/items/", text("plum", "plu"))),
    ],
    "docs": [
        *who_answered("/docs", missing="docs-unreachable"),
        *who_answered("/redoc", missing="docs-unreachable"),
        *who_answered("/docs/oauth2-redirect", missing="docs-unreachable"),
        Case("docs-unreachable", "prefix twice (uvicorn#2213)", inside=doubled),
        Case("docs-page-wrong", "names none", outside=altered("/docs", text("url:", "uri:"))),
        Case("docs-page-wrong", "ReDoc: none", outside=altered("/redoc", text("spec-url", "spec"))),
        Case("docs-page-wrong", "cut", outside=altered("/docs", text("</html>", ""))),
        Case("docs-page-wrong", "no script", outside=altered("/redoc", text("src=", "data-src="))),
        Case(
            "docs-page-wrong",
            "its script is a 404",
            outside=altered("/docs", text("https://cdn.jsdelivr.net/npm", f"{PREFIX}/no")),
        ),
        Case(
            "docs-page-wrong",
            "its script is a page",
            outside=altered("/redoc", script(f"{PREFIX}/redoc")),
        ),
        Case(
            "proxy-has-no-route",
            "its script is outside",
            outside=altered("/docs", script("/no.js")),
        ),
        Case(
            "docs-page-wrong",
            "its script would be blocked",
            outside=altered("/docs", text("https://cdn", "http://cdn")),
        ),
        Case(
            "docs-page-wrong",
            "names no OAuth2 redirect",
            outside=altered("/docs", text("oauth2RedirectUrl", "other")),
        ),
        Case(
            "docs-page-wrong",
            "OAuth2 redirect on another port",
            outside=altered("/docs", text("oauth2RedirectUrl: window.location.origin + '", "':1")),
        ),
        Case("docs-openapi-404", "nobody told it (fastapi#15)", inside=unaware),
        Case("docs-openapi-404", "not routed", outside=instead("/openapi.json", NOT_FOUND)),
        Case("application-unreachable", "502", outside=instead("/openapi.json", BAD_GATEWAY)),
        Case(
            "proxy-answered",
            "another document",
            outside=instead("/openapi.json", JSONResponse({"openapi": "3.1.0"})),
        ),
        Case("docs-openapi-wrong", "no JSON", outside=altered("/openapi.json", text("{", ""))),
        Case(
            "docs-openapi-wrong",
            "no OpenAPI",
            outside=altered("/openapi.json", text('"openapi"', '"swagger"')),
        ),
        Case(
            "docs-openapi-404",
            "ReDoc's only",
            outside=altered("/redoc", text("openapi.json", "openapi.yaml")),
        ),
        Case(
            "docs-openapi-wrong",
            "on another host",
            outside=altered("/docs", text("url: '", "url: 'https://cdn.example")),
        ),
    ],
    "servers": [
        *who_answered("/openapi.json"),
        Case("servers-wrong", "nobody told it", inside=unaware),
        Case("answer-wrong", "no JSON", outside=altered("/openapi.json", text("{", ""))),
        Case("proxy-has-no-route", "operation not routed", outside=instead("/echo", NOT_FOUND)),
        Case("application-unreachable", "operation's 502", outside=instead("/echo", BAD_GATEWAY)),
        Case("application-error", "operation's 500", outside=altered("/echo", status(500))),
        Case("servers-wrong", "operation unknown", outside=altered("/echo", status(404))),
        Case("servers-wrong", "other method", outside=altered("/echo", status(405))),
        Case("servers-wrong", "other prefix", outside=servers("/openapi.json", lambda _: ["/v2"])),
        Case(
            "servers-wrong",
            "second one wrong",
            outside=servers("/openapi.json", lambda urls: [*urls, "/"]),
        ),
        Case(
            "servers-wrong",
            "elsewhere only",
            outside=servers("/openapi.json", lambda _: ["https://prod.example.com"]),
        ),
        Case("servers-wrong", "none", outside=servers("/openapi.json", lambda _: [])),
        Case(
            "servers-wrong",
            "not told",
            outside=altered("/openapi.json", text('"servers"', '"others"')),
        ),
        Case(
            "servers-wrong",
            "extra ones not told",
            outside=altered("/extra-servers/openapi.json", text('"servers"', '"others"')),
        ),
        Case(
            "servers-wrong",
            "extra ones reversed",
            outside=servers("/extra-servers/openapi.json", lambda urls: urls[::-1]),
        ),
        Case(
            "servers-wrong",
            "extra ones without prefix",
            outside=servers("/extra-servers/openapi.json", lambda urls: urls[1:]),
        ),
        *who_answered("/extra-servers/openapi.json", missing="mount-unreachable"),
        Case(
            "answer-wrong",
            "a variant is no object",
            outside=instead("/extra-servers/openapi.json", by_app(JSONResponse([]))),
        ),
        Case(
            "proxy-answered",
            "root_path_in_servers=False",
            outside=by_another("/no-root-path-in-servers/openapi.json"),
        ),
        Case(
            "servers-wrong",
            "root_path_in_servers=False not obeyed",
            outside=servers("/no-root-path-in-servers/openapi.json", lambda urls: ["/", *urls]),
        ),
    ],
    "url-for": [
        *who_answered("/scope"),
        *who_answered("/app"),
        *(
            Case(symptom, f"{title}, {key} only", outside=altered("/scope", told(change(key))))
            for key in ("url", "url_for", "base_url")
            for symptom, title, change in WRONG_URLS
        ),
        *(
            Case(symptom, f"{title}, {key} only", outside=altered("/scope", told(change(key))))
            for key in ("url", "url_for", "base_url")
            for symptom, title, change in WRONG_PATHS
        ),
        Case("url-wrong-host", "upstream's Host", inside=host("app:8000")),
        Case("url-wrong-host", "upstream's Host, https", inside=host("app"), scheme=HTTPS),
        Case("url-drops-port", "nginx $host", inside=portless),
        Case("url-wrong-scheme", "no trust", inside=NO_TRUST, scheme=HTTPS),
        Case("url-wrong-scheme", "too much trust", inside=TOO_MUCH_TRUST),
        Case("url-drops-prefix", "nobody told it", inside=unaware),
        Case("url-drops-prefix", "only a label (fastapi#14238)", inside=stripped),
        Case("url-wrong-query", "query lost", inside=only("/scope", scoped(query_string=b""))),
        Case(
            "url-for-finds-no-route",
            "no such route (starlette#1416)",
            outside=altered("/scope", told(lambda _: {"url_for": None})),
        ),
        Case("answer-wrong", "another route", outside=altered("/app", text("World", "Sub"))),
    ],
    "mount": [
        *who_answered("/sub/app", missing="mount-unreachable"),
        *who_answered("/sub/items"),
        *who_answered("/sub/items/"),
        *who_answered("/sub/docs", missing="mount-docs-broken"),
        *redirects("/sub/items"),
        Case("mount-unreachable", "only a label (starlette#2966)", inside=stripped),
        Case("mount-wrong-root-path", "nobody told it", inside=unaware),
        Case("proxy-answered", "another application", outside=by_another("/sub/app")),
        Case(
            "answer-wrong",
            "the outer application",
            outside=altered("/sub/app", text("Hello Sub", "Hello World")),
        ),
        Case(
            "mount-wrong-root-path",
            "the outer root_path",
            outside=altered("/sub/app", text(f"{PREFIX}/sub", PREFIX)),
        ),
        Case("redirect-drops-prefix", "prefix", outside=location(PREFIX, "", "/sub/items")),
        Case("redirect-wrong-path", "mount", outside=location("/sub", "", "/sub/items")),
        Case("redirect-wrong-query", "one is added", outside=location("$", "?q", "/sub/items")),
        Case("proxy-answered", "a right redirect by another", outside=by_another("/sub/items")),
        Case("answer-wrong", "other items", outside=altered("/sub/items/", text("fleeb", "b"))),
        Case("mount-docs-broken", "no /redoc", outside=altered("/sub/redoc", status(404))),
        Case("mount-docs-broken", "no OpenAPI", outside=instead("/sub/openapi.json", NOT_FOUND)),
        Case(
            "mount-docs-broken",
            "prefix lost",
            outside=altered("/sub/docs", text(f"'{PREFIX}/sub", "'/sub")),
        ),
        Case("servers-wrong", "another", outside=servers("/sub/openapi.json", lambda _: [PREFIX])),
        Case("servers-wrong", "none", outside=servers("/sub/openapi.json", lambda _: [])),
        Case(
            "servers-wrong",
            "not told",
            outside=altered("/sub/openapi.json", text('"servers"', '"others"')),
        ),
    ],
    "static": [
        *who_answered("/static/hello.txt", missing="static-unreachable"),
        *who_answered("/static/hello.css", missing="static-unreachable"),
        Case(
            "answer-wrong",
            "as text",
            outside=altered("/static/hello.css", header("content-type", lambda _: "text/plain")),
        ),
        *who_answered("/scope"),
        *(
            Case(symptom, title, outside=altered("/scope", told(change("static_url"))))
            for symptom, title, change in [*WRONG_URLS, *WRONG_PATHS]
        ),
        Case("static-unreachable", "only a label (starlette#2966)", inside=stripped),
        Case(
            "answer-wrong",
            "another file",
            outside=altered("/static/hello.txt", text("Hello", "Goodbye")),
        ),
        Case(
            "answer-wrong",
            "another style sheet",
            outside=altered("/static/hello.css", text("margin", "border")),
        ),
        Case(
            "url-wrong-path",
            "the same file at another path",
            outside=altered("/scope", text("static/hello", "static/x/../x/hello")),
        ),
        Case(
            "url-wrong-query",
            "a query",
            outside=altered("/scope", told(lambda d: {"static_url": d["static_url"] + "?q"})),
        ),
        Case(
            "url-for-finds-no-route",
            "no URL",
            outside=altered("/scope", told(lambda _: {"static_url": None})),
        ),
    ],
    "websocket": [
        Case("application-unreachable", "by the proxy", outside=instead("/ws", BAD_GATEWAY)),
        Case("proxy-has-no-route", "no route", outside=instead("/ws", NOT_FOUND)),
        Case("proxy-answered", "a refusal of the proxy's", outside=instead("/ws", no_websocket)),
        Case("websocket-refused", "no such route", outside=instead("/ws", by_app(no_websocket))),
        Case(
            "application-error",
            "an exception",
            outside=instead("/ws", by_app(PlainTextResponse("", 500))),
        ),
        Case(
            "websocket-refused", "400", outside=instead("/ws", by_app(PlainTextResponse("", 400)))
        ),
        Case("application-unreachable", "in the mount", outside=instead("/sub/ws", BAD_GATEWAY)),
        Case("websocket-closed", "by an error", outside=only("/ws", talking(closing(1011)))),
        Case("answer-wrong", "as bytes", outside=only("/ws", talking(bytes_only))),
        Case("websocket-refused", "prefix twice (uvicorn#2213)", inside=doubled),
        Case("websocket-refused", "only a label (starlette#2966)", inside=stripped),
        Case(
            "proxy-answered",
            "another application",
            outside=instead("/ws", websocket_saying('{"scheme": "ws", "root_path": "/api/v1"}')),
        ),
        Case(
            "websocket-closed",
            "closed without a word",
            outside=instead("/ws", InstanceMiddleware(websocket_saying(None))),
        ),
        Case(
            "answer-wrong",
            "no JSON",
            outside=instead("/ws", InstanceMiddleware(websocket_saying("hello"))),
        ),
        Case("websocket-wrong-scheme", "no trust", inside=scoped(scheme="ws"), scheme=HTTPS),
        Case("websocket-wrong-scheme", "too much trust", inside=scoped(scheme="wss")),
        Case("websocket-wrong-scheme", "hypercorn#198", inside=TOO_MUCH_TRUST, scheme=HTTPS),
        Case(
            "websocket-wrong-scheme",
            "in the mount",
            inside=only("/sub/ws", scoped(scheme="wss")),
        ),
        Case("websocket-wrong-root-path", "nobody told it", inside=only("/ws", unaware)),
        Case(
            "websocket-wrong-root-path",
            "nobody told it in the mount",
            inside=only("/sub/ws", unaware),
        ),
    ],
    "client": [
        *who_answered("/scope"),
        Case("scheme-wrong", "no trust", inside=NO_TRUST, scheme=HTTPS),
        Case("scheme-wrong", "too much trust", inside=TOO_MUCH_TRUST),
        Case("host-wrong", "upstream's Host", inside=host("app:8000")),
        Case("host-wrong", "nginx $host", inside=portless),
        Case("host-wrong", "two", inside=host("mysuperapp.com", "app")),
        Case("host-wrong", "none", inside=host()),
        Case("host-wrong", "X-Forwarded-Host", inside=proxy_sets("x-forwarded-host", "app:8000")),
        Case("client-wrong", "X-Real-IP", inside=proxy_sets("x-real-ip", "172.18.0.2")),
        Case("client-wrong", "no trust", inside=scoped(client=("172.18.0.2", 4711))),
        Case("client-wrong", "Unix socket", inside=scoped(client=None)),
        Case("client-wrong", "with its port", inside=scoped(client=(f"{LOOPBACK}:4711", 0))),
    ],
    "spoof": [
        *who_answered("/scope"),
        *who_answered("/items"),
        Case(
            "client-spoofable",
            "--forwarded-allow-ips=*",
            inside=all_of(lets_through(FOR, PROTO), uvicorn_trusts_all),
        ),
        Case(
            "client-spoofable",
            "ProxyFix without proxy",
            inside=all_of(lets_through(FOR, PROTO, HOST), hypercorn_trusts_all),
        ),
        Case(
            "client-spoofable",
            "the first of several is believed",
            inside=all_of(appends, uvicorn_trusts_all),
        ),
        Case(
            "client-spoofable",
            "underscores only",
            inside=all_of(lets_through("x_forwarded_for"), believes_underscores),
        ),
        Case(
            "client-spoofable",
            "second one only",
            inside=all_of(lets_through(FOR), believes_second),
        ),
        Case("forwarded-misread", "unknown", inside=all_of(lets_through(FOR), confused)),
        Case(
            "scheme-spoofable",
            "X-Forwarded-Proto is passed on",
            inside=all_of(lets_through(PROTO), uvicorn_trusts_all),
        ),
        Case(
            "scheme-spoofable",
            "X-Forwarded-Proto is passed on, https",
            inside=all_of(lets_through(PROTO), uvicorn_trusts_all),
            scheme=HTTPS,
        ),
        Case(
            "host-spoofable",
            "X-Forwarded-Host is passed on",
            inside=all_of(lets_through(HOST), hypercorn_trusts_all),
        ),
        Case("host-spoofable", "in redirects only", outside=redirects_as_told("http://{}/")),
        Case(
            "prefix-spoofable",
            "in redirects only",
            outside=redirects_as_told("http://mysuperapp.com/canary/"),
        ),
        Case(
            "scheme-spoofable",
            "in redirects only",
            outside=redirects_as_told("https://mysuperapp.com/"),
        ),
        Case(
            "forwarded-misread",
            "in redirects only",
            outside=redirects_as_told("http://mysuperapp.com/"),
        ),
        Case(
            "prefix-spoofable",
            "X-Forwarded-Prefix is passed on",
            inside=all_of(unaware, lets_through("x-forwarded-prefix"), prefix_of_anybody),
        ),
        Case(
            "prefix-spoofable",
            "X-Forwarded-Prefix leads elsewhere",
            inside=all_of(lets_through("x-forwarded-prefix"), asks_elsewhere),
        ),
        Case("proxy-answered", "the proxy refuses", outside=refuses_forwarded(429)),
        Case("application-unreachable", "the proxy has none", outside=refuses_forwarded(502)),
        Case("forwarded-passed-on", "X-Forwarded-For", inside=lets_through(FOR)),
        Case("forwarded-passed-on", "X-Forwarded-For, appended to", inside=appends),
        Case(
            "forwarded-passed-on",
            "an address with another port each time",
            inside=all_of(with_ports, lets_through("x-real-ip")),
        ),
        Case("forwarded-passed-on", "X-Forwarded-Proto", inside=lets_through(PROTO)),
        Case("forwarded-passed-on", "X-Forwarded-Host", inside=lets_through(HOST)),
        Case("forwarded-passed-on", "X-Forwarded-Port", inside=lets_through("x-forwarded-port")),
        Case("forwarded-passed-on", "X-Real-IP", inside=lets_through("x-real-ip")),
        Case("forwarded-passed-on", "Forwarded", inside=lets_through("forwarded")),
        Case(
            "forwarded-passed-on", "over a WebSocket", inside=only("/ws", lets_through("x-real-ip"))
        ),
        Case("forwarded-passed-on", "two of them", inside=lets_through("x-real-ip", "forwarded")),
        Case("forwarded-passed-on", "underscores", inside=lets_through("x_real_ip")),
        Case("forwarded-passed-on", "one underscore", inside=lets_through("x_forwarded-user")),
    ],
    "boundary": [
        Case("prefix-leaks", "sibling", outside=rewritten(f"{PREFIX}0/app", f"{PREFIX}/0/app")),
        Case("prefix-leaks", "\\b", outside=rewritten(f"{PREFIX}-beta/app", f"{PREFIX}/app")),
        Case("prefix-leaks", "other case", outside=rewritten("/API/V1/app", f"{PREFIX}/app")),
        Case("proxy-answered", "sibling, another page", outside=instead("0/app", WELCOME)),
        Case("prefix-leaks", "no prefix", outside=rewritten("/app", f"{PREFIX}/app")),
        Case("proxy-answered", "no prefix, a page", outside=at("/app", lambda _: WELCOME)),
        Case("proxy-answered", "no prefix, 403", outside=at("/app", lambda _: FORBIDDEN)),
        Case("application-unreachable", "no prefix", outside=at("/app", lambda _: BAD_GATEWAY)),
        Case("prefix-leaks", "dots, encoded", outside=keeps_encoded_dots),
        Case("prefix-leaks", "dots behind the prefix", outside=passes_dots_on),
        Case("prefix-leaks", "dots (proxy_pass without path)", outside=resolves_to_compare),
        Case("path-altered", "decoded", inside=decoded),
        Case("path-altered", "lower case", inside=lower_case),
        Case("path-altered", "merged", inside=merged),
        *who_answered("/scope/a/b/café"),
        Case(
            "answer-wrong",
            "another route",
            outside=rewritten(f"{PREFIX}/scope/a/b/café", f"{PREFIX}/app"),
        ),
    ],
    "prefix-once": [
        Case("prefix-leaks", "doubled", outside=rewritten(f"{PREFIX * 2}/app", f"{PREFIX}/app")),
        Case(
            "prefix-stripped-twice",
            "fixed prefix behind a proxy that strips",
            inside=all_of(unaware, fixed_prefix),
        ),
        Case("prefix-stripped-twice", "only a label", inside=stripped),
        Case(
            "prefix-stripped-twice",
            "by the proxy",
            outside=rewritten(f"{PREFIX * 2}/nested", f"{PREFIX}/nested"),
        ),
        Case("application-unreachable", "nested", outside=instead(f"{PREFIX}/nested", BAD_GATEWAY)),
        Case("proxy-has-no-route", "nested", outside=instead(f"{PREFIX}/nested", NOT_FOUND)),
        Case("application-error", "nested", outside=altered(f"{PREFIX}/nested", status(500))),
        Case("bare-prefix-broken", "prefix twice (uvicorn#2213)", inside=doubled),
        Case("bare-prefix-broken", "404", outside=altered("", status(404))),
        Case("proxy-has-no-route", "bare", outside=instead("", NOT_FOUND)),
        Case("proxy-has-no-route", "bare, with slash", outside=instead("/", NOT_FOUND)),
        Case("proxy-answered", "bare, another page", outside=instead("/", WELCOME)),
        Case(
            "answer-wrong", "bare, another route", outside=rewritten(f"{PREFIX}/", f"{PREFIX}/docs")
        ),
        Case("bare-prefix-broken", "redirect to root", outside=instead("", RedirectResponse("/"))),
        Case("bare-prefix-broken", "query lost", inside=only("/", scoped(query_string=b""))),
        Case(
            "bare-prefix-broken",
            "redirect without the query",
            outside=instead("", RedirectResponse(f"{PREFIX}/")),
        ),
        Case(
            "bare-prefix-broken",
            "redirect to another port",
            outside=instead("", RedirectResponse("http://mysuperapp.com:8080/api/v1/", 301)),
        ),
    ],
    "stream": [
        *who_answered("/events"),
        *who_answered("/lines"),
        *who_answered("/echo"),
        Case("stream-buffered", "until the end", outside=altered("/events")),
        Case(
            "stream-buffered",
            "until the end, of events that do not say when",
            outside=altered("/events", text('"sent"', '"made"')),
        ),
        Case("stream-buffered", "lines, until the end", outside=altered("/lines")),
        Case("stream-buffered", "two at a time", outside=only("/events", batched(2))),
        Case("stream-buffered", "each until the next", outside=only("/events", held_back)),
        Case("stream-buffered", "an hour later", outside=only("/events", sent_earlier(3600))),
        Case("stream-late", "first event", outside=only("/events", begins_late)),
        Case("events-lost", "one line break", outside=altered("/events", text("\n\n", "\n"))),
        Case(
            "answer-wrong",
            "as text",
            outside=altered("/events", header("content-type", lambda _: "text/plain")),
        ),
        Case("events-lost", "all", outside=altered("/events", text("data", "d"))),
        Case("events-lost", "one", outside=altered("/events", text('data: {"number": 1', ""))),
        Case("proxy-answered", "another application", outside=by_another("/echo")),
        Case("body-refused", "too large", outside=instead("/echo", too_large)),
        Case("body-refused", "too large, https", outside=instead("/echo", too_large), scheme=HTTPS),
        Case("body-altered", "way there", inside=only("/echo", loses_a_byte)),
        Case("body-altered", "way back", outside=altered("/echo", text("a", "b"))),
        Case("answer-cut", "cut short", outside=only("/echo", cut_short)),
    ],
}

TESTED_BELOW = {"boundary": {"tunnel-opened"}, "bypass": {"direct-spoofable"}}
"""Symptoms of faults that no ASGI application behind the stub's ports can have."""
