"""The questions: each asks a site, and makes of what comes a symbol that fits any application.

They know no application: its routes are what `site.explore` found.
"""

from collections.abc import Iterable, Iterator, Sequence
from urllib.parse import unquote, urlsplit

from hoplab.client.wire import Exchange
from hoplab.diagnosis.alike import known, same_kind, same_page
from hoplab.diagnosis.connections import cors, upgrade
from hoplab.diagnosis.normal import DOUBLED, KEPT, OTHER, WITHOUT, of_path
from hoplab.diagnosis.redirects import REDIRECTS, loaded, redirect, spoofed
from hoplab.diagnosis.responders import APPLICATIONS, Responder, responder
from hoplab.diagnosis.site import (
    DANGEROUS,
    GATEWAY,
    LOGIN,
    NOT_FOUND,
    Site,
    below,
    document_paths,
    is_ok,
    joined,
    named_document,
    nobody,
    path_of,
    paths_are_prefixed,
)
from hoplab.diagnosis.words import Answer, Question, Sheet, Unasked
from hoplab.suites.own.links import media_type, openapi_servers

_SERVER_ERRORS = 500

Asked = Answer | Unasked


def ask_all(site: Site, *, spoof: bool = False) -> Iterator[Asked]:
    """Ask every question of a site that is explored. Raises Stop if nothing more may be asked."""
    for question in (route, doubled, unprefixed, docs_link, servers, redirect, loaded, upgrade):
        yield from question(site)
    yield from boundary(site)
    yield from cors(site)
    if spoof:
        yield from spoofed(site)


def sheet_of(asked: Iterable[Asked]) -> Sheet:
    """What was answered, and what was not."""
    answers = {each.question: each for each in asked if isinstance(each, Answer)}
    return Sheet(answers, tuple(each for each in asked if isinstance(each, Unasked)))


def route(site: Site) -> Iterator[Asked]:
    """Does the application answer below the prefix?"""
    random = site.get(site.prefix + nobody())
    other = site.get(site.prefix + nobody())
    asked = [each for each in site.exchanges if below(each.url, site.prefix)]
    if random is None or other is None or not asked:
        yield Unasked(Question.ROUTE, f"no answer below {site.base}")
        return
    if random.status in LOGIN and not any(map(is_ok, asked)):
        yield Unasked(Question.ROUTE, f"a login: {random.status} to everything")
        return
    named = any(each and each.body != random.body for each in (site.docs, site.document))
    if not named and random.status == other.status and random.body == other.body:
        if is_ok(random):
            yield _same(site, random, other)
            return
        if random.status in REDIRECTS:
            to = random.header("Location") or ""
            yield Unasked(Question.ROUTE, f"every path is redirected to {to}: a login?")
            return
    nothing = not any(map(is_ok, asked))
    reached = next((each for each in asked if responder(each) in APPLICATIONS), None)
    if nothing and random.status in GATEWAY and reached is not None:
        why = f"{random}, but the application answers elsewhere: {reached}; the proxy reaches it"
        yield Unasked(Question.ROUTE, why)
    elif nothing and random.status in GATEWAY:
        told = f"{random}: the proxy gets no answer from the application"
        yield Answer(Question.ROUTE, "gateway", told, told, (random,))
    elif nothing and random.status >= _SERVER_ERRORS:
        told = f"{random}, and nothing else answers: the application fails"
        yield Answer(Question.ROUTE, "error", told, told, (random,))
    elif site.place == site.prefix:
        good = next((each for each in asked if is_ok(each)), asked[0])
        yield Answer(Question.ROUTE, "found", f"{good}", exchanges=(good,))
    else:
        yield _missing(site, random, asked)


def _same(site: Site, random: Exchange, other: Exchange) -> Asked:
    """Every path gives the same: who does that?"""
    outside = site.get(nobody()) if site.prefix else None
    if not random.body.strip():
        return Unasked(Question.ROUTE, f"{random}, and it is empty, as for every other path")
    if responder(random) is Responder.PAGE:
        why = "every path gives the same page: a single-page application, a login, or a block"
        return Unasked(Question.ROUTE, why)
    if outside is not None and same_page(outside, random):
        return Unasked(Question.ROUTE, f"{random}, and so does every path of the site")
    told = f"{random}, and so does every other path: the same answer"
    return Answer(Question.ROUTE, "same-page", told, told, (random, other))


