"""What is at a URL: the prefix, the docs page, the OpenAPI document, routes that may be asked.

All of it is found as a stranger finds it: from the URL that was given, by what pages name, and at
the places where it usually is.
"""

import re
import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import unquote, urljoin, urlsplit

from hoplab.client.asker import Asker, Silence
from hoplab.client.wire import Exchange, Headers
from hoplab.suites.own.links import links, media_type, openapi_servers

DOCS = ("/docs", "/redoc")
_MORE_DOCS = ("/swagger", "/documentation", "/api-docs", "/schema/swagger", "/api/docs")
DOCUMENTS = ("/openapi.json",)
_MORE_DOCUMENTS = ("/schema/openapi.json", "/api/openapi.json", "/swagger.json")
_USUAL = ("/healthz", "/health", "/ping", "/status", "/version")
_DOCS_LIKE = re.compile(r"docs|swagger|redoc|openapi|scalar", re.IGNORECASE)
DANGEROUS = re.compile(
    r"log[-_]?out|sign[-_]?out|delete|remove|shutdown|reset|restart|unsubscribe|cancel|kill|purge"
    r"|flush|clear|drop|revoke|disable|deactivate|/cart|/stop",
    re.IGNORECASE,
)
"""Paths whose GET may do something: a stranger's are not asked."""

_NAMES_DOCUMENT = (
    re.compile(r"""\burl["']?\s*:\s*["']([^"']*[^"'/])["']"""),  # Swagger UI
    re.compile(r"""\bspec-url=["']([^"']+)["']"""),  # ReDoc
    re.compile(r"""\bdata-url=["']([^"']+)["']"""),  # Scalar
)
_INLINE = re.compile(r"""["']openapi["']\s*:\s*["']3""")
"""A page that has the whole document in it, and so names none."""

_IS_DOCS = re.compile(r"swagger-ui|redoc|scalar|api-reference", re.IGNORECASE)

NOT_FOUND = 404
_ERRORS, _SERVER_ERRORS = 400, 500
GATEWAY = {502, 503, 504}
LOGIN = {401, 403, 407}
_MOST_LINKS = 4
_MOST_ROUTES = 6


@dataclass(frozen=True)
class Route:
    """A path below the place that answers GET, and what it answered, if it was asked."""

    path: str
    where: str


@dataclass
class Site:
    """What is known of a deployment, and what was asked of it.

    prefix: the path of the public base URL, as in a URL. place: the path below which the
    application's routes are reached: the prefix, or twice that; None if none were found.
    """

    asker: Asker
    given: str
    origin: str
    prefix: str = ""
    place: str | None = None
    docs: Exchange | None = None
    document: Exchange | None = None
    routes: list[Route] = field(default_factory=list)
    asked: dict[tuple[str, str, Headers], Exchange | None] = field(default_factory=dict)
    silences: list[str] = field(default_factory=list)

    @property
    def base(self) -> str:
        """The public base URL, without a slash at the end."""
        return self.origin + self.prefix

    def get(self, path: str, headers: Headers = (), method: str = "GET") -> Exchange | None:
        """The answer to a path of this origin, asked once; None if none came."""
        key = (method, path, tuple(headers))
        if key not in self.asked:
            try:
                self.asked[key] = self.asker.ask(self.origin + (path or "/"), method, headers)
            except Silence as silence:
                self.silences.append(str(silence))
                self.asked[key] = None
        return self.asked[key]

    @property
    def exchanges(self) -> list[Exchange]:
        """All that was answered."""
        return [exchange for exchange in self.asked.values() if exchange]


def path_of(url: str) -> str:
    """The path of a URL; `/` is none."""
    return urlsplit(url).path.rstrip("/")


def below(url: str, prefix: str) -> bool:
    """Whether a URL is that of the prefix, or below it."""
    path = urlsplit(url).path
    return not prefix or path == prefix or path.startswith(f"{prefix}/")


def joined(base: str, url: str) -> str:
    """What a browser makes of a URL that stands in an answer; nothing, if it is none."""
    try:
        found = urljoin(base, url)
        urlsplit(found)
    except ValueError:
        return ""
    return found


def is_ok(exchange: Exchange | None) -> bool:
    """Whether this is an answer of a route."""
    return exchange is not None and exchange.status < 300  # noqa: PLR2004


