"""A client for sites of strangers: asks little, slowly, and believes nothing to be small.

It satisfies `asker.Asker`. It sends GET, HEAD, OPTIONS and WebSocket handshakes, to one origin,
follows no redirect, and is bounded in requests, time and bytes. https://www.rfc-editor.org/rfc/rfc9110
says that GET, HEAD and OPTIONS are safe (9.2.1).
"""

import http.client
import ipaddress
import socket
import ssl
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing, suppress
from pathlib import Path
from urllib.parse import urlsplit

from hoplab import __version__
from hoplab.client import guard, sending, unpacking
from hoplab.client.asker import Silence, Stop
from hoplab.client.conversation import Conversation
from hoplab.client.given import ConnectTo, Given, Resolve, where
from hoplab.client.guard import Budget, Guarded, TooMuch
from hoplab.client.manners import Manners, Mood
from hoplab.client.naming import Kind, Why, named
from hoplab.client.wire import HIDDEN, Exchange, Headers, as_sent
from hoplab.printable import printable
from hoplab.system import interrupts

METHODS = ("GET", "HEAD", "OPTIONS")
_USUAL: Headers = (
    ("User-Agent", f"hoplab/{__version__} (doctor)"),
    ("Accept", "*/*"),
    ("Accept-Encoding", "identity"),
)
_MANNERS = Manners()
_PIECE = 2**16  # bytes
_AHEAD = 2**14  # bytes that a buffered reader may take of what comes next
_SWITCHING = 101
_HOPELESS = {Kind.UNRESOLVABLE, Kind.REFUSED, Kind.UNREACHABLE, Kind.TLS, Kind.NOT_HTTP}
"""As the first answer: asking once more would give the same."""


class Interruption(Stop):
    """Ctrl-C or SIGTERM came. `signal` is what ends the program, once what is known is told."""

    def __init__(self, signal: interrupts.Interrupted) -> None:
        super().__init__("interrupted")
        self.signal = signal


