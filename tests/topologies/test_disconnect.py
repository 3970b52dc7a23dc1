"""The application notices that the client of a stream has left."""

import secrets

from tests.topologies.labs import Public


def test_contract(public: Public) -> None:
    assert public.verdict("disconnect") == "pass"


def test_it_is_noticed(public: Public) -> None:
    token = secrets.token_hex(8)
    with public.get(f"/api/v1/endless/{token}", stream=True) as answer:
        assert next(answer.iter_lines()).startswith(b": ")

    assert public.get(f"/api/v1/endless/{token}/left?seconds=10").json() == {
        "asked": True,
        "left": True,
    }
