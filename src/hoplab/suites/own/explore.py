"""Asks an application without a proxy: what there is to ask, and what is right.

From its route table, its OpenAPI document, its docs pages, and then along the links of its answers.
Nobody who stands in front of it may change what is found here.
"""

import re
import time
from collections import Counter, deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from functools import partial
from typing import Any
from urllib.parse import urlsplit

from hoplab.client.explored import Explored, Page, Stream
from hoplab.client.probe import Failed, Probe, resolved, scope_of
from hoplab.client.target import Target
from hoplab.client.wire import Exchange, as_sent
from hoplab.errors import HarnessError, HoplabError
from hoplab.suites.contract.checks.docs import names_openapi
from hoplab.suites.own.links import Link, is_url, links, media_type, openapi_servers

_REDIRECTS = range(300, 400)
_LOGIN_STATUS = {401, 403, 407}
_LOGIN = re.compile(r"/(log[-_]?in|sign[-_]?in|sso)(/|$)", re.IGNORECASE)
_ERRORS, _SERVER_ERRORS = 400, 500
_NOT_FOUND = 404
_ACCEPTED = 101
_DEPTH = 2
"""How far links are followed: those of an answer, and those of what they lead to."""

_TEXTS = 20
"""How many texts of one JSON document are asked, to see whether they are paths."""

_LISTEN = 4.0  # seconds
_SECONDS = 60.0
"""For all of it. What is left then is not asked."""

_ENDING = 3.0
"""How long a process may still be there that has closed its sockets, in seconds: on a busy machine
longer than the rest of the questions takes."""

_BYTES = 8 * 2**20
"""Of all answers together: each topology keeps as much until it is asked all."""

_DOCS = ("/docs", "/redoc", "/schema", "/schema/swagger")
_OPENAPI = ("/openapi.json", "/schema/openapi.json")

LOGIN = "need a login (give a token with --header)"
PARAMETERS = "have parameters in their path"
LIMIT = "were left out by --max-requests"
METHOD = "take other methods than GET (--unsafe asks them)"
SKIPPED = "were left out by --skip or --only"
NO_ANSWER = "gave no answer in time, without a proxy too"
BROKEN = "answer 5xx without a proxy too"
BAD = "answer 400 without a proxy too (is the host mysuperapp.com allowed?)"
ENDLESS = "are longer than 1 MiB, or have no end"
TOGETHER = "were left out: all answers together are over 8 MiB"
TIME = f"were left out: exploring takes no longer than {_SECONDS:.0f} s"


@dataclass(frozen=True)
class Wish:
    """What a person wants to be asked: patterns of paths (`/admin/*`), and how much.

    start: paths to begin with, besides what the application says of itself. prefix: the public one.
    An application that has it in its own settings writes it without a proxy as well, and has the
    same paths without it. https: the application is asked as if over https, and gives such URLs.
    """

    skip: Sequence[str] = ()
    only: Sequence[str] = ()
    unsafe: bool = False
    most: int = 100
    prefix: str = ""
    start: Sequence[str] = ()
    https: bool = False

    def has(self, path: str) -> bool:
        """Whether this path is to be asked."""
        path = path.partition("?")[0]
        wanted = not self.only or any(fnmatchcase(path, each) for each in self.only)
        return wanted and not any(fnmatchcase(path, each) for each in self.skip)

    def without_prefix(self, path: str) -> str:
        """The path as it is below the prefix."""
        return (below(self.prefix, path) if self.prefix else None) or path


@dataclass(frozen=True)
class Seed:
    """Something to ask. guessed: the application does not say that it is there."""

    path: str
    where: str = ""
    depth: int = 0
    method: str = "GET"
    guessed: bool = False


@dataclass
class _Found:
    pages: list[Page] = field(default_factory=list)
    sockets: list[Page] = field(default_factory=list)
    streams: list[Stream] = field(default_factory=list)
    docs: list[str] = field(default_factory=list)
    unjudged: Counter[str] = field(default_factory=Counter)
    size: int = 0
    silent: str = ""
    """The first path without an answer, since there was one."""


def explore(
    target: Target,
    told: Mapping[str, Any],
    wish: Wish,
    progress: Callable[[int, int], None] = lambda *_: None,
    died: Callable[[], str | None] = lambda: None,
) -> Explored:
    """Ask `target`, which is the bare application, what `told` (its report) says that there is.

    died: the end of its log, if its process has ended. Raises HoplabError, with the path that was
    asked then.
    """
    found = _Found()
    probe = Probe(target)
    try:
        _ask_sockets(probe, told, wish, found)
        _ask_pages(probe, told, wish, found, progress, died)
    finally:
        probe.client.close()
    if told.get("parameters"):
        found.unjudged[PARAMETERS] += told["parameters"]
    return Explored(
        tuple(found.pages),
        tuple(found.sockets),
        tuple(found.streams),
        tuple(found.docs),
        dict(found.unjudged),
        wish.https,
    )


