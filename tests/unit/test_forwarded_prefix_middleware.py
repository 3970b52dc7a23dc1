"""ForwardedPrefixMiddleware: what becomes of path, raw_path and root_path."""

import copy
from urllib.parse import unquote

import pytest

from app.forwarded_prefix_middleware import ForwardedPrefixMiddleware
from tests.unit.forwarded_prefix import PROXY, STRANGER, Scope, a_scope, passed_on, paths
from tests.unit.handed_on import hands_on


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


@pytest.mark.parametrize("kind", ["http", "websocket", "lifespan"])
def test_the_application_talks_to_the_server_itself(kind: str) -> None:
    assert hands_on(
        lambda app: ForwardedPrefixMiddleware(app, trusted="*", prefix="/api"), a_scope(type=kind)
    )


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
