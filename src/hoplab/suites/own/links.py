"""The URLs that stand in an answer."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from html.parser import HTMLParser
from typing import Any
from urllib.parse import parse_qsl, urljoin, urlsplit

from hoplab.client.probe import resolved
from hoplab.client.wire import Exchange

_ATTRIBUTES = ("href", "src", "action", "formaction", "poster")
_LINK_HEADER = re.compile(r"<([^>]*)>")  # RFC 8288, 3
_REFRESH = re.compile(r"^\s*\d+\s*;\s*url\s*=\s*['\"]?([^'\"]+)", re.IGNORECASE)
_ABSOLUTE = re.compile(r"https?://[^\s<>\"']+", re.IGNORECASE)
_ROOTED = re.compile(r"/(?!/)[^\s<>\"'{}]*")
_MOST = 500  # URLs of one answer


@dataclass(frozen=True)
class Link:
    """A URL in an answer: where it stands, and as it is written.

    base: from where a browser resolves it. sure: whether it is one; a text in JSON that begins with
    a slash need not be.
    """

    where: str
    url: str
    base: str
    sure: bool = True


def media_type(exchange: Exchange) -> str:
    """In lower case, without parameters."""
    return (exchange.header("Content-Type") or "").partition(";")[0].strip().lower()


def links(exchange: Exchange) -> list[Link]:
    """Those of Location, Link, HTML and JSON; of an OpenAPI document, the servers alone.

    Not what the answer repeats of the question (`?next=/a`): who asked has made that. Nor what is
    no URL (`http://[::1`), which leads nowhere.
    """
    found = [*_of_headers(exchange)]
    kind = media_type(exchange)
    if kind in {"text/html", "application/xhtml+xml"}:
        found += _of_html(exchange)
    elif kind == "application/json" or kind.endswith("+json"):
        found += _of_json(exchange)
    repeated = {value for _, value in parse_qsl(urlsplit(exchange.url).query)}
    told = [link for link in dict.fromkeys(found) if link.url not in repeated]
    return [link for link in told[:_MOST] if is_url(link.base, link.url)]


def is_url(base: str, url: str) -> bool:
    """Whether it can be asked for: a text that somebody else wrote may be anything."""
    try:
        urlsplit(resolved(base, url))
    except ValueError:  # as of a wrong address, or a letter that has no UTF-8
        return False
    return True


def openapi_servers(exchange: Exchange) -> list[str] | None:
    """The servers of an OpenAPI document, which are `/` if it names none; None if it is none."""
    content = exchange.json()
    if not isinstance(content, dict) or not {"openapi", "paths"} <= content.keys():
        return None
    servers = content.get("servers") or [{"url": "/"}]
    if not isinstance(servers, list):  # anybody may write anything into it
        return None
    return [str(each.get("url", "/")) for each in servers if isinstance(each, dict)]


def _of_headers(exchange: Exchange) -> Iterator[Link]:
    for name in ("Location", "Content-Location"):
        if value := exchange.header(name):
            yield Link(f"the {name} header", value, exchange.url)
    for name, value in exchange.headers:
        if name.lower() == "link":
            for url in _LINK_HEADER.findall(value):
                yield Link("the Link header", url, exchange.url)


def _of_html(exchange: Exchange) -> Iterator[Link]:
    page = _Page(exchange.url)
    page.feed(exchange.body.decode("utf-8", "replace"))
    for tag, attribute, url in page.found:
        yield Link(f"<{tag} {attribute}>", url, page.base)


class _Page(HTMLParser):
    def __init__(self, url: str) -> None:
        super().__init__()
        self.base = url
        self.found: list[tuple[str, str, str]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        told = {name: (value or "").strip() for name, value in attrs}
        if tag == "base" and told.get("href") and is_url(self.base, told["href"]):
            self.base = urljoin(self.base, told["href"])
            return  # it shows in the URLs that are resolved from it
        refreshes = tag == "meta" and told.get("http-equiv", "").lower() == "refresh"
        if refreshes and (refresh := _REFRESH.match(told.get("content", ""))):
            self.found.append((tag, "content", refresh[1].strip()))
        for name in _ATTRIBUTES:
            url = told.get(name)
            # A fragment is the page itself; other schemes (mailto, data) are not asked for.
            if url and not url.startswith("#") and re.match(r"https?:|[^:]*(?:[/?#]|$)", url):
                self.found.append((tag, name, url))


def _of_json(exchange: Exchange) -> Iterator[Link]:
    content = exchange.json()
    if openapi_servers(exchange) is not None:
        return
    for key, text in _texts(content, ""):
        if _ABSOLUTE.fullmatch(text):
            yield Link(f"JSON {key}", text, exchange.url)
        elif _ROOTED.fullmatch(text):
            yield Link(f"JSON {key}", text, exchange.url, sure=False)


def _texts(content: Any, key: str) -> Iterator[tuple[str, str]]:
    """Every text with the key or the list in which it stands. Not recursive: it may be deep."""
    left = [(key, content)]
    while left:
        name, value = left.pop()
        if isinstance(value, str):
            yield f'"{name}"' if name else "text", value
        elif isinstance(value, dict):
            left += [(str(k), v) for k, v in value.items()]
        elif isinstance(value, list):
            left += [(name, each) for each in value]
