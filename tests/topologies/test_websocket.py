"""WebSockets connect, and their scope is right: outside a mount and in it."""

import pytest

from tests.topologies.labs import Public


def test_contract(public: Public) -> None:
    assert public.verdict("websocket") == "pass"


@pytest.mark.parametrize(
    ("path", "root_path"),
    [
        pytest.param("/api/v1/ws", "/api/v1", id="app"),
        pytest.param("/api/v1/sub/ws", "/api/v1/sub", id="sub-application"),
    ],
)
def test_scope(public: Public, path: str, root_path: str) -> None:
    scheme = {"http": "ws", "https": "wss"}[public.scheme]

    scope = public.receive(path)

    assert scope["type"] == "websocket"
    assert scope["scheme"] == scheme
    assert scope["root_path"] == root_path
    assert scope["path"] == path
    assert scope["url"] == f"{scheme}://{public.host}{path}"
    assert scope["client"][0] == public.client
    assert scope["instance"] == public.endpoint.nonce