def _missing(site: Site, random: Exchange, asked: Sequence[Exchange]) -> Asked:
    """Nothing answers below the prefix: who says so?"""
    outside = site.get(nobody()) if site.prefix else None
    who = responder(random)
    is_application = who in APPLICATIONS or site.place is not None
    if not is_application and outside is not None and not same_kind(random, outside):
        is_application = random.status == NOT_FOUND and who is not Responder.PAGE
    first = next((each for each in asked if each.status == NOT_FOUND), random)
    if not is_application or random.status != NOT_FOUND:
        why = f"{first}: nothing tells that an ASGI application gave this answer"
        return Unasked(Question.ROUTE, why)
    base_alone = site.place is None and path_of(site.given) == site.prefix
    if who is Responder.STARLETTE and base_alone:
        # FastAPI has docs as a rule; an application of Starlette may have no page of a usual name.
        why = f"{first}, by the application, which need not have such a page: name one that it has"
        return Unasked(Question.ROUTE, f"{why}, with --prefix {site.prefix or '/'}")
    told = f"{first}, by the application: it has no such route"
    return Answer(Question.ROUTE, "missing", told, told, (first, random))


def doubled(site: Site) -> Iterator[Asked]:
    """Does the application answer where the prefix stands twice?"""
    if not site.prefix:
        return
    if site.place == 2 * site.prefix:
        found = site.docs or site.document
        told = f"{found}: the application answers where the prefix stands twice"
        yield Answer(Question.DOUBLED, "found", told, told, (found,) if found else ())
        return
    answered = known(site)
    if answered is None:
        found = site.get(2 * site.prefix + "/docs")
    else:
        found = site.get(site.prefix + urlsplit(answered.url).path)
    if found is None:
        yield Unasked(Question.DOUBLED, "no answer where the prefix stands twice")
    elif is_ok(found) and answered is not None and same_page(found, answered):
        told = f"{found}, as {answered}: with the prefix once and twice"
        yield Answer(Question.DOUBLED, "found", told, "", (found, answered))
    elif found.status == NOT_FOUND:
        yield Answer(Question.DOUBLED, "missing", f"{found}", exchanges=(found,))
    else:
        yield Unasked(Question.DOUBLED, f"{found}")


def unprefixed(site: Site) -> Iterator[Asked]:
    """Does the application answer without the prefix?"""
    if not site.prefix:
        return
    answered = known(site)
    if answered is None:
        path = "/docs"
        found = site.get(path)
        yes = found is not None and named_document(found) is not None
    else:
        path = path_of(answered.url).removeprefix(site.place or site.prefix)
        found = site.get(path)
        yes = is_ok(found) and found is not None and found.body == answered.body
    if found is None:
        yield Unasked(Question.UNPREFIXED, f"no answer to {site.origin}{path}")
        return
    told = f"{found}" + (": the application, without the prefix" if yes else "")
    symbol = "found" if yes else "missing"
    yield Answer(Question.UNPREFIXED, symbol, told, exchanges=(found,))


def docs_link(site: Site) -> Iterator[Asked]:
    """Where does the docs page look for its OpenAPI document, and is it there?"""
    page = site.docs
    if page is None:
        yield Unasked(Question.DOCS_LINK, "no docs page (Swagger UI or ReDoc) was found")
        return
    named = named_document(page) or ""
    url = urlsplit(joined(page.url, named))
    if f"{url.scheme}://{url.netloc}" != site.origin:
        yield Unasked(Question.DOCS_LINK, f"{page.url} names a document elsewhere: {named}")
        return
    loaded = site.get(url.path + (f"?{url.query}" if url.query else ""))
    symbol = _of_link(site, unquote(url.path), unquote(site.prefix))
    told = f"{page.url} looks for its OpenAPI document at {named}"
    wrong = ""
    if loaded is not None and loaded.status in REDIRECTS:
        yield Unasked(Question.DOCS_LINK, f"{told}, which is redirected: {loaded}")
        return
    if loaded is not None and not is_ok(loaded) and loaded.status not in LOGIN:
        wrong = f"{told}, which is answered {loaded.status}: the page stays empty"
    elif loaded is not None and media_type(loaded) == "text/html":
        wrong = f"{told}, where an HTML page is: the docs stay empty"
        symbol = "page" if symbol == KEPT else symbol  # what no way to deploy explains
    shows = (page, loaded) if loaded is not None else (page,)
    yield Answer(Question.DOCS_LINK, symbol, wrong or told, wrong, shows)


