"""ForwardedPrefixMiddleware: who may say a prefix, what a prefix looks like, and what is logged."""

import asyncio
import logging
from collections.abc import Iterable
from typing import Any
from urllib.parse import unquote

import pytest

from app.forwarded_prefix_middleware import ForwardedPrefixMiddleware
from tests.unit.forwarded_prefix import PROXY, STRANGER, a_scope, passed_on, paths

# --- who may say it ---

ANYONE = [PROXY, STRANGER, ("::1", 1), None, ["unix:/run/app.sock", 0], ("", 0)]


@pytest.mark.parametrize(
    ("trusted", "client"),
    [
        pytest.param("127.0.0.1", PROXY, id="v4"),
        pytest.param("127.0.0.1", list(PROXY), id="client-as-list"),
        pytest.param("10.0.0.5/24", ("10.0.0.9", 1), id="network-with-host-bits"),
        pytest.param("unix:", None, id="unix-socket"),
        pytest.param("testclient, nginx", ("testclient", 1), id="name"),
        pytest.param("127.0.0.0/8", ("127.9.9.9", 1), id="v4-network"),
        pytest.param("10.0.0.0/255.0.0.0", ("10.9.9.9", 1), id="v4-netmask"),
        pytest.param("0.0.0.0/0", STRANGER, id="v4-all"),
        pytest.param("2001:db8::7", ("2001:0DB8:0::0007", 1), id="v6-other-spelling"),
        pytest.param("fd00::/8", ("fd12::1", 1), id="v6-network"),
        pytest.param("fe80::/10", ("fe80::1%eth0", 1), id="v6-link-local-peer"),
        pytest.param("127.0.0.1", ("::ffff:127.0.0.1", 1), id="mapped-peer"),
        pytest.param("127.0.0.0/8", ("::ffff:7f00:1", 1), id="mapped-peer-in-hex"),
        pytest.param("::ffff:127.0.0.1", PROXY, id="mapped-entry"),
        pytest.param("::ffff:127.0.0.0/104", ("::ffff:127.0.0.9", 1), id="mapped-network"),
        pytest.param("10.0.0.1, ::1,127.0.0.1", PROXY, id="last-of-list"),
        pytest.param(["::1", " 127.0.0.1 "], PROXY, id="iterable"),
        pytest.param({"127.0.0.1"}, PROXY, id="set"),
        *(pytest.param("*", client, id=f"all-{client}") for client in ANYONE),
        pytest.param("10.0.0.1, *", STRANGER, id="all-in-list"),
        pytest.param(["*"], None, id="all-in-iterable"),
    ],
)
def test_trusted_peer_is_believed(trusted: str | Iterable[str], client: Any) -> None:
    got = passed_on(a_scope("/x", b"/api", client=client), trusted=trusted)

    assert paths(got) == ("/api", "/api/x", b"/api/x")


@pytest.mark.parametrize(
    ("trusted", "client"),
    [
        pytest.param("127.0.0.1", STRANGER, id="v4"),
        pytest.param("127.0.0.1", ("127.0.0.10", 1), id="v4-longer"),
        pytest.param("10.0.0.0/8", ("11.0.0.1", 1), id="v4-network"),
        pytest.param("::1", PROXY, id="v4-is-not-v6"),
        pytest.param("::/0", ("::ffff:203.0.113.9", 1), id="mapped-peer-is-v4"),
        pytest.param("fd00::/8", ("fe00::1", 1), id="v6-network"),
        pytest.param("0.0.0.0/0, ::/0", None, id="unix-socket"),
        pytest.param("0.0.0.0/0, ::/0", ("", 0), id="no-address"),
        pytest.param("0.0.0.0/0, ::/0", ("testclient", 1), id="name"),
        pytest.param("0.0.0.0/0, ::/0", ("/run/app.sock", 1), id="socket-path"),
        pytest.param("0.0.0.0/0, ::/0", ("127.0.0.1:80", 1), id="address-and-port"),
        pytest.param("0.0.0.0/0, ::/0", (None, None), id="null-address"),
        *(pytest.param("", client, id=f"nobody-{client}") for client in ANYONE),
        pytest.param(" ", PROXY, id="nobody-blank"),
        pytest.param([], PROXY, id="nobody-iterable"),
    ],
)
def test_other_peer_is_not_believed(
    trusted: str | Iterable[str], client: Any, caplog: pytest.LogCaptureFixture
) -> None:
    scope = a_scope("/x", b"/api", client=client)

    assert passed_on(scope, trusted=trusted) == scope
    assert paths(passed_on(scope, trusted=trusted, prefix="/fixed"))[0] == "/fixed"
    assert passed_on(a_scope("/x", b"//bad", client=client), trusted=trusted)["path"] == "/x"
    assert not caplog.records, "a stranger can write to the log"


