"""ForwardedPrefixMiddleware as a function from the server's ASGI scope to the application's."""

import asyncio
import copy
import json
import logging
from collections.abc import Iterable, MutableMapping
from typing import Any
from urllib.parse import unquote

import pytest
from fastapi import FastAPI, Request, WebSocket

from app.forwarded_prefix_middleware import ForwardedPrefixMiddleware

Scope = dict[str, Any]
Message = MutableMapping[str, Any]

PROXY = ("127.0.0.1", 40000)
STRANGER = ("203.0.113.9", 40000)


def a_scope(path: str = "/x", *headers: bytes, **changes: Any) -> Scope:
    """What a server passes on for `path`, with one X-Forwarded-Prefix for each of `headers`."""
    scope: Scope = {
        "type": "http",
        "method": "GET",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"q=1",
        "headers": [(b"host", b"app.example"), *((b"x-forwarded-prefix", v) for v in headers)],
        "client": PROXY,
    }
    return scope | changes


def passed_on(scope: Scope, **options: Any) -> Scope:
    """The scope that the wrapped application gets; the proxy is trusted if `options` don't say."""
    options.setdefault("trusted", PROXY[0])
    seen: list[Scope] = []

    async def app(scope: Scope, _receive: object, _send: object) -> None:
        seen.append(scope)

    async def unused(*_: object) -> None:
        pytest.fail("the middleware itself receives and sends nothing")

    asyncio.run(ForwardedPrefixMiddleware(app, **options)(scope, unused, unused))
    return seen[0]


def paths(scope: Scope) -> tuple[str | None, str, bytes | None]:
    return scope.get("root_path"), scope["path"], scope.get("raw_path")


# --- what becomes of the paths ---


@pytest.mark.parametrize(
    ("wire", "root_path", "path"),
    [
        pytest.param("/x", "/api/v1", "/api/v1/x", id="plain"),
        pytest.param("/", "/api/v1", "/api/v1/", id="root"),
        pytest.param("", "/api/v1", "/api/v1", id="empty"),
        pytest.param("//x", "/api/v1", "/api/v1//x", id="double-slash"),
        pytest.param("/x/", "/api/v1", "/api/v1/x/", id="trailing-slash"),
        pytest.param("/api/v10/x", "/api/v1", "/api/v1/api/v10/x", id="sibling"),
        pytest.param("/api/v1", "/api/v1", "/api/v1/api/v1", id="doubled-bare"),
        pytest.param("/api/v1/x", "/api/v1", "/api/v1/api/v1/x", id="doubled"),
        pytest.param("*", None, "*", id="asterisk-form"),
        pytest.param("http://a/x", None, "http://a/x", id="absolute-form"),
    ],
)
def test_header_puts_back_what_the_proxy_removed(
    wire: str, root_path: str | None, path: str
) -> None:
    got = passed_on(a_scope(wire, b"/api/v1"))

    assert paths(got) == (root_path, path, path.encode())


@pytest.mark.parametrize(
    ("wire", "root_path", "path"),
    [
        pytest.param("/x", "/api/v1", "/api/v1/x", id="stripped"),
        pytest.param("/", "/api/v1", "/api/v1/", id="stripped-root"),
        pytest.param("", "/api/v1", "/api/v1", id="stripped-empty"),
        pytest.param("/api/v1/x", "/api/v1", "/api/v1/x", id="preserved"),
        pytest.param("/api/v1", "/api/v1", "/api/v1", id="preserved-bare"),
        pytest.param("/api/v1/", "/api/v1", "/api/v1/", id="preserved-bare-slash"),
        pytest.param("/api/v1//x", "/api/v1", "/api/v1//x", id="preserved-double-slash"),
        pytest.param("/api/v1/api/v1/x", "/api/v1", "/api/v1/api/v1/x", id="preserved-doubled"),
        pytest.param("/api/v10/x", "/api/v1", "/api/v1/api/v10/x", id="sibling"),
        pytest.param("/API/v1/x", "/api/v1", "/api/v1/API/v1/x", id="other-case"),
        pytest.param("*", None, "*", id="asterisk-form"),
    ],
)
def test_fixed_prefix_is_put_in_front_unless_it_is_there(
    wire: str, root_path: str | None, path: str
) -> None:
    got = passed_on(a_scope(wire), prefix="/api/v1")

    assert paths(got) == (root_path, path, path.encode())


