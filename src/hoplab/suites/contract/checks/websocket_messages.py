from typing import NoReturn

from hoplab.client.conversation import Conversation, Message
from hoplab.client.probe import Failed, Probe
from hoplab.client.target import Purpose, needs
from hoplab.client.wire import Exchange, Headers
from hoplab.errors import TimedOut
from hoplab.suites.check import Part, independent_of, slow

_SUBPROTOCOL = "mirror"
_CLOSE_CODE = 4001  # RFC 6455, 7.4.2: an application's own
_HEADERS: Headers = (
    *(("Authorization", "Bearer abc"), ("Cookie", "session=1"), ("X-Custom", "one")),
    ("Origin", "https://front.example"),
)
_QUERY = "token=a%20b+c&empty=&token=d"
"""A browser's WebSocket can't have headers of its own: what it has to say often stands here."""

_MESSAGES: tuple[Message, ...] = (
    "one",
    "two",
    "caf\u00e9 \U0001f355",
    bytes(range(256)),
    b"",
    "x" * 1024 * 1024,
)
_QUIET = 1.0
"""Seconds. Proxies that end what is quiet mostly wait for a minute; nobody waits for that here."""
_OPENED = 101


@slow
@independent_of(Part.SCHEME, Part.STRATEGY, Part.TRUST)
@needs(Purpose.MIRROR)
def websocket_messages(probe: Probe) -> str:
    """Does a WebSocket carry messages both ways, unchanged, also after a quiet second?

    Text and binary, one of 1 MiB, a ping, the subprotocol, the code of the close, and the headers
    and the query of the handshake. Symptoms: `websocket-refused`, `websocket-changed`,
    `websocket-ended`.
    """
    try:
        return _talk(probe)
    except TimedOut as late:
        if probe.client.exchanges[-1].status != _OPENED:
            raise
        detail = f"it stays open, and nothing comes any more ({late})"
        raise Failed("websocket-ended", detail) from late


def _talk(probe: Probe) -> str:
    path = f"{probe.route(Purpose.MIRROR)}?{_QUERY}"
    refused = "websocket-refused"
    with probe.conversation(path, _HEADERS, ["other", _SUBPROTOCOL]) as (talk, exchange):
        probe.expect(exchange, _OPENED, wrong=refused, missing=refused)
        if talk.subprotocol != _SUBPROTOCOL:
            _changed(f"the subprotocol is {talk.subprotocol}, agreed on {_SUBPROTOCOL}")
        _handshake(exchange)
        for message in _MESSAGES:
            _mirrored(talk, message)
        if not talk.ping(b"hoplab"):
            _ended(talk, "a ping")
        if not talk.stays_open(_QUIET):
            _ended(talk, f"{_QUIET:g} s of silence")
        _mirrored(talk, "after silence")
        talk.send(f"close {_CLOSE_CODE}")
        talk.wait_for_end()
        if talk.close_code != _CLOSE_CODE:
            _changed(f"closed with {talk.ending}, by the application with {_CLOSE_CODE}")
    return f"{len(_MESSAGES)} messages both ways, ping, {_QUIET:g} s of silence, code {_CLOSE_CODE}"


def _handshake(exchange: Exchange) -> None:
    told = exchange.json()
    if not isinstance(told, dict):
        raise Failed("websocket-ended", f"{exchange}: opened, and closed without a message")
    if told["query_string"] != _QUERY:
        _changed(f"the query arrived as {told['query_string']!r}, sent {_QUERY!r}")
    arrived = told["headers"]
    for name, value in _HEADERS:
        values = [v for k, v in arrived if k == name.lower()]
        if values != [value]:
            _changed(f"the header {name}: {value} arrived as {values}")


def _mirrored(talk: Conversation, message: Message) -> None:
    talk.send(message)
    came = talk.receive()
    if came is None:
        _ended(talk, f"a message of {len(message)} {_unit(message)}")
    if came != message:
        got = f"{len(came)} {_unit(came)} came back"
        _changed(f"of a message of {len(message)} {_unit(message)}, {got}")


def _unit(message: Message) -> str:
    return "bytes" if isinstance(message, bytes) else "letters"


def _changed(detail: str) -> NoReturn:
    raise Failed("websocket-changed", detail)


def _ended(talk: Conversation, after: str) -> NoReturn:
    raise Failed("websocket-ended", f"closed after {after}: {talk.ending}")
