"""The live page's server over the wire: whom it answers, what it takes, what it sends by itself."""

import http.client
import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import pytest

from hoplab.catalogue import load
from hoplab.client.trace import Request, Trace
from hoplab.client.wire import Exchange
from hoplab.commands.live.asking import request_from
from hoplab.commands.live.demo_file import TOKEN_HEADER, VARIABLE, Site
from hoplab.commands.live.guard import LARGEST_BODY
from hoplab.commands.live.model import State
from hoplab.commands.live.server import serving
from hoplab.commands.live.telling import telling
from hoplab.errors import HoplabError
from hoplab.prefix import parse
from hoplab.topology import Scheme
from tests.catalogue import CATALOGUE, WORKSPACE
from tests.live import PREFIX, FakeLab, served

NGINX = "nginx-uvicorn-strip"
OTHER = "nginx-hypercorn-strip"
ITEMS = f"{PREFIX}/items?q=1"


class Answer:
    def __init__(self, answer: http.client.HTTPResponse) -> None:
        self.status = answer.status
        self.headers = answer.headers
        self.text = answer.read().decode()

    @property
    def json(self) -> Any:
        return json.loads(self.text)


def send(
    site: Site, method: str, path: str, headers: dict[str, str], body: bytes | None = None
) -> Answer:
    """With exactly these headers, besides Host if it is not among them."""
    parts = urlsplit(site.url)
    connection = http.client.HTTPConnection(str(parts.hostname), parts.port, timeout=10)
    connection.putrequest(method, path, skip_host="Host" in headers, skip_accept_encoding=True)
    for name, value in headers.items():
        connection.putheader(name, value)
    if body is not None and "Content-Length" not in headers:
        connection.putheader("Content-Length", str(len(body)))
    connection.endheaders(body)
    answer = Answer(connection.getresponse())
    connection.close()
    return answer


def get(site: Site, path: str = "/", **headers: str) -> Answer:
    return send(site, "GET", path, {k.replace("_", "-"): v for k, v in headers.items()})


def post(site: Site, path: str, told: Any, **headers: str) -> Answer:
    """As the page does; headers with _ for - override."""
    usual = {
        "Origin": site.url.rstrip("/"),
        "Sec-Fetch-Site": "same-origin",
        "Content-Type": "application/json",
        TOKEN_HEADER: site.token,
    }
    more = {k.replace("_", "-"): v for k, v in headers.items()}
    body = told if isinstance(told, bytes) else json.dumps(told).encode()
    chosen = {name: value for name, value in {**usual, **more}.items() if value}
    return send(site, "POST", path, chosen, body)


def asked(**told: Any) -> dict[str, Any]:
    return {"topologies": [NGINX], "scheme": "https", "method": "GET", "path": ITEMS, **told}


# --- who may ask ---


@pytest.mark.parametrize("name", ["127.0.0.1", "localhost", "[::1]", "LocalHost"])
def test_loopback_s_own_names_are_answered(site: Site, name: str) -> None:
    assert get(site, Host=f"{name}:{urlsplit(site.url).port}").status == 200


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "evil.example:{port}",
        "127.0.0.1",
        "127.0.0.1:1",
        "localhost.evil.example:{port}",
        "",
    ],
)
@pytest.mark.parametrize("path", ["/", "/events", "/words", "/page.js"])
def test_another_name_is_not_answered(site: Site, host: str, path: str) -> None:
    """DNS rebinding: a name of somebody else's, which leads here."""
    answer = get(site, path, Host=host.format(port=urlsplit(site.url).port))

    assert answer.status == 421
    assert site.token not in answer.text


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec_Fetch_Site": "cross-site", "Sec_Fetch_Mode": "no-cors", "Sec_Fetch_Dest": "script"},
        {"Sec_Fetch_Site": "cross-site", "Sec_Fetch_Mode": "navigate", "Sec_Fetch_Dest": "iframe"},
        {"Sec_Fetch_Site": "same-site", "Sec_Fetch_Mode": "cors", "Sec_Fetch_Dest": "empty"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:1"},
    ],
)
@pytest.mark.parametrize("path", ["/", "/events", "/page.js"])
def test_another_site_s_page_is_not_answered(
    site: Site, headers: dict[str, str], path: str
) -> None:
    answer = get(site, path, **headers)

    assert (answer.status, answer.headers["Access-Control-Allow-Origin"]) == (403, None)
    assert site.token not in answer.text


