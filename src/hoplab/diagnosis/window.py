"""The second eye: what the application itself got, read through the window that a person opened.

The window is the middleware `hoplab.doctor.Window`.
"""

import ipaddress
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote, urlsplit

from hoplab.client.asker import Asker, Silence
from hoplab.client.wire import Exchange
from hoplab.diagnosis.normal import of_path
from hoplab.diagnosis.words import Answer, Question, Unasked
from hoplab.doctor import HEADER, PATH, VARIABLE, VERSION
from hoplab.errors import HoplabError

SCOPE_QUESTIONS = tuple(each for each in Question if each.startswith("scope-"))
_OK, _NOT_FOUND = 200, 404
_PORTS = {"http": 80, "https": 443}


class Blind(HoplabError):
    """Nothing can be seen through the window; the argument says why."""


@dataclass(frozen=True)
class Seen:
    """The scope of one request as the application got it.

    headers: names in lower case; the values of those that might be secret are masked. program,
    served_by: the process's program and the package of the ASGI server, if they tell that.
    """

    path: str
    root_path: str
    scheme: str
    host: str
    client: str
    client_port: int | None
    headers: Sequence[tuple[str, str]]
    raw_path: str = ""
    http_version: str = ""
    program: str = ""
    served_by: str = ""
    exchange: Exchange | None = None

    def values(self, name: str) -> list[str]:
        """All values of a header, in their order, lists taken apart."""
        found = [value for key, value in self.headers if key == name]
        return [part.strip() for value in found for part in value.split(",") if part.strip()]


def window_answers(
    asker: Asker, base: str, prefix: str, token: str
) -> tuple[Sequence[Answer | Unasked], Seen | None]:
    """What the window shows as answers, and the scope itself. Raises Stop as the asker does."""
    try:
        seen = look(asker, base, token)
    except Blind as blind:
        return [Unasked(question, str(blind)) for question in SCOPE_QUESTIONS], None
    return list(answers(seen, base, prefix)), seen


def look(asker: Asker, base: str, token: str) -> Seen:
    """The scope of a request to the window below a public base URL. Raises Blind, Stop."""
    try:
        exchange = asker.ask(base + PATH, headers=[(HEADER, token)])
    except Silence as silence:
        raise Blind(str(silence)) from silence
    shown = [(name, "…" if name == HEADER else value) for name, value in exchange.sent]
    exchange.sent = shown
    told = exchange.json()
    if exchange.status != _OK or not isinstance(told, dict) or "hoplab_window" not in told:
        message = (
            f"{exchange}: no window of this token answers. Is the middleware in the application,"
            f" and {VARIABLE} in its environment?"
        )
        raise Blind(message)
    if told["hoplab_window"] != VERSION:
        message = f"the window is of another version of hoplab ({told['hoplab_window']!r:.20})"
        raise Blind(message)
    try:
        return _seen(told, exchange)
    except (LookupError, ArithmeticError, TypeError, ValueError) as error:
        message = f"{exchange}: what the window shows can't be read ({error!r:.80})"
        raise Blind(message) from error


def _seen(told: dict[str, Any], exchange: Exchange) -> Seen:
    headers = [(str(name).lower(), str(value)) for name, value in told["headers"]]
    client = told["client"] or ["", None]
    return Seen(
        path=str(told["path"]),
        root_path=str(told["root_path"] or ""),
        scheme=str(told["scheme"] or ""),
        host=next((value for name, value in headers if name == "host"), ""),
        client=str(client[0]),
        client_port=None if client[1] is None else int(client[1]),
        headers=tuple(headers),
        raw_path=str(told["raw_path"] or ""),
        http_version=str(told["http_version"] or ""),
        program=str(told["program"]),
        served_by=str(told["served_by"]),
        exchange=exchange,
    )