class PoliteClient:
    """Asks the origin of one URL.

    headers: sent with every request and never recorded, as they may be secret. resolve, connect_to:
    where a host really is. insecure: verify no certificate. authority: a file with the certificates
    that are trusted in place of the system's.
    """

    def __init__(
        self,
        given: Given,
        manners: Manners = _MANNERS,
        *,
        headers: Headers = (),
        resolve: Iterable[Resolve] = (),
        connect_to: Iterable[ConnectTo] = (),
        insecure: bool = False,
        authority: Path | None = None,
    ) -> None:
        self.given = given
        self.manners = manners
        self.requests = 0
        self.exchanges: list[Exchange] = []
        self.notes: list[str] = []
        own = [*given.headers, *headers]
        names = {name.lower() for name, _ in own}
        self._own = own
        self._usual = [(name, value) for name, value in _USUAL if name.lower() not in names]
        self._resolve, self._connect_to = tuple(resolve), tuple(connect_to)
        self._tls = guard.context(str(authority) if authority else None, insecure=insecure)
        self._mood = Mood(manners)
        self._began = time.monotonic()
        self._last = 0.0
        self._received = 0
        self._pause = 1 / manners.per_second
        self._connection: http.client.HTTPConnection | None = None

    @property
    def origin(self) -> str:
        """The only one that is asked."""
        return self.given.origin

    def move_to(self, given: Given) -> None:
        """Ask another origin of the same host from now on: https in place of http."""
        if given.host != self.given.host:
            message = f"{given.host} is not {self.given.host}"
            raise ValueError(message)
        self.close()
        self.given = Given(given.url, given.origin, given.host, given.port, self.given.headers)

    def ask(self, url: str, method: str = "GET", headers: Headers = ()) -> Exchange:
        """One request. Raises Silence if no answer came, Stop if nothing more may be asked.

        A URL of another origin is a Silence, and nothing is sent.
        """
        if method not in METHODS:
            message = f"{method} may change something on a site"
            raise ValueError(message)
        sent = as_sent(url)
        target = self._target(sent)
        exchange = Exchange(method, sent, self._shown(headers))

        def send(budget: Budget) -> None:
            self._request(exchange, target, headers, budget)

        return self._answered(exchange, send)

    def shake_hands(self, url: str, headers: Headers = ()) -> Exchange:
        """A WebSocket's handshake with an http or https URL; closed at once. 101: it was accepted.

        Raises as `ask` does.
        """
        sent = as_sent(url)
        self._target(sent)
        exchange = Exchange("WEBSOCKET", "ws" + sent.removeprefix("http"), ())

        def send(budget: Budget) -> None:
            self._handshake(exchange, headers, budget)

        return self._answered(exchange, send)

    def close(self) -> None:
        """Close what is open."""
        if self._connection:
            self._connection.close()
            self._connection = None

    def _target(self, url: str) -> str:
        """What stands in the request's line. Raises Silence for another origin."""
        parts = urlsplit(url)
        if f"{parts.scheme}://{parts.netloc}" != self.origin:
            message = f"{printable(url, 200)} is of another origin than {self.origin}: not asked"
            raise Silence(message)
        return url[len(self.origin) :].partition("#")[0] or "/"

    def _answered(self, exchange: Exchange, send: Callable[[Budget], None]) -> Exchange:
        """Send, within all limits; then see whether the site still wants to be asked."""
        self._wait_for_turn()
        try:
            self._counted(send)
        except interrupts.Interrupted as signal:
            self.close()
            raise Interruption(signal) from signal
        except (OSError, http.client.HTTPException, TooMuch, ValueError) as error:
            self.close()
            why = named(error, self.given.host, self.given.port)
            raise self._silence(exchange, why) from error
        self.exchanges.append(exchange)
        if why_not := self._mood.hears(exchange):
            raise Stop(printable(why_not))
        return exchange

    def _silence(self, exchange: Exchange, why: Why) -> Silence | Stop:
        message = f"{exchange.method} {exchange.url}: {why}"
        if self._mood.misses() or (not self.exchanges and why.kind in _HOPELESS):
            often = self._mood.silences
            more = f"; no answer {often} times in a row, nothing more is asked" if often > 1 else ""
            return Stop(message + more)
        return Silence(message)

    def _wait_for_turn(self) -> None:
        """Raises Stop if a limit is reached; waits until the next request is polite."""
        manners = self.manners
        if self.requests >= manners.requests:
            message = f"{self.requests} requests were sent, as many as --max-requests allows"
            raise Stop(message)
        if time.monotonic() - self._began > manners.seconds:
            message = f"{manners.seconds:g} s are over, the time limit for all questions"
            raise Stop(message)
        if self._received > manners.download:
            message = f"{self._received} bytes have come, more than are read of one site"
            raise Stop(message)
        try:
            interrupts.check()
            while (left := self._last + self._pause - time.monotonic()) > 0 and self.exchanges:
                time.sleep(min(left, 0.1))
                interrupts.check()
        except interrupts.Interrupted as signal:
            raise Interruption(signal) from signal

    def _counted(self, send: Callable[[Budget], None]) -> None:
        self.requests += 1
        self._last = now = time.monotonic()
        most = self.manners.head + self.manners.body + _AHEAD
        ending = min(now + self.manners.answer, self._began + self.manners.seconds)
        budget = Budget(ending, most)
        try:
            send(budget)
        finally:
            self._received += budget.received

    def _request(self, exchange: Exchange, target: str, headers: Headers, budget: Budget) -> None:
        reused = self._connection is not None
        connection = self._connection or self._connect(budget)
        self._connection = connection
        _guarded(connection).budget = budget
        every = self._every(headers)
        body = budget.bytes - self.manners.head
        budget.bytes = self.manners.head
        try:
            response = sending.send(connection, exchange.method, target, every, None)
        except (ConnectionError, ssl.SSLEOFError):
            self.close()
            if not reused or budget.received:
                raise
            # It was closed meanwhile; a GET may be repeated (RFC 9112, 9.3.1), and is counted.
            self.requests += 1
            budget.bytes += body
            self._request(exchange, target, headers, budget)
            return
        budget.bytes += body
        exchange.status, exchange.headers = response.status, response.getheaders()
        with closing(response):
            self._take(response, exchange)

    def _take(self, response: http.client.HTTPResponse, exchange: Exchange) -> None:
        kind = (exchange.header("Content-Type") or "").lower()
        if exchange.status == _SWITCHING or kind.startswith("text/event-stream"):
            self.close()  # it speaks something else now, or may never end
            return
        self._read(response, exchange)
        if not response.isclosed() or response.will_close:
            self.close()  # there is more, which nobody wants

    def _read(self, response: http.client.HTTPResponse, exchange: Exchange) -> None:
        pieces: list[bytes] = []
        left = self.manners.body
        ended = ""
        try:
            while left > 0 and (piece := response.read1(min(_PIECE, left))):
                pieces.append(piece)
                left -= len(piece)
        except http.client.IncompleteRead as cut:
            pieces.append(cut.partial)
            exchange.cut = True
        except TimeoutError:
            ended = f"its body was not whole after {self.manners.answer:g} s"
        except TooMuch:
            ended = "its body has more bytes around it than in it"
        except (OSError, http.client.HTTPException, ValueError):  # ValueError: no number of a chunk
            exchange.cut = True
        if response.length == 0:
            response.close()  # read1 does not notice it: https://github.com/python/cpython/issues/113199
        body = b"".join(pieces)
        if not left and not response.isclosed():
            ended = f"only the first {len(body)} bytes of its body were read"
        exchange.body, told = unpacking.unpacked(
            body, exchange.header("Content-Encoding") or "", self.manners.body
        )
        self._received += max(0, len(exchange.body) - len(body))
        for note in filter(None, (ended, told)):
            self.notes.append(f"{exchange}: {note}")
        if ended:
            self.close()

    def _handshake(self, exchange: Exchange, headers: Headers, budget: Budget) -> None:
        guarded = Guarded(self._open(budget), budget)
        try:
            budget.bytes = self.manners.head
            every = [*self._usual, *self._own, *headers]
            every = [(k, v) for k, v in every if k.lower() not in {"host", "accept-encoding"}]
            talk = Conversation(guarded.as_socket(), exchange.url, self.manners.answer, every)
            own = {name.lower() for name, _ in self._own}
            exchange.sent = [(k, HIDDEN if k.lower() in own else v) for k, v in talk.sent]
            exchange.status, exchange.headers, exchange.body = talk.status, talk.headers, talk.body
            if not exchange.status:
                said = exchange.body.decode("utf-8", "replace")
                if said:
                    raise http.client.BadStatusLine(said)
                raise http.client.RemoteDisconnected("closed without an answer")
            with suppress(OSError):
                talk.close()
        finally:
            guarded.close()

    def _connect(self, budget: Budget) -> http.client.HTTPConnection:
        connection = http.client.HTTPConnection(self.given.host, self.given.port)
        connection.auto_open = 0
        connection.sock = Guarded(self._open(budget), budget).as_socket()
        return connection

    def _open(self, budget: Budget) -> socket.socket:
        host, port = self.given.host, self.given.port
        places: Sequence[tuple[str, int]] = where(host, port, self._resolve, self._connect_to)
        sock = guard.connected(places, budget)
        if ipaddress.ip_address(sock.getpeername()[0].partition("%")[0]).is_loopback:
            self._pause = 0.0
        if self.given.origin.startswith("https:"):
            return guard.secured(sock, self._tls, host, budget)
        return sock

    def _every(self, headers: Headers) -> Headers:
        every = [*self._usual, *self._own, *headers]
        if not any(name.lower() == "host" for name, _ in every):
            every.insert(0, ("Host", urlsplit(self.origin).netloc))
        return every

    def _shown(self, headers: Headers) -> Headers:
        host = ("Host", urlsplit(self.origin).netloc)
        return [host, *self._usual, *((name, HIDDEN) for name, _ in self._own), *headers]


def _guarded(connection: http.client.HTTPConnection) -> Guarded:
    found = connection.sock
    assert isinstance(found, Guarded)  # noqa: S101 - for the type checker
    return found