def test_who_is_trusted_has_to_be_said() -> None:
    with pytest.raises(TypeError, match="required keyword-only argument: 'trusted'"):
        ForwardedPrefixMiddleware(no_app, prefix="/api")  # type: ignore[call-arg]


def test_scope_without_client_is_not_believed() -> None:
    scope = a_scope("/x", b"/api")
    del scope["client"]

    assert passed_on(scope)["path"] == "/x"


# --- what a prefix looks like ---

GOOD = [
    pytest.param("/api", "/api", id="one-segment"),
    pytest.param("/api/v1", "/api/v1", id="two-segments"),
    pytest.param("/api/v1/", "/api/v1", id="trailing-slash"),
    pytest.param("/X", "/X", id="one-letter"),
    pytest.param("/A-z_0.9~!$()*+;=:@", "/A-z_0.9~!$()*+;=:@", id="every-plain-character"),
    pytest.param("/..a/b../...", "/..a/b../...", id="dots-in-names"),
    pytest.param("/%E2%82%AC/%F0%9F%8D%95", "/€/🍕", id="encoded-utf-8"),
    pytest.param("/%61pi", "/api", id="needlessly-encoded"),
    pytest.param("/a%2Cb", "/a,b", id="encoded-comma"),
]

BAD = [
    pytest.param("api/v1", id="relative"),
    pytest.param("https://evil.example/api", id="url"),
    pytest.param("javascript:alert(1)", id="scheme"),
    pytest.param("//evil.example", id="two-slashes"),
    pytest.param("///evil.example", id="three-slashes"),
    pytest.param("//", id="only-slashes"),
    pytest.param("/api//v1", id="empty-segment"),
    pytest.param("/api//", id="empty-last-segment"),
    pytest.param("/\\evil.example", id="slash-backslash"),
    pytest.param("/api\\v1", id="backslash"),
    pytest.param("/api?q=1", id="query"),
    pytest.param("/api#top", id="fragment"),
    pytest.param("/my api", id="space"),
    pytest.param("/api\r\nSet-Cookie: a=b", id="line-break"),
    pytest.param("/api\n", id="trailing-line-break"),
    pytest.param("/api\x00", id="null"),
    pytest.param("/api\x7f", id="delete"),
    pytest.param("/café", id="non-ascii"),
    pytest.param("/api/.", id="dot"),
    pytest.param("/./api", id="leading-dot"),
    pytest.param("/api/../admin", id="dot-dot"),
    pytest.param("/..", id="only-dot-dot"),
    pytest.param("/../", id="dot-dot-slash"),
    pytest.param("/api/%2e", id="encoded-dot"),
    pytest.param("/api/%2E%2e/admin", id="encoded-dot-dot"),
    pytest.param("/api/.%2e", id="half-encoded-dot-dot"),
    pytest.param("/%252e%252e", id="twice-encoded-dot-dot"),
    pytest.param("/a%25", id="encoded-percent"),
    pytest.param("/%2fevil.example", id="encoded-slash"),
    pytest.param("/%2Fevil.example", id="encoded-slash-upper"),
    pytest.param("/%5cevil.example", id="encoded-backslash"),
    pytest.param("/a%3Fb", id="encoded-query"),
    pytest.param("/a%23b", id="encoded-fragment"),
    pytest.param("/a%00", id="encoded-null"),
    pytest.param("/a%0d%0ab", id="encoded-line-break"),
    pytest.param("/a%7F", id="encoded-delete"),
    pytest.param("/a%C2%85", id="encoded-next-line"),
    pytest.param("/a%E2%80%AE", id="encoded-right-to-left"),
    pytest.param("/a%", id="percent-alone"),
    pytest.param("/a%2", id="percent-half"),
    pytest.param("/a%zz", id="percent-not-hex"),
    pytest.param("/a%FF", id="encoded-not-utf-8"),
    pytest.param("/a%C0%AF", id="encoded-overlong-slash"),
    pytest.param("/a%ED%A0%80", id="encoded-surrogate"),
    pytest.param("/a'b", id="quote"),
    pytest.param('/a"b', id="double-quote"),
    pytest.param("/a<b>", id="angle-brackets"),
    pytest.param("/a&b", id="ampersand"),
    pytest.param("/a%27b", id="encoded-quote"),
    pytest.param("/a%22b", id="encoded-double-quote"),
    pytest.param("/a%3Cb", id="encoded-less-than"),
    pytest.param("/a%3Eb", id="encoded-greater-than"),
    pytest.param("/a%26quot;", id="encoded-ampersand"),
    pytest.param("/a%60", id="encoded-backtick"),
]

