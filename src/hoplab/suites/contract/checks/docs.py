import re

from hoplab.client.probe import Probe, resolved
from hoplab.client.target import Purpose, needs
from hoplab.client.wire import Exchange

# FastAPI's Swagger UI page has `url: '/api/v1/openapi.json'`, its ReDoc page has `spec-url="…"`.
_NAMES_OPENAPI = {
    "docs": re.compile(r"""\burl:\s*'([^']+)'"""),
    "redoc": re.compile(r"""\bspec-url="([^"]+)\""""),
}
_NAMES_OAUTH2 = re.compile(r"""\boauth2RedirectUrl:\s*window\.location\.origin\s*\+\s*'([^']+)'""")


@needs(Purpose.DOCS)
def docs(probe: Probe) -> str:
    """Do the docs pages load, and does the OpenAPI URL that they name?

    Symptoms: `docs-unreachable`, `docs-openapi-404`.
    """
    page = load_docs(probe, "", "docs-unreachable", "docs-openapi-404")
    oauth2 = _NAMES_OAUTH2.search(page.body.decode())
    if oauth2 is None:
        probe.fail("docs-unreachable", page, "a page that names its OAuth2 redirect page")
    redirect_page = probe.follow(oauth2[1], page.url)
    if redirect_page is None or not probe.answers(redirect_page):
        probe.fail("docs-unreachable", redirect_page or page, "the OAuth2 redirect page")
    return f"{page}, ReDoc, the OAuth2 redirect page and the OpenAPI document that they name"


def load_docs(probe: Probe, mount: str, unreachable: str, openapi_404: str) -> Exchange:
    """Load both docs pages of the application at `mount` and their OpenAPI; the Swagger UI page."""
    pages = {}
    loaded: set[str] = set()  # both pages name the same document, if all is right
    for name, pattern in _NAMES_OPENAPI.items():
        page = probe.get(f"{mount}/{name}")
        named = pattern.search(page.body.decode("utf-8", "replace"))
        if not probe.answers(page) or named is None:
            probe.fail(unreachable, page, "200 and a page that names its OpenAPI URL")
        pages[name] = page
        if (url := resolved(page.url, named[1])) in loaded:
            continue
        openapi = probe.follow(url, page.url)
        if openapi is None or not probe.answers(openapi) or "openapi" not in (openapi.json() or ()):
            probe.fail(openapi_404, openapi or page, f"the OpenAPI document that {page.url} names")
        loaded.add(url)
    return pages["docs"]