def forces_https(target: Target) -> bool:
    """Whether the application redirects what comes over http to the same URL over https."""
    probe = Probe(target)
    try:
        answer = probe.get("/")
    except (HarnessError, Failed):
        return False
    finally:
        probe.client.close()
    location = answer.header("Location") or ""
    to = resolved(answer.url, location) if is_url(answer.url, location) else ""
    same = urlsplit(to)._replace(scheme="http").geturl() == answer.url
    return answer.status in _REDIRECTS and to.startswith("https:") and same


def _ask_pages(
    probe: Probe,
    told: Mapping[str, Any],
    wish: Wish,
    found: _Found,
    progress: Callable[[int, int], None],
    died: Callable[[], str | None],
) -> None:
    left = deque(_seeds(told, wish, found))
    known = {(seed.method, seed.path) for seed in left}
    deadline = time.monotonic() + _SECONDS
    asked = 0
    while left:
        seed = left.popleft()
        if not wish.has(seed.path):
            found.unjudged[SKIPPED] += not seed.guessed
        elif asked >= wish.most or time.monotonic() > deadline:
            found.unjudged[LIMIT if asked >= wish.most else TIME] += 1
        else:
            asked += 1
            page = _ask(probe, seed, wish, found)
            _require_alive(died, found.silent or seed.path)
            for path in sorted(page.links) if page and seed.depth < _DEPTH else ():
                if ("GET", path) not in known:
                    known.add(("GET", path))
                    where = f"linked from {seed.path}"
                    left.append(Seed(path, where, seed.depth + 1))
            progress(asked, asked + len(left))
    if found.silent:
        _require_alive(died, found.silent, _ENDING)
        # One route that blocks the whole application is what a person looks for then.
        if silent := found.unjudged.pop(NO_ANSWER, 0):
            after = f", and nothing did after {found.silent}" if silent > 1 else ""
            found.unjudged[f"{NO_ANSWER}{after}"] = silent


def _require_alive(died: Callable[[], str | None], path: str, patience: float = 0) -> None:
    """Raise HoplabError if the application has ended, or does so in as many seconds."""
    deadline = time.monotonic() + patience
    while not (reason := died()):
        if time.monotonic() >= deadline:
            return
        time.sleep(0.05)
    message = f"The application ended when it was asked for {path}: {reason}"
    raise HoplabError(message)


def _seeds(told: Mapping[str, Any], wish: Wish, found: _Found) -> list[Seed]:
    """The routes, each with its path without or with a slash at the end; and what people guess."""
    seeds = {("GET", path): Seed(path, "--path") for path in map(as_sent, wish.start)}
    seeds.setdefault(("GET", "/"), Seed("/", guessed=True))
    for route in told.get("routes", ()):
        path, methods = as_sent(route["path"]), route["methods"]
        if route["kind"] != "http" or not path.startswith("/"):
            continue
        if "GET" in methods:
            seeds["GET", path] = Seed(path, route["where"])
        elif wish.unsafe:
            for method in methods:
                seeds[method, path] = Seed(path, route["where"], method=method)
        else:
            found.unjudged[METHOD] += 1
    for path in [path for _, path in seeds]:
        pair = path.removesuffix("/") if path.endswith("/") else f"{path}/"
        if pair and "." not in path.rpartition("/")[2]:
            seeds.setdefault(("GET", pair), Seed(pair, f"pair of {path}", guessed=True))
    for path in [*told.get("docs", ()), told.get("openapi"), *_DOCS, *_OPENAPI]:
        if path:
            seeds.setdefault(("GET", path), Seed(path, guessed=True))
    return list(seeds.values())


def _ask(probe: Probe, seed: Seed, wish: Wish, found: _Found) -> Page | None:
    """A page, if it can be judged; why not is counted."""
    try:
        answer = asked(probe, seed.method, seed.path)
    except (HarnessError, Failed) as error:
        found.unjudged[BROKEN if isinstance(error, Failed) else NO_ANSWER] += 1
        found.silent = found.silent or seed.path
        return None
    found.silent = ""
    if answer.status == _NOT_FOUND and (seed.guessed or seed.depth):
        return None  # nobody promised it; a dead link is dead without a proxy, too
    if reason := _why_not(answer, found.size):
        found.unjudged[reason] += 1
        return None
    if media_type(answer) == "text/event-stream":
        _listen(probe, seed, found)
        return None
    if names_openapi(answer):
        found.docs.append(seed.path)
    if is_login(answer):
        found.unjudged[LOGIN] += 1  # where it leads is judged
    found.size += len(answer.body)
    page = page_of(answer, seed, wish, partial(_is_answered, probe, wish, found))
    found.pages.append(page)
    return page