LISTS = [  # in a header alone: the argument is one prefix
    pytest.param([b"/api", b"/v1"], "/api/v1", id="two"),
    pytest.param([b"/api", b"/api"], "/api/api", id="two-alike"),
    pytest.param([b"/api/", b"/v1/"], "/api/v1", id="trailing-slashes"),
    pytest.param([b"/a/b", b"/c", b"/d"], "/a/b/c/d", id="three"),
    pytest.param([b"/api,/v1"], "/api/v1", id="comma"),
    pytest.param([b"/api ,\t/v1"], "/api/v1", id="comma-and-space"),
    pytest.param([b"/api, /v1", b"/x"], "/api/v1/x", id="comma-in-two"),
    pytest.param([b"", b"/api"], "/api", id="first-empty"),
    pytest.param([b"/api", b""], "/api", id="second-empty"),
    pytest.param([b"/api,"], "/api", id="comma-at-the-end"),
    pytest.param([b"/", b"/api"], "/api", id="first-is-slash"),
    pytest.param([b" /api "], "/api", id="spaces-around"),
    pytest.param([b"/caf%c3%a9", b"/%7e"], "/café/~", id="encoded"),
]

BAD_LISTS = [
    pytest.param([b"/api", b"v1"], id="second-relative"),
    pytest.param([b"api", b"/v1"], id="first-relative"),
    pytest.param([b"/", b"/", b"//evil.example"], id="third-is-a-host"),
    pytest.param([b"//", b"/api"], id="two-slashes-first"),
    pytest.param([b"/%4", b"1"], id="one-escape-in-two"),
    pytest.param([b"/api", b"/.", b"./x"], id="dots-in-two"),
    pytest.param([b"/api, https://evil.example"], id="url"),
]

NONE = [pytest.param("", id="empty"), pytest.param("/", id="slash")]


@pytest.mark.parametrize(("value", "root_path"), GOOD)
def test_good_prefix(value: str, root_path: str) -> None:
    raw_path = value.removesuffix("/").encode() + b"/x"

    for got in (passed_on(a_scope("/x", value.encode())), passed_on(a_scope("/x"), prefix=value)):
        assert paths(got) == (root_path, root_path + "/x", raw_path)


@pytest.mark.parametrize("value", BAD)
def test_bad_header_is_ignored_and_logged(value: str, caplog: pytest.LogCaptureFixture) -> None:
    scope = a_scope("/x", value.encode())

    assert passed_on(scope) == scope
    [record] = caplog.records
    assert (record.levelno, record.name) == (logging.WARNING, "app.forwarded_prefix_middleware")
    assert repr(value.encode()) in record.getMessage()
    assert "expected one absolute path" in record.getMessage()
    assert record.getMessage().isprintable()
    assert record.getMessage().isascii()


@pytest.mark.parametrize("value", BAD)
def test_bad_header_leaves_the_fixed_prefix(value: str) -> None:
    assert paths(passed_on(a_scope("/x", value.encode()), prefix="/fixed"))[0] == "/fixed"


