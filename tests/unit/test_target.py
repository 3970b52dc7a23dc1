"""What is known of a target decides what it can be asked; a URL alone makes one."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import pytest

from app import plain
from hoplab.client.explored import Explored
from hoplab.client.target import (
    Knowledge,
    Limits,
    Need,
    Purpose,
    Target,
    at,
    needs,
    needs_of,
)
from hoplab.results import Verdict
from hoplab.suites import SUITES
from hoplab.suites.asking import ask_one
from hoplab.suites.check import Check
from hoplab.topology import Cell, Scheme, Strategy, Trust
from tests.unit.check_faults import NOT_FOUND
from tests.unit.cors_faults import variant
from tests.unit.stub import LOOPBACK, PREFIX, TOPOLOGY, Stub, as_it_is, instead, listening

CONTRACT, CORS = SUITES["contract"], SUITES["cors"]

# --- a URL alone ---


@pytest.mark.parametrize(
    ("url", "base", "prefix", "address"),
    [
        pytest.param("http://x", "http://x", "", ("x", 80), id="no prefix"),
        pytest.param("https://x/", "https://x", "", ("x", 443), id="no prefix, slash"),
        pytest.param("http://x/api", "http://x/api", "/api", ("x", 80), id="prefix"),
        pytest.param(
            "https://x:9499/api/v1/", "https://x:9499/api/v1", "/api/v1", ("x", 9499), id="slash"
        ),
        pytest.param("http://x/api//", "http://x/api", "/api", ("x", 80), id="slashes"),
        pytest.param("http://x:80/a", "http://x/a", "/a", ("x", 80), id="default port"),
        pytest.param("http://[::1]:8000/a", "http://[::1]:8000/a", "/a", ("::1", 8000), id="IPv6"),
        pytest.param("http://x:1/apiX/", "http://x:1/apiX", "/apiX", ("x", 1), id="smallest port"),
        pytest.param("HTTP://X/A", "http://x/A", "/A", ("x", 80), id="capitals"),
        pytest.param("http://x/a?q=1#top", "http://x/a", "/a", ("x", 80), id="query, fragment"),
        pytest.param(
            "http://x/caf%C3%A9/", "http://x/caf%C3%A9", "/caf%C3%A9", ("x", 80), id="encoded"
        ),
    ],
)
def test_a_url_alone_makes_a_target(
    url: str, base: str, prefix: str, address: tuple[str, int]
) -> None:
    target = at(url)

    origin = base.removesuffix(prefix)
    assert (target.base, target.prefix, target.origin) == (base, prefix, origin)
    assert target.scheme == origin.partition(":")[0]
    assert target.addresses == {origin: address}
    assert target == Target(base, {origin: address}), "more is known of it"


def test_what_is_not_told_is_not_known() -> None:
    target = at("https://x/api")

    assert (target.authority, target.source, target.unsafe) == (None, None, False)
    assert (target.instance, target.root_path, target.prefix_root) == (None, None, None)
    assert (target.client, target.direct) == (None, None)
    assert (target.routes, target.right) == ({}, {})
    assert target.limits == Limits(seconds=15.0, upload=2**18)


def test_the_prefix_as_asgi_has_it() -> None:
    assert at("http://x/caf%C3%A9/%7Ba%7D").prefix_decoded == "/café/{a}"
    assert at("http://x").prefix_decoded == ""


@pytest.mark.parametrize(
    "url",
    [
        "",
        "x",
        "/api",
        "//x/api",
        "x:80",
        "http:",
        "http://",
        "http:///api",
        "ftp://x",
        "ws://x",
        "http://x:0",
    ],
)
def test_what_is_no_url_of_http_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="is no http or https URL") as refused:
        at(url)

    assert repr(url) in str(refused.value)


@pytest.mark.parametrize("url", ["http://me:secret@x/", "http://me@x/", "http://@x/"])
def test_a_url_that_names_a_user_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="names a user: send credentials as a header") as refused:
        at(url)

    assert str(refused.value).startswith(repr(url))


@pytest.mark.parametrize("url", ["http://x:port/", "http://x:99999", "http://[::1/"])
def test_a_port_or_host_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match=r"Port|IPv6"):
        at(url)


# --- what it lacks ---

EVERYTHING: list[Need] = [*Purpose, *Knowledge]


def knowing(*known: Need, of: Target) -> Target:
    """The target, of which only this is known."""
    return replace(
        of,
        base=of.base if Knowledge.PREFIX in known else of.origin,
        routes={purpose: of.routes.get(purpose, "/") for purpose in Purpose if purpose in known},
        instance=of.instance if Knowledge.INSTANCE in known else None,
        root_path=of.root_path if Knowledge.ROOT_PATH in known else None,
        unsafe=Knowledge.UNSAFE in known,
        lab_application=Knowledge.SERVERS in known,
        right=of.right if Knowledge.POLICIES in known else {},
        explored=of.explored if Knowledge.EXPLORED in known else None,
    )


WHOLE = replace(
    at("http://x/api"),
    instance="nonce",
    root_path="",
    prefix_root="/api",
    unsafe=True,
    lab_application=True,
    right={"policy": {}},
    explored=Explored(),
    routes=dict.fromkeys(Purpose, "/"),
)


def test_a_url_alone_lacks_everything() -> None:
    for need in EVERYTHING:
        assert at("http://x").lacks([need]) is need


@pytest.mark.parametrize("missing", EVERYTHING)
def test_the_one_that_is_missing_is_told(missing: Need) -> None:
    others = [need for need in EVERYTHING if need is not missing]
    target = knowing(*others, of=WHOLE)

    assert target.lacks(others) is None
    assert target.lacks(EVERYTHING) is missing


def test_of_several_that_are_missing_the_first_is_told() -> None:
    target = knowing(Purpose.GREETING, of=WHOLE)

    assert target.lacks([Purpose.GREETING, Knowledge.UNSAFE, Purpose.MOUNT]) is Knowledge.UNSAFE
    assert target.lacks([Purpose.MOUNT, Knowledge.UNSAFE]) is Purpose.MOUNT


def test_nothing_is_lacked_where_nothing_is_needed() -> None:
    assert at("http://x").lacks([]) is None
    assert WHOLE.lacks(EVERYTHING) is None, "an empty root_path is known"


def test_a_check_says_what_it_needs() -> None:
    @needs(Knowledge.UNSAFE, Purpose.ECHO)
    def one(_probe: Any) -> str:
        return "well"

    def other(_probe: Any) -> str:
        return "well"

    assert needs_of(one) == (Knowledge.UNSAFE, Purpose.ECHO)
    assert needs_of(other) == ()
    assert one(None) == "well"


# --- every check, asked of a URL ---

LACKED: Mapping[str, str] = {
    "reach": "the root_path that it should have",
    "slash-redirect": "a route that redirects to itself with a slash",
    "docs": "a docs page",
    "servers": "the root_path that it should have",
    "url-for": "a route that tells the ASGI scope",
    "mount": "the root_path that it should have",
    "static": "a mounted static file",
    "websocket": "the root_path that it should have",
    "client": "a route that tells the ASGI scope",
    "spoof": "a route that tells the ASGI scope",
    "bypass": "the identity of its instance",
    "boundary": "the identity of its instance",
    "prefix-once": "the identity of its instance",
    "stream": "that it may be asked with any method",
    "direct": "the identity of its instance",
    "requests": "that it may be asked with any method",
    "answers": "that it may be asked with any method",
    "isolation": "that it may be asked with any method",
    "routes": "that it may be asked with any method",
    "websocket-messages": "a WebSocket that sends back what it gets",
    "disconnect": "a stream without an end, and whether its client has left",
    "limits": "a route that tells the request as it came",
    "preflight": "what CORS policies its paths should have",
    "simple": "what CORS policies its paths should have",
    "errors": "what CORS policies its paths should have",
    "order": "the identity of its instance",
    "hostile": "what CORS policies its paths should have",
    "metrics": "Prometheus' metrics",
}
"""What each check misses where nothing is known but the URL."""

CHECKS: Mapping[str, Check] = {**CONTRACT.checks, **CORS.checks}


def with_docs(url: str) -> Target:
    """Of which it is known that it has docs pages."""
    return replace(at(url), routes={Purpose.DOCS: "/docs"})


def url_of(stub: Stub, path: str = PREFIX) -> str:
    return f"http://{LOOPBACK}:{stub.endpoint.ports[Scheme.HTTP]}{path}"


def test_every_check_is_asked_here() -> None:
    assert list(LACKED) == list(CHECKS)


@pytest.mark.parametrize("check", CHECKS)
def test_of_a_url_alone_nothing_is_judged(stub: Stub, check: str) -> None:
    finding = ask_one(check, CHECKS[check], at(url_of(stub)))

    assert (finding.check, finding.verdict) == (check, Verdict.NOT_APPLICABLE)
    assert (finding.symptom, finding.detail) == (None, f"not known here: {LACKED[check]}")
    assert (finding.exchanges, stub.seen) == ((), []), "it was asked all the same"


@pytest.mark.parametrize("path", [PREFIX, f"{PREFIX}/", f"{PREFIX}//", f"{PREFIX}/?q=1"])
def test_docs_below_a_url_in_any_form(stub: Stub, path: str) -> None:
    finding = ask_one("docs", CHECKS["docs"], with_docs(url_of(stub, path)))

    assert finding.verdict is Verdict.PASS, finding.detail
    assert finding.exchanges[0].url == url_of(stub, f"{PREFIX}/docs")


@pytest.fixture(scope="module")
def unproxied() -> Iterator[int]:
    """The application itself, without a prefix."""
    with listening(plain.app) as port:
        yield port


@pytest.mark.parametrize("path", ["", "/"])
def test_docs_of_a_url_without_a_prefix(unproxied: int, path: str) -> None:
    finding = ask_one("docs", CHECKS["docs"], with_docs(f"http://{LOOPBACK}:{unproxied}{path}"))

    assert finding.verdict is Verdict.PASS, finding.detail
    assert finding.exchanges[0].url == f"http://{LOOPBACK}:{unproxied}/docs"


@pytest.mark.parametrize(
    ("path", "broken", "symptom"),
    [
        pytest.param("/other", "/nothing", "docs-unreachable", id="another prefix"),
        pytest.param("", "/nothing", "docs-unreachable", id="no prefix"),
        pytest.param(PREFIX, "/redoc", "docs-unreachable", id="no ReDoc"),
        pytest.param(PREFIX, "/openapi.json", "docs-openapi-404", id="no OpenAPI"),
    ],
)
def test_what_is_wrong_below_a_url_is_found(
    stub: Stub, path: str, broken: str, symptom: str
) -> None:
    stub.serve(as_it_is, instead(broken, NOT_FOUND))

    finding = ask_one("docs", CHECKS["docs"], with_docs(url_of(stub, path)))

    assert (finding.verdict, finding.symptom) == (Verdict.FAIL, symptom), finding.detail


# --- what a check says it needs is what it needs ---

CELL = Cell(TOPOLOGY, Strategy.SERVER_OPTION, Trust.PROXY, Scheme.HTTP, "cors-single")


def everything_known(stub: Stub, check: str) -> Target:
    """Of the right deployment that the check is for."""
    suite = CONTRACT if check in CONTRACT.checks else CORS
    stub.serve(as_it_is, as_it_is, plain.app if suite is CONTRACT else variant("single"))
    return stub.target(CELL, suite)


@pytest.mark.usefixtures("quick_checks")
@pytest.mark.parametrize(
    "check", [name for name in CHECKS if name not in {"direct", "limits", "bypass"}]
)
def test_what_a_check_needs_is_enough(stub: Stub, check: str) -> None:
    needed = {*needs_of(CHECKS[check]), Knowledge.PREFIX}  # there the deployment answers
    target = knowing(*needed, of=everything_known(stub, check))

    finding = ask_one(check, CHECKS[check], target)

    assert finding.verdict is Verdict.PASS, finding.detail


@pytest.mark.parametrize(
    ("check", "missing"),
    [
        pytest.param(check, need, id=f"{check}: {need.name}")
        for check in CHECKS
        for need in needs_of(CHECKS[check])
    ],
)
def test_without_what_a_check_needs_it_is_not_asked(stub: Stub, check: str, missing: Need) -> None:
    others = [need for need in EVERYTHING if need is not missing]
    target = knowing(*others, of=everything_known(stub, check))

    finding = ask_one(check, CHECKS[check], target)

    assert (finding.verdict, finding.detail) == (
        Verdict.NOT_APPLICABLE,
        f"not known here: {missing.value}",
    )
    assert stub.seen == []
