"""Whatever a site answers, the client for strangers' sites ends in time and in memory."""

import resource
import socket
import threading
import time

import pytest

from hoplab.client import manners
from hoplab.client.asker import Silence, Stop
from hoplab.client.manners import Manners
from hoplab.client.polite import Interruption
from hoplab.client.wire import Exchange
from hoplab.system import interrupts
from tests.unit.hostile import Behaviour, Visit, always, answer, bomb
from tests.unit.polite import QUICK, against

# --- bad answers: each ends within its limits ---

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n"


def endless_body(visit: Visit) -> None:
    visit.send(HEAD + b"\r\n")
    visit.for_ever(bytes(2**16))


def endless_chunks(visit: Visit) -> None:
    visit.send(HEAD + b"Transfer-Encoding: chunked\r\n\r\n")
    visit.for_ever(b"1\r\nx\r\n" * 1000)


def endless_extensions(visit: Visit) -> None:
    visit.send(HEAD + b"Transfer-Encoding: chunked\r\n\r\n")
    visit.for_ever(b"1;" + b"e" * 60000 + b"\r\nx\r\n")


def endless_trailers(visit: Visit) -> None:
    visit.send(HEAD + b"Transfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n")
    visit.for_ever(b"X-Trailer: more\r\n" * 1000)


def said_to_be_huge(visit: Visit) -> None:
    visit.send(HEAD + b"Content-Length: 99999999999999\r\n\r\n")
    visit.for_ever(bytes(2**16))


@pytest.mark.parametrize(
    "behaviour",
    [endless_body, endless_chunks, endless_extensions, endless_trailers, said_to_be_huge],
)
def test_of_an_endless_body_the_beginning_is_read(behaviour: Behaviour) -> None:
    with against(behaviour) as (found, client):
        began = time.monotonic()
        exchange = client.ask(found.url + "/")

        assert exchange.status == 200
        assert len(exchange.body) <= QUICK.body
        assert client.notes
        assert time.monotonic() - began < 5
        assert client._received < 4 * QUICK.body


def drip_body(visit: Visit) -> None:
    visit.send(HEAD + b"Content-Length: 1000\r\n\r\n")
    visit.for_ever(b"x", pause=0.05)


def test_of_a_body_that_drips_what_came_in_time_is_read() -> None:
    with against(drip_body, Manners(answer=0.5)) as (found, client):
        began = time.monotonic()
        exchange = client.ask(found.url + "/")

        assert exchange.body.startswith(b"x")
        assert "not whole after 0.5 s" in client.notes[0]
        assert time.monotonic() - began < 3


def drip_head(visit: Visit) -> None:
    visit.send(b"HTTP/1.1 200 OK\r\nX-Long: ")
    visit.for_ever(b"x", pause=0.05)


def silent(visit: Visit) -> None:
    visit.gone.wait(20)


@pytest.mark.parametrize("behaviour", [drip_head, silent])
def test_an_answer_whose_head_does_not_end_in_time(behaviour: Behaviour) -> None:
    with against(behaviour, Manners(answer=0.4)) as (found, client):
        began = time.monotonic()
        with pytest.raises(Silence, match=r"no answer in time.*ERR_TIMED_OUT"):
            client.ask(found.url + "/")
        assert time.monotonic() - began < 3


def endless_line(visit: Visit) -> None:
    visit.for_ever(b"HTTP/1.1 200 OK" + b"x" * 10000)


def endless_headers(visit: Visit) -> None:
    visit.send(b"HTTP/1.1 200 OK\r\n")
    visit.for_ever(b"X-Header: value\r\n")


def endless_continue(visit: Visit) -> None:
    visit.for_ever(b"HTTP/1.1 100 Continue\r\n\r\n" * 100)


def one_large_header(visit: Visit) -> None:
    visit.send(b"HTTP/1.1 200 OK\r\nX-Large: " + b"x" * 200_000 + b"\r\n\r\n")


@pytest.mark.parametrize(
    "behaviour", [endless_line, endless_headers, endless_continue, one_large_header]
)
def test_an_endless_head(behaviour: Behaviour) -> None:
    with against(behaviour) as (found, client):
        with pytest.raises((Silence, Stop), match=r"head|no HTTP"):
            client.ask(found.url + "/")
        assert client._received < 4 * (QUICK.head + QUICK.body)


@pytest.mark.parametrize("size", [2**20, 64 * 2**20])
def test_a_compressed_bomb_is_unpacked_no_further_than_the_limit(size: int) -> None:
    packed = bomb(size)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with against(
        always(answer(packed, "200 OK", "Content-Encoding: gzip")), Manners(body=2**20)
    ) as (found, client):
        exchange = client.ask(found.url + "/")

    assert len(exchange.body) <= 2**20
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 32 * 1024  # KiB
    assert client._received >= len(exchange.body)


