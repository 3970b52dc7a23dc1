"""Every client gets its own answer."""

from tests.topologies.labs import Public


def test_contract(public: Public) -> None:
    assert public.verdict("isolation") == "pass"


def test_two_clients_are_kept_apart(public: Public) -> None:
    one, two = (
        public.get("/api/v1/request?apart", headers={"Cookie": f"name={name}"}).json()
        for name in ("one", "two")
    )

    assert ["cookie", "name=one"] in one["headers"]
    assert ["cookie", "name=two"] in two["headers"]
    assert one["serial"] != two["serial"]
