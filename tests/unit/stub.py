"""The real application behind a stand-in for a right proxy and server, with faults to order.

A deployment is `outside(right(inside(app)))`: a fault outside is the proxy's, one inside is what
the server makes of the request before the application sees it. Paths are below the public prefix.
"""

import asyncio
import json
import re
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias

import uvicorn
from starlette.datastructures import MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.instance import nonce
from app.plain import app as PLAIN  # noqa: N812 - a constant here
from hoplab import forwarded
from hoplab.client.target import Target
from hoplab.commands import targets
from hoplab.endpoint import Endpoint
from hoplab.engines.certificates import Certificates
from hoplab.prefix import DEFAULT_PREFIX
from hoplab.results import Finding
from hoplab.suites import SUITES
from hoplab.suites.asking import ask_one
from hoplab.suites.suite import Suite
from hoplab.topology import Cell, Deployment, Mode, Scheme, Setup, Strategy, Topology, Trust
from tests.catalogue import CATALOGUE

LOOPBACK = "127.0.0.1"
PREFIX = DEFAULT_PREFIX.encoded
TOPOLOGY = Topology("nginx", "uvicorn", Mode.STRIP)
DEPLOYMENT = Deployment(TOPOLOGY, Setup(Strategy.SERVER_OPTION, Trust.PROXY))
CONTRACT = SUITES["contract"]

Fault: TypeAlias = Callable[[ASGIApp], ASGIApp]


@contextmanager
def listening(app: ASGIApp, **options: Any) -> Iterator[int]:
    """Uvicorn in a thread; gives its port. It believes no header."""
    fixed: dict[str, Any] = {
        "log_config": None,
        "log_level": "critical",  # a 500 that a test orders: its traceback takes longer than it
        "lifespan": "off",
        "proxy_headers": False,
        "ws_max_size": 2**20,
    }
    config = uvicorn.Config(app, **fixed, **options)
    server = Server(config)
    # With this protocol number alone does asyncio set TCP_NODELAY: 40 ms less for each answer.
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP) as sock:
        sock.bind((LOOPBACK, 0))
        sock.listen()
        thread = threading.Thread(target=server.run, args=([sock],), daemon=True)
        thread.start()
        try:
            yield sock.getsockname()[1]
        finally:
            server.should_exit = True
            thread.join()


class Server(uvicorn.Server):
    """Ends at once, where Uvicorn waits up to 0.2 s."""

    async def main_loop(self) -> None:
        await self.on_tick(0)
        while not self.should_exit:  # noqa: ASYNC110 - another thread sets it
            await asyncio.sleep(0.01)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        for server in self.servers:
            server.close()
        for sock in sockets or ():
            sock.close()
        for connection in list(self.server_state.connections):
            connection.shutdown()
        while self.server_state.connections or self.server_state.tasks:  # noqa: ASYNC110 - sets
            await asyncio.sleep(0.001)


@dataclass
class Stub:
    """A deployment that can be exchanged, over http and https."""

    endpoint: Endpoint
    deployment: ASGIApp = PLAIN
    seen: list[Scope] = field(default_factory=list)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.seen.append(scope)
        await self.deployment(scope, receive, send)

    def serve(self, inside: "Fault", outside: "Fault", app: ASGIApp = PLAIN) -> None:
        """From now on, this is what answers."""
        self.deployment = outside(right(inside(app)))

    def ask(
        self,
        check: str,
        scheme: Scheme = Scheme.HTTP,
        strategy: Strategy = Strategy.SERVER_OPTION,
        topology: Topology = TOPOLOGY,
        **changes: Any,
    ) -> Finding:
        """One check's finding; `changes` are the endpoint's."""
        cell = Cell(topology, strategy, Trust.PROXY, scheme)
        return ask_one(check, CONTRACT.checks[check], self.target(cell, **changes))

    def target(self, cell: Cell, suite: Suite = CONTRACT, **changes: Any) -> Target:
        """The stub as this cell; `changes` are the endpoint's."""
        return targets.target(CATALOGUE, suite, cell, replace(self.endpoint, **changes))


@contextmanager
def running_stub(certificates: Certificates) -> Iterator[Stub]:
    """The right deployment of the plain application, on two ports."""

    async def switch(scope: Scope, receive: Receive, send: Send) -> None:
        await stub(scope, receive, send)

    tls = {"ssl_certfile": certificates.certificate, "ssl_keyfile": certificates.key}
    with listening(switch) as http, listening(switch, **tls) as https:
        endpoint = Endpoint(
            deployment=DEPLOYMENT,
            ports={Scheme.HTTP: http, Scheme.HTTPS: https},
            authority=certificates.authority,
            nonce=nonce(),
            client=LOOPBACK,
        )
        stub = Stub(endpoint)
        stub.serve(as_it_is, as_it_is)
        yield stub