@pytest.mark.parametrize(
    ("had", "wire", "root_path", "path"),
    [
        pytest.param("/api", "/api/x", "/api", "/api/x", id="server-put-it-back"),
        pytest.param("/api", "/api", "/api", "/api", id="server-put-it-back-bare"),
        pytest.param("/api", "/api/api/x", "/api", "/api/api/x", id="server-put-it-back-doubled"),
        pytest.param("/api/", "/api//x", "/api/", "/api//x", id="server-option-ends-in-slash"),
        pytest.param("/api", "/x", "/api", "/api/x", id="server-only-labelled"),
        pytest.param("/api", "/apix", "/api", "/api/apix", id="server-only-labelled-sibling"),
        pytest.param("/api/sub", "/api/sub/x", "/api/sub", "/api/sub/x", id="applied-twice"),
        pytest.param("/sub", "/sub/x", "/api/sub", "/api/sub/x", id="inner-prefix-kept"),
        pytest.param("/apix", "/apix/x", "/api/apix", "/api/apix/x", id="inner-sibling-kept"),
        pytest.param("/old", "/x", "/api", "/api/x", id="uncarried-label-replaced"),
        pytest.param("old", "/x", "/api", "/api/x", id="relative-label-replaced"),
        pytest.param("", "/x", "/api", "/api/x", id="empty"),
    ],
)
@pytest.mark.parametrize("by", ["header", "fixed"])
def test_root_path_that_the_scope_has_already(
    by: str, had: str, wire: str, root_path: str, path: str
) -> None:
    if by == "header":
        got = passed_on(a_scope(wire, b"/api", root_path=had))
    else:
        got = passed_on(a_scope(wire, root_path=had), prefix="/api")

    assert paths(got) == (root_path, path, path.encode())


def test_fixed_prefix_that_continues_the_root_path_which_the_path_carries() -> None:
    got = passed_on(a_scope("/api/v1/x", root_path="/api"), prefix="/api/v1")

    assert paths(got) == ("/api/v1", "/api/v1/x", b"/api/v1/x")


@pytest.mark.parametrize(
    ("prefix", "path", "raw_path", "wanted"),
    [
        pytest.param(
            "/api", "/a/b/é", b"/a%2Fb/%C3%A9", ("/api", "/api/a/b/é", b"/api/a%2Fb/%C3%A9"),
            id="encoded-path-is-kept",
        ),
        pytest.param(
            "/caf%C3%A9", "/x", b"/x", ("/café", "/café/x", b"/caf%C3%A9/x"),
            id="encoded-prefix",
        ),
        pytest.param(
            "/caf%c3%a9", "/x", b"/x", ("/café", "/café/x", b"/caf%c3%a9/x"),
            id="encoded-prefix-in-lower-case",
        ),
        pytest.param(
            "/my%20app", "/x", b"/x", ("/my app", "/my app/x", b"/my%20app/x"),
            id="encoded-space",
        ),
        pytest.param(
            "/api", "/x", None, ("/api", "/api/x", None),
            id="raw-path-none",
        ),
    ],
)  # fmt: skip
@pytest.mark.parametrize("by", ["header", "fixed"])
def test_encoding(
    by: str, prefix: str, path: str, raw_path: bytes | None, wanted: tuple[str, str, bytes | None]
) -> None:
    if by == "header":
        got = passed_on(a_scope(path, prefix.encode(), raw_path=raw_path))
    else:
        got = passed_on(a_scope(path, raw_path=raw_path), prefix=prefix)

    assert paths(got) == wanted


@pytest.mark.parametrize(
    "raw_path",
    [
        pytest.param(b"/caf%C3%A9/x", id="same-spelling"),
        pytest.param(b"/c%61f%c3%a9/x", id="other-spelling"),
    ],
)
def test_encoded_fixed_prefix_is_found_in_the_decoded_path(raw_path: bytes) -> None:
    got = passed_on(a_scope("/café/x", raw_path=raw_path), prefix="/caf%C3%A9")

    assert paths(got) == ("/café", "/café/x", raw_path)


@pytest.mark.parametrize(
    "raw_path",
    [
        pytest.param(b"/api/%7Euser/caf%C3%A9/a%2Fb", id="as-quote-writes-it-mostly"),
        pytest.param(b"/api/~user/caf%c3%a9/a%2fb", id="lower-case"),
        pytest.param(b"/%61pi/%7euser/caf%C3%A9/a%2fb", id="encoded-letter-in-the-prefix"),
        pytest.param(b"/api%2F~user/caf%C3%A9/a%2Fb", id="encoded-slash-behind-the-prefix"),
    ],
)
def test_raw_path_keeps_the_client_s_spelling(raw_path: bytes) -> None:
    path = unquote(raw_path.decode())

    preserved = passed_on(a_scope(path, raw_path=raw_path), prefix="/api")
    stripped = passed_on(a_scope(path, b"/%61pi", raw_path=raw_path))

    assert paths(preserved) == ("/api", path, raw_path)
    assert paths(stripped) == ("/api", f"/api{path}", b"/%61pi" + raw_path)


