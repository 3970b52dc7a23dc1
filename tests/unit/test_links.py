"""Which URLs stand in an answer."""

import json
from typing import Any

import pytest

from hoplab.client.wire import Exchange
from hoplab.suites.own.explore import below, is_login, whole
from hoplab.suites.own.links import links, openapi_servers

URL = "http://x/api/page"


def answer(body: str = "", kind: str = "text/html", **headers: str) -> Exchange:
    told = [("Content-Type", kind), *((k.replace("_", "-"), v) for k, v in headers.items())]
    return Exchange("GET", URL, (), 200, told, body.encode())


@pytest.mark.parametrize(
    ("page", "urls"),
    [
        ('<a href="/a">', ["http://x/a"]),
        ("<A HREF=b?c=1#d>", ["http://x/api/b?c=1"]),
        ('<img src="../i.png"><form action="">', ["http://x/i.png"]),
        ('<base href="/shop/"><script src="x.js"></script>', ["http://x/shop/x.js"]),
        ('<meta http-equiv="Refresh" content="0; url=/next">', ["http://x/next"]),
        ('<a href="mailto:a@b"><a href="#top"><a href="javascript:x()"><a>', []),
        ('<a href="https://other/x">', ["https://other/x"]),
        ('<p>/not/a/link "http://x/y"</p>', []),
    ],
)
def test_html(page: str, urls: list[str]) -> None:
    assert [whole(link) for link in links(answer(page))] == urls


def test_headers() -> None:
    found = links(answer(kind="text/plain", Location="/a", Link='</b>; rel="next", <c>'))

    assert [(link.where, whole(link)) for link in found] == [
        ("the Location header", "http://x/a"),
        ("the Link header", "http://x/b"),
        ("the Link header", "http://x/api/c"),
    ]


@pytest.mark.parametrize(
    ("content", "urls"),
    [
        ({"next": "/a?b=1"}, [("/a?b=1", False)]),
        ({"a": [{"b": "http://x/c"}]}, [("http://x/c", True)]),
        ({"a": "see http://x/c", "b": "//x", "c": "/a b", "d": 1, "e": None}, []),
        ({"openapi": "3", "paths": {}, "a": "/b"}, []),
    ],
)
def test_json(content: Any, urls: list[tuple[str, bool]]) -> None:
    found = links(answer(json.dumps(content), "application/hal+json; charset=utf-8"))

    assert [(link.url, link.sure) for link in found] == urls


def test_deep_or_broken_json_is_no_error() -> None:
    deep = "[" * 500 + '"/a"' + "]" * 500

    assert [link.url for link in links(answer(deep, "application/json"))] == ["/a"]
    assert links(answer("{", "application/json")) == []
    assert links(answer("\x00\xff<", "text/html")) == []


@pytest.mark.parametrize(
    ("content", "servers"),
    [
        ({"openapi": "3", "paths": {}}, ["/"]),
        ({"openapi": "3", "paths": {}, "servers": [{"url": "/api"}]}, ["/api"]),
        ({"paths": {}}, None),
        ([], None),
    ],
)
def test_openapi_servers(content: Any, servers: list[str] | None) -> None:
    assert openapi_servers(answer(json.dumps(content), "application/json")) == servers


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("http://x/api", "/"),
        ("http://x/api/", "/"),
        ("http://x/api/a?b", "/a?b"),
        ("http://x/apis", None),
        ("http://x:1/api/a", None),
        ("https://x/api/a", None),
    ],
)
def test_below(url: str, path: str | None) -> None:
    assert below("http://x/api", url) == path


@pytest.mark.parametrize(
    ("location", "status", "login"),
    [
        ("/login?next=/a", 302, True),
        ("/accounts/sign-in/", 303, True),
        ("http://sso/login", 307, True),
        ("/login", 200, False),
        ("/items/", 307, False),
        ("/blogging", 302, False),
    ],
)
def test_login(location: str, status: int, login: bool) -> None:  # noqa: FBT001
    exchange = Exchange("GET", URL, (), status, [("Location", location)])

    assert is_login(exchange) is login


def test_what_the_answer_repeats_of_the_question_is_no_url_of_the_application() -> None:
    page = '<a href="/admin/list"><a href="/admin/new"><form action="/a b">'
    asked = Exchange("GET", f"{URL}?back=%2Fadmin%2Flist&to=/a+b", (), 200, answer().headers)
    asked.body = page.encode()

    assert [link.url for link in links(asked)] == ["/admin/new"]