def test_a_link_leads_to_the_page_and_nowhere_else(site: Site) -> None:
    link = {
        "Sec_Fetch_Site": "cross-site",
        "Sec_Fetch_Mode": "navigate",
        "Sec_Fetch_Dest": "document",
    }

    assert get(site, "/", **link).status == 200
    assert get(site, "/words", **link).status == 403


CHANGES: list[tuple[str, dict[str, Any]]] = [
    ("/trace", asked()),
    ("/change", {"topology": NGINX, "name": "nginx-bare"}),
    ("/fix", {"topology": NGINX}),
]


@pytest.mark.parametrize(("path", "told"), CHANGES)
@pytest.mark.parametrize("token", ["", "wrong", "é", " "])
def test_without_the_token_nothing_is_done(
    site: Site, lab: FakeLab, path: str, told: Any, token: str
) -> None:
    answer = post(site, path, told, **{TOKEN_HEADER: token.encode().decode("latin-1")})

    assert answer.status == 403
    assert (lab.asked, lab.called) == ([], [])


@pytest.mark.parametrize(("path", "told"), CHANGES)
@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Sec_Fetch_Site": "cross-site"}, 403),
        ({"Sec_Fetch_Site": "same-site"}, 403),
        ({"Content_Type": "text/plain"}, 415),  # what a form can send without being asked
        ({"Content_Type": ""}, 415),
        ({"Content_Length": str(LARGEST_BODY + 1)}, 413),
    ],
)
def test_even_with_the_token_the_rest_has_to_be_right(
    site: Site, lab: FakeLab, path: str, told: Any, headers: dict[str, str], status: int
) -> None:
    assert post(site, path, told, **headers).status == status
    assert (lab.asked, lab.called) == ([], [])


def test_a_body_without_a_length_is_refused(site: Site) -> None:
    headers = {
        TOKEN_HEADER: site.token,
        "Content-Type": "application/json",
        "Transfer-Encoding": "chunked",
    }
    parts = urlsplit(site.url)
    with socket.create_connection((str(parts.hostname), parts.port or 0), 10) as sock:
        head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        sock.sendall(f"POST /fix HTTP/1.1\r\nHost: {parts.netloc}\r\n{head}\r\n".encode())
        assert sock.recv(100).startswith(b"HTTP/1.1 413 ")


@pytest.mark.parametrize("method", ["PUT", "DELETE", "OPTIONS", "PATCH"])
def test_other_methods_are_refused(site: Site, method: str) -> None:
    answer = send(site, method, "/change", {TOKEN_HEADER: site.token})

    assert answer.status == 405


def test_the_command_line_needs_no_origin(site: Site, lab: FakeLab) -> None:
    answer = post(site, "/fix", {"topology": NGINX}, Origin="", Sec_Fetch_Site="")

    assert answer.status == 200
    assert lab.called == [("fix", NGINX)]


@pytest.mark.parametrize("path", ["/", "/page.js", "/page.css", "/icon.svg", "/words", "/nowhere"])
def test_every_answer_forbids_what_the_page_does_not_need(site: Site, path: str) -> None:
    headers = get(site, path).headers
    policy = headers["Content-Security-Policy"]

    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert "*" not in policy
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Cache-Control"] == "no-store"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["Access-Control-Allow-Origin"] is None


def test_the_page_has_the_token_and_no_inline_script(site: Site) -> None:
    text = get(site).text

    assert f'content="{site.token}"' in text
    assert text.count("<script") == 1
    assert '<script type="module" src="/page.js"></script>' in text
    for path in ("/page.js", "/words", "/events"):
        assert path == "/events" or site.token not in get(site, path).text


def test_each_run_has_its_own_token() -> None:
    tokens = set()
    for _ in range(2):
        with served(FakeLab()) as site:
            tokens.add(site.token)

    assert len(tokens) == 2
    assert all(len(token) >= 43 for token in tokens)


# --- states ---


@contextmanager
def listening_to(site: Site, last: str = "") -> Iterator[http.client.HTTPResponse]:
    parts = urlsplit(site.url)
    connection = http.client.HTTPConnection(str(parts.hostname), parts.port, timeout=10)
    connection.request("GET", "/events", headers={"Last-Event-ID": last} if last else {})
    answer = connection.getresponse()
    assert answer.headers["Content-Type"].startswith("text/event-stream")
    yield answer
    connection.close()


