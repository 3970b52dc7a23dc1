"""The client for strangers' sites sends what it may, and keeps its limits."""

import socket
import time

import pytest

from hoplab.client.asker import Silence, Stop
from hoplab.client.given import connect_to, resolve
from hoplab.client.manners import Manners
from tests.unit.hostile import LOOPBACK, Visit, always, answer, site
from tests.unit.polite import against, asking

# --- what is sent ---


def test_one_connection_serves_many_requests_and_each_is_counted() -> None:
    with against(always(answer(b"hello"))) as (found, client):
        for number in range(5):
            assert client.ask(f"{found.url}/{number}").body == b"hello"

    assert found.connections == 1
    assert client.requests == len(found.heads) == 5


def test_nothing_but_safe_methods_is_sent() -> None:
    with against(always(answer())) as (found, client):
        for method in ("POST", "PUT", "DELETE", "PATCH", "TRACE", "CONNECT"):
            with pytest.raises(ValueError, match=method):
                client.ask(found.url + "/", method)
        client.ask(found.url + "/", "HEAD")
        client.ask(found.url + "/", "OPTIONS")

    assert [head.split()[0] for head in found.heads] == [b"HEAD", b"OPTIONS"]


def test_nothing_goes_off_host() -> None:
    with site(always(answer())) as other, against(always(answer())) as (found, client):
        hosts = (other.url, "https://127.0.0.1", f"http://localhost:{found.port}", "http://[::1]")
        for url in hosts:
            with pytest.raises(Silence, match="another origin"):
                client.ask(f"{url}/")
            with pytest.raises(Silence, match="another origin"):
                client.shake_hands(f"{url}/")

    assert other.heads == found.heads == []
    assert client.requests == 0


def test_a_redirect_is_recorded_and_not_followed() -> None:
    with against(always(answer(b"", "302 Found", "Location: http://evil.invalid/"))) as (
        found,
        client,
    ):
        assert client.ask(f"{found.url}/a").header("Location") == "http://evil.invalid/"

    assert found.targets == ["/a"]


def test_no_url_of_a_site_puts_a_line_into_the_request() -> None:
    with against(always(answer())) as (found, client):
        client.ask(f"{found.url}/a\r\nX-Evil: 1\r\n\r\nGET /b é\x00")

    (head,) = found.heads
    assert head.startswith(b"GET /a%0D%0AX-Evil:%201%0D%0A%0D%0AGET%20/b%20%C3%A9%00 HTTP/1.1\r\n")


def test_headers_and_credentials_are_sent_and_not_recorded() -> None:
    with (
        site(always(answer())) as found,
        asking(
            f"http://me:hunter2@{LOOPBACK}:{found.port}/x", headers=[("X-Key", "hunter3")]
        ) as client,
    ):
        exchange = client.ask(client.given.url)

    assert b"Authorization: Basic bWU6aHVudGVyMg==\r\n" in found.heads[0]
    assert b"X-Key: hunter3\r\n" in found.heads[0]
    assert "hunter" not in str(exchange.sent) + exchange.url + str(exchange)
    assert "bWU6" not in str(exchange.sent)


def test_a_header_of_ones_own_replaces_the_usual_one() -> None:
    with against(always(answer()), headers=[("user-agent", "me"), ("Host", "other")]) as (
        found,
        client,
    ):
        client.ask(found.url + "/")

    assert found.heads[0].lower().count(b"user-agent:") == 1
    assert b"\r\nHost: other\r\n" in found.heads[0]


def test_names_are_resolved_and_connected_as_curl_does() -> None:
    with site(always(answer(b"here"))) as found:
        url = f"http://bücher.invalid:{found.port}/"
        named = "xn--bcher-kva.invalid"
        for options in (
            {"resolve": [resolve(f"{named}:{found.port}:{LOOPBACK}")]},
            {"connect_to": [connect_to(f"{named}::{LOOPBACK}:")]},
        ):
            with asking(url, **options) as client:
                assert client.ask(client.given.url).body == b"here"
        with asking(
            "http://other.invalid/", connect_to=[connect_to(f"::{LOOPBACK}:{found.port}")]
        ) as client:
            assert client.ask("http://other.invalid/").body == b"here"

    assert b"Host: xn--bcher-kva.invalid:" in found.heads[0]
    assert b"Host: other.invalid\r\n" in found.heads[2]


def test_ipv6() -> None:
    with (
        site(always(answer(b"six"))) as found,
        asking(
            f"http://[::1]:{found.port}/", connect_to=[connect_to(f"[::1]::{LOOPBACK}:")]
        ) as client,
    ):
        assert client.ask(client.given.url).body == b"six"

    assert f"Host: [::1]:{found.port}\r\n".encode() in found.heads[0]


# --- limits ---


def test_so_many_requests_and_no_more() -> None:
    with against(always(answer()), Manners(requests=3)) as (found, client):
        for _ in range(3):
            client.ask(found.url + "/")
        with pytest.raises(Stop, match="max-requests"):
            client.ask(found.url + "/")
        with pytest.raises(Stop, match="max-requests"):
            client.shake_hands(found.url + "/")

    assert len(found.heads) == 3


def test_a_connection_that_was_closed_meanwhile_costs_one_request_more() -> None:
    def once(visit: Visit) -> None:
        visit.send(answer(b"x"))
        visit.sock.shutdown(socket.SHUT_RDWR)

    with against(once) as (found, client):
        for _ in range(3):
            assert client.ask(found.url + "/").body == b"x"

    assert found.connections == 3
    assert client.requests >= 3


def test_the_rate_is_polite_but_for_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    waited: list[float] = []
    monkeypatch.setattr(time, "sleep", waited.append)
    with against(always(answer()), Manners(per_second=1000)) as (found, client):
        client.ask(found.url + "/")
        client.ask(found.url + "/")
        assert waited == []
        client._pause = 0.05
        client.ask(found.url + "/")
        client.ask(found.url + "/")

    assert waited


def test_the_time_for_all_is_limited() -> None:
    with against(always(answer()), Manners(seconds=0.2)) as (found, client):
        client.ask(found.url + "/")
        client._began -= 1
        with pytest.raises(Stop, match="time limit"):
            client.ask(found.url + "/")


def test_the_bytes_of_all_are_limited() -> None:
    with against(always(answer(bytes(1000))), Manners(download=1500)) as (found, client):
        client.ask(found.url + "/")
        client.ask(found.url + "/")
        with pytest.raises(Stop, match="bytes have come"):
            client.ask(found.url + "/")