@pytest.mark.parametrize("sent", [b"/caf%C3%A9", b"/caf%c3%a9", b"/c%61f%C3%A9"])
@pytest.mark.parametrize("by", ["header", "fixed"])
def test_root_path_that_the_server_put_back_in_the_form_of_a_url(by: str, sent: bytes) -> None:
    # As uvicorn --root-path /caf%C3%A9 has it: the encoded one is in path as well.
    scope = a_scope("/caf%C3%A9/x", *([sent] if by == "header" else []), root_path="/caf%C3%A9")

    assert passed_on(scope, prefix=sent.decode() if by == "fixed" else None) == scope


def test_absent_raw_path_stays_absent() -> None:
    scope = a_scope("/x", b"/api")
    del scope["raw_path"]

    got = passed_on(scope)

    assert got["path"] == "/api/x"
    assert "raw_path" not in got


@pytest.mark.parametrize("kind", ["http", "websocket"])
def test_both_kinds_of_connection(kind: str) -> None:
    got = passed_on(a_scope("/x", b"/api", type=kind))

    assert paths(got) == ("/api", "/api/x", b"/api/x")


@pytest.mark.parametrize("kind", ["lifespan", "some.extension"])
def test_other_scopes_pass_untouched(kind: str) -> None:
    scope: Scope = {"type": kind, "asgi": {"version": "3.0"}}

    got = passed_on(scope, prefix="/api", trusted="*")

    assert got is scope
    assert got == {"type": kind, "asgi": {"version": "3.0"}}


def test_header_goes_before_the_fixed_prefix() -> None:
    assert paths(passed_on(a_scope("/x", b"/sent"), prefix="/fixed"))[0] == "/sent"


def test_without_header_or_fixed_prefix_nothing_changes() -> None:
    scope = a_scope("/x", root_path="/had")

    assert passed_on(scope) == scope


@pytest.mark.parametrize("name", [b"x-forwarded-prefix", b"X-Forwarded-Prefix"])
def test_header_name_in_any_case(name: bytes) -> None:
    got = passed_on(a_scope("/x", headers=[(name, b"/api")]))

    assert got["path"] == "/api/x"


@pytest.mark.parametrize("name", [b"x_forwarded_prefix", b"x-script-name", b"x-forwarded-prefix2"])
def test_other_headers_say_nothing(name: bytes) -> None:
    assert passed_on(a_scope("/x", headers=[(name, b"/api")]))["path"] == "/x"


@pytest.mark.parametrize(
    ("wire", "root_path"),
    [("/x", ""), ("/api/x", ""), ("/api/x", "/api"), ("/sub/x", "/sub"), ("*", "")],
)
@pytest.mark.parametrize("by", ["header", "fixed"])
def test_given_scope_is_never_changed(by: str, wire: str, root_path: str) -> None:
    scope = a_scope(wire, *([b"/api"] if by == "header" else []), root_path=root_path)
    before = copy.deepcopy(scope)

    got = passed_on(scope, prefix="/api" if by == "fixed" else None)
    got["path"] = got["root_path"] = "changed by the application"

    assert scope == before


@pytest.mark.parametrize(
    ("headers", "client"),
    [([b"/api"], PROXY), ([b"//bad"], PROXY), ([], PROXY), ([b"/api"], STRANGER)],
)
def test_what_the_application_writes_into_the_scope_stays_inside(
    headers: list[bytes], client: tuple[str, int]
) -> None:
    scope = a_scope("/x", *headers, client=client)

    passed_on(scope)["route"] = "written by Starlette"

    assert "route" not in scope, "tracing outside would see it, depending on who asks"


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
    passed_on_many(b"\n" * 60_000 + b"%d" % number for number in range(3))

    [record] = caplog.records
    assert len(record.getMessage()) < 500
    assert "\n" not in record.getMessage()


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


# --- a real application, without a server ---


def fastapi_app() -> FastAPI:
    sub = FastAPI()

    async def read_items(request: Request) -> list[str]:
        return [request.scope["root_path"], str(request.url)]

    async def answer(websocket: WebSocket) -> None:
        await websocket.accept()
        await websocket.send_text(websocket.scope["root_path"])
        await websocket.close()

    app = FastAPI()
    for some in (app, sub):
        some.get("/items/")(read_items)
        some.websocket("/ws")(answer)
    app.get("/api/v1/items/")(read_items)  # looks like the prefix: starlette#2400
    app.mount("/sub", sub)
    return app


