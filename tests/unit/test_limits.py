"""What the check `limits` tells of a topology, and when it can't."""

import pytest
from starlette.types import Scope

from hoplab.results import Verdict
from tests.unit.stub import Stub, altered, as_it_is, scoped, told
from tests.unit.transparency_faults import REFUSED, if_, of_body, query

PATH = "/scope/a//b"


def test_limits_are_recorded(stub: Stub) -> None:
    finding = stub.ask("limits")

    assert (finding.verdict, finding.symptom) == (Verdict.RECORDED, None)
    assert finding.detail == (
        "?a=1;b=2 arrives as ?a=1;b=2; /scope/a//b arrives as /scope/a//b;"
        " a cookie of 48 KiB arrives; early hints: none; trailers: none"
    )


def test_cookies_of_12_24_and_48_kib_are_sent(stub: Stub) -> None:
    sent = [header for each in stub.ask("limits").exchanges for header in each.sent]

    cookies = [value for name, value in sent if name == "Cookie"]
    assert cookies == [f"a={'c' * kib * 1024}" for kib in (12, 24, 48)]


def test_a_query_that_arrives_otherwise_is_told(stub: Stub) -> None:
    stub.serve(as_it_is, query(lambda q: q.replace(b";", b"&")))

    assert stub.ask("limits").detail.startswith("?a=1;b=2 arrives as ?a=1&b=2; ")


@pytest.mark.parametrize(
    ("raw_path", "shown"),
    [
        ("/scope/a/b", "/scope/a/b"),
        ("/api/v1/scope/a/b", "/scope/a/b"),
        ("/api/v1/scope/a//scope", "/scope/a//scope"),
        ("/other/a/b", "/other/a/b"),
    ],
)
def test_a_path_that_arrives_otherwise_is_told_without_the_prefix(
    stub: Stub, raw_path: str, shown: str
) -> None:
    stub.serve(as_it_is, altered(PATH, told(lambda _: {"raw_path": raw_path})))

    assert f"; /scope/a//b arrives as {shown}; " in stub.ask("limits").detail


@pytest.mark.parametrize("body", [b"404 page not found", b'["raw_path"]', b'{"path": "/scope"}'])
def test_a_path_that_does_not_arrive_is_told(stub: Stub, body: bytes) -> None:
    stub.serve(as_it_is, altered(PATH, of_body(body)))

    assert "; /scope/a//b arrives as not at all; " in stub.ask("limits").detail


@pytest.mark.parametrize(("most", "kib"), [(8_000, 12), (20_000, 24), (40_000, 48)])
def test_the_first_cookie_that_the_proxy_refuses_is_told(stub: Stub, most: int, kib: int) -> None:
    def is_larger(scope: Scope) -> bool:
        return any(len(value) > most for _, value in scope["headers"])

    stub.serve(as_it_is, if_(is_larger, lambda _: REFUSED))

    shown = f"; a cookie of {kib} KiB is 405 (by the proxy); early hints: "
    assert shown in stub.ask("limits").detail


@pytest.mark.parametrize(
    ("offered", "shown"),
    [
        ("http.response.trailers", "early hints: none; trailers: offered"),
        ("http.response.early_hint", "early hints: offered; trailers: none"),
    ],
)
def test_what_the_server_offers_is_told(stub: Stub, offered: str, shown: str) -> None:
    stub.serve(scoped(extensions={offered: {}}), as_it_is)

    assert stub.ask("limits").detail.endswith(f"; {shown}")
