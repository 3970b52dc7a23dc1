"""Where a topology is not transparent is told."""

from tests.topologies.labs import Public


def test_contract(public: Public) -> None:
    assert public.verdict("limits") == "recorded"


def test_a_semicolon_is_an_ampersand_for_traefik_alone(public: Public) -> None:
    told = public.get("/api/v1/request?a=1;b=2").json()["query_string"]

    assert told == ("a=1&b=2" if public.cell.topology.proxy == "traefik" else "a=1;b=2")
