import re
from collections.abc import Iterator
from http.cookies import CookieError, SimpleCookie
from urllib.parse import urlsplit

from hoplab.client.explored import Page
from hoplab.client.probe import Failed, Probe, compare_urls
from hoplab.client.target import Knowledge, needs
from hoplab.client.wire import Exchange
from hoplab.suites.own.checks.asked import ask, named, pages, raise_all
from hoplab.suites.own.explore import below, openapi_links, whole
from hoplab.suites.own.links import Link, links

_LOCAL = re.compile(r"localhost|127\.[0-9.]+|\[::1\]|0\.0\.0\.0", re.IGNORECASE)
"""Nobody but this machine reaches the application there."""


@needs(Knowledge.INSTANCE, Knowledge.EXPLORED)
def urls(probe: Probe) -> str:
    """Does every URL that the application gives lead to where it leads without a proxy?

    In Location, Link, HTML, JSON, the servers of an OpenAPI document, and the paths of cookies.
    `paths` asks what they lead to. Symptoms: `link-wrong-host`, `link-drops-port`,
    `link-wrong-port`, `link-wrong-scheme`, `link-drops-prefix`, `link-wrong-path`,
    `cookie-path-wrong`, `servers-drop-prefix`.
    """
    found: list[tuple[Failed, str]] = []
    told: set[tuple[str, str]] = set()
    number = 0
    for page in pages(probe):
        answer = ask(probe, page)
        if not probe.answers(answer, page.status):
            continue  # `paths` says so
        where = named(page)
        for link in links(answer):
            number += 1
            if (link.where, link.url) in told:
                continue  # the same on every page
            try:
                _judge(probe, page, link)
            except Failed as failure:
                told.add((link.where, link.url))
                found.append((failure, where))
        found += [(failure, where) for failure in _servers(probe, page, answer)]
        found += [(failure, where) for failure in _cookies(probe, answer)]
    raise_all(found)
    return f"{number} URLs lead to where they lead without a proxy"


def _judge(probe: Probe, page: Page, link: Link) -> None:
    base, prefix = probe.base, probe.target.prefix
    given = whole(link)
    inside = below(base, given)
    shown = f"{page.path}: {link.where} is {link.url}"
    if inside is not None:
        if inside not in page.links and inside.startswith(f"{prefix}/"):
            raise Failed("link-wrong-path", f"{shown}: the prefix is there twice")
        return
    parts = urlsplit(given)
    if link.url in page.foreign:
        # It is the same without a proxy. Of this machine, it is of use to nobody else.
        if _LOCAL.fullmatch(parts.hostname or "") and not link.where.startswith("JSON"):
            raise Failed("link-wrong-host", f"{shown}, expected a URL below {base}")
        return
    target = f"{parts.path or '/'}?{parts.query}".removesuffix("?")
    under, own = below(prefix, target), set(page.links)
    if prefix and under and parts.hostname == urlsplit(base).hostname:
        own.add(under)  # at another port: without a proxy, it looks like another service's
    for path in (each for each in (target, under) if each in own):
        try:
            compare_urls(f"{base}{path}", given, prefix, "link")
        except Failed as failure:
            detail = f"{shown}, which leads to {given}, expected {base}{path}"
            raise Failed(failure.symptom, detail) from None
    if link.sure and urlsplit(base)[:2] == parts[:2]:
        raise Failed("link-wrong-path", f"{shown}, which leads to {given}: outside {base}")


def _servers(probe: Probe, page: Page, answer: Exchange) -> Iterator[Failed]:
    """One of them is the application here, or an author's own elsewhere."""
    servers = openapi_links(answer)
    here = [url for url in servers if urlsplit(url)[:2] == urlsplit(probe.base)[:2]]
    right = {f"{probe.base}{path}".rstrip("/") for path in page.links}
    if here and not right & {url.rstrip("/") for url in here}:
        yield Failed(
            "servers-drop-prefix",
            f"{page.path}: the OpenAPI servers lead to {', '.join(here)},"
            f" expected {', '.join(sorted(right))}",
        )


def _cookies(probe: Probe, answer: Exchange) -> Iterator[Failed]:
    """A browser sends a cookie back only below its path (RFC 6265, 5.1.4)."""
    for header, value in answer.headers:
        if header.lower() != "set-cookie":
            continue
        try:
            cookies = SimpleCookie(value)
        except CookieError:
            continue
        for name, cookie in cookies.items():
            path = cookie["path"]
            if path and not _shared(path.rstrip("/") or "/", probe.target.prefix):
                here = f"{probe.target.prefix}/"
                detail = f"Set-Cookie {name} has the path {path}, and is never sent to {here}"
                yield Failed("cookie-path-wrong", detail)


def _shared(path: str, prefix: str) -> bool:
    return path == "/" or f"{prefix}/".startswith(f"{path}/") or path.startswith(f"{prefix}/")
