"""A client of one target: knows the public base URL, asks, follows what it is given.

Every check gets a probe of its own, so that its exchanges are its evidence.
"""

import json
import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any, NoReturn, TypeAlias
from urllib.parse import SplitResult, urljoin, urlsplit

from hoplab.client.conversation import Conversation
from hoplab.client.target import Purpose, Target
from hoplab.client.wire import Client, Connections, Exchange, Headers, as_sent
from hoplab.errors import EndedUnanswered, HarnessError, NoAnswer, TimedOut

PROXY_ANSWERED = ("proxy-has-no-route", "application-unreachable", "proxy-answered")
"""The symptoms of an answer that the proxy gave in the application's place."""

NO_ROUTE, ERROR, WRONG = "application-has-no-route", "application-error", "answer-wrong"
"""Those of an answer of the application's own, whatever was asked."""

CUT = "answer-cut"

MISSING = "answer-missing"

SILENT = "websocket-unanswered"

WHO_ANSWERED = (*PROXY_ANSWERED, NO_ROUTE, ERROR, WRONG, CUT, MISSING, SILENT)
"""What every check may find, by `Probe.answered`, `Probe.reached` and `Probe.expect`; and by any
request, an answer that ends in the middle, a connection that ends without one, or a handshake that
nobody answers."""

_NOT_FOUND = 404
_FORBIDDEN = 403
_GATEWAY = {502, 503, 504}
_SERVER_ERRORS = range(500, 600)


def once() -> str:
    """A word that stands in one question alone. A results file leaves out what follows `once-`."""
    return f"once-{secrets.token_hex(8)}"


class Failed(Exception):
    """The check's answer is no: a symptom, and what was expected and came instead."""

    def __init__(self, symptom: str, detail: str) -> None:
        super().__init__(f"{symptom}: {detail}")
        self.symptom = symptom
        self.detail = detail


class FailedOften(Exception):
    """The answer is no, in several ways: each is a finding of its own."""

    def __init__(self, failures: Sequence[Failed]) -> None:
        super().__init__("; ".join(map(str, failures)))
        self.failures = failures


class NotApplicable(Exception):
    """The question makes no sense for this cell or engine; the argument says why."""


class Recorded(Exception):
    """The answer is told and not judged; the argument tells it."""


Answers: TypeAlias = dict[tuple[object, ...], Exchange]
"""What was answered to a GET, by where and what was asked: that is asked once."""