@pytest.mark.parametrize(
    "raw",
    [
        b"SSH-2.0-OpenSSH_9.6\r\n",
        b"\x00\x01\x02\r\n\r\n",
        b"HTTP/1.1 abc OK\r\n\r\n",
        b"220 smtp.example.com ESMTP\r\n",
        b"ICY 200 OK\r\n\r\n",
    ],
)
def test_what_is_no_http(raw: bytes) -> None:
    def once(visit: Visit) -> None:
        visit.send(raw)
        visit.sock.shutdown(socket.SHUT_RDWR)

    with against(once) as (found, client), pytest.raises(Stop, match="no HTTP") as raised:
        client.ask(found.url + "/")

    assert str(raised.value).isprintable()


@pytest.mark.parametrize(
    "raw",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\nbody",
        b"HTTP/1.1 200 OK\r\nContent-Length: abc\r\n\r\nbody",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nbody",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-5\r\nbody",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\nbody",
        b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nbody",
        b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nX: \xff\xfe\x1b[31m\r\n\r\n\xff\xfe",
        b"HTTP/1.1 200 OK\r\nno colon\r\n\r\nbody",
        b"HTTP/1.0 200 OK\r\n\r\nbody",
        b"HTTP/1.1 200 \x1b[31m\r\n\r\nbody",
    ],
)
def test_odd_answers_are_taken_as_they_come(raw: bytes) -> None:
    def once(visit: Visit) -> None:
        visit.send(raw)
        visit.sock.shutdown(socket.SHUT_RDWR)

    with against(once) as (found, client):
        assert client.ask(found.url + "/").status == 200


@pytest.mark.parametrize("head", ["HTTP/1.0 200 OK", "HTTP/1.1 200 OK\r\nConnection: close"])
def test_a_body_that_ends_with_the_connection_is_read_whole(head: str) -> None:
    def once(visit: Visit) -> None:
        visit.send(f"{head}\r\n\r\nbody".encode())
        visit.sock.shutdown(socket.SHUT_RDWR)

    with against(once) as (found, client):
        for _ in range(3):
            exchange = client.ask(found.url + "/")
            assert (exchange.body, exchange.cut) == (b"body", False)
        assert client.notes == []


