import re
from collections.abc import Sequence

from hoplab.client.probe import Probe, resolved
from hoplab.client.target import Purpose, needs
from hoplab.client.wire import Exchange
from hoplab.suites.check import Part, independent_of

# FastAPI's Swagger UI page has `url: '/api/v1/openapi.json'`, its ReDoc page has `spec-url="…"`.
_NAMES_OPENAPI = {
    "docs": re.compile(r"""\burl:\s*'([^']+)'"""),
    "redoc": re.compile(r"""\bspec-url="([^"]+)\""""),
}
_NAMES_OAUTH2 = re.compile(r"""\boauth2RedirectUrl:\s*window\.location\.origin\s*\+\s*'([^']+)'""")
_SCRIPT = re.compile(r"""<script\b[^>]*\ssrc="([^"]+)\"""")
_NOT_FOUND = 404


@independent_of(Part.TRUST)
@needs(Purpose.DOCS)
def docs(probe: Probe) -> str:
    """Are the docs pages whole, and do the OpenAPI document and the scripts that they name load?

    Scripts of another origin (FastAPI's CDN) are not asked for. Symptoms: `docs-unreachable`,
    `docs-page-wrong`, `docs-openapi-404`, `docs-openapi-wrong`.
    """
    page, _ = load_docs(
        probe, "", "docs-unreachable", "docs-page-wrong", "docs-openapi-404", "docs-openapi-wrong"
    )
    oauth2 = _NAMES_OAUTH2.search(page.body.decode("utf-8", "replace"))
    to = probe.follow(oauth2[1], page.url) if oauth2 else None
    if to is None:
        probe.fail("docs-page-wrong", page, "a page that names its OAuth2 redirect page")
    probe.expect(to, missing="docs-unreachable")
    return f"{page}, ReDoc, the OAuth2 redirect page and the OpenAPI document that they name"


def load_docs(
    probe: Probe, mount: str, unreachable: str, wrong: str, openapi_404: str, openapi_wrong: str
) -> tuple[Exchange, Exchange]:
    """Load both docs pages of the application at `mount`, their scripts and their OpenAPI document.

    Gives the Swagger UI page and the document. The last four are the symptoms.
    """
    pages = {}
    documents: dict[str, Exchange] = {}  # both pages name the same document, if all is right
    for name in _NAMES_OPENAPI:
        page = probe.expect(probe.get(f"{mount}/{name}"), missing=unreachable)
        url = whole_page(probe, page, wrong, [name])
        pages[name] = page
        if url not in documents:
            documents[url] = openapi(probe, page, url, openapi_404, openapi_wrong)
    return pages["docs"], next(iter(documents.values()))


def names_openapi(page: Exchange, kinds: Sequence[str] = tuple(_NAMES_OPENAPI)) -> str | None:
    """The URL of the OpenAPI document that a docs page names, as it is written there."""
    text = page.body.decode("utf-8", "replace")
    named = (_NAMES_OPENAPI[kind].search(text) for kind in kinds)
    return next((match[1] for match in named if match), None)


def whole_page(
    probe: Probe, page: Exchange, wrong: str, kinds: Sequence[str] = tuple(_NAMES_OPENAPI)
) -> str:
    """The whole URL of the document that a docs page names; `wrong` if the page is not whole."""
    text = page.body.decode("utf-8", "replace")
    named, scripts = names_openapi(page, kinds), _SCRIPT.findall(text)
    if not named or not scripts or not text.rstrip().endswith("</html>"):
        probe.fail(wrong, page, "a whole page with its script and its OpenAPI URL")
    for script in scripts:
        _load(probe, page, script, wrong)
    return resolved(page.url, named)


def _load(probe: Probe, page: Exchange, script: str, wrong: str) -> None:
    """Of another origin, it may be wrong in one way that shows here: blocked as mixed content."""
    loaded = probe.follow(script, page.url)
    if loaded is None:
        if not resolved(page.url, script).startswith("https://"):
            probe.fail(wrong, page, f"an https URL of a script in place of {script}")
        return
    probe.expect(loaded, missing=wrong)
    if "javascript" not in (loaded.header("Content-Type") or ""):
        probe.fail(wrong, loaded, "a script")


def openapi(probe: Probe, page: Exchange, url: str, missing: str, wrong: str) -> Exchange:
    """The OpenAPI document that a docs page names, if it is one."""
    document = probe.follow(url, page.url)
    if document is None:
        probe.fail(wrong, page, f"an OpenAPI document of this origin, and not {url}")
    if document.status == _NOT_FOUND:  # by the proxy, if the prefix is missing in the URL
        probe.fail(missing, document, f"the OpenAPI document that {page.url} names")
    content = probe.expect(document).json()
    if not isinstance(content, dict) or "openapi" not in content:
        probe.fail(wrong, document, "an OpenAPI document")
    return document