class Probe:
    """Asks one target. Paths that begin with a slash are below the public base URL."""

    def __init__(
        self,
        target: Target,
        connections: Connections | None = None,
        asked: Answers | None = None,
        asked_directly: Answers | None = None,
        met: Sequence[Exchange] = (),
    ) -> None:
        """`asked` is shared by a target's checks, `asked_directly` by an application's targets.

        met: what the target was asked before by others, for a check that is asked last.
        """
        self.met = met
        self._asked: Answers = {} if asked is None else asked
        self._asked_directly: Answers = {} if asked_directly is None else asked_directly
        self.target = target
        self.origin = target.origin
        self.base = target.base
        self.client = Client(
            dict(target.addresses),
            target.authority,
            target.source,
            connections,
            seconds=target.limits.seconds,
            most=target.limits.download,
            headers=target.headers,
        )

    def get(self, path: str, headers: Headers = (), *, stream: bool = False) -> Exchange:
        """GET a path below the public base URL, or a whole URL."""
        return self.request("GET", path, headers, stream=stream)

    def request(
        self,
        method: str,
        path: str,
        headers: Headers = (),
        body: bytes | Sequence[bytes] | None = None,
        *,
        stream: bool = False,
    ) -> Exchange:
        """Ask, follow no redirect, and make sure who answered.

        The same GET is asked once, whichever of the target's checks asks it, except for a stream.
        """
        url = self.url(path)
        if method == "GET" and not stream:
            with _or_missing():
                return self._get_once(self._asked, url, headers)
        with _or_missing():
            exchange = self.client.request(method, url, headers, body, stream=stream)
        return self._judged(exchange)

    def ask_again(self, path: str, headers: Headers = ()) -> Exchange:
        """GET, also if it has been asked before: to see whether two answers differ."""
        with _or_missing():
            exchange = self.client.request("GET", self.url(path), headers)
        return self._judged(exchange)

    def pipelined(self, paths: Sequence[str]) -> list[Exchange]:
        """GET all of them over one connection, without waiting for an answer in between."""
        with _or_missing():
            exchanges = self.client.pipelined([*map(self.url, paths)])
        return [self._judged(each) for each in exchanges]

    def leave(self, path: str, patience: float | None = None) -> Exchange:
        """GET a stream, and hang up when its first bytes have come: the body.

        Raises TimedOut, and has hung up as well, if none come in so many seconds.
        """
        with _or_missing():
            exchange = self.client.leave(self.url(path), patience)
        return self._judged(exchange)

    @contextmanager
    def begun(self, path: str, headers: Headers = ()) -> Iterator[Exchange]:
        """GET a stream whose first bytes have come, as the body; others can be asked meanwhile."""
        with _or_missing(), self.client.begun(self.url(path), headers) as exchange:
            yield self._judged(exchange)

    def websocket(self, path: str, headers: Headers = ()) -> Exchange:
        """Open a WebSocket below the public base URL; the body is the first message."""
        with self._or_silent(), _or_missing():
            exchange = self.client.websocket(self._socket_url(path), headers)
        return self._judged(exchange)

    @contextmanager
    def conversation(
        self, path: str, headers: Headers = (), subprotocols: Sequence[str] = ()
    ) -> Iterator[tuple[Conversation, Exchange]]:
        """Open a WebSocket below the public base URL, to talk over it.

        The application speaks first: the exchange's body. An empty one: it said nothing.
        """
        conversing = self.client.conversation(self._socket_url(path), headers, subprotocols)
        with self._or_silent(), _or_missing(), conversing as (talk, exchange):
            if talk.accepted:
                exchange.body = str(talk.receive() or "").encode()
            self._judged(exchange)
            yield talk, exchange

    def ask_directly(self, path: str, headers: Headers = ()) -> Exchange:
        """GET a path of the application past the proxy: once for all targets that share it.

        Raises NotApplicable if this machine can't reach it there.
        """
        if self.target.direct is None:
            message = "this machine can't reach the application past the proxy"
            raise NotApplicable(message)
        address = self.target.direct.address
        origin = f"http://{address[0]}:{address[1]}"
        self.client.origins[origin] = address
        return self._get_once(self._asked_directly, as_sent(origin + path), headers)

    def url(self, path: str) -> str:
        """The public URL of a path below the base; a whole URL stays as it is."""
        return self.base + path if path.startswith("/") else path

    def from_app(self, exchange: Exchange) -> bool:
        """Whether the application answered, and not the proxy in its place.

        Of a target whose instance has no identity, nobody can tell: then the answer counts.
        """
        return self.target.instance is None or _instance(exchange) is not None

    def answered(self, exchange: Exchange) -> Exchange:
        """The exchange, if the application answered, whatever it said.

        Raises Failed with one of PROXY_ANSWERED if the proxy did in its place.
        """
        # Of an unknown application, a status that only a gateway has (RFC 9110, 15.6) is enough.
        gateway = self.target.instance is None and exchange.status in {502, 504}
        if gateway or not self.from_app(exchange):
            self.fail(_by_proxy(exchange.status), exchange, "an answer of the application")
        return exchange

    def reached(self, exchange: Exchange, missing: str = NO_ROUTE) -> Exchange:
        """The exchange, if the application has such a route, and it did not break down.

        Raises Failed as `answered` does, with `missing` for the application's 404 (of a WebSocket,
        its 403 too), and with `application-error` for its 5xx.
        """
        self.answered(exchange)
        refused = exchange.method == "WEBSOCKET" and exchange.status == _FORBIDDEN
        if exchange.status == _NOT_FOUND or refused:
            self.fail(missing, exchange, "a route of the application")
        if exchange.status in _SERVER_ERRORS:
            self.fail(ERROR, exchange, "no error")
        return exchange

    def expect(
        self, exchange: Exchange, status: int = 200, wrong: str = WRONG, missing: str = NO_ROUTE
    ) -> Exchange:
        """The exchange, if the application reached answers with this status.

        Raises Failed as `reached` does, and with `wrong` for any other status.
        """
        if exchange.status != status:
            self.reached(exchange, missing)
            self.fail(wrong, exchange, f"{status} from the application")
        return self.answered(exchange)

    def told(self, exchange: Exchange, *keys: str, status: int = 200) -> dict[str, Any]:
        """The object that a route of the application tells, with these keys.

        Raises Failed as `expect` does, and with `answer-wrong` for another page: a proxy that asks
        for another path may reach one.
        """
        content = self.of_type(self.expect(exchange, status), "application/json").json()
        if not isinstance(content, dict) or not content.keys() >= set(keys):
            self.fail(WRONG, exchange, f"an object with {', '.join(keys)}")
        return content

    def of_type(self, exchange: Exchange, kind: str) -> Exchange:
        """The exchange, if its answer has this media type; Failed with `answer-wrong` if not."""
        given = exchange.header("Content-Type") or ""
        if not given.startswith(kind):
            self.fail(WRONG, exchange, f"{kind}, and not {given or 'nothing'}")
        return exchange

    def answers(self, exchange: Exchange, status: int = 200) -> bool:
        """Whether the application answered with this status."""
        return self.from_app(exchange) and exchange.status == status

    def follow(self, url: str, seen_from: str) -> Exchange | None:
        """GET a URL that the application gave; None if it leads away from this topology."""
        absolute = resolved(seen_from, url)
        parts = urlsplit(absolute)
        if f"{parts.scheme}://{parts.netloc}" not in self.client.origins:
            return None
        return self.get(absolute.partition("#")[0])

    def route(self, purpose: Purpose) -> str:
        """The path of the target's route for it; a check declares that it `needs` it."""
        return self.target.routes[purpose]

    def scope(self, more: str = "", headers: Headers = ()) -> dict[str, Any]:
        """What the application says of its scope; Failed as `told` if it can't be asked.

        `more` comes after the route's path.
        """
        return self.told(self.get(self.route(Purpose.SCOPE) + more, headers), "headers")

    def fail(self, symptom: str, exchange: Exchange, expected: str) -> NoReturn:
        """Say no, quoting the exchange and who answered."""
        raise Failed(symptom, f"{exchange} {self.answered_by(exchange)}, expected {expected}")

    def answered_by(self, exchange: Exchange) -> str:
        """Who gave this answer; and if it was the application, which path it was asked for."""
        if not self.from_app(exchange):
            return "(by the proxy)"
        told = scope_of(exchange) or {}
        return f"(by the application, asked for {told.get('path')})"

    def _get_once(self, answers: Answers, url: str, headers: Headers) -> Exchange:
        key = (self.client.source, url, *headers)
        if key in answers:
            self.client.exchanges.append(answers[key])
        else:
            answers[key] = self._judged(self.client.request("GET", url, headers))
        return answers[key]

    def _socket_url(self, path: str) -> str:
        return "ws" + self.url(path).removeprefix("http")

    @contextmanager
    def _or_silent(self) -> Iterator[None]:
        """A handshake that nobody answers is a finding if the application answers a plain request.

        Else everything may be slow, or stand still: an error, as for any answer that is too late.
        """
        asked = len(self.client.exchanges)
        try:
            yield
        except TimedOut as late:
            plain = self.url(self.target.routes.get(Purpose.SCOPE, "/"))
            with suppress(NoAnswer):
                shaken = self.client.exchanges[asked].status
                if not shaken and self.from_app(self.client.request("GET", plain)):
                    raise Failed(SILENT, f"{late}; a plain request is answered") from late
            raise

    def _judged(self, exchange: Exchange) -> Exchange:
        """What holds for every answer: the instance that the lab started gave it, and whole."""
        self._same_instance(exchange)
        if exchange.cut:
            came = f"{len(exchange.body)} bytes came, and then the connection ended"
            raise Failed(CUT, f"{exchange}: {came}")
        return exchange

    def _same_instance(self, exchange: Exchange) -> None:
        nonce, expected = _instance(exchange), self.target.instance
        if expected is not None and nonce is not None and nonce != expected:
            message = (
                f"{exchange}: answered by the instance {nonce!r}, and not by that which the lab"
                f" started, {expected!r}."
            )
            raise HarnessError(message)