def test_an_event_stream_is_not_waited_for() -> None:
    def events(visit: Visit) -> None:
        visit.send(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n")
        visit.for_ever(b"data: x\n\n", pause=0.1)

    with against(events) as (found, client):
        began = time.monotonic()
        assert client.ask(found.url + "/").status == 200
        assert time.monotonic() - began < 0.5


# --- WebSockets ---


def test_a_handshake_is_refused_or_accepted() -> None:
    with against(always(answer(b"no", "403 Forbidden"))) as (found, client):
        assert client.shake_hands(found.url + "/ws").status == 403
    assert b"Upgrade: websocket\r\n" in found.heads[0]
    assert client.requests == 1


@pytest.mark.parametrize("behaviour", [endless_body, endless_headers, drip_head, silent, drip_body])
def test_a_handshake_ends_in_time_and_bytes(behaviour: Behaviour) -> None:
    with against(behaviour, Manners(answer=0.5, head=16 * 1024)) as (found, client):
        began = time.monotonic()
        with pytest.raises((Silence, Stop)):
            client.shake_hands(found.url + "/ws")
        assert time.monotonic() - began < 3
        assert client._received < 2**20


# --- the site wants no more ---


def test_three_silences_in_a_row_are_enough() -> None:
    with against(silent, Manners(answer=0.1)) as (found, client):
        for _ in range(2):
            with pytest.raises(Silence):
                client.ask(found.url + "/")
        with pytest.raises(Stop, match="3 times in a row"):
            client.ask(found.url + "/")


@pytest.mark.parametrize(
    ("status", "headers", "told"),
    [
        ("429 Too Many", ["Retry-After: 120"], "asks to wait 120 s"),
        ("429 Too Many", [], "429"),
        ("429 Too Many", ["Retry-After: \x1b[31mx"], "429"),
        ("503 Unavailable", ["Retry-After: 7"], "asks to wait 7 s"),
    ],
)
def test_retry_after_is_respected(status: str, headers: list[str], told: str) -> None:
    with against(always(answer(b"", status, *headers))) as (found, client):
        with pytest.raises(Stop, match=told) as raised:
            client.ask(found.url + "/")
        assert [each.status for each in client.exchanges] == [int(status[:3])]

    assert str(raised.value).isprintable()
    assert len(found.heads) == 1


def test_a_plain_503_is_an_answer() -> None:
    with against(always(answer(b"", "503 Unavailable"))) as (found, client):
        assert client.ask(found.url + "/").status == 503


@pytest.mark.parametrize(
    "value", ["Wed, 21 Oct 2015 07:28:00 GMT", "Wed, 21 Oct 2015 07:28:00 -0000"]
)
def test_retry_after_as_a_date(value: str) -> None:
    assert manners.waits(value) == "0 s"


@pytest.mark.parametrize("value", [None, "", "soon", "-1", "\u0661", "9" * 30 + "x"])
def test_retry_after_that_says_nothing(value: str | None) -> None:
    assert manners.waits(value) == ""


@pytest.mark.parametrize("status", ["401 Unauthorized", "403 Forbidden", "407 Proxy"])
def test_a_login_everywhere_ends_it(status: str) -> None:
    with against(always(answer(b"", status)), Manners(refusals=4)) as (found, client):
        for _ in range(3):
            client.ask(found.url + "/")
        with pytest.raises(Stop, match=r"a login everywhere.*--header"):
            client.ask(found.url + "/")


def test_a_login_that_lets_one_path_through_does_not() -> None:
    def healthy(visit: Visit) -> None:
        visit.send(answer(b"", "200 OK" if visit.target == "/healthz" else "401 Unauthorized"))

    with against(healthy, Manners(refusals=4)) as (found, client):
        for path in ("/a", "/b", "/healthz", "/c", "/d", "/e", "/f"):
            client.ask(found.url + path)


@pytest.mark.parametrize(
    ("answered", "who"),
    [
        (answer(b"", "403 Forbidden", "cf-mitigated: challenge"), "Cloudflare"),
        (answer(b"<script src=/cdn-cgi/challenge-platform/x>", "503 No"), "Cloudflare"),
        (answer(b"", "405 No", "x-amzn-waf-action: captcha"), "AWS WAF"),
        (answer(b"", "202 Accepted", "x-amzn-waf-action: challenge"), "AWS WAF"),
        (answer(b'<iframe src="/_Incapsula_Resource?CWUDNSAI=9">', "200 OK"), "Imperva"),
        (answer(b"<script src='https://ct.captcha-delivery.com/c.js'>", "403 No"), "DataDome"),
        (answer(b"{}", "403 No", "X-DD-B: 1", kind="application/json"), "DataDome"),
        (answer(b"<div class='g-recaptcha'>", "403 Forbidden"), "a captcha"),
        (answer(b"<script src='/.within.website/x/cmd/anubis/'>"), "Anubis"),
    ],
)
def test_a_page_for_browsers_alone_ends_it(answered: bytes, who: str) -> None:
    with against(always(answered)) as (found, client):
        with pytest.raises(Stop, match=f"{who} answers .* with a challenge"):
            client.ask(found.url + "/")
        assert client.requests == 1


@pytest.mark.parametrize(
    "answered",
    [
        answer(b"a page about captcha"),
        answer(b'{"captcha": 1}', "403 Forbidden", kind="application/json"),
        answer(b"", "403 Forbidden", "server: cloudflare"),
        answer(b'<script src="/_Incapsula_Resource?SWJIYLWA=7"></script><h1>Shop</h1>'),
        answer(b"<h1>No</h1>", "403 Forbidden", "X-DataDome: protected"),
    ],
)
def test_what_is_no_such_page(answered: bytes) -> None:
    with against(always(answered)) as (found, client):
        assert client.ask(found.url + "/").status in {200, 403}


# --- Ctrl-C ---


@pytest.mark.parametrize("behaviour", [silent, drip_head, endless_continue, drip_body])
def test_an_interruption_comes_through_at_once(
    behaviour: Behaviour, monkeypatch: pytest.MonkeyPatch
) -> None:
    came = threading.Event()

    def check() -> None:
        if came.is_set():
            came.clear()
            raise interrupts.Interrupted(130)

    monkeypatch.setattr(interrupts, "check", check)
    limits = Manners(answer=30, head=2**30)
    with against(behaviour, limits) as (found, client):
        client.exchanges.append(Exchange("GET", found.url, ()))
        timer = threading.Timer(0.3, came.set)
        timer.start()
        began = time.monotonic()
        with pytest.raises(Interruption) as raised:
            client.ask(found.url + "/")
        assert time.monotonic() - began < 3
        timer.join()

    assert raised.value.signal.code == 130
    assert isinstance(raised.value, Stop)
