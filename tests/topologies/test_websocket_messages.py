"""A WebSocket carries messages both ways."""

from tests.topologies.labs import Public


def test_contract(public: Public) -> None:
    assert public.verdict("websocket-messages") == "pass"


def test_the_handshake_arrives(public: Public) -> None:
    told = public.receive("/api/v1/ws/mirror", {"Authorization": "Bearer x"})

    assert ["authorization", "Bearer x"] in told["headers"]
    assert told["client"][0] == public.client