def asked(probe: Probe, method: str, path: str) -> Exchange:
    """The answer to a request with an empty body, if its method has one."""
    body = b"" if method in {"POST", "PUT", "PATCH"} else None
    return probe.request(method, path, body=body)


def _why_not(answer: Exchange, size: int) -> str | None:
    """Why an answer says nothing about what stands in front of the application."""
    if answer.status in _LOGIN_STATUS:
        return LOGIN
    if answer.status >= _SERVER_ERRORS:
        return BROKEN
    if answer.status == _ERRORS:
        return BAD
    if answer.unfinished:
        return ENDLESS
    return TOGETHER if size + len(answer.body) > _BYTES else None


def page_of(answer: Exchange, seed: Seed, wish: Wish, is_path: Callable[[str], bool]) -> Page:
    """What is right, as the application says it without a proxy.

    is_path: whether a text in JSON that begins with a slash is a path of the application's.
    """
    base = answer.url.removesuffix(seed.path)
    own, foreign, left = set(), set(), _TEXTS
    for link in links(answer):
        inside = below(base, whole(link))
        if inside is None and wish.https:
            inside = below(f"https{base.removeprefix('http')}", whole(link))
        if inside is None:
            foreign.add(link.url)
        elif link.sure or inside != link.url:
            own.add(inside)
        elif left and inside != "/":
            left -= 1
            own |= {inside} if is_path(inside) else set()
    own |= {inside for each in openapi_links(answer) if (inside := below(base, each))}
    return Page(
        answer.method,
        seed.path,
        answer.status,
        media_type(answer),
        seed.where,
        frozenset(map(wish.without_prefix, own)),
        frozenset(foreign),
    )


def _is_answered(probe: Probe, wish: Wish, found: _Found, path: str) -> bool:
    try:
        return wish.has(path) and probe.get(path).status < _ERRORS
    except (HarnessError, Failed):
        found.silent = found.silent or path
        return False


def openapi_links(answer: Exchange) -> list[str]:
    """The servers of an OpenAPI document, as whole URLs; none, if it is no such document."""
    servers = [url for url in openapi_servers(answer) or () if is_url(answer.url, url)]
    return [resolved(answer.url, url) for url in servers]


def whole(link: Link) -> str:
    """The URL as a browser asks for it."""
    return resolved(link.base, link.url).partition("#")[0]


def below(base: str, url: str) -> str | None:
    """The path and query below a base URL; None if it is not below it."""
    if url == base:
        return "/"
    rest = url.removeprefix(base)
    return rest if url.startswith(base) and rest[0] in "/?" else None


def is_login(answer: Exchange) -> bool:
    """Whether it is a redirect to where people log in."""
    location = answer.header("Location") or ""
    to = urlsplit(location).path if is_url(answer.url, location) else ""
    itself = to.rstrip("/").endswith(urlsplit(answer.url).path.rstrip("/"))
    return answer.status in _REDIRECTS and not itself and bool(_LOGIN.search(to))


def _listen(probe: Probe, seed: Seed, found: _Found) -> None:
    began = time.time()
    try:
        answer = probe.client.listen(probe.url(seed.path), _LISTEN)
    except HarnessError:
        found.unjudged[NO_ANSWER] += 1
        return
    times = [at - began for at, _ in answer.chunks]
    if times:
        found.streams.append(Stream(seed.path, times[0], times[-1], seed.where))
    else:
        found.unjudged[NO_ANSWER] += 1


def _ask_sockets(probe: Probe, told: Mapping[str, Any], wish: Wish, found: _Found) -> None:
    for route in told.get("routes", ()):
        path = route["path"]
        if route["kind"] != "websocket" or not wish.has(path):
            continue
        try:
            status, scope = handshake(probe, path)
        except HarnessError:
            found.unjudged[NO_ANSWER] += 1
            continue
        if status == _ACCEPTED:
            found.sockets.append(Page("WEBSOCKET", path, status, where=route["where"]))
        else:
            found.unjudged[LOGIN if scope is not None else BROKEN] += 1


def handshake(probe: Probe, path: str) -> tuple[int, dict[str, Any] | None]:
    """The status, and what the server told the application, where that comes back.

    Nothing is said over the WebSocket: what it means is the application's.
    """
    url = "ws" + probe.url(path).removeprefix("http")
    with probe.client.conversation(url) as (_, exchange):
        return exchange.status, scope_of(exchange)
