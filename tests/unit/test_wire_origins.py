"""Whom the client asks, and which certificate it believes."""

import pytest

from hoplab.client.wire import Client
from hoplab.engines.certificates import Certificates, ensure
from hoplab.errors import HarnessError
from tests.unit.clients import NAME, client_of
from tests.unit.stub import LOOPBACK, recording

# --- TLS ---


def test_https_names_the_public_host_in_sni_and_host(certificates: Certificates) -> None:
    with (
        recording(certificates=certificates) as recorder,
        client_of(recorder.port, certificates, "https") as (client, origin),
    ):
        exchange = client.request("GET", f"{origin}/x")

    assert (exchange.status, exchange.body) == (200, b"OK")
    assert recorder.server_names == [NAME]
    assert f"Host: {NAME}:{recorder.port}\r\n".encode() in recorder.requests[0]


def test_unknown_authority_is_refused(
    certificates: Certificates, tmp_path_factory: pytest.TempPathFactory
) -> None:
    others = ensure(tmp_path_factory.mktemp("others") / "certificates")
    with (
        recording(certificates=others) as recorder,
        client_of(recorder.port, certificates, "https") as (client, origin),
        pytest.raises(HarnessError, match="CERTIFICATE_VERIFY_FAILED"),
    ):
        client.request("GET", f"{origin}/secret")

    assert recorder.requests == []


def test_certificate_of_another_name_is_refused(certificates: Certificates) -> None:
    with recording(certificates=certificates) as recorder:
        origin = f"https://canary.invalid:{recorder.port}"
        client = Client({origin: (LOOPBACK, recorder.port)}, certificates.authority)
        with pytest.raises(HarnessError, match=r"not valid for 'canary\.invalid'"):
            client.request("GET", origin)

    assert recorder.requests == []


def test_websocket_refuses_an_unknown_authority(
    certificates: Certificates, tmp_path_factory: pytest.TempPathFactory
) -> None:
    others = ensure(tmp_path_factory.mktemp("others") / "certificates")
    with (
        recording(certificates=others) as recorder,
        client_of(recorder.port, certificates, "https") as (client, origin),
        pytest.raises(HarnessError, match="CERTIFICATE_VERIFY_FAILED"),
    ):
        client.websocket("wss" + origin.removeprefix("https"))

    assert recorder.requests == []


# --- whom it asks ---


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com/",
        "http://127.0.0.1/",
        "https://mysuperapp.com:1/",
        "http://mysuperapp.com:2/",
        "http://user@mysuperapp.com:1/",
    ],
)
def test_unknown_origin_is_never_asked(certificates: Certificates, url: str) -> None:
    client = Client({"http://mysuperapp.com:1": (LOOPBACK, 1)}, certificates.authority)

    with pytest.raises(HarnessError, match="is not an origin of this topology"):
        client.request("GET", url)
    with pytest.raises(HarnessError, match="is not an origin of this topology"):
        client.websocket("ws" + url.removeprefix("http"))


def test_redirects_are_not_followed(certificates: Certificates) -> None:
    moved = b"HTTP/1.1 307 Temporary Redirect\r\nLocation: /there\r\nContent-Length: 0\r\n\r\n"
    with (
        recording(moved) as recorder,
        client_of(recorder.port, certificates) as (client, origin),
    ):
        exchange = client.request("GET", f"{origin}/here")

    assert (exchange.status, exchange.header("LOCATION")) == (307, "/there")
    assert len(recorder.requests) == 1
    assert str(exchange) == f"GET {origin}/here → 307 /there"
