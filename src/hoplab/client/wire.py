"""The client: HTTP and WebSocket exchanges with one running topology, recorded.

http.client and not requests: a check has to send a path as it stands (`/a%2Fb`, `//x`), a header
twice, in odd case or with underscores, and to connect to one address under another name.
"""

import http.client
import json
import re
import socket
import ssl
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any, TypeAlias, cast
from urllib.parse import quote, urlsplit

from hoplab.client import reading
from hoplab.client.conversation import Conversation
from hoplab.client.sending import CHUNKED, send
from hoplab.endpoint import Address
from hoplab.errors import EndedUnanswered, HarnessError, NoAnswer, TimedOut
from hoplab.system.sockets import open_socket

_ESCAPED = re.compile(r"[^\x21\x23-\x3b\x3d\x3f-\x5d\x5f\x61-\x7a\x7c\x7e]")
"""What a browser percent-encodes in a path: https://url.spec.whatwg.org/#path-percent-encode-set."""

_SHOWN_BODY, _SHOWN_HEADER = 300, 1000
_LONGEST_CHARACTER = 4  # bytes, in UTF-8

Headers: TypeAlias = Sequence[tuple[str, str]]

_ENDED = (ConnectionError, ssl.SSLEOFError, ssl.SSLZeroReturnError)
HIDDEN = "…"  # in place of what a person's own header says


@dataclass
class Exchange:
    """A request and what came back. status 0: the answer was no HTTP response."""

    method: str
    url: str
    sent: Headers
    status: int = 0
    headers: Headers = ()
    body: bytes = b""
    chunks: list[tuple[float, bytes]] = field(default_factory=list)
    """For a stream: when each piece arrived (seconds since the epoch), and the piece."""
    cut: bool = False
    """Whether the connection ended before the answer did."""
    unfinished: bool = False
    """Whether there was more of the body than was read, or was to come."""

    def header(self, name: str) -> str | None:
        """The first header of this name in the response."""
        value = next((v for k, v in self.headers if k.lower() == name.lower()), None)
        if value is None or value.isascii() or name.lower() != "location":
            return value
        # A proxy may write other letters as they are; browsers read them as UTF-8.
        return value.encode("latin-1").decode("utf-8", "replace")

    def json(self) -> Any:
        """The body as JSON, or None if it is none, or too deep for Python."""
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):  # the second, of 100,000 brackets
            return None

    def shortened(self) -> "Exchange":
        """With what is shown of the body: there are thousands of exchanges, some of megabytes."""
        sent = [(name, value[:_SHOWN_HEADER]) for name, value in self.sent]
        return replace(self, sent=sent, body=self.shown_body().encode(), chunks=[])

    def shown_body(self) -> str:
        """The body's beginning as text, with an ellipsis if there is more; of this the same."""
        text = self.body[: _LONGEST_CHARACTER * (_SHOWN_BODY + 1)].decode("utf-8", "replace")
        return text[:_SHOWN_BODY] + "…" if len(text) > _SHOWN_BODY else text

    def __str__(self) -> str:
        """One line: `GET https://… → 307 location=…`."""
        location = self.header("location")
        return f"{self.method} {self.url} → {self.status}" + (f" {location}" if location else "")


class _Connection(http.client.HTTPConnection):
    """Connects to one address whatever the URL says; speaks TLS if given a context."""

    def __init__(
        self,
        address: Address,
        source: str | None,
        tls: ssl.SSLContext | None,
        name: str,
        seconds: float,
    ) -> None:
        super().__init__(*address, timeout=seconds)
        self._seconds = seconds
        self._source = (source, 0) if source else None
        self._tls = tls
        self._name = name

    def connect(self) -> None:
        self.sock = open_socket((self.host, self.port), self._source, self._seconds)
        if self._tls:
            self.sock = self._tls.wrap_socket(self.sock, server_hostname=self._name)


Connections: TypeAlias = dict[tuple[str, str | None], _Connection]
"""By origin and the client's own address."""


def as_sent(url: str) -> str:
    """A URL as a browser sends it: an application may give one with other letters than ASCII's."""
    return _ESCAPED.sub(lambda match: quote(match[0]), url)