def named_document(page: Exchange) -> str | None:
    """The URL of the OpenAPI document that a docs page names, as it is written there."""
    if media_type(page) != "text/html" or not is_ok(page):
        return None
    text = page.body.decode("utf-8", "replace")
    if not _IS_DOCS.search(text) or _INLINE.search(text):
        return None
    named = (pattern.search(text) for pattern in _NAMES_DOCUMENT)
    return next((match[1] for match in named if match), None)


def is_document(exchange: Exchange | None) -> bool:
    """Whether this is an OpenAPI document."""
    if exchange is None or not is_ok(exchange) or openapi_servers(exchange) is None:
        return False
    return isinstance(exchange.json()["paths"], dict)


def site_of(asker: Asker, url: str, prefix: str | None = None) -> Site:
    """A site of which nothing is known but its URL, and perhaps its public prefix."""
    parts = urlsplit(url)
    path = parts.path.rstrip("/") if prefix is None else prefix
    return Site(asker, url, f"{parts.scheme}://{parts.netloc}", path)


def explore(site: Site, prefix: str | None = None) -> None:
    """Find what can be found. Raises Stop if nothing more may be asked.

    prefix: the public one, if it is known.
    """
    parts = urlsplit(site.given)
    path = parts.path.rstrip("/")
    first = site.get(parts.path or "/")
    if first is not None and named_document(first) is not None:
        site.docs = first
        site.document = _named(site, first)
    elif is_document(first):
        site.document = first
    if not is_ok(first) and _gateway_everywhere(site, path if prefix is None else prefix):
        return  # each answer may take seconds, and all say the same
    if prefix is None:
        _find_base(site, path, first)
    else:
        _find_docs(site, [prefix])
    if site.docs is None and site.document is None and site.prefix:
        _find_docs(site, [2 * site.prefix], more=False)
    _find_place(site, first)
    _find_routes(site, first)


def _gateway_everywhere(site: Site, base: str) -> bool:
    """Whether a proxy answers in the application's place, with the prefix once and twice."""
    answers = (site.get(f"{place}{DOCS[0]}") for place in (base, 2 * base))
    return all(answer is not None and answer.status in GATEWAY for answer in answers)


def _find_base(site: Site, path: str, first: Exchange | None) -> None:
    if site.docs is not None or site.document is not None:
        site.prefix = _base_of(site, path)
        _find_docs(site, [site.prefix])
        return
    above = [path]
    # A path that answers may be one route of many; one that does not is taken for the base.
    if is_ok(first):
        parts = path.split("/")
        above += ["/".join(parts[:end]) for end in range(len(parts) - 1, 0, -1)]
    found = _find_docs(site, above)
    if found is not None:
        site.prefix = found


def _base_of(site: Site, path: str) -> str:
    """The base of a docs page or document that was given."""
    parent = path.rpartition("/")[0]
    if site.docs is None:
        servers = openapi_servers(site.document) if site.document else None
        for server in servers or ():
            told = path_of(joined(site.given, server))
            if told and f"{parent}/".startswith(f"{told}/"):
                return told
        return parent
    link = path_of(joined(site.given, named_document(site.docs) or ""))
    where, _, name = link.rpartition("/")
    if site.document is not None and is_document(site.get(f"{parent}/{name}")):
        return parent
    if site.document is not None and f"{path}/".startswith(f"{where}/"):
        return where
    return parent


def _find_docs(site: Site, bases: Sequence[str], *, more: bool = True) -> str | None:
    """Find docs page and document below one of these paths; the one where they were."""
    for base in bases:
        for name in [*DOCS, *_linked(site, base)]:
            page = site.docs or site.get(base + name)
            if page is not None and named_document(page) is not None:
                site.docs = page
                site.document = site.document or _named(site, page)
                break
        for name in DOCUMENTS:
            if site.document is None and is_document(found := site.get(base + name)):
                site.document = found
        if site.docs is not None or site.document is not None:
            return base
    for base in bases[:1] if more else ():
        for name in _MORE_DOCS:
            page = site.get(base + name)
            if page is not None and named_document(page) is not None:
                site.docs, site.document = page, _named(site, page)
                return base
        for name in _MORE_DOCUMENTS:
            if is_document(found := site.get(base + name)):
                site.document = found
                return base
    return None