def next_event(stream: http.client.HTTPResponse) -> dict[str, str]:
    """The next event that is no comment."""
    event: dict[str, str] = {}
    while True:
        line = stream.readline().decode().rstrip("\n")
        if line and not line.startswith(":"):
            name, _, value = line.partition(": ")
            event[name] = value
        elif event:
            return event


def number_of(event: dict[str, str]) -> int:
    """The revision that an event is of."""
    return int(event["id"].rpartition("-")[2])


def event_of(stream: http.client.HTTPResponse, revision: int) -> dict[str, str]:
    """That of this revision: one before may come first, just after the lab was reset."""
    event = next_event(stream)
    while event["event"] != "states" or number_of(event) < revision:
        event = next_event(stream)
    assert number_of(event) == revision
    return event


def test_there_is_an_event_for_each_revision(site: Site, lab: FakeLab) -> None:
    with listening_to(site) as stream:
        run = next_event(stream)
        event_of(stream, lab.revision)
        lab.alter(NGINX, state=State.DOWN, message="Killed by hand.")
        second = next_event(stream)

    assert run["event"] == "run"
    assert json.loads(run["data"]) in get(site).text
    assert number_of(second) == lab.revision
    states = {each["topology"]: each for each in json.loads(second["data"])}
    assert list(states) == [topology.name for topology in CATALOGUE.topologies]
    assert states[NGINX]["state"] == "down"
    assert states[NGINX]["message"] == "Killed by hand."
    assert states[OTHER]["verdict"] == "pass"


def test_who_comes_back_gets_no_event_twice(site: Site, lab: FakeLab) -> None:
    with listening_to(site) as stream:
        seen = event_of(stream, lab.revision)["id"]
    with listening_to(site, seen) as stream:
        next_event(stream)
        lab.alter(NGINX, asking=True)
        again = next_event(stream)
    with listening_to(site, seen) as stream:
        next_event(stream)
        missed = next_event(stream)

    assert number_of(again) == lab.revision
    assert missed["id"] == again["id"]


def test_the_id_of_another_run_is_no_reason_to_send_nothing(site: Site, lab: FakeLab) -> None:
    with listening_to(site) as stream:
        event_of(stream, lab.revision)
    with listening_to(site, f"0-{lab.revision}") as stream:
        next_event(stream)
        assert number_of(next_event(stream)) == lab.revision


def test_a_page_that_is_open_does_not_keep_the_server() -> None:
    with served(FakeLab()) as site, listening_to(site) as stream:
        next_event(stream)
        next_event(stream)
        parts = urlsplit(site.url)
    assert stream.read() is not None

    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((str(parts.hostname), parts.port or 0), 1)


# --- a request ---


def test_a_request_is_followed_and_so_is_its_answer(site: Site, lab: FakeLab) -> None:
    (way,) = post(site, "/trace", asked()).json["ways"]

    assert (way["status"], way["chain"]) == (307, ["nginx", "uvicorn"])
    assert [step["kind"] for step in way["steps"]] == [
        *("request", "request", "scope", "derived", "answer", "answer"),
    ]
    assert way["leads"] == [
        {
            "what": "Location",
            "url": f"https://mysuperapp.com:9497{PREFIX}/items/?q=1",
            "status": 200,
            "answered": True,
            "note": "",
        }
    ]
    assert [each[2].path for each in lab.asked] == [
        ITEMS,
        f"{PREFIX}/scope",
        f"{PREFIX}/items/?q=1",
    ]


def test_what_it_derives_is_asked_once_where_the_answer_says_it(site: Site, lab: FakeLab) -> None:
    (way,) = post(site, "/trace", asked(path=f"{PREFIX}/scope")).json["ways"]

    (derived,) = [step for step in way["steps"] if step["kind"] == "derived"]
    assert derived["note"] == "in this answer"
    assert len(lab.asked) == 1


def test_what_the_application_does_not_say_is_not_shown(site: Site, lab: FakeLab) -> None:
    def without(topology: str, scheme: Scheme, request: Request) -> Trace:
        if request.path.endswith("/scope"):
            raise HoplabError("no answer")
        return lab.usual(topology, scheme, request)

    lab.answer = without

    (way,) = post(site, "/trace", asked()).json["ways"]

    assert "derived" not in [step["kind"] for step in way["steps"]]


def test_two_topologies_are_compared(site: Site) -> None:
    one, other = post(site, "/trace", asked(topologies=[NGINX, OTHER])).json["ways"]

    scopes = [next(s for s in way["steps"] if s["kind"] == "scope") for way in (one, other)]
    for scope in scopes:
        assert [line["name"] for line in scope["lines"] if line["differs"]] == ["path"]


