"""Why no answer came: the client for strangers' sites names it."""

import socket
import ssl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import trustme

from hoplab.client import naming
from hoplab.client.asker import Silence, Stop
from hoplab.client.given import connect_to
from hoplab.client.manners import Manners
from hoplab.client.polite import PoliteClient
from tests.unit.hostile import LOOPBACK, Site, Visit, always, answer, context_of, site
from tests.unit.polite import against, asking
from tests.unit.stub import closed_port


def test_refused() -> None:
    port = closed_port()
    with (
        asking(f"http://{LOOPBACK}:{port}/") as client,
        pytest.raises(Stop, match=r"refuses the connection.*ERR_CONNECTION_REFUSED"),
    ):
        client.ask(client.given.url)


def test_unresolvable() -> None:
    with (
        asking("http://nowhere.invalid/") as client,
        pytest.raises(Stop, match=r"nowhere\.invalid can't be resolved.*ERR_NAME_NOT_RESOLVED"),
    ):
        client.ask(client.given.url)


def test_ended_without_an_answer() -> None:
    def end(visit: Visit) -> None:
        visit.sock.shutdown(socket.SHUT_RDWR)

    with (
        against(end) as (found, client),
        pytest.raises(Silence, match="ended the connection without an answer"),
    ):
        client.ask(found.url + "/")


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def file(authority: trustme.CA, tmp_path: Path) -> Path:
    path = tmp_path / "authority.pem"
    authority.cert_pem.write_to_path(str(path))
    return path


@contextmanager
def over_tls(
    context: ssl.SSLContext, name: str, **options: Any
) -> Iterator[tuple[Site, PoliteClient]]:
    with site(always(answer(b"secret")), context) as found:
        connects = [connect_to(f"::{LOOPBACK}:{found.port}")]
        with asking(f"https://{name}/", connect_to=connects, **options) as client:
            yield found, client


def test_tls_is_verified_with_an_authority_of_ones_own(authority: trustme.CA, file: Path) -> None:
    context = context_of(authority, "good.invalid")
    with over_tls(context, "good.invalid", authority=file) as (_, client):
        assert client.ask("https://good.invalid/").body == b"secret"


@pytest.mark.parametrize(
    ("names", "expired", "trusted", "told"),
    [
        (["good.invalid"], True, True, "has expired.*ERR_CERT_DATE_INVALID"),
        (["other.invalid"], False, True, "for another name.*ERR_CERT_COMMON_NAME_INVALID"),
        (["good.invalid"], False, False, "not trusted here.*ERR_CERT_AUTHORITY_INVALID"),
    ],
)
def test_a_certificate_that_is_wrong(
    authority: trustme.CA,
    file: Path,
    names: list[str],
    expired: bool,  # noqa: FBT001
    trusted: bool,  # noqa: FBT001
    told: str,
) -> None:
    context = context_of(authority, *names, expired=expired)
    options: dict[str, Any] = {"authority": file} if trusted else {}
    with over_tls(context, "good.invalid", **options) as (found, client):
        with pytest.raises(Stop, match=f"TLS: the certificate.*{told}"):
            client.ask("https://good.invalid/")
        assert found.heads == []
    with over_tls(context, "good.invalid", insecure=True) as (_, client):
        assert client.ask("https://good.invalid/").body == b"secret"


def test_what_speaks_no_tls() -> None:
    with (
        site(always(answer())) as found,
        asking(f"https://{LOOPBACK}:{found.port}/") as client,
        pytest.raises(Stop, match="speaks no TLS"),
    ):
        client.ask(client.given.url)


@pytest.mark.parametrize(("code", "word"), [(18, "self-signed"), (9, "not valid yet"), (77, "odd")])
def test_other_reasons_of_a_certificate(code: int, word: str) -> None:
    error = ssl.SSLCertVerificationError(1, "certificate verify failed")
    error.verify_code, error.verify_message = code, "odd\x1b"

    why = naming.named(error, "a.invalid", 443)

    assert word in why.text
    assert why.browser.startswith("NET::ERR_CERT_")
    assert str(why).isprintable()


@pytest.mark.parametrize(
    ("reason", "word"),
    [
        ("WRONG_VERSION_NUMBER", "no TLS"),
        ("TLSV1_UNRECOGNIZED_NAME", "no certificate for this name"),
        ("TLSV1_ALERT_PROTOCOL_VERSION", "no longer allowed"),
        ("SSLV3_ALERT_HANDSHAKE_FAILURE", "no cipher in common"),
        ("TLSV13_ALERT_CERTIFICATE_REQUIRED", "wants a certificate"),
        ("SOMETHING_ELSE", "something else"),
    ],
)
def test_other_errors_of_tls(reason: str, word: str) -> None:
    error = ssl.SSLError(1, f"[SSL: {reason}] x (_ssl.c:1)")
    error.reason = reason

    why = naming.named(error, "a.invalid", 443)

    assert word in why.text
    assert why.kind is naming.Kind.TLS


def test_a_machine_that_can_not_be_reached() -> None:
    why = naming.named(OSError(113, "No route to host"), "::1", 1)

    assert why.text == "[::1]:1 can't be reached (EHOSTUNREACH)"


def test_a_handshake_of_tls_that_never_ends() -> None:
    with socket.socket() as listener:
        listener.bind((LOOPBACK, 0))
        listener.listen()
        url = f"https://{LOOPBACK}:{listener.getsockname()[1]}/"
        began = time.monotonic()
        with asking(url, Manners(answer=0.4)) as client, pytest.raises(Silence, match="in time"):
            client.ask(url)
        assert time.monotonic() - began < 3