def answers(seen: Seen, base: str, prefix: str) -> Iterator[Answer | Unasked]:
    """What a scope says to each of the SCOPE questions."""
    public = urlsplit(base)
    shows = (seen.exchange,) if seen.exchange else ()

    def answer(question: Question, symbol: str, told: str) -> Answer:
        return Answer(question, symbol, told, exchanges=shows)

    asked = unquote(urlsplit(base + PATH).path)
    path = of_path(seen.path, asked, unquote(prefix))
    yield answer(
        Question.SCOPE_PATH, path, f"asked for {asked}, the application got the path {seen.path}"
    )
    root = _root(seen.root_path, unquote(prefix), prefix)
    yield answer(
        Question.SCOPE_ROOT_PATH, root, f"the application's root_path is {seen.root_path!r}"
    )
    scheme = "same" if seen.scheme == public.scheme else seen.scheme
    scheme = scheme if scheme in {"same", "http"} else "other"
    told = f"the application sees the scheme {seen.scheme}; the client used {public.scheme}"
    yield answer(Question.SCOPE_SCHEME, scheme, told)
    host = _host(seen.host, public.netloc, public.scheme)
    told = f"the application got Host: {seen.host}; the client asked {public.netloc}"
    yield answer(Question.SCOPE_HOST, host, told)
    proto = _proto(seen, public.scheme, shows)
    if proto.symbol == "missing" and public.scheme == "http":
        # A server that is told nothing takes http, and it is http.
        yield Unasked(proto.question, f"{proto.told}, and over http none is needed")
    else:
        yield proto
    sent = seen.values("x-forwarded-for")
    told = f"X-Forwarded-For: {', '.join(sent)}" if sent else "no X-Forwarded-For arrives"
    yield answer(Question.SCOPE_FOR_HEADER, "there" if sent else "missing", told)
    yield _client(seen, sent, shows)


def _root(root_path: str, prefix: str, encoded: str) -> str:
    if not root_path:
        return "empty"
    if root_path == "/":
        return "slash"
    if root_path in {prefix, encoded}:
        return "prefix"
    return "slash-at-end" if root_path in {f"{prefix}/", f"{encoded}/"} else "other"


def _host(host: str, public: str, scheme: str) -> str:
    try:
        given, right = urlsplit(f"//{host}"), urlsplit(f"//{public}")
        if given.hostname != right.hostname:
            return "upstream"
        usual = _PORTS[scheme]
        if (given.port or usual) == (right.port or usual):
            return "same"
        return "without-port" if given.port is None else "other-port"
    except ValueError:
        return "upstream"


def _proto(seen: Seen, scheme: str, shows: Sequence[Exchange]) -> Answer:
    sent = [value.lower() for value in seen.values("x-forwarded-proto")]
    told = f"X-Forwarded-Proto: {', '.join(sent)}" if sent else "no X-Forwarded-Proto arrives"
    if not sent:
        symbol = "missing"
    elif len(sent) > 1:
        symbol = "list"
    else:
        symbol = "right" if sent[0] == scheme else "http" if sent[0] == "http" else "other"
    return Answer(Question.SCOPE_PROTO_HEADER, symbol, told, exchanges=shows)


def _client(seen: Seen, sent: Sequence[str], shows: Sequence[Exchange]) -> Answer | Unasked:
    told = f"the application sees the client {seen.client or 'unknown'}"
    here = _address(seen.client)
    named = [_address(value) for value in sent]
    if here is None or not any(named):
        return Unasked(Question.SCOPE_CLIENT, f"{told}, and nothing names another")
    if here not in named:
        return Answer(Question.SCOPE_CLIENT, "peer", f"{told}: the proxy's", exchanges=shows)
    # A server that takes the address from a header knows no port; a peer always has one.
    if seen.client_port and ipaddress.ip_address(here).is_loopback:
        return Unasked(Question.SCOPE_CLIENT, f"{told}: client and proxy are on one machine")
    return Answer(Question.SCOPE_CLIENT, "told", f"{told}: the client's", exchanges=shows)


def _address(text: str) -> str | None:
    """The address of `1.2.3.4`, `1.2.3.4:5`, `[::1]:5` or `::1`; None if it is none."""
    for candidate in (text, text.strip("[]"), text.rpartition(":")[0].strip("[]")):
        try:
            return str(ipaddress.ip_address(candidate))
        except ValueError:
            continue
    return None
