"""URLs, headers and places as people give them."""

import pytest

from hoplab.client import given
from hoplab.client.given import BadGiven, ConnectTo, Resolve, read, where


@pytest.mark.parametrize(
    ("url", "clean"),
    [
        ("https://example.com", "https://example.com/"),
        ("HTTPS://Example.COM:443/Docs?x=1#y", "https://example.com/Docs?x=1"),
        ("http://example.com:8080/a b/é", "http://example.com:8080/a%20b/%C3%A9"),
        ("https://example.com/a%2Fb/%C3%A9", "https://example.com/a%2Fb/%C3%A9"),
        ("https://bücher.example/docs", "https://xn--bcher-kva.example/docs"),
        ("https://straße.example", "https://xn--strae-oqa.example/"),
        ("http://[::1]:8000/api", "http://[::1]:8000/api"),
        ("http://[2001:DB8:0::1]/", "http://[2001:db8::1]/"),
        ("  http://127.0.0.1:9/x\n", "http://127.0.0.1:9/x"),
        ("https://user:secret@example.com/x", "https://example.com/x"),
        ("https://exa_mple.com", "https://exa_mple.com/"),
    ],
)
def test_what_is_asked(url: str, clean: str) -> None:
    assert read(url).url == clean


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("example.com/docs", "https://"),
        ("ftp://example.com/", "http or https"),
        ("javascript://alert(1)", "http or https"),
        ("http://", "no name of a host"),
        ("http:///path", "no name of a host"),
        ("http://example.com:99999/", "is no URL"),
        ("http://example.com:0/", "0 is no port"),
        ("http://[::1/", "is no URL"),
        ("http://[1:2]/", "is no"),
        ("http://exam ple.com/", "no name of a host"),
        ("http://a..b/", "no name of a host"),
        (f"http://{'a' * 64}.com/", "no name of a host"),
        ("http://\u202e.com/", "no name of a host"),
        ("http://\x1b[31m.com/", "is no"),
    ],
)
def test_what_is_no_url(url: str, told: str) -> None:
    with pytest.raises(BadGiven, match=told) as raised:
        read(url)

    assert str(raised.value).isprintable()


def test_credentials_become_a_header_and_are_nowhere_else() -> None:
    found = read("https://us%3Aer:p%40ss@example.com/x")

    assert found.headers == [("Authorization", "Basic dXM6ZXI6cEBzcw==")]
    assert "ss" not in found.url + found.origin + found.host
    assert read("https://token@example.com").headers == [("Authorization", "Basic dG9rZW46")]


@pytest.mark.parametrize(
    "url",
    [
        "user:hunter2@example.com",
        "ftp://user:hunter2@example.com",
        "http://user:hunter2@exam ple.com/",
        "http://user:hun/ter2@example.com/",
        "http://user:hunter2@example.com:99999/",
    ],
)
def test_no_message_quotes_a_password(url: str) -> None:
    with pytest.raises(BadGiven) as raised:
        read(url)

    assert "hun" not in str(raised.value)
    assert "ter2" not in str(raised.value)


def test_headers() -> None:
    assert given.header("X-Name:  a value ") == ("X-Name", "a value")
    assert given.header("X-Empty:") == ("X-Empty", "")
    for bad in ("no colon", "Na me: x", "X: a\r\nY: b", "X: \x1b", ": x"):
        with pytest.raises(BadGiven):
            given.header(bad)


def test_a_bad_header_is_not_quoted_whole() -> None:
    with pytest.raises(BadGiven) as raised:
        given.header("Authorization: Bearer sec\nret")

    assert "sec" not in str(raised.value)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("example.com:443:127.0.0.1", Resolve("example.com", 443, ["127.0.0.1"])),
        ("Example.com:80:127.0.0.1,::1", Resolve("example.com", 80, ["127.0.0.1", "::1"])),
        ("+example.com:80:[::1]", Resolve("example.com", 80, ["::1"])),
        ("*:80:10.0.0.1", Resolve("*", 80, ["10.0.0.1"])),
        ("[::1]:80:127.0.0.1", Resolve("::1", 80, ["127.0.0.1"])),
    ],
)
def test_resolve_as_curl_has_it(text: str, found: Resolve) -> None:
    assert given.resolve(text) == found


@pytest.mark.parametrize(
    "text", ["", "example.com", "example.com:443", "example.com:x:127.0.0.1", "a:1:b", "a:0:::1"]
)
def test_what_resolve_does_not_take(text: str) -> None:
    with pytest.raises(BadGiven, match="--resolve"):
        given.resolve(text)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("a.com:443:127.0.0.1:8443", ConnectTo("a.com", 443, "127.0.0.1", 8443)),
        ("::127.0.0.1:8443", ConnectTo("", None, "127.0.0.1", 8443)),
        ("a.com::b.com:", ConnectTo("a.com", None, "b.com", None)),
        ("a.com:443:[::1]:8443", ConnectTo("a.com", 443, "::1", 8443)),
        (":::", ConnectTo("", None, "", None)),
    ],
)
def test_connect_to_as_curl_has_it(text: str, found: ConnectTo) -> None:
    assert given.connect_to(text) == found


@pytest.mark.parametrize("text", ["", "a:1", "a:1:b", "a:x:b:2", "a:1:b:99999"])
def test_what_connect_to_does_not_take(text: str) -> None:
    with pytest.raises(BadGiven, match="--connect-to"):
        given.connect_to(text)


def test_where_to_connect() -> None:
    resolves = [given.resolve("a.com:443:10.0.0.1"), given.resolve("*:443:10.0.0.9")]
    connects = [given.connect_to("b.com:443:a.com:"), given.connect_to("c.com::127.0.0.1:1")]

    assert where("a.com", 443, resolves, []) == [("10.0.0.1", 443)]
    assert where("a.com", 80, resolves, []) == [("a.com", 80)]
    assert where("x.com", 443, resolves, []) == [("10.0.0.9", 443)]
    assert where("b.com", 443, resolves, connects) == [("10.0.0.1", 443)]
    assert where("c.com", 80, resolves, connects) == [("127.0.0.1", 1)]
