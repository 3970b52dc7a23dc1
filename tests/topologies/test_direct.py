"""The application asked directly, past the proxy: as the guide tells it, and where otherwise."""

import pytest

from hoplab.catalogue.servers.server import RootPath
from hoplab.topology import Strategy
from tests.catalogue import CATALOGUE
from tests.topologies.labs import Public

# The docs page names /api/v1/openapi.json. FastAPI's guide: "Failed to load API definition". So it
# is where the server puts the prefix before whatever comes; the others know the path either way.
OPENAPI = {RootPath.PREPENDED: 404, RootPath.LABEL: 200}


def test_contract(public: Public) -> None:
    assert public.verdict("direct") == "recorded"


def test_app_answers(public: Public) -> None:
    assert public.get(direct(public) + "/app").json() == {
        "message": "Hello World",
        "root_path": "/api/v1",
    }


def test_docs_name_the_public_openapi(public: Public) -> None:
    server = CATALOGUE.servers[public.cell.topology.server]
    by_option = public.cell.strategy is Strategy.SERVER_OPTION

    docs = public.get(direct(public) + "/docs")
    openapi = public.get(direct(public) + "/api/v1/openapi.json")

    assert "url: '/api/v1/openapi.json'" in docs.text
    assert openapi.status_code == (OPENAPI[server.root_path] if by_option else 200)


def direct(public: Public) -> str:
    """The application's own origin."""
    if public.endpoint.direct is None:
        pytest.fail("The engine does not tell where the application is.")
    host, port = public.endpoint.direct
    return f"http://{host}:{port}"
