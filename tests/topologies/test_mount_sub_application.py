"""A mounted FastAPI application: its routes, its redirect, its docs."""

from tests.topologies.labs import Public


def test_contract(public: Public) -> None:
    assert public.verdict("mount") == "pass"


def test_route(public: Public) -> None:
    answer = public.get("/api/v1/sub/app")

    assert answer.status_code == 200
    assert answer.json() == {"message": "Hello Sub", "root_path": "/api/v1/sub"}


def test_redirect(public: Public) -> None:
    answer = public.get("/api/v1/sub/items", allow_redirects=True)

    assert answer.url == public.origin + "/api/v1/sub/items/"
    assert answer.json() == ["fleeb", "schleem"]


def test_docs(public: Public) -> None:
    assert "url: '/api/v1/sub/openapi.json'" in public.get("/api/v1/sub/docs").text

    openapi = public.get("/api/v1/sub/openapi.json").json()
    assert openapi["info"]["title"] == "A mounted sub-application"
    assert openapi["servers"] == [{"url": "/api/v1/sub"}]
