"""Questions about redirects: where they lead, and whether a client's own headers change that."""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

from hoplab.client.wire import Exchange
from hoplab.diagnosis.normal import DOUBLED, KEPT, WITHOUT, of_path
from hoplab.diagnosis.responders import APPLICATIONS, responder
from hoplab.diagnosis.site import LOGIN, Site, joined, nobody
from hoplab.diagnosis.words import Answer, Question, Unasked
from hoplab.suites.own.links import Link, links, media_type

REDIRECTS = {301, 302, 303, 307, 308}
_PORTS = {"http": 80, "https": 443}
_OF_FILES = {301, 302}
_ENOUGH = 2
_LOADS = ("<script src", "<link href")
"""Images are loaded over https instead, and forms only warned of."""

_LINK = re.compile(r"<link\b[^>]*>", re.IGNORECASE)
_LOADING = re.compile(
    r"\brel\s*=\s*[\"']?[^\"'>]*\b(stylesheet|modulepreload|icon)\b", re.IGNORECASE
)


@dataclass(frozen=True)
class _Redirect:
    """Its symbols; empty for what a relative Location does not tell."""

    path: str
    scheme: str
    host: str


def redirect(site: Site) -> Iterator[Answer | Unasked]:
    """Where does the redirect to or from a slash at the end lead?"""
    found: list[tuple[_Redirect, Exchange]] = []
    for each in site.routes if site.place is not None else ():
        answer = _toggled(site, each.path)
        if answer is not None and (read := _read_redirect(site, each.path, answer)) is not None:
            found.append((read, answer))
        if len(found) == _ENOUGH:
            break
    if not found:
        why = "no route was found that redirects to itself with a slash"
        if any(each.status in LOGIN for each in site.exchanges):
            why = "a login is asked for: give --header 'Authorization: ...'"
        elif not _is_asgi(site):
            why += "; and nothing tells that this is an ASGI application"
        for question in (
            Question.REDIRECT_PATH,
            Question.REDIRECT_SCHEME,
            Question.REDIRECT_HOST,
        ):
            yield Unasked(question, why)
        return
    usual, _ = Counter(read for read, _ in found).most_common(1)[0]
    answer = next(answer for read, answer in found if read == usual)
    told = f"{answer}"
    wrongs = {
        Question.REDIRECT_PATH: (
            usual.path,
            KEPT,
            {
                WITHOUT: f"{told}: the redirect loses {site.prefix}",
                DOUBLED: f"{told}: the redirect has {site.prefix} twice",
            }.get(usual.path, f"{told}: the redirect leads to another path"),
        ),
        Question.REDIRECT_SCHEME: (
            usual.scheme,
            "same",
            f"{told}: the redirect leads from {urlsplit(site.origin).scheme} to {usual.scheme}",
        ),
        Question.REDIRECT_HOST: (
            usual.host,
            "same",
            {
                "without-port": f"{told}: the redirect loses the port",
                "other-port": f"{told}: the redirect leads to another port",
            }.get(usual.host, f"{told}: the redirect leads to another host"),
        ),
    }
    for question, (symbol, right, wrong) in wrongs.items():
        if not symbol:
            yield Unasked(question, f"{told}: a relative redirect does not say")
            continue
        yield Answer(question, symbol, told, "" if symbol == right else wrong, (answer,))


def loaded(site: Site) -> Iterator[Answer | Unasked]:
    """Over which scheme do pages load what they name with the whole URL of their own host?

    A browser blocks what a page of https loads over http: https://www.w3.org/TR/mixed-content/
    """
    public = urlsplit(site.origin)
    for page in site.exchanges if public.scheme == "https" else ():
        for link in links(page):
            url = urlsplit(joined(link.base, link.url))
            whole = "://" in link.url and url.hostname == public.hostname
            if not (whole and link.where.startswith(_LOADS)) or _only_names(page, link):
                continue
            told = f"{page.url} loads {link.url}"
            wrong = f"{told}: a browser blocks that" if url.scheme == "http" else ""
            symbol = "http" if wrong else "same"
            yield Answer(Question.LINK_SCHEME, symbol, wrong or told, wrong, (page,))
            return
    yield Unasked(Question.LINK_SCHEME, "no page loads anything by a whole URL of its own host")


