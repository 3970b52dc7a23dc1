"""The application under test: what every variant serves, and what only some do."""

import asyncio
import hashlib
import importlib
import json
import re
import socket
import warnings
from collections.abc import Callable, Iterator, MutableMapping
from typing import Any

import pytest
from fastapi import FastAPI, HTTPException, WebSocket, WebSocketException
from fastapi.exceptions import FastAPIDeprecationWarning

from app import (
    extra_servers,
    forwarded_prefix,
    healthcheck,
    mount,
    plain,
    router,
    shared,
)
from app.forwarded_prefix_middleware import ForwardedPrefixMiddleware
from app.hypercorn.proxy_fix import behind_proxy
from app.instance import InstanceMiddleware, nonce
from app.shared import PREFIX, Application, create_app
from hoplab.catalogue.servers import SERVERS
from hoplab.catalogue.servers.server import Start
from hoplab.client.sending import CHUNKED
from hoplab.client.wire import Client, Exchange
from hoplab.endpoint import PUBLIC_NAME
from hoplab.engines.certificates import Certificates
from hoplab.prefix import DEFAULT_PREFIX
from hoplab.topology import Scheme, Setup, Strategy, Trust
from tests.unit.stub import LOOPBACK, Stub, listening, rescoped, right

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # whether it warns is asked below
    from app import app_argument

Message = MutableMapping[str, Any]


def test_the_lab_and_the_application_agree_on_the_prefix() -> None:
    assert DEFAULT_PREFIX.encoded == PREFIX  # they never import each other
    assert DEFAULT_PREFIX.decoded == shared.PREFIX_DECODED


@pytest.mark.parametrize("server", SERVERS)
@pytest.mark.parametrize("strategy", Strategy)
@pytest.mark.parametrize("trust", Trust)
def test_every_import_string_is_an_application(
    server: str, strategy: Strategy, trust: Trust
) -> None:
    start = Start(Setup(strategy, trust), LOOPBACK, "8000", LOOPBACK, DEFAULT_PREFIX)
    command = SERVERS[server].command_line(start)
    [named] = [argument for argument in command if argument.startswith("app.")]
    module, _, attribute = named.partition(":")

    application = getattr(importlib.import_module(module), attribute)

    assert callable(application)