def _linked(site: Site, base: str) -> list[str]:
    """Paths below a base that its page links to; those that look like docs first."""
    page = site.get(base + "/") or site.get(base)
    if page is None:
        return []
    paths = (path_of(joined(link.base, link.url)) for link in links(page) if _here(site, link.url))
    # A link that has lost the prefix is looked for below it, too: that is where it should lead.
    below = [path.removeprefix(base) if path.startswith(f"{base}/") else path for path in paths]
    found = [path for path in dict.fromkeys(below) if path and not DANGEROUS.search(path)]
    return sorted(found, key=lambda path: not _DOCS_LIKE.search(path))[:_MOST_LINKS]


def _here(site: Site, url: str) -> bool:
    parts = urlsplit(joined(site.given, url))
    return parts.netloc == urlsplit(site.origin).netloc


def _named(site: Site, page: Exchange) -> Exchange | None:
    """The document that a docs page names, where a browser asks for it; or below the prefix.

    A page that does not know the prefix names a document that is below it all the same.
    """
    url = urlsplit(joined(page.url, named_document(page) or ""))
    if url.netloc.lower() != urlsplit(site.origin).netloc.lower():
        return None
    path = url.path + (f"?{url.query}" if url.query else "")
    for place in ("", site.prefix, 2 * site.prefix):
        if is_document(found := site.get(place + path)):
            return found
    return None


def _find_place(site: Site, first: Exchange | None) -> None:
    """The application is where its docs are; or where something answers."""
    for each in (site.docs, site.document):
        if each is not None and site.prefix:
            doubled = path_of(each.url).startswith(f"{2 * site.prefix}/")
            inside = path_of(each.url).startswith(f"{site.prefix}/")
            if doubled or inside:
                site.place = 2 * site.prefix if doubled else site.prefix
                return
        elif each is not None:
            site.place = site.prefix
            return
    usual = (site.get(site.prefix + path) for path in _USUAL)
    if is_ok(first) or is_ok(site.get(site.prefix + "/")) or any(map(is_ok, usual)):
        site.place = site.prefix


def _find_routes(site: Site, first: Exchange | None) -> None:
    """Paths below the place that answer, as far as anybody names them."""
    if site.place is None:
        return
    found = [*_of_document(site)]
    for page in (site.docs, site.document):
        if page is not None and path_of(page.url).startswith(f"{site.place}/"):
            found.append(Route(path_of(page.url).removeprefix(site.place), "itself"))
    if site.document is None:
        paths = [path_of(site.given)] if is_ok(first) else []
        start = first if is_ok(first) else site.get(site.prefix + "/")
        for link in links(start) if start is not None else ():
            if _here(site, link.url):
                paths.append(urlsplit(joined(link.base, link.url)).path)
        paths += [
            site.prefix + path
            for path in _USUAL
            if is_ok(site.asked.get(("GET", site.prefix + path, ())))
        ]
        for path in paths:
            below = path.removeprefix(site.place) if path.startswith(f"{site.place}/") else path
            if below.strip("/"):
                found.append(Route(below, "a link"))
    unique = {route.path: route for route in found if not DANGEROUS.search(route.path)}
    site.routes = list(unique.values())[:_MOST_ROUTES]


def _of_document(site: Site) -> Iterable[Route]:
    """GET operations without parameters in their paths; those with a slash at the end first."""
    paths = document_paths(site)
    prefix = unquote(site.prefix)
    simple = [
        path.removeprefix(prefix) if paths_are_prefixed(site) else path
        for path, operations in paths.items()
        if "{" not in path and isinstance(operations, dict) and "get" in operations
    ]
    for path in sorted(simple, key=lambda path: (not path.endswith("/"), len(path))):
        if path.startswith("/") and path != "/":
            yield Route(path, "the OpenAPI document")


def document_paths(site: Site) -> Mapping[str, object]:
    """The paths of the OpenAPI document."""
    content = site.document.json() if site.document is not None else None
    paths = content.get("paths") if isinstance(content, dict) else None
    return paths if isinstance(paths, dict) else {}


def paths_are_prefixed(site: Site) -> bool:
    """Whether every path of the document begins with the prefix."""
    prefix = unquote(site.prefix)
    paths = document_paths(site)
    return bool(prefix and paths) and all(
        path == prefix or path.startswith(f"{prefix}/") for path in paths
    )


def nobody() -> str:
    """A path that no application has."""
    return f"/once-{secrets.token_hex(8)}"