def _only_names(page: Exchange, link: Link) -> bool:
    """Whether it is a <link> that loads nothing, such as rel=canonical."""
    if not link.where.startswith("<link"):
        return False
    elements = [each for each in _LINK.findall(page.body.decode("latin-1")) if link.url in each]
    return not any(_LOADING.search(each) for each in elements)


def _is_asgi(site: Site) -> bool:
    """Whether something of it is of FastAPI or Starlette, or an OpenAPI document is there."""
    told = any(responder(each) in APPLICATIONS for each in site.exchanges)
    return told or site.docs is not None or site.document is not None


def is_of_a_web_server(answer: Exchange) -> bool:
    """Whether a redirect is a web server's or proxy's own: ASGI frameworks send no page with it."""
    page = media_type(answer) == "text/html" and bool(answer.body.strip())
    return answer.status in _OF_FILES and page


def _toggled(site: Site, path: str) -> Exchange | None:
    other = path.removesuffix("/") if path.endswith("/") else f"{path}/"
    return site.get(f"{site.place}{other}")


def _read_redirect(site: Site, path: str, answer: Exchange) -> _Redirect | None:
    """What a redirect to `path` shows; None if it is another redirect, to a login for example."""
    location = answer.header("Location")
    if answer.status not in REDIRECTS or not location:
        return None
    if is_of_a_web_server(answer):
        return None  # to a folder: the application has nothing to do with it
    to, public = urlsplit(joined(answer.url, location)), urlsplit(site.origin)
    given = unquote(to.path)
    if not given.endswith(unquote(path)):
        return None
    right = unquote(f"{site.place}{path}")
    symbol = of_path(given, right, unquote(site.prefix))
    if not urlsplit(location).netloc:
        return _Redirect(symbol, "", "")
    try:
        port = to.port
    except ValueError:
        port = -1
    if (to.hostname or "").lower() != (public.hostname or "").lower():
        host = "upstream"
    elif port == public.port or (port or _PORTS.get(to.scheme)) == (
        public.port or _PORTS[public.scheme]
    ):
        host = "same"
    else:
        host = "without-port" if port is None else "other-port"
    return _Redirect(symbol, "same" if to.scheme == public.scheme else to.scheme, host)


def spoofed(site: Site) -> Iterator[Answer | Unasked]:
    """Do forwarded headers of the client's own change a redirect? Each is sent with two values."""
    plan = {
        Question.SPOOFED_SCHEME: ("X-Forwarded-Proto", ("http", "https"), "scheme"),
        Question.SPOOFED_HOST: ("X-Forwarded-Host", ("one.invalid", "two.invalid"), "netloc"),
        Question.SPOOFED_PREFIX: ("X-Forwarded-Prefix", ("/canary-one", "/canary-two"), "path"),
    }
    path = next((each.path for each in site.routes if _redirects(site, each.path)), None)
    for question, (header, values, part) in plan.items():
        if path is None or site.place is None:
            yield Unasked(question, "no route was found that redirects to itself with a slash")
            continue
        followed, answers = [], []
        for value in values:
            other = path.removesuffix("/") if path.endswith("/") else f"{path}/"
            # A query of its own: no cache has such an answer, or gives it to anybody else.
            url = f"{site.place}{other}?{nobody().strip('/')}"
            forged = ((header, value), ("X-Forwarded-For", "192.0.2.7"))
            answer = site.get(url, forged)
            location = joined(answer.url, answer.header("Location") or "") if answer else ""
            given = getattr(urlsplit(location), part)
            followed.append(given == value or given.startswith(f"{value}/"))
            answers += [answer] if answer is not None else []
        believed = all(followed)
        told = f"{header}: {' and '.join(values)}" + (": believed" if believed else ": ignored")
        wrong = f"a client's own {header} decides where redirects lead" if believed else ""
        symbol = "believed" if believed else "ignored"
        yield Answer(question, symbol, wrong or told, wrong, tuple(answers))


def _redirects(site: Site, path: str) -> bool:
    answer = _toggled(site, path)
    return answer is not None and _read_redirect(site, path, answer) is not None