def test_the_nonce_is_that_of_the_process_and_not_read_on_import(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before = nonce()
    monkeypatch.setenv("INSTANCE_NONCE", "of the fork")

    assert nonce.__wrapped__() == "of the fork"
    assert nonce() == before, "it changes in the middle"
    monkeypatch.delenv("INSTANCE_NONCE")
    assert nonce.__wrapped__() != nonce.__wrapped__()


@pytest.mark.parametrize("other", [None, ""])
def test_without_another_application_it_is_the_usual_one(
    monkeypatch: pytest.MonkeyPatch, other: str | None
) -> None:
    monkeypatch.delenv("APPLICATION", raising=False)
    if other is not None:
        monkeypatch.setenv("APPLICATION", other)

    one, two = create_app(), create_app(version="2")

    assert (one.title, two.title, two.version) == ("hoplab", "hoplab", "2")
    assert one is not two


def test_another_application_is_served_in_its_place(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("APPLICATION", "app.extra_servers")

    assert create_app() is extra_servers.app
    assert create_app(prefix=PREFIX, docs_url=None) is extra_servers.app


def test_the_deprecated_argument_is_shown_without_a_warning() -> None:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        importlib.reload(app_argument)

    assert caught == []
    with pytest.warns(FastAPIDeprecationWarning, match="root_path"):
        FastAPI(root_path="/api")


# --- the routes, by a server and over the wire ---


class Served:
    """An application and a client of it, whose paths are absolute."""

    def __init__(self, client: Client, origin: str) -> None:
        self.client = client
        self.origin = origin

    def get(self, path: str, **options: Any) -> Exchange:
        return self.client.request("GET", self.origin + path, **options)

    def websocket(self, path: str) -> Exchange:
        return self.client.websocket("ws" + self.origin.removeprefix("http") + path)


Serve = Callable[..., Served]


@pytest.fixture
def serve(stub: Stub) -> Iterator[Serve]:
    """Serve an application as `uvicorn --root-path` does, if given one."""
    origin = stub.endpoint.origin(Scheme.HTTP)
    client = Client({origin: (LOOPBACK, stub.endpoint.ports[Scheme.HTTP])}, stub.endpoint.authority)

    def start(app: Any, root_path: str = "") -> Served:
        added = rescoped(lambda scope: {"root_path": root_path, "path": root_path + scope["path"]})
        stub.deployment = added(app)
        return Served(client, origin)

    yield start
    client.close()


def broken() -> Application:
    """The application with what it does not have on purpose: errors."""
    app = create_app()

    @app.get("/500")
    def fail() -> None:
        raise RuntimeError("on purpose")

    @app.websocket("/ws-denied")
    async def deny(websocket: WebSocket) -> None:
        raise HTTPException(401, f"not {websocket.url.path}")

    @app.websocket("/ws-500")
    async def fail_early(_websocket: WebSocket) -> None:
        raise RuntimeError("on purpose")

    @app.websocket("/ws-closed")
    async def close(websocket: WebSocket) -> None:
        raise WebSocketException(1008, f"not {websocket.url.path}")

    return app


BROKEN = broken()
ADDED = shared.build_app()
ADDED.add_middleware(ForwardedPrefixMiddleware, prefix="/api/v1", trusted="")


@pytest.fixture
def served(serve: Serve) -> Served:
    return serve(BROKEN)


@pytest.mark.parametrize(
    ("strategy", "app", "options", "path", "root_path"),
    [
        pytest.param("none", plain.app, {}, "/app", "", id="none"),
        pytest.param(
            "server-option", plain.app, {"root_path": PREFIX}, "/app", PREFIX, id="server-option"
        ),
        pytest.param(
            "app-argument", app_argument.app, {}, f"{PREFIX}/app", PREFIX, id="app-argument"
        ),
        pytest.param("mount", mount.app, {}, f"{PREFIX}/app", PREFIX, id="mount"),
        pytest.param("router", router.app, {}, f"{PREFIX}/app", "", id="router"),
        pytest.param(
            "forwarded-prefix", forwarded_prefix.app, {}, f"{PREFIX}/app", PREFIX, id="preserve"
        ),
        pytest.param("forwarded-prefix", forwarded_prefix.app, {}, "/app", PREFIX, id="strip"),
        pytest.param(
            "forwarded-prefix",
            ADDED,
            {},
            f"{PREFIX}/app",
            PREFIX,
            id="added, preserve",
        ),
        pytest.param(
            "forwarded-prefix",
            ADDED,
            {},
            "/app",
            PREFIX,
            id="added, strip",
        ),
    ],
)
def test_app_says_its_root_path(
    serve: Serve, strategy: str, app: Any, options: dict[str, str], path: str, root_path: str
) -> None:
    assert strategy in list(Strategy)

    answer = serve(app, **options).get(path)

    assert answer.status == 200
    assert answer.body == b'{"message":"Hello World","root_path":"%s"}' % root_path.encode()


def test_middleware_inside_the_application_works_as_outside(serve: Serve) -> None:
    """What is added last is outside mounts, 404 and redirects."""
    lie = [("X-Forwarded-Prefix", "/canary")]
    told = []
    for app in (forwarded_prefix.app, ADDED):
        served = serve(app)
        asked = [
            served.get(PREFIX + path, headers=lie)
            for path in ("/app", "/items", "/sub/app", "/sub/items", "/openapi.json", "/nowhere")
        ]
        told.append([(each.status, each.header("location"), each.body) for each in asked])

    outside, inside = told
    assert inside == outside
    assert [status for status, _, _ in inside] == [200, 307, 200, 307, 200, 404]
    assert not any(b"canary" in body for _, _, body in inside)


NESTED = f"{PREFIX}/nested"


@pytest.mark.parametrize(
    ("app", "options", "path", "status"),
    [
        pytest.param(plain.app, {}, NESTED, 200, id="none"),
        pytest.param(plain.app, {"root_path": PREFIX}, NESTED, 200, id="server-option"),
        pytest.param(app_argument.app, {}, PREFIX + NESTED, 200, id="app-argument"),
        pytest.param(mount.app, {}, PREFIX + NESTED, 200, id="mount"),
        pytest.param(router.app, {}, PREFIX + NESTED, 200, id="router"),
        pytest.param(forwarded_prefix.app, {}, PREFIX + NESTED, 200, id="preserve"),
        # Without a header, nobody can tell whether the prefix was removed already.
        pytest.param(forwarded_prefix.app, {}, NESTED, 404, id="strip"),
        pytest.param(app_argument.app, {}, NESTED, 404, id="app-argument, strip"),
    ],
)
def test_route_that_begins_like_the_prefix(
    serve: Serve, app: Any, options: dict[str, str], path: str, status: int
) -> None:
    answer = serve(app, **options).get(path)

    assert answer.status == status
    if status == 200:
        assert answer.json() == {"message": "Hello Nested"}


def test_nested_is_in_no_document(served: Served) -> None:
    """Else `servers` would ask it, and find what `boundary` is there to find."""
    assert not [path for path in served.get("/openapi.json").json()["paths"] if "nested" in path]


def test_scope(served: Served) -> None:
    answer = served.get("/scope/a%2Fb?q=%20", headers=[("X-Odd", "\xe9")])

    told = answer.json()
    assert set(told) == {
        "type",
        "scheme",
        "client",
        "server",
        "root_path",
        "app_root_path",
        "path",
        "raw_path",
        "query_string",
        "http_version",
        "extensions",
        "headers",
        "url",
        "base_url",
        "url_for",
        "static_url",
        "instance",
    }
    assert (told["path"], told["raw_path"]) == ("/scope/a/b", "/scope/a%2Fb")
    assert (told["query_string"], told["http_version"]) == ("q=%20", "1.1")
    assert told["client"][0] == LOOPBACK
    assert ["x-odd", "\xe9"] in told["headers"]
    assert told["url_for"] == f"{served.origin}/app"
    assert told["static_url"] == f"{served.origin}/static/hello.txt"
    assert told["base_url"] == f"{served.origin}/"
    assert told["instance"] == nonce()


@pytest.mark.parametrize("path", ["/ws", "/sub/ws"])
def test_scope_over_a_websocket(served: Served, path: str) -> None:
    answer = served.websocket(path)

    told = answer.json()
    assert answer.status == 101
    assert (told["type"], told["scheme"], told["path"]) == ("websocket", "ws", path)
    assert told["root_path"] == path.removesuffix("/ws")


NAMED = [
    pytest.param("/app", 200, id="200"),
    pytest.param("/items", 307, id="307"),
    pytest.param("/nowhere", 404, id="404"),
    pytest.param("/echo", 405, id="405"),
    pytest.param("/events?count=x", 422, id="422"),
    pytest.param("/500", 500, id="500"),
    pytest.param("/sub/app", 200, id="mount"),
    pytest.param("/sub/items", 307, id="mount, 307"),
    pytest.param("/sub/nowhere", 404, id="mount, 404"),
    pytest.param("/static/hello.txt", 200, id="static"),
    pytest.param("/static/none", 404, id="static, 404"),
    pytest.param("/docs", 200, id="docs"),
    pytest.param("/openapi.json", 200, id="openapi"),
    pytest.param("/events?count=1", 200, id="stream"),
]


@pytest.mark.parametrize(("path", "status"), NAMED)
def test_every_response_names_its_instance_and_its_scope(
    served: Served, path: str, status: int
) -> None:
    answer = served.get(path)

    assert answer.status == status
    assert [v for k, v in answer.headers if k.lower() == "x-instance"] == [nonce()]
    [told] = [v for k, v in answer.headers if k.lower() == "x-asgi-scope"]
    scope = json.loads(told)
    assert set(scope) == {"scheme", "client", "root_path", "path", "method", "host"}
    assert len(scope["host"]) == 1
    assert (scope["scheme"], scope["root_path"]) == ("http", "")
    assert scope["path"] == path.partition("?")[0]
    assert scope["client"][0] == LOOPBACK


@pytest.mark.parametrize(
    ("path", "status"),
    [
        pytest.param("/ws", 101, id="accepted"),
        pytest.param("/sub/ws", 101, id="accepted in the mount"),
        pytest.param("/ws-denied", 401, id="denied"),
        pytest.param("/ws-closed", 403, id="closed before it was accepted"),
        pytest.param("/ws-500", 500, id="an exception before it was accepted"),
        pytest.param("/ws-nowhere", 403, id="without route"),
        pytest.param("/sub/nowhere", 403, id="without route in the mount"),
    ],
)
def test_every_websocket_answer_names_its_instance(served: Served, path: str, status: int) -> None:
    answer = served.websocket(path)

    assert answer.status == status
    assert answer.header("X-Instance") == nonce()
    assert json.loads(answer.header("X-ASGI-Scope") or "{}")["path"] == path


def test_scope_header_is_ascii_whatever_the_path(served: Served) -> None:
    told = served.get("/scope/%F0%9F%8D%95%0D%0AX-Evil:%20yes").header("X-ASGI-Scope") or ""

    assert told.isascii()
    assert told.isprintable()
    assert json.loads(told)["path"] == "/scope/\U0001f355\r\nX-Evil: yes"


def test_events_come_apart(served: Served) -> None:
    answer = served.get("/events?count=3&interval=0.05", stream=True)

    events = [
        (at, json.loads(line.removeprefix(b"data: "))) for at, line in answer.chunks if line.strip()
    ]
    assert (answer.header("content-type") or "").startswith("text/event-stream")
    assert answer.header("cache-control") == "no-store"
    assert [event["number"] for _, event in events] == [0, 1, 2]
    sent = [event["sent"] for _, event in events]
    assert sent[1] - sent[0] > 0.045 < sent[2] - sent[1]  # uvloop counts milliseconds
    assert all(0 <= at - event["sent"] < 5 for at, event in events)
    assert answer.body.endswith(b"}\n\n")


@pytest.mark.parametrize("query", ["count=101&interval=0", "count=1000000&interval=-1"])
def test_events_are_limited(served: Served, query: str) -> None:
    answer = served.get(f"/events?{query}", stream=True)

    assert answer.body.count(b"data: ") == 100


@pytest.mark.parametrize("size", [0, 1, 2**20])
def test_echo(served: Served, size: int) -> None:
    body = bytes(range(256)) * (size // 256) or b"x" * size

    answer = served.client.request("POST", f"{served.origin}/echo", body=body)

    assert (answer.status, answer.body) == (200, body)
    assert answer.header("X-Body-Length") == str(size)
    assert answer.header("X-Body-SHA256") == hashlib.sha256(body).hexdigest()
    assert answer.header("Content-Type") == "application/octet-stream"


def test_echo_of_a_chunked_body(served: Served) -> None:
    answer = served.client.request("POST", f"{served.origin}/echo", [CHUNKED], body=b"\x00\xff\r\n")

    assert (answer.status, answer.body) == (200, b"\x00\xff\r\n")
    assert "Content-Length" not in dict(answer.sent)


def test_bare_prefix_answers(served: Served) -> None:
    told = {"message": "hoplab: see docs, app, scope"}

    assert served.get("/").json() == {**told, "query": ""}
    assert served.get("/?q=%2F").json() == {**told, "query": "q=%2F"}


# --- OpenAPI's servers ---

STAGING, PRODUCTION = "https://stag.example.com", "https://prod.example.com"


@pytest.mark.parametrize(
    ("path", "options", "servers"),
    [
        pytest.param("/openapi.json", {}, None, id="no root_path"),
        pytest.param("/openapi.json", {"root_path": PREFIX}, [PREFIX], id="root_path"),
        pytest.param(
            "/extra-servers/openapi.json",
            {"root_path": PREFIX},
            [f"{PREFIX}/extra-servers", STAGING, PRODUCTION],
            id="extra servers",
        ),
        pytest.param(
            "/no-root-path-in-servers/openapi.json",
            {"root_path": PREFIX},
            [PRODUCTION],
            id="root_path_in_servers=False",
        ),
    ],
)
def test_servers_of_openapi(
    serve: Serve, path: str, options: dict[str, str], servers: list[str] | None
) -> None:
    document = serve(plain.app, **options).get(path).json()

    assert document["openapi"]
    if servers is None:
        assert "servers" not in document
        return
    assert [server["url"] for server in document["servers"]] == servers


def test_servers_without_any_and_root_path_slash_are_left_out(serve: Serve) -> None:
    """As the guide says: "If you don't specify the servers parameter and root_path is /"."""
    document = serve(rescoped(lambda _: {"root_path": "/"})(plain.app)).get("/openapi.json")

    assert document.status == 200
    assert "servers" not in document.json()


def test_servers_do_not_grow(serve: Serve) -> None:
    """fastapi#14986: a list that was shared, and changed by every request."""
    documents = [
        serve(extra_servers.app, prefix).get("/openapi.json").json()
        for prefix in ("/a", "/b", "/a")
    ]

    assert [[server["url"] for server in d["servers"]] for d in documents] == [
        [prefix, STAGING, PRODUCTION] for prefix in ("/a", "/b", "/a")
    ]


def test_mounted_strategy_has_no_docs_outside_the_prefix(serve: Serve) -> None:
    served = serve(mount.app)

    outside = [served.get(path).status for path in ("/docs", "/openapi.json", "/app")]

    assert outside == [404, 404, 404]
    assert served.get(f"{PREFIX}/docs").status == 200


# --- middleware, without a server ---


def run(app: Any, scope: dict[str, Any], receive: Any, send: Any) -> None:
    asyncio.run(app(scope, receive, send))


def test_lifespan_passes_through() -> None:
    passed: list[str] = []

    async def app(scope: Any, _receive: Any, _send: Any) -> None:
        passed.append(scope["type"])

    async def nothing(*_: Any) -> None:
        return

    for wrapped in (behind_proxy(app), InstanceMiddleware(app)):
        run(wrapped, {"type": "lifespan"}, nothing, nothing)

    assert passed == ["lifespan", "lifespan"]


def test_instance_is_named_once_by_nested_applications() -> None:
    sent: list[Message] = []

    async def app(_scope: Any, _receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})

    async def send(message: Message) -> None:
        sent.append(message)

    async def receive() -> Message:
        return {}

    scope = {"type": "http", "path": "/x", "headers": []}
    run(InstanceMiddleware(InstanceMiddleware(app)), scope, receive, send)

    names = [name for name, _ in sent[0]["headers"]]
    assert sorted(names) == [b"x-asgi-scope", b"x-instance"]
    assert scope == {"type": "http", "path": "/x", "headers": []}


# --- the container's healthcheck ---


@pytest.fixture
def asked_by_healthcheck(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    """It asks port 8000 of its container; here, the server of these tests."""
    port = int(served.origin.rsplit(":", 1)[1])
    connect = socket.create_connection

    def redirected(address: tuple[str, int], timeout: float) -> socket.socket:
        assert address == (LOOPBACK, 8000)
        return connect((LOOPBACK, port), timeout)

    monkeypatch.setattr(socket, "create_connection", redirected)


@pytest.mark.usefixtures("asked_by_healthcheck")
@pytest.mark.parametrize(
    ("path", "complaint"),
    [
        ("/app", None),
        ("/items", "/items answered .*307"),
        ("/nowhere", "/nowhere answered .*404"),
        ("/500", "/500 answered .*500"),
    ],
)
def test_healthcheck_wants_200(
    monkeypatch: pytest.MonkeyPatch, path: str, complaint: str | None
) -> None:
    monkeypatch.setattr("sys.argv", ["healthcheck.py", path])

    if complaint is None:
        healthcheck.main()
        return
    with pytest.raises(SystemExit, match=complaint):
        healthcheck.main()


def test_healthcheck_without_a_server(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(_address: tuple[str, int], timeout: float) -> socket.socket:
        raise ConnectionRefusedError(111, f"Connection refused, {timeout}")

    monkeypatch.setattr(socket, "create_connection", refused)
    monkeypatch.setattr("sys.argv", ["healthcheck.py", "/app"])

    with pytest.raises(SystemExit, match=r"no answer: .*Connection refused"):
        healthcheck.main()


def test_the_stand_ins_are_right(serve: Serve, certificates: Certificates) -> None:
    """Checks and applications are tested without --root-path: it would tell them just the same."""
    with listening(plain.app, root_path=PREFIX) as port:
        origin = f"http://{PUBLIC_NAME}:{port}"
        client = Client({origin: (LOOPBACK, port)}, certificates.authority)
        real = Served(client, origin).get("/scope?q=1").json()
        client.close()

    def comparable(told: dict[str, Any]) -> dict[str, Any]:
        urls = ("url", "base_url", "url_for", "static_url")
        return {key: re.sub(r":\d+", "", told[key]) for key in urls} | {
            key: told[key] for key in ("root_path", "path", "scheme", "query_string")
        }

    for stood_in in (
        serve(right(plain.app)).get(f"{PREFIX}/scope?q=1").json(),
        serve(plain.app, root_path=PREFIX).get("/scope?q=1").json(),
    ):
        assert comparable(stood_in) == comparable(real)
