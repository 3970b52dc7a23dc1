"""Client, scheme and host as the proxy saw them, and the `X-Forwarded-*` that tell of them."""

import pytest

from hoplab.topology import Mode
from tests.topologies.labs import Public


def test_contract(public: Public) -> None:
    assert public.verdict("client") == "pass"


def test_scope(public: Public) -> None:
    scope = public.scope()

    assert scope["scheme"] == public.scheme
    assert scope["client"][0] == public.client
    assert header(scope, "Host") == [public.host]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        pytest.param("X-Forwarded-For", "{0.client}", id="for"),
        pytest.param("X-Forwarded-Proto", "{0.scheme}", id="proto"),
        pytest.param("X-Forwarded-Host", "{0.host}", id="host"),
        pytest.param("X-Real-IP", "{0.client}", id="real-ip"),
    ],
)
def test_header_that_the_proxy_sets(public: Public, name: str, value: str) -> None:
    assert header(public.scope(), name) == [value.format(public)]


def test_prefix_is_told_where_it_was_stripped(public: Public) -> None:
    told = {Mode.STRIP: ["/api/v1"], Mode.PRESERVE: []}[public.cell.topology.mode]

    assert header(public.scope(), "X-Forwarded-Prefix") == told


def header(scope: dict[str, list[list[str]]], name: str) -> list[str]:
    """Each value of a header that the proxy passed on."""
    return [value for key, value in scope["headers"] if key.lower() == name.lower()]