def ask(scope: Scope, **options: Any) -> tuple[int, str, str]:
    """Status, Location and body of FastAPI's answer; for a WebSocket its first message is the body.

    With `add_middleware=True` the middleware is added to the application, not wrapped around it.
    """
    core = fastapi_app()
    options.setdefault("trusted", PROXY[0])
    if options.pop("add_middleware", False):
        core.add_middleware(ForwardedPrefixMiddleware, **options)
        app: Any = core
    else:
        app = ForwardedPrefixMiddleware(core, **options)
    return answer(app, scope)


def answer(app: Any, scope: Scope) -> tuple[int, str, str]:
    """The same, of any ASGI application."""
    sent: list[Message] = []
    kind = scope["type"]

    async def receive() -> Message:
        return {"type": "websocket.connect"} if kind == "websocket" else {"type": "http.request"}

    async def send(message: Message) -> None:
        sent.append(message)

    asyncio.run(app(scope, receive, send))
    start, *rest = sent
    headers = dict(start.get("headers", []))
    body = b"".join(message.get("body", b"") for message in rest).decode()
    text = next((m["text"] for m in rest if "text" in m), body)
    status = 101 if start["type"] == "websocket.accept" else start.get("status", 403)
    return status, headers.get(b"location", b"").decode(), text


BY = [
    pytest.param("", {"headers": [b"/api/v1"]}, {}, id="strip-header"),
    pytest.param("", {"headers": [b"/api/v1"]}, {"add_middleware": True}, id="strip-added"),
    pytest.param("", {}, {"prefix": "/api/v1"}, id="strip-fixed"),
    pytest.param("/api/v1", {}, {"prefix": "/api/v1", "trusted": ""}, id="preserve-fixed"),
]


@pytest.mark.parametrize(("before", "sent", "options"), BY)
@pytest.mark.parametrize("mount", ["", "/sub"])
def test_fastapi_behind_the_middleware(
    before: str, sent: dict[str, list[bytes]], options: dict[str, Any], mount: str
) -> None:
    def at(path: str, kind: str = "http") -> tuple[int, str, str]:
        headers = sent.get("headers", [])
        scope = a_scope(before + mount + path, *headers, type=kind, scheme="https")
        return ask(scope, **options)

    public = f"https://app.example/api/v1{mount}"

    assert at("/items") == (307, f"{public}/items/?q=1", "")
    status, _, body = at("/items/")
    assert (status, json.loads(body)) == (200, [f"/api/v1{mount}", f"{public}/items/?q=1"])
    assert f"url: '/api/v1{mount}/openapi.json'" in at("/docs")[2]
    assert json.loads(at("/openapi.json")[2])["servers"] == [{"url": f"/api/v1{mount}"}]
    assert at("/ws", "websocket") == (101, "", f"/api/v1{mount}")


def test_a_route_that_begins_with_the_prefix_keeps_its_own_path() -> None:
    status, location, _ = ask(a_scope("/api/v1/items", b"/api/v1"))

    assert (status, location) == (307, "http://app.example/api/v1/api/v1/items/?q=1")


@pytest.mark.parametrize(
    "headers", [pytest.param([b"/api/v1"], id="prefix"), pytest.param([], id="no-prefix")]
)
def test_tracing_sees_route_and_endpoint_inside_only(headers: list[bytes]) -> None:
    seen: list[tuple[str, set[str]]] = []

    def tracing(app: Any, name: str) -> Any:
        async def traced(scope: Scope, receive: Any, send: Any) -> None:
            await app(scope, receive, send)
            seen.append((f"{name} {scope['path']}", {"route", "endpoint"} & scope.keys()))

        return traced

    core = fastapi_app()
    core.add_middleware(tracing, name="inside")
    app = tracing(ForwardedPrefixMiddleware(core, trusted="*"), "outside")
    answer(app, a_scope("/items/", *headers, root_path=""))

    public = "/api/v1/items/" if headers else "/items/"
    assert seen == [(f"inside {public}", {"route", "endpoint"}), ("outside /items/", set())]


@pytest.mark.parametrize("value", [b"//evil.example", b"/a';alert(1)//", b"/%27;alert(1);%27"])
def test_no_spoofed_prefix_reaches_redirects_or_pages(value: bytes) -> None:
    assert ask(a_scope("/items", value))[1] == "http://app.example/items/?q=1"
    assert "url: '/openapi.json'" in ask(a_scope("/docs", value))[2]
