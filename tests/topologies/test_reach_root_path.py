"""`/app` answers below the public prefix, and the application knows its `root_path`."""

from tests.topologies.labs import Public


def test_contract(public: Public) -> None:
    assert public.verdict("reach") == "pass"


def test_app_reports_root_path(public: Public) -> None:
    answer = public.get("/api/v1/app")

    assert answer.status_code == 200
    assert answer.json() == {"message": "Hello World", "root_path": "/api/v1"}
    assert answer.headers["X-Instance"] == public.endpoint.nonce


def test_scope_has_the_public_path(public: Public) -> None:
    scope = public.scope()

    # ASGI: path and raw_path begin with root_path, whatever the proxy has stripped.
    assert scope["root_path"] == "/api/v1"
    assert scope["path"] == "/api/v1/scope"
    assert scope["raw_path"] == "/api/v1/scope"