@pytest.mark.parametrize("value", [b"/caf\xe9", b"/\xff", b"/\x80"])
def test_header_that_is_not_utf_8(value: bytes) -> None:
    assert passed_on(a_scope("/x", value))["path"] == "/x"


@pytest.mark.parametrize("value", NONE)
def test_header_without_a_prefix_counts_as_absent(
    value: str, caplog: pytest.LogCaptureFixture
) -> None:
    scope = a_scope("/x", value.encode())

    assert passed_on(scope) == scope
    assert paths(passed_on(scope, prefix="/fixed"))[0] == "/fixed"
    assert not caplog.records


@pytest.mark.parametrize(("values", "root_path"), LISTS)
def test_several_headers_are_joined_in_their_order(values: list[bytes], root_path: str) -> None:
    got = passed_on(a_scope("/x", *values))

    assert (got["root_path"], got["path"]) == (root_path, f"{root_path}/x")
    assert unquote(got["raw_path"].decode()) == got["path"]


@pytest.mark.parametrize("values", BAD_LISTS)
def test_one_bad_header_of_several_spoils_all(
    values: list[bytes], caplog: pytest.LogCaptureFixture
) -> None:
    scope = a_scope("/x", *values)

    assert passed_on(scope) == scope
    assert paths(passed_on(scope, prefix="/fixed"))[0] == "/fixed"
    assert repr(b", ".join(values)) in caplog.records[0].getMessage()


@pytest.mark.parametrize("values", [[b"/", b"/"], [b""], [b",,"], [b"", b"/"]])
def test_several_headers_without_a_prefix(
    values: list[bytes], caplog: pytest.LogCaptureFixture
) -> None:
    scope = a_scope("/x", *values)

    assert passed_on(scope) == scope
    assert not caplog.records


@pytest.mark.parametrize("prefix", [" /api", "/api ", "/api\t", "/a,/b", "/a,"])
def test_the_fixed_prefix_is_no_list(prefix: str) -> None:
    with pytest.raises(ValueError, match="expected one absolute path such as /api/v1"):
        ForwardedPrefixMiddleware(no_app, prefix=prefix, trusted="")


# --- the log ---


def passed_on_many(values: Iterable[bytes]) -> None:
    async def app(*_: object) -> None:
        pass

    async def run() -> None:
        middleware = ForwardedPrefixMiddleware(app, trusted="*")
        for value in values:
            await middleware(a_scope("/x", value), app, app)

    asyncio.run(run())


def test_each_bad_value_is_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    passed_on_many([b"bad", b"worse", b"bad", b"worse", b"bad"])

    assert [repr(b"bad") in r.getMessage() for r in caplog.records] == [True, False]


def test_log_cannot_be_flooded_by_different_values(caplog: pytest.LogCaptureFixture) -> None:
    passed_on_many(b"bad%d" % number for number in range(1000))

    assert len(caplog.records) == 20


def test_long_value_is_cut_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    passed_on_many(bytes(60_000) + b"%d" % number for number in range(3))

    [record] = caplog.records
    assert record.getMessage() == (
        f"ignored X-Forwarded-Prefix {bytes(100)!r}: expected one absolute path such as /api/v1,"
        " percent-encoded as in a URL: no empty or dot segment, query, fragment, comma, quote,"
        " encoded slash or control character"
    )


# --- the constructor ---


async def no_app(*_: object) -> None:
    """Never called."""


@pytest.mark.parametrize("value", BAD)
def test_bad_fixed_prefix_is_refused(value: str) -> None:
    with pytest.raises(ValueError, match="expected one absolute path such as /api/v1") as caught:
        ForwardedPrefixMiddleware(no_app, prefix=value, trusted="")

    assert repr(value) in str(caught.value)


def test_fixed_prefix_with_a_lone_surrogate_is_refused() -> None:
    with pytest.raises(ValueError, match=r"'/\\udcff': expected one absolute path"):
        ForwardedPrefixMiddleware(no_app, prefix="/\udcff", trusted="")


@pytest.mark.parametrize("value", [pytest.param(None, id="none"), *NONE])
def test_no_fixed_prefix(value: str | None) -> None:
    scope = a_scope("/x")

    assert passed_on(scope, prefix=value) == scope
