"""The public prefix: which ones there are, in both of its forms, and what is refused."""

import re

import pytest

from hoplab.prefix import DEFAULT_PREFIX, Prefix, parse


@pytest.mark.parametrize(
    ("given", "encoded", "decoded"),
    [
        pytest.param("/api/v1", "/api/v1", "/api/v1", id="plain"),
        pytest.param("/api/v1/", "/api/v1", "/api/v1", id="slash at the end"),
        pytest.param("/a", "/a", "/a", id="one segment"),
        pytest.param("/a/b/c/d", "/a/b/c/d", "/a/b/c/d", id="many segments"),
        pytest.param("/a/a", "/a/a", "/a/a", id="the same twice"),
        pytest.param("/café", "/caf%C3%A9", "/café", id="not ASCII"),
        pytest.param("/caf%C3%A9", "/caf%C3%A9", "/café", id="not ASCII, encoded"),
        pytest.param("/caf%c3%a9/", "/caf%C3%A9", "/café", id="in small letters, with a slash"),
        pytest.param("/é%C3%A9", "/%C3%A9%C3%A9", "/éé", id="encoded in part"),
        pytest.param("/😀", "/%F0%9F%98%80", "/😀", id="outside the BMP"),
        pytest.param("/{item}", "/%7Bitem%7D", "/{item}", id="curly brackets"),
        pytest.param("/%7Bitem%7D", "/%7Bitem%7D", "/{item}", id="curly brackets, encoded"),
        pytest.param("/%61pi", "/api", "/api", id="encoded without need"),
        pytest.param("/a+b%2Bc", "/a+b+c", "/a+b+c", id="plus"),
        pytest.param("/A-Z.a_z~0", "/A-Z.a_z~0", "/A-Z.a_z~0", id="unreserved"),
        pytest.param("/!$()*+;=:@~", "/!$()*+;=:@~", "/!$()*+;=:@~", id="sub-delims that stay"),
        pytest.param("/%21%24%3A%40", "/!$:@", "/!$:@", id="sub-delims, encoded"),
        pytest.param("/.../..a/.b", "/.../..a/.b", "/.../..a/.b", id="dots among others"),
    ],
)
def test_a_prefix_has_two_forms(given: str, encoded: str, decoded: str) -> None:
    prefix = parse(given)

    assert (prefix.encoded, prefix.decoded) == (encoded, decoded)
    assert str(prefix) == encoded
    assert parse(prefix.encoded) == parse(prefix.decoded) == prefix


def test_a_slash_alone_is_no_prefix() -> None:
    none = parse("/")

    assert (none.encoded, none.decoded, none.option) == ("", "", "/")
    assert parse(none.option) == none
    assert parse("/api/v1").option == "/api/v1"


def test_the_default_is_that_of_fastapi_s_guide() -> None:
    assert parse("/api/v1") == DEFAULT_PREFIX == Prefix("/api/v1")


A_PATH = "a prefix is a path such as /api/v1, or / for none"
A_NAME = "a segment of a prefix is a name: not empty, no dots alone, no encoded slash"
A_SPACE = (
    "a prefix can't contain a space or a control character,"
    " which means something in a URL or a page"
)


@pytest.mark.parametrize(
    ("given", "complaint"),
    [
        pytest.param("", A_PATH, id="empty"),
        pytest.param("api/v1", A_PATH, id="relative"),
        pytest.param("./api", A_PATH, id="relative, with a dot"),
        pytest.param("http://x/api", A_PATH, id="a URL"),
        pytest.param("%2Fapi/v1", A_PATH, id="encoded slash at the beginning"),
        pytest.param("%2F", A_PATH, id="encoded slash alone"),
        pytest.param(" /api", A_PATH, id="space in front"),
        pytest.param("//", A_NAME, id="two slashes"),
        pytest.param("//host/api", A_NAME, id="names a host"),
        pytest.param("/api//v1", A_NAME, id="double slash"),
        pytest.param("/api/v1//", A_NAME, id="double slash at the end"),
        pytest.param("/.", A_NAME, id="dot"),
        pytest.param("/api/./v1", A_NAME, id="dot within"),
        pytest.param("/api/..", A_NAME, id="dots"),
        pytest.param("/%2e%2E/api", A_NAME, id="dots, encoded"),
        pytest.param("/api%2Fv1", A_NAME, id="encoded slash"),
        pytest.param("/api%2f", A_NAME, id="encoded slash at the end"),
        pytest.param("/a b", A_SPACE, id="space"),
        pytest.param("/a%20b", A_SPACE, id="space, encoded"),
        pytest.param("/api ", A_SPACE, id="space at the end"),
        pytest.param("/a\u00a0b", A_SPACE, id="no-break space"),
        pytest.param("/a\u200bb", A_SPACE, id="zero-width space"),
        pytest.param("/a\nb", A_SPACE, id="line feed"),
        pytest.param("/a%0D%0Ab", A_SPACE, id="line end, encoded"),
        pytest.param("/a\tb", A_SPACE, id="tab"),
        pytest.param("/a%00", A_SPACE, id="null"),
        pytest.param("/a\x7f", A_SPACE, id="delete"),
        pytest.param("/a\udce9", A_SPACE, id="surrogate"),
        pytest.param("/%FF", "what is percent-encoded in it is not UTF-8", id="no UTF-8"),
        pytest.param(
            "/caf%C3", "what is percent-encoded in it is not UTF-8", id="UTF-8, cut short"
        ),
        pytest.param(
            "/%ED%B3%A9", "what is percent-encoded in it is not UTF-8", id="surrogate, encoded"
        ),
    ],
)
def test_what_is_no_prefix_is_refused(given: str, complaint: str) -> None:
    with pytest.raises(ValueError, match=rf"(^|: ){re.escape(complaint)}$"):
        parse(given)


@pytest.mark.parametrize("character", "?#\\'\"<>&`,%[]|^")
@pytest.mark.parametrize("encoded", [False, True])
def test_what_means_something_elsewhere_is_refused(character: str, *, encoded: bool) -> None:
    written = f"%{ord(character):02X}" if encoded else character

    with pytest.raises(ValueError, match="a prefix can't contain") as refused:
        parse(f"/a{written}b")

    assert str(refused.value) == (
        f"a prefix can't contain {character!r}, which means something in a URL or a page"
    )


@pytest.mark.parametrize("given", ["/%", "/%zz", "/50%", "/%2", "/%252F", "/%25"])
def test_a_percent_sign_is_refused(given: str) -> None:
    """Something on the way may decode it a second time."""
    with pytest.raises(ValueError, match="a prefix can't contain '%'"):
        parse(given)