class Client:
    """Asks the origins that it knows, each at its address, and nobody else.

    `origins` maps an origin (`https://mysuperapp.com:9499`) to the address at which it really
    listens. Clients that are given the same `connections` share those. After `seconds` without an
    answer it gives up: with NoAnswer, which is no finding. EndedUnanswered, of a connection that
    was taken and then ended, can be one. Of a body it reads `most` bytes, for `seconds`; all,
    without. `headers` go with every request; their values, which may be secret, are not recorded.
    Not for use by several threads at once.
    """

    def __init__(
        self,
        origins: dict[str, Address],
        authority: Path | None,
        source: str | None = None,
        connections: Connections | None = None,
        seconds: float = 15.0,
        most: int | None = None,
        headers: Headers = (),
    ) -> None:
        self.origins = origins
        self.seconds = seconds
        self.most = most
        self.headers = headers
        self.source = source
        self.exchanges: list[Exchange] = []
        self._tls = _trusting(authority)
        self._connections: Connections = {} if connections is None else connections

    def request(
        self,
        method: str,
        url: str,
        headers: Headers = (),
        body: bytes | Sequence[bytes] | None = None,
        *,
        stream: bool = False,
    ) -> Exchange:
        """Send one request, follow nothing, and record the exchange.

        A body goes with its Content-Length, or chunked if the headers say so; one in pieces goes
        with a pause before each. With `Expect: 100-continue`, the body waits up to a second for
        that. Raises NoAnswer where no HTTP response came, HarnessError for an origin that isn't
        known.
        """
        origin = _origin(url)
        # OPTIONS of no path is "OPTIONS *" (RFC 9112, 3.2.4).
        target = url[len(origin) :] or ("*" if method == "OPTIONS" else "/")
        more = list(headers)
        if body is not None and CHUNKED not in headers:
            length = len(body) if isinstance(body, bytes) else sum(map(len, body))
            more.append(("Content-Length", str(length)))
        sent = self._sent(url, more)
        exchange = Exchange(method, url, self._shown(url, more))
        self.exchanges.append(exchange)
        with self._own_trouble(exchange):
            connection = self._connection(origin)
            if body:
                connection.close()  # what may not be sent twice goes over a new connection
            reused = connection.sock is not None
            try:
                response = send(connection, method, target, sent, body)
            except ConnectionError:
                if not reused:
                    raise
                connection.close()  # was closed meanwhile; a GET may be repeated (RFC 9112, 9.3.1)
                response = send(connection, method, target, sent, body)
            exchange.status, exchange.headers = response.status, response.getheaders()
            if stream:
                reading.lines(response, exchange)
                connection.close()  # http.client does not notice the end of what is read by lines
            elif response.status == http.client.SWITCHING_PROTOCOLS:
                connection.close()  # it speaks something else now
            elif (exchange.header("content-type") or "").startswith("text/event-stream"):
                connection.close()  # it may never end
            else:
                reading.body(response, exchange, self.most, self.seconds)
                if not response.isclosed():
                    connection.close()  # there is more, which nobody wants
        return exchange

    def leave(self, url: str, patience: float | None = None) -> Exchange:
        """GET a stream, and hang up when its first bytes have come: the body.

        Raises TimedOut, and has hung up as well, if none come in so many seconds.
        """
        with self.begun(url, patience=patience) as exchange:
            return exchange

    @contextmanager
    def begun(
        self, url: str, headers: Headers = (), patience: float | None = None
    ) -> Iterator[Exchange]:
        """GET a stream whose first bytes have come, as the body; hang up at the end.

        Other requests go over other connections meanwhile. `patience` as for `leave`.
        """
        with self._streaming(url, headers, patience) as (exchange, response, _):
            exchange.body = response.read1()
            yield exchange

    def listen(self, url: str, seconds: float, most: int | None = None) -> Exchange:
        """GET a stream for so long: the pieces that come by then, and when each came.

        most: so many pieces are enough.
        """
        with self._streaming(url) as (exchange, response, sock):
            reading.pieces(response, exchange, sock, seconds, most)
        return exchange

    @contextmanager
    def _streaming(
        self, url: str, headers: Headers = (), patience: float | None = None
    ) -> Iterator[tuple[Exchange, http.client.HTTPResponse, socket.socket]]:
        """GET over a connection of its own, whose answer is read as far as somebody wants."""
        exchange = Exchange("GET", url, self._shown(url, headers))
        self.exchanges.append(exchange)
        with self._own_trouble(exchange), self._fresh(_origin(url)) as connection:
            sock = connection.sock  # http.client forgets it if the answer ends with the connection
            sock.settimeout(patience or self.seconds)
            target = url.removeprefix(_origin(url))
            response = send(connection, "GET", target, self._sent(url, headers), None)
            exchange.status, exchange.headers = response.status, response.getheaders()
            yield exchange, response, sock

    def pipelined(self, urls: Sequence[str]) -> list[Exchange]:
        """GET all of them over one connection, without waiting for an answer in between.

        They are of one origin (RFC 9112, 9.3.2). Raises NoAnswer if an answer is missing.
        """
        host = urlsplit(urls[0]).netloc
        exchanges = [Exchange("GET", url, [("Host", host)]) for url in urls]
        self.exchanges += exchanges
        with self._own_trouble(exchanges[-1]), self._fresh(_origin(urls[0])) as connection:
            heads = [
                f"GET {url.removeprefix(_origin(url))} HTTP/1.1\r\nHost: {host}\r\n\r\n"
                for url in urls
            ]
            connection.sock.sendall("".join(heads).encode("ascii"))
            with connection.sock.makefile("rb") as answers:
                for exchange in exchanges:
                    response = http.client.HTTPResponse(
                        cast("socket.socket", reading.Answers(answers))
                    )
                    response.begin()
                    exchange.status, exchange.headers = response.status, response.getheaders()
                    exchange.body = response.read()
        return exchanges

    def websocket(self, url: str, headers: Headers = ()) -> Exchange:
        """Open a WebSocket and receive one message: the body. Status 101 if it was accepted.

        Raises NoAnswer where no HTTP response came.
        """
        with self.conversation(url, headers) as (talk, exchange):
            if talk.accepted:
                message = talk.receive()
                if message is None:
                    message = f"closed without a message: {talk.ending}"
                exchange.body = message.encode() if isinstance(message, str) else message
        return exchange

    @contextmanager
    def conversation(
        self, url: str, headers: Headers = (), subprotocols: Sequence[str] = ()
    ) -> Iterator[tuple[Conversation, Exchange]]:
        """Open a WebSocket, to talk over it; the exchange is that of the handshake.

        Raises NoAnswer where no HTTP response came, or nothing any more.
        """
        exchange = Exchange("WEBSOCKET", url, ())
        self.exchanges.append(exchange)
        parts = urlsplit(url)
        address = self._address(f"http{parts.scheme.removeprefix('ws')}://{parts.netloc}")
        with self._own_trouble(exchange):
            source = (self.source, 0) if self.source else None
            sock = open_socket(address, source, self.seconds)
            with sock if parts.scheme == "ws" else self._secure(sock, parts.hostname) as plain:
                every = [*self.headers, *headers]
                talk = Conversation(plain, url, self.seconds, every, subprotocols)
                exchange.sent = [(k, HIDDEN if self._is_hidden(k) else v) for k, v in talk.sent]
                exchange.status, exchange.headers = talk.status, talk.headers
                exchange.body = talk.body
                if not exchange.status:
                    told = exchange.body.decode()
                    message = (
                        f"{exchange}: no HTTP response ({told or 'the connection was closed'})"
                    )
                    raise (NoAnswer if told else EndedUnanswered)(message)
                yield talk, exchange
                talk.close()

    def _sent(self, url: str, headers: Headers = ()) -> Headers:
        return [("Host", urlsplit(url).netloc), *self.headers, *headers]

    def _shown(self, url: str, headers: Headers = ()) -> Headers:
        hidden = [(name, HIDDEN) for name, _ in self.headers]
        return [("Host", urlsplit(url).netloc), *hidden, *headers]

    def _is_hidden(self, name: str) -> bool:
        return name.lower() in {own.lower() for own, _ in self.headers}

    def _secure(self, sock: socket.socket, name: str | None) -> ssl.SSLSocket:
        try:
            return self._tls.wrap_socket(sock, server_hostname=name)
        except BaseException:
            sock.close()
            raise

    def close(self) -> None:
        """Close what is open."""
        for connection in self._connections.values():
            connection.close()
        self._connections.clear()

    def _connection(self, origin: str) -> _Connection:
        key = (origin, self.source)
        if key not in self._connections:
            self._connections[key] = self._another(origin)
        return self._connections[key]

    def _another(self, origin: str) -> _Connection:
        parts = urlsplit(origin)
        tls = self._tls if parts.scheme == "https" else None
        return _Connection(
            self._address(origin), self.source, tls, parts.hostname or "", self.seconds
        )

    @contextmanager
    def _fresh(self, origin: str) -> Iterator[_Connection]:
        """A connection of its own, for what leaves it unfit for more."""
        connection = self._another(origin)
        connection.connect()
        try:
            yield connection
        finally:
            connection.close()

    def _address(self, origin: str) -> Address:
        try:
            return self.origins[origin]
        except KeyError:
            known = ", ".join(self.origins)
            message = f"{origin} is not an origin of this topology ({known})."
            raise HarnessError(message) from None

    @contextmanager
    def _own_trouble(self, exchange: Exchange) -> Iterator[None]:
        try:
            yield
        except (OSError, http.client.HTTPException) as error:
            self.close()
            why = error or type(error).__name__
            message = f"{exchange.method} {exchange.url}: no answer ({why})"
            ended = isinstance(error, _ENDED) and not isinstance(error, ConnectionRefusedError)
            kind = EndedUnanswered if ended else NoAnswer
            raise (TimedOut if isinstance(error, TimeoutError) else kind)(message) from error


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


@cache
def _trusting(authority: Path | None) -> ssl.SSLContext:
    """Made once: it takes longer than a request."""
    return ssl.create_default_context(cafile=authority)
