"""DOCS_OFFLINE=1: what the pages name is the application's own; nothing else changes."""

import importlib
import re
from collections.abc import Iterator
from types import ModuleType

import pytest
from fastapi import FastAPI

from app import extra_servers, mount, no_root_path_in_servers, plain, router, shared
from hoplab.client.wire import Client
from hoplab.topology import Scheme
from tests.unit.stub import LOOPBACK, Stub, rescoped

PREFIX = "/api/v1"
FILE = r'(<(?:script|link)[^>]* (?:src|href)=)"([^"]+)"'
MOUNTED = (shared.sub_app, extra_servers.app, no_root_path_in_servers.app)
STRATEGIES = [
    pytest.param(plain, PREFIX, id="server-option"),
    pytest.param(mount, "", id="mount"),
    pytest.param(router, "", id="router"),
]


class Served:
    """The strategy's application, below the prefix as a client sees it."""

    def __init__(self, stub: Stub, client: Client, app: FastAPI, root_path: str) -> None:
        self._origin = stub.endpoint.origin(Scheme.HTTP)
        self._client = client
        stub.deployment = rescoped(lambda _: {"root_path": root_path})(app)

    def get(self, path: str, status: int = 200) -> str:
        answer = self._client.request("GET", self._origin + path)
        assert answer.status == status, path
        return answer.body.decode(errors="replace")


@pytest.fixture
def client(stub: Stub) -> Iterator[Client]:
    where = (LOOPBACK, stub.endpoint.ports[Scheme.HTTP])
    client = Client({stub.endpoint.origin(Scheme.HTTP): where}, stub.endpoint.authority)
    yield client
    client.close()


def made(module: ModuleType, value: str | None) -> FastAPI:
    """The module's application as it is with this in the environment; all others stay."""
    before = module.app
    with pytest.MonkeyPatch.context() as patch:
        for app in MOUNTED:
            patch.setattr(app.router, "routes", list(app.router.routes))
        if value is None:
            patch.delenv("DOCS_OFFLINE", raising=False)
        else:
            patch.setenv("DOCS_OFFLINE", value)
        app = importlib.reload(module).app
    module.app = before  # type: ignore[attr-defined] # others have imported it
    assert isinstance(app, FastAPI)
    return app


def named(page: str) -> list[str]:
    """The scripts, styles and pictures that a page asks for."""
    return [url for _, url in re.findall(FILE, page)]


@pytest.mark.parametrize(("module", "root_path"), STRATEGIES)
@pytest.mark.parametrize(("page", "count"), [("docs", 3), ("redoc", 2)])
def test_what_a_page_names_comes_from_the_application_below_its_prefix(
    stub: Stub, client: Client, module: ModuleType, root_path: str, page: str, count: int
) -> None:
    served = Served(stub, client, made(module, "1"), root_path)

    text = served.get(f"{PREFIX}/{page}")

    assert len(named(text)) == count
    for url in named(text):
        assert url.startswith(f"{PREFIX}/docs/files/")
        assert served.get(url)


@pytest.mark.parametrize(("module", "root_path"), STRATEGIES)
def test_nothing_else_changes(
    stub: Stub, client: Client, module: ModuleType, root_path: str
) -> None:
    paths = ("openapi.json", "docs", "redoc", "docs/oauth2-redirect")
    fonts = r'\s+<link href="https://fonts[^>]+>'
    stock, offline = (
        [
            re.sub(FILE, r"\1", re.sub(fonts, "", served.get(f"{PREFIX}/{path}"))).split()
            for path in paths
        ]
        for served in (Served(stub, client, made(module, v), root_path) for v in (None, "1"))
    )

    assert offline == stock


@pytest.mark.parametrize("value", [None, "", "0"])
def test_without_the_variable_the_pages_are_fastapis_own(
    stub: Stub, client: Client, value: str | None
) -> None:
    served = Served(stub, client, made(plain, value), PREFIX)

    assert "https://cdn.jsdelivr.net/npm/swagger-ui-dist@5" in served.get(f"{PREFIX}/docs")
    assert "https://cdn.jsdelivr.net/npm/redoc@2" in served.get(f"{PREFIX}/redoc")
    served.get(f"{PREFIX}/docs/files/swagger-ui.css", status=404)


@pytest.mark.parametrize(
    "name", ["nothing.js", "..%2f__init__.py", "..%2f..%2ffastapi%2f__init__.py"]
)
def test_no_other_file_is_given(stub: Stub, client: Client, name: str) -> None:
    served = Served(stub, client, made(plain, "1"), PREFIX)

    served.get(f"{PREFIX}/docs/files/{name}", status=404)


def test_mounted_applications_have_docs_of_their_own(
    stub: Stub, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    for app in MOUNTED:
        monkeypatch.setattr(app.router, "routes", list(app.router.routes))
    monkeypatch.setenv("DOCS_OFFLINE", "1")
    for _ in range(2):  # a process may make several
        app = shared.create_app()
    served = Served(stub, client, app, PREFIX)

    for path in ("sub", "extra-servers", "no-root-path-in-servers"):
        for url in named(served.get(f"{PREFIX}/{path}/docs")):
            assert url.startswith(f"{PREFIX}/{path}/docs/files/")
            assert served.get(url)
    assert len({id(route) for route in shared.sub_app.routes}) == len(shared.sub_app.routes)
    assert [getattr(r, "path", "") for r in shared.sub_app.routes].count("/docs/files/{name}") == 1
