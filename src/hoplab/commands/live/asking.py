"""A request from the page: is it one, its way through a topology, and where its answer leads."""

import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import SplitResult, urljoin, urlsplit

from hoplab.catalogue import Catalogue
from hoplab.client.trace import Request, Trace
from hoplab.client.wire import Client, Exchange, as_sent
from hoplab.commands.live.model import LiveLab, TopologyState
from hoplab.commands.live.telling import SCOPE, by_name, chain
from hoplab.errors import HoplabError, NoAnswer
from hoplab.report.live.journey import Derived, Step, derived_of, steps
from hoplab.suites.contract.checks.docs import names_openapi
from hoplab.system.ports import LOOPBACK
from hoplab.topology import Scheme

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "WEBSOCKET")

_LOCATION = "Location"
_MOST_LEADS = 5
_MOST_HEADERS = 30
_LONGEST = 8000
_PATH = re.compile(r"/[\x21-\x7e]*")
_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")  # RFC 9110, 5.6.2
_VALUE = re.compile(r"[\x20-\x7e\xa0-\xff\t]*")
_FRAMING = {"host", "content-length", "transfer-encoding", "connection", "upgrade", "expect"}
_PORTS = {"http": 80, "https": 443}
_REDIRECTS = {301, 302, 303, 307, 308}
_KEEP_METHOD = {307, 308}


@dataclass(frozen=True)
class Lead:
    """Where an answer leads: asked for real, or why not.

    what: which word of the answer leads there. status: of what came; 0 if nothing did. answered:
    whether the application did.
    """

    what: str
    url: str
    status: int = 0
    answered: bool = False
    note: str = ""


@dataclass(frozen=True)
class Way:
    """A request's way through one topology. `seconds` is how long asking and following took."""

    topology: str
    change: str
    chain: Sequence[str]
    url: str
    status: int
    seconds: float
    steps: Sequence[Step]
    leads: Sequence[Lead]


def request_from(told: Mapping[str, Any]) -> tuple[Scheme, Request]:
    """What the page wants to be asked. Raises HoplabError that quotes what is wrong with it."""
    scheme, method, path = (told.get(name) for name in ("scheme", "method", "path"))
    headers = told.get("headers", [])
    if not isinstance(scheme, str) or scheme not in [*Scheme]:
        raise HoplabError(f"{scheme!r} is not a scheme: {' or '.join(Scheme)}.")
    if method not in METHODS:
        raise HoplabError(f"{method!r} is none of the methods {', '.join(METHODS)}.")
    if not isinstance(path, str) or not _PATH.fullmatch(path) or len(path) > _LONGEST:
        message = (
            f"{str(path)[:80]!r} is not a path. It begins with a slash and has no spaces and no"
            " letters outside ASCII: percent-encode them."
        )
        raise HoplabError(message)
    if not isinstance(headers, list) or len(headers) > _MOST_HEADERS:
        raise HoplabError(f"Headers are a list of at most {_MOST_HEADERS} names and values.")
    return Scheme(scheme), Request(method, path, tuple(_header(each) for each in headers))


def _header(told: Any) -> tuple[str, str]:
    pair = [*told] if isinstance(told, list) else []
    if len(pair) != 2 or not all(isinstance(each, str) for each in pair):  # noqa: PLR2004
        raise HoplabError(f"{str(told)[:80]!r} is not a header: write `Name: value`.")
    name, value = pair
    if not _NAME.fullmatch(name):
        raise HoplabError(f"{name[:80]!r} is not a header's name: write `Name: value`.")
    if name.lower() in _FRAMING:
        raise HoplabError(f"{name} can't be chosen here: the client writes it itself.")
    if not _VALUE.fullmatch(value) or len(value) > _LONGEST:
        raise HoplabError(f"The value of {name} has a character that no header may have.")
    return name, value.strip()


def way(lab: LiveLab, catalogue: Catalogue, name: str, scheme: Scheme, request: Request) -> Way:
    """Ask it, and follow where the answer leads. Raises HoplabError where no answer came."""
    state = by_name(lab, name)
    began = time.monotonic()
    trace = lab.trace(name, scheme, request)
    derived = _derived(lab, state, catalogue, scheme, request, trace)
    leads = _leads(lab, state, request, trace.exchange)
    seconds = time.monotonic() - began
    change = state.change.name if state.change else ""
    if by_name(lab, name).start != state.start:  # it would be the way through two deployments
        raise HoplabError(f"{name} was restarted in the meantime: send the request again.")
    names = chain(catalogue, state)
    return Way(
        name,
        change,
        names,
        trace.exchange.url,
        trace.exchange.status,
        seconds,
        steps(trace, names, derived),
        leads,
    )