def test_one_that_does_not_answer_hides_nothing_of_the_other(site: Site, lab: FakeLab) -> None:
    def answer(topology: str, scheme: Scheme, request: Request) -> Trace:
        if topology == OTHER:
            raise HoplabError("nginx is down")
        return lab.usual(topology, scheme, request)

    lab.answer = answer

    one, other = post(site, "/trace", asked(topologies=[NGINX, OTHER])).json["ways"]

    assert one["status"] == 307
    assert other["error"] == "nginx is down"


def redirecting(lab: FakeLab, location: str) -> None:
    def answer(topology: str, scheme: Scheme, request: Request) -> Trace:
        if request.path.startswith(f"{PREFIX}/items"):
            exchange = Exchange("GET", f"{lab.origin(topology, scheme)}{ITEMS}", (), 307)
            exchange.headers = [("Location", location)]
            return Trace(exchange)
        return lab.usual(topology, scheme, request)

    lab.answer = answer


@pytest.mark.parametrize(
    ("location", "note"),
    [
        ("https://mysuperapp.com/items/", "nothing of this topology listens there"),
        ("https://evil.example:9497/items/", "nothing of this topology listens there"),
        ("http://[broken", "no http or https URL"),
        ("https://mysuperapp.com:99999/", "no http or https URL"),
        ("javascript:alert(1)", "no http or https URL"),
        ("ftp://mysuperapp.com:9497/", "no http or https URL"),
    ],
)
def test_a_location_that_leads_out_is_not_asked(
    site: Site, lab: FakeLab, location: str, note: str
) -> None:
    redirecting(lab, location)

    (way,) = post(site, "/trace", asked()).json["ways"]

    (lead,) = way["leads"]
    assert note in lead["note"]
    assert len(lab.asked) == 1


def test_a_location_of_the_other_scheme_is_asked_where_it_leads(site: Site, lab: FakeLab) -> None:
    """The famous one: http:// on the port of https."""
    redirecting(lab, "http://mysuperapp.com:{port}/items/")
    with socket.create_server(("127.0.0.1", 0)) as sock:
        port = sock.getsockname()[1]
        urls = {**lab.all[NGINX].urls, Scheme.HTTPS: f"https://127.0.0.1:{port}{PREFIX}"}
        lab.alter(NGINX, urls=urls)
        redirecting(lab, f"http://mysuperapp.com:{port}/items/")

        def answer() -> None:
            connection, _ = sock.accept()
            with connection:
                connection.recv(1000)
                connection.sendall(b"HTTP/1.1 400 Bad\r\nContent-Length: 0\r\n\r\n")

        thread = threading.Thread(target=answer)
        thread.start()
        (way,) = post(site, "/trace", asked()).json["ways"]
        thread.join()

    (lead,) = way["leads"]
    assert (lead["status"], lead["answered"]) == (400, False)


def test_a_redirect_without_end_is_followed_five_times(site: Site, lab: FakeLab) -> None:
    redirecting(lab, ITEMS)

    (way,) = post(site, "/trace", asked()).json["ways"]

    assert [lead["status"] for lead in way["leads"]] == [307] * 5 + [0]
    assert way["leads"][-1]["note"] == "Not followed: after 5 redirects."


@pytest.mark.parametrize(
    ("named", "status"), [("/openapi.json", 404), (f"{PREFIX}/openapi.json", 200)]
)
def test_what_a_docs_page_loads_is_asked(site: Site, lab: FakeLab, named: str, status: int) -> None:
    def answer(topology: str, scheme: Scheme, request: Request) -> Trace:
        trace = lab.usual(topology, scheme, request)
        if request.path.endswith("/docs"):
            trace.exchange.body = f"<script>ui({{ url: '{named}' }})</script>".encode()
        return trace

    lab.answer = answer

    (way,) = post(site, "/trace", asked(path=f"{PREFIX}/docs")).json["ways"]

    (lead,) = way["leads"]
    assert (lead["what"], lead["status"]) == ("OpenAPI document", status)
    assert lead["url"] == f"https://mysuperapp.com:9497{named}"


def test_a_topology_that_restarts_meanwhile_shows_no_mixture(site: Site, lab: FakeLab) -> None:
    """By an edit, or changed and fixed again: it is called as before, and is another one."""

    def answer(topology: str, scheme: Scheme, request: Request) -> Trace:
        if not lab.all[topology].start:
            lab.restart(topology)
        return lab.usual(topology, scheme, request)

    lab.answer = answer

    (way,) = post(site, "/trace", asked()).json["ways"]

    assert "was restarted in the meantime" in way["error"]