def right(app: ASGIApp) -> ASGIApp:
    """What a right proxy and server do: 404 outside the prefix, and root_path inside.

    Of the forwarded headers that the client sent, none arrives.
    """

    async def deployment(scope: Scope, receive: Receive, send: Send) -> None:
        below = (scope["path"] + "/").startswith(PREFIX + "/")
        written = re.sub(rb"%2e", b".", scope["raw_path"], flags=re.IGNORECASE)
        if below and b"/../" not in written:
            own = [h for h in scope["headers"] if h[0].replace(b"_", b"-") not in FORWARDED]
            passed_on = {"root_path": PREFIX, "headers": own, SENT: scope["headers"]}
            await app({**scope, **passed_on}, receive, send)
        else:
            await PlainTextResponse("not behind this proxy", 404)(scope, receive, send)

    return deployment


FORWARDED = {name.lower().encode() for name in forwarded.HEADERS}

SENT = "hoplab.sent"
"""Where `right` keeps the headers that the client sent."""


# --- faults ---


def as_it_is(app: ASGIApp) -> ASGIApp:
    """No fault."""
    return app


def all_of(*faults: Fault) -> Fault:
    """Several, the first outermost."""

    def fault(app: ASGIApp) -> ASGIApp:
        for each in reversed(faults):
            app = each(app)
        return app

    return fault


def rescoped(change: Callable[[Scope], dict[str, Any]]) -> Fault:
    """The scope arrives with these changes."""

    def fault(app: ASGIApp) -> ASGIApp:
        async def changed(scope: Scope, receive: Receive, send: Send) -> None:
            await app({**scope, **change(scope)}, receive, send)

        return changed

    return fault


def believing(header: bytes, change: Callable[[str], dict[str, Any]]) -> Fault:
    """The scope arrives with what the value of this header changes, if it came."""

    def believed(scope: Scope) -> dict[str, Any]:
        value = dict(scope["headers"]).get(header)
        return change(value.decode()) if value else {}

    return rescoped(believed)


def scoped(**changes: Any) -> Fault:
    """The scope arrives with other values."""
    return rescoped(lambda _: changes)


def at(public: str, fault: Fault) -> Fault:
    """The fault, for one public path."""

    def narrowed(app: ASGIApp) -> ASGIApp:
        faulty = fault(app)

        async def choose(scope: Scope, receive: Receive, send: Send) -> None:
            chosen = faulty if scope["path"] == public else app
            await chosen(scope, receive, send)

        return choose

    return narrowed


def only(path: str, fault: Fault) -> Fault:
    """The fault, for one path below the prefix."""
    return at(PREFIX + path, fault)


@rescoped
def stripped(scope: Scope) -> dict[str, Any]:
    """The path without the prefix, and root_path as it was: `hypercorn --root-path`."""
    return {
        "path": scope["path"].removeprefix(PREFIX) or "/",
        "raw_path": scope["raw_path"].removeprefix(PREFIX.encode()) or b"/",
    }


unaware = all_of(stripped, scoped(root_path=""))
"""Nobody tells the application what was stripped: strategy `none`."""


@rescoped
def doubled(scope: Scope) -> dict[str, Any]:
    """`uvicorn --root-path` behind a proxy that preserves the prefix."""
    return {"path": PREFIX + scope["path"], "raw_path": PREFIX.encode() + scope["raw_path"]}


def rewritten(public: str, to: str) -> Fault:
    """The proxy takes one public path for another."""
    return rescoped(
        lambda scope: {"path": to, "raw_path": to.encode()} if scope["path"] == public else {}
    )


def host(*values: str) -> Fault:
    """The proxy sends these Host headers in place of the client's."""
    sent = [(b"host", value.encode()) for value in values]
    return rescoped(
        lambda scope: {"headers": [*sent, *(h for h in scope["headers"] if h[0] != b"host")]}
    )


@rescoped
def portless(scope: Scope) -> dict[str, Any]:
    """`proxy_set_header Host $host`."""
    return {
        "headers": [(k, v.split(b":")[0] if k == b"host" else v) for k, v in scope["headers"]],
    }


def lets_through(*names: str) -> Fault:
    """The proxy passes these headers on as the client sent them."""

    def change(scope: Scope) -> dict[str, Any]:
        sent = [header for header in scope[SENT] if header[0].decode() in names]
        return {"headers": scope["headers"] + sent}

    return rescoped(change)


def instead(path: str, answer: ASGIApp) -> Fault:
    """Somebody else answers there, without the application's X-Instance."""
    return only(path, lambda _: answer)


@dataclass
class Answer:
    """A response, whole."""

    status: int
    headers: MutableHeaders
    body: bytes


Edit: TypeAlias = Callable[[Answer], None]