@contextmanager
def _or_missing() -> Iterator[None]:
    """Who takes a connection and ends it says so: it is no error of the lab's.

    One of the lab's processes that died takes none; and if it dies now, the engine notices.
    """
    try:
        yield
    except EndedUnanswered as ended:
        raise Failed(MISSING, str(ended)) from ended


def _instance(exchange: Exchange) -> str | None:
    """Who answered: by the header; on a WebSocket, where a server may drop it, by the message."""
    named = exchange.header("X-Instance")
    if named is None and exchange.method == "WEBSOCKET":
        told = exchange.json()
        named = told.get("instance") if isinstance(told, dict) else None
    return named


def scope_of(exchange: Exchange) -> dict[str, Any] | None:
    """What the server told the application of this request; None if that did not answer."""
    try:
        told = json.loads(exchange.header("X-ASGI-Scope") or "null")
    except ValueError:
        return None
    return told if isinstance(told, dict) else None


def _by_proxy(status: int) -> str:
    """What it means if the proxy answers with this status."""
    no_route, unreachable, other = PROXY_ANSWERED
    return no_route if status == _NOT_FOUND else unreachable if status in _GATEWAY else other


def resolved(seen_from: str, url: str) -> str:
    """The URL that a browser makes of one that stands in an answer."""
    return as_sent(urljoin(seen_from, url))


def compare_urls(expected: str, given: str, prefix: str, what: str) -> None:
    """Raise Failed with the first difference: host, port, scheme, prefix, path, query.

    `what` begins the symptom's name (`redirect` gives `redirect-wrong-scheme`).
    """
    if wrong := _difference(urlsplit(expected), urlsplit(given), prefix):
        raise Failed(f"{what}-{wrong}", f"{given}, expected {expected}")


def _difference(right: SplitResult, given: SplitResult, prefix: str) -> str | None:
    if given.hostname != right.hostname or "@" in given.netloc:
        return "wrong-host"
    if given.netloc.lower() != right.netloc.lower():  # not .port, which raises if it is no number
        has_port = given.netloc.rpartition("]")[2].partition(":")[2]
        return "wrong-port" if has_port else "drops-port"
    if given.scheme != right.scheme:
        return "wrong-scheme"
    if given.path != right.path:
        dropped = given.path == (right.path.removeprefix(prefix) or "/")
        return "drops-prefix" if dropped else "wrong-path"
    return "wrong-query" if (given.query, given.fragment) != (right.query, right.fragment) else None