@pytest.mark.parametrize(
    ("told", "quoted"),
    [
        (b"", "not JSON"),
        (b"[]", "not a JSON object"),
        (b"[" * 60_000, "not JSON"),
        ({}, "Name one topology"),
        (asked(topologies=[]), "Name one topology"),
        (asked(topologies=[NGINX] * 3), "Name one topology"),
        (asked(topologies=["nowhere"]), "'nowhere' is not a topology"),
        (asked(topologies=[["x"]]), "is not a topology"),
        (asked(scheme="ftp"), "'ftp' is not a scheme"),
        (asked(scheme=["http"]), "is not a scheme"),
        (asked(method="BREW"), "'BREW' is none of the methods"),
        (asked(method=None), "None is none of the methods"),
        (asked(path="items"), "'items' is not a path"),
        (asked(path="/a b"), "'/a b' is not a path"),
        (asked(path="/é"), "is not a path"),
        (asked(path="/a\r\nX: y"), "is not a path"),
        (asked(path=1), "is not a path"),
        (asked(headers="x"), "Headers are a list"),
        (asked(headers=[["a", "b"]] * 31), "at most 30"),
        (asked(headers=["a"]), "is not a header"),
        (asked(headers=[["a"]]), "is not a header"),
        (asked(headers=[["a b", "c"]]), "'a b' is not a header's name"),
        (asked(headers=[["a", "b\r\nc: d"]]), "The value of a has a character"),
        (asked(headers=[["a", "☃"]]), "The value of a has a character"),
        (asked(headers=[["Content-Length", "1"]]), "Content-Length can't be chosen"),
        (asked(headers=[["host", "x"]]), "host can't be chosen"),
    ],
)
def test_what_is_no_request_is_refused_with_one_line(
    site: Site, lab: FakeLab, told: Any, quoted: str
) -> None:
    answer = post(site, "/trace", told)

    assert answer.status == 400
    assert quoted in answer.json["error"]
    assert lab.asked == []


@pytest.mark.parametrize("prefix", ["/api/v1", "/caf%C3%A9", "/"])
def test_telling_requests_are_requests_and_all_different(prefix: str) -> None:
    """Below `/`, nothing is outside the prefix, and nothing has it twice."""
    found = telling(load(WORKSPACE, parse(prefix)))

    assert len({each.request for each in found}) == len(found)
    for each in found:
        request_from({**vars(each.request), "scheme": "https", "headers": []})
    assert ("no prefix" in {each.name for each in found}) is (prefix != "/")


def test_texts_name_the_prefix_of_the_lab(site: Site) -> None:
    text = get(site, "/words").text

    assert "{prefix}" not in text
    assert PREFIX in text


# --- changes ---


def test_it_is_broken_and_fixed(site: Site, lab: FakeLab) -> None:
    names = [each["name"] for each in get(site, f"/possible?topology={NGINX}").json]
    assert names == ["none.none", "nginx-bare"]

    assert post(site, "/change", {"topology": NGINX, "name": "nginx-bare"}).status == 200
    assert post(site, "/fix", {"topology": NGINX}).status == 200

    assert lab.called == [("change", NGINX, "nginx-bare"), ("fix", NGINX)]


@pytest.mark.parametrize(
    ("path", "told"),
    [
        ("/change", {"topology": "nowhere", "name": "nginx-bare"}),
        ("/change", {"topology": NGINX, "name": "no such"}),
        ("/change", {"topology": NGINX}),
        ("/fix", {"topology": "<script>"}),
        ("/fix", []),
    ],
)
def test_what_can_not_be_changed_is_said(site: Site, path: str, told: Any) -> None:
    answer = post(site, path, told)

    assert answer.status == 400
    assert answer.json["error"]


def test_of_an_unknown_topology_nothing_is_possible(site: Site) -> None:
    assert get(site, "/possible?topology=nowhere").status == 400


# --- the port ---


def test_a_port_that_is_taken_is_said_with_the_way_to_choose_another(lab: FakeLab) -> None:
    with socket.create_server(("127.0.0.1", 0)) as sock:
        port = sock.getsockname()[1]
        with pytest.raises(HoplabError, match=f"{port} ") as raised, serving(lab, CATALOGUE, port):
            pass

    assert f"{VARIABLE}=" in str(raised.value)