def _derived(
    lab: LiveLab,
    state: TopologyState,
    catalogue: Catalogue,
    scheme: Scheme,
    request: Request,
    trace: Trace,
) -> Derived | None:
    """What the application derives: from this answer, or else asked right after."""
    if trace.scope is None:
        return None
    if own := derived_of(trace.exchange):
        return Derived(own, "in this answer")
    path = catalogue.prefix.encoded + SCOPE
    try:
        asked = lab.trace(state.topology, scheme, Request("GET", path, request.headers)).exchange
    except HoplabError:
        return None
    if told := derived_of(asked):
        return Derived(told, f"asked right after: GET {path}, with the same headers")
    return None


def _leads(lab: LiveLab, state: TopologyState, request: Request, exchange: Exchange) -> list[Lead]:
    """What a browser asks next: where it is redirected, and what a docs page loads."""
    if exchange.status in _REDIRECTS:
        return _redirects(lab, state, request, exchange)
    if named := names_openapi(exchange):
        url = _joined(exchange.url, named)
        lead, _ = _lead(lab, state, "OpenAPI document", url, Request("GET", ""), exchange)
        return [lead]
    return []


def _redirects(
    lab: LiveLab, state: TopologyState, request: Request, exchange: Exchange
) -> list[Lead]:
    leads: list[Lead] = []
    method = request.method
    while exchange.status in _REDIRECTS and (location := exchange.header("location")):
        if exchange.status not in _KEEP_METHOD and method != "HEAD":
            method = "GET"
        url = _joined(exchange.url, location)
        if len(leads) == _MOST_LEADS:
            note = f"Not followed: after {_MOST_LEADS} redirects."
            return [*leads, Lead(_LOCATION, url, note=note)]
        asked = Request(method, "", request.headers)
        lead, followed = _lead(lab, state, _LOCATION, url, asked, exchange)
        leads.append(lead)
        if followed is None:
            break
        exchange = followed
    return leads


def _lead(
    lab: LiveLab, state: TopologyState, what: str, url: str, request: Request, before: Exchange
) -> tuple[Lead, Exchange | None]:
    followed = _follow(lab, state, url, request, before)
    if isinstance(followed, str):
        return Lead(what, url, note=followed), None
    answered = followed.header("x-asgi-scope") is not None
    return Lead(what, url, followed.status, answered), followed


def _joined(base: str, location: str) -> str:
    """As a browser resolves it; as it is, if it can't be resolved."""
    try:
        return as_sent(urljoin(base, location))
    except ValueError:
        return location


def _follow(
    lab: LiveLab, state: TopologyState, url: str, request: Request, before: Exchange
) -> Exchange | str:
    """The answer, or why there is none."""
    try:
        parts = urlsplit(url)
        usual = _PORTS[parts.scheme]
        port = usual if parts.port is None else parts.port
    except (ValueError, KeyError):
        return "Not asked: it is no http or https URL."
    ports = {scheme: urlsplit(base).port for scheme, base in state.urls.items()}
    hosts = {urlsplit(each).hostname for each in (before.url, *state.urls.values())}
    if parts.hostname not in hosts or port not in ports.values():
        return "Not asked: nothing of this topology listens there."
    path = _path(parts)
    asked = Request(request.method, path, request.headers)
    if ports.get(Scheme(parts.scheme)) == port:
        try:
            return lab.trace(state.topology, Scheme(parts.scheme), asked).exchange
        except HoplabError as error:
            return str(error)
    return _ask_at(parts, port, asked)


def _ask_at(parts: SplitResult, port: int, request: Request) -> Exchange | str:
    """One that speaks the other scheme there: what a browser gets that follows such a Location."""
    origin = f"{parts.scheme}://{parts.netloc}"
    client = Client({origin: (LOOPBACK, port)}, None, seconds=3.0)
    try:
        return client.request(request.method, origin + request.path, request.headers)
    except NoAnswer as error:
        return str(error)
    finally:
        client.close()


def _path(parts: SplitResult) -> str:
    return (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