def altered(path: str, *edits: Edit) -> Fault:
    """The response is collected, edited, and sent on: without edits, it is only late."""

    def fault(app: ASGIApp) -> ASGIApp:
        async def collecting(scope: Scope, receive: Receive, send: Send) -> None:
            messages: list[Message] = []

            async def collect(message: Message) -> None:
                messages.append(message)

            await app(scope, receive, collect)
            start, *rest = messages
            body = b"".join(message.get("body", b"") for message in rest)
            answer = Answer(start["status"], MutableHeaders(scope=start), body)
            for edit in edits:
                edit(answer)
            if "content-length" in answer.headers:
                answer.headers["content-length"] = str(len(answer.body))
            await send({**start, "status": answer.status})
            await send({"type": "http.response.body", "body": answer.body})

        return collecting

    return only(path, fault)


def status(code: int) -> Edit:
    def edit(answer: Answer) -> None:
        answer.status = code

    return edit


def header(name: str, change: Callable[[str], str | None]) -> Edit:
    """Another value; None drops the header."""

    def edit(answer: Answer) -> None:
        value = change(answer.headers.get(name, ""))
        del answer.headers[name]
        if value is not None:
            answer.headers[name] = value

    return edit


def text(old: str, new: str) -> Edit:
    def edit(answer: Answer) -> None:
        answer.body = answer.body.replace(old.encode(), new.encode())

    return edit


def told(change: Callable[[dict[str, Any]], dict[str, Any]]) -> Edit:
    """Other values in a JSON object."""

    def edit(answer: Answer) -> None:
        content = json.loads(answer.body)
        answer.body = json.dumps(content | change(content)).encode()

    return edit


# --- other servers ---


@contextmanager
def tunnelling(port: int, agrees_to: bytes = b"\r\nUpgrade: h2c\r\n") -> Iterator[int]:
    """A proxy that agrees to speak HTTP/2 from now on; what else is asked, `port` answers.

    `agrees_to` is what the head of the request has to contain.
    """

    def talk(connection: socket.socket) -> None:
        with connection, connection.makefile("rb") as lines:
            head = _head(lines)
            if b"\r\nUpgrade: h2c\r\n" in head and agrees_to in head:
                connection.sendall(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\n\r\n")
                return
            with socket.create_connection((LOOPBACK, port), 10) as upstream:
                upstream.sendall(head.replace(b"\r\n", b"\r\nConnection: close\r\n", 1))
                while piece := upstream.recv(2**16):
                    connection.sendall(piece)

    with accepting(talk) as own:
        yield own


@contextmanager
def accepting(talk: Callable[[socket.socket], None]) -> Iterator[int]:
    """Have `talk` serve one connection after the other, in a thread; gives the port."""

    def serve() -> None:
        while True:
            try:
                connection, _ = server.accept()
            except OSError:  # closed below
                return
            connection.settimeout(10)
            try:
                talk(connection)
            except OSError:  # the client went away, or did not like the certificate
                continue

    with socket.create_server((LOOPBACK, 0)) as server:
        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        try:
            yield server.getsockname()[1]
        finally:
            server.shutdown(socket.SHUT_RDWR)
            thread.join()


def closed_port() -> int:
    """Where nobody listens."""
    with socket.create_server((LOOPBACK, 0)) as sock:
        port: int = sock.getsockname()[1]
    return port


@dataclass
class Recorder:
    """What arrived on the wire, a request an entry: head and body as they came."""

    port: int = 0
    requests: list[bytes] = field(default_factory=list)
    connections: list[tuple[str, int]] = field(default_factory=list)
    server_names: list[str | None] = field(default_factory=list)


OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nOK"


@contextmanager
def recording(
    *answers: bytes, certificates: Certificates | None = None, close: bool = False
) -> Iterator[Recorder]:
    """Answer request by request with these bytes, the last one for ever, whatever is asked."""
    recorder = Recorder()
    tls = None
    if certificates:
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(certificates.certificate, certificates.key)
        tls.sni_callback = lambda _socket, name, _context: recorder.server_names.append(name)
    left = list(answers) or [OK]

    def talk(connection: socket.socket) -> None:
        recorder.connections.append(connection.getpeername())
        with connection:
            plain = tls.wrap_socket(connection, server_side=True) if tls else connection
            with plain, plain.makefile("rb") as lines:
                while head := _head(lines):
                    length = _length(head)
                    recorder.requests.append(head + lines.read(length))
                    plain.sendall(left.pop(0) if len(left) > 1 else left[0])
                    if close:
                        return

    with accepting(talk) as port:
        recorder.port = port
        yield recorder


def _head(lines: Any) -> bytes:
    head = b""
    while line := lines.readline():
        head += line
        if line == b"\r\n":
            break
    return head


def _length(head: bytes) -> int:
    for line in head.lower().splitlines():
        if line.startswith(b"content-length:"):
            return int(line.split(b":")[1])
    return 0
