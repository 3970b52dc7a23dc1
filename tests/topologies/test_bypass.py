"""A stranger past the proxy is not believed; where that can't be asked, it does not look asked."""

from tests.topologies.labs import Public


def test_contract(public: Public) -> None:
    expected = "pass" if public.endpoint.source else "not-applicable"

    assert public.verdict("bypass").partition(":")[0] == expected