def _of_link(site: Site, path: str, prefix: str) -> str:
    """What a link to the document shows: its right path is below the prefix, at any place there."""
    if path.startswith(f"{2 * prefix}/") and prefix:
        return DOUBLED
    if path.startswith(f"{prefix}/") and not (path.startswith("//") or prefix == ""):
        return KEPT
    document = site.document
    there = unquote(urlsplit(document.url).path) if document is not None else ""
    if prefix == "":
        return KEPT if there in {path, ""} else of_path(path, there, prefix)
    return WITHOUT if there.endswith(prefix + path) else OTHER


def servers(site: Site) -> Iterator[Asked]:
    """Where are the operations of the OpenAPI document, as its `servers` say?"""
    document = site.document
    if document is None:
        yield Unasked(Question.SERVERS, "no OpenAPI document was found")
        return
    prefixed = paths_are_prefixed(site)
    paths = [path for path in document_paths(site) if isinstance(path, str)]
    if site.prefix and paths:
        word = "prefixed" if prefixed else "plain"
        yield Answer(Question.PATHS, word, f"the paths of {document.url} are like {paths[0]}")
    told = openapi_servers(document) or ["/"]
    here = [urlsplit(joined(document.url, url)) for url in told]
    same = [url for url in here if url.netloc.lower() == urlsplit(site.origin).netloc.lower()]
    shown = ", ".join(told)
    if not same:
        yield Unasked(Question.SERVERS, f"its servers are elsewhere: {shown}")
        return
    prefix = unquote(site.prefix)
    found = []
    for url in same:
        operation = unquote(url.path.rstrip("/")) + (prefix if prefixed else "") + "/route"
        found.append(of_path(operation, f"{prefix}/route", prefix))
    symbol = KEPT if KEPT in found else found[0]
    if symbol == OTHER and any(_answers(site, url.path) for url in same):
        symbol = KEPT  # a place that its author means
    wrong = ""
    if symbol != KEPT:
        wrong = (
            f"{document.url} says that its operations are below {shown}, not {site.prefix or '/'}:"
            ' "Try it out" asks there'
        )
    yield Answer(Question.SERVERS, symbol, wrong or f"servers: {shown}", wrong, (document,))


def _answers(site: Site, server: str) -> bool:
    """Whether an operation answers below the path of a server."""
    for path, operations in document_paths(site).items():
        plain = isinstance(path, str) and "{" not in path and not DANGEROUS.search(path)
        if plain and isinstance(operations, dict) and "get" in operations:
            found = site.get(server.rstrip("/") + path)
            return found is not None and found.status != NOT_FOUND
    return False


def boundary(site: Site) -> Iterator[Asked]:
    """Who answers a path that only begins with the letters of the prefix?"""
    if not site.prefix or site.place != site.prefix:
        return
    inside, outside = site.get(site.prefix + nobody()), site.get(nobody())
    beside = site.get(f"{site.prefix}x{nobody()}")
    if inside is None or outside is None or beside is None:
        yield Unasked(Question.BOUNDARY, "no answer beside the prefix")
    elif same_kind(inside, outside):
        why = "the proxy's and the application's 404 look the same"
        yield Unasked(Question.BOUNDARY, why)
    elif same_kind(beside, inside) or same_kind(beside, outside):
        is_open = same_kind(beside, inside)
        who = "the application" if is_open else "the proxy"
        symbol = "open" if is_open else "closed"
        told = f"{beside}, by {who}"
        yield Answer(Question.BOUNDARY, symbol, told, exchanges=(beside,))
    else:
        yield Unasked(Question.BOUNDARY, f"{beside}: like neither the proxy's nor its 404")
