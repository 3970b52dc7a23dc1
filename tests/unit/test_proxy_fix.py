"""behind_proxy: what a trusted peer tells of client, scheme and Host."""

import asyncio
import subprocess
import sys
from typing import Any

import pytest

from app.granian import proxy_headers
from app.hypercorn.proxy_fix import behind_proxy
from tests.catalogue import ROOT
from tests.unit.handed_on import hands_on

PEER = ("172.18.0.2", 4711)
PROXIES = "172.18.0.0/16, 10.0.0.9, unix:"
SCHEMES = {"http": ("http", "https"), "websocket": ("ws", "wss")}

every_kind = pytest.mark.parametrize("kind", SCHEMES)


def seen(
    *headers: tuple[str, str], kind: str = "http", trusted: str = PROXIES, **changes: Any
) -> dict[str, Any]:
    """The scope that the wrapped application gets."""
    options = {"host": changes.pop("host")} if "host" in changes else {}
    scopes: list[dict[str, Any]] = []

    async def app(scope: Any, _receive: Any, _send: Any) -> None:
        scopes.append(scope)

    async def nothing(*_: Any) -> None:
        pytest.fail("it neither receives nor sends")

    scope = {
        "type": kind,
        "scheme": SCHEMES[kind][0],
        "client": PEER,
        "headers": [(b"host", b"app:8000"), *((k.encode(), v.encode()) for k, v in headers)],
        **changes,
    }
    wrapped: Any = behind_proxy(app, trusted, **options)
    asyncio.run(wrapped(scope, nothing, nothing))
    return scopes[0]


# --- the scheme ---


@pytest.mark.parametrize(
    ("sent", "http", "websocket"),
    [
        ([], "http", "ws"),
        (["http"], "http", "ws"),
        (["https"], "https", "wss"),
        (["HTTPS"], "https", "wss"),  # RFC 3986, 3.1
        (["ws"], "http", "ws"),
        (["wss"], "http", "wss"),  # of a WebSocket alone, as Traefik has it
        (["javascript"], "http", "ws"),
        (["https://"], "http", "ws"),
        (["httpss"], "http", "ws"),
        ([""], "http", "ws"),
        (["http, https"], "https", "wss"),  # the peer's own is the last
        (["https, http"], "http", "ws"),
        (["https,"], "https", "wss"),
        (["http", "https"], "https", "wss"),
        (["https", ""], "https", "wss"),
        (["https, javascript"], "http", "ws"),
        (["\xe9"], "http", "ws"),
    ],
)
def test_scheme(sent: list[str], http: str, websocket: str) -> None:
    headers = [("x-forwarded-proto", value) for value in sent]

    assert seen(*headers)["scheme"] == http
    assert seen(*headers, kind="websocket")["scheme"] == websocket
    assert seen(*headers, trusted="*")["scheme"] == http


def test_a_secure_connection_to_the_server_is_what_it_is() -> None:
    assert seen(("x-forwarded-proto", "javascript"), scheme="https")["scheme"] == "https"
    assert seen(("x-forwarded-proto", "http"), scheme="https")["scheme"] == "http"


# --- the client ---


@every_kind
@pytest.mark.parametrize(
    ("sent", "client"),
    [
        pytest.param(["192.0.2.7"], ("192.0.2.7", 0), id="v4"),
        pytest.param(["192.0.2.7:555"], ("192.0.2.7", 555), id="v4-port"),
        pytest.param(["2001:db8::7"], ("2001:db8::7", 0), id="v6"),
        pytest.param(["[2001:db8::7]"], ("2001:db8::7", 0), id="v6-brackets"),
        pytest.param(["[2001:db8::7]:555"], ("2001:db8::7", 555), id="v6-port"),
        pytest.param(["2001:DB8:0::0007"], ("2001:db8::7", 0), id="v6-one-spelling"),
        pytest.param(["::ffff:192.0.2.7"], ("192.0.2.7", 0), id="v6-mapped"),
        pytest.param(["spoof, 192.0.2.7"], ("192.0.2.7", 0), id="right-of-invention"),
        pytest.param(["192.0.2.1, 192.0.2.7"], ("192.0.2.7", 0), id="rightmost"),
        pytest.param(["192.0.2.1, 192.0.2.7, 10.0.0.9"], ("192.0.2.7", 0), id="past-trusted"),
        pytest.param(["192.0.2.7, [::ffff:10.0.0.9]:80"], ("192.0.2.7", 0), id="past-mapped"),
        pytest.param(["192.0.2.7", "10.0.0.9:80,172.18.9.9"], ("192.0.2.7", 0), id="past-lines"),
        pytest.param(["192.0.2.7, unix:"], ("192.0.2.7", 0), id="past-unix"),
        pytest.param(["10.0.0.9, 172.18.0.7"], ("10.0.0.9", 0), id="all-trusted"),
        pytest.param(["unix:"], PEER, id="only-unix"),
        pytest.param(["192.0.2.7,"], ("192.0.2.7", 0), id="empty-item"),
        pytest.param(["192.0.2.7", ""], ("192.0.2.7", 0), id="empty-line"),
        pytest.param([" ,\t192.0.2.7 , "], ("192.0.2.7", 0), id="blanks"),
        pytest.param([""], PEER, id="empty"),
        pytest.param([" , "], PEER, id="empty-items"),
        pytest.param([], PEER, id="absent"),
        pytest.param(["unknown"], PEER, id="unknown"),
        pytest.param(["192.0.2.1, unknown"], PEER, id="left-of-unknown"),
        pytest.param(["192.0.2.1, x, 10.0.0.9"], ("10.0.0.9", 0), id="left-of-invalid"),
        pytest.param(["_hidden"], PEER, id="obfuscated"),
        pytest.param(["X192.0.2.7"], PEER, id="letter"),
        pytest.param(["192.0.2.7\x0c"], PEER, id="form-feed"),
        pytest.param(["localhost"], PEER, id="name"),
        pytest.param(["192.0.2.7:"], PEER, id="no-port"),
        pytest.param(["192.0.2.7:http"], PEER, id="port-name"),
        pytest.param(["192.0.2.7:65535"], ("192.0.2.7", 65535), id="port-largest"),
        pytest.param(["192.0.2.7:65536"], PEER, id="port-too-large"),
        pytest.param(["192.0.2.7:-1"], PEER, id="port-negative"),
        pytest.param(["[192.0.2.7]:80"], PEER, id="v4-in-brackets"),
        pytest.param(["[2001:db8::7"], PEER, id="half-brackets"),
        pytest.param(["[2001:db8::7]80"], PEER, id="no-colon"),
        pytest.param(["[]:80"], PEER, id="empty-brackets"),
        pytest.param(["192.0.2.256"], PEER, id="byte-too-large"),
        pytest.param(["192.0.2"], PEER, id="three-bytes"),
        pytest.param(["fe80::1%<script>"], PEER, id="zone"),
        pytest.param(["192.0.2.7\x00"], PEER, id="null"),
        pytest.param(['"192.0.2.7"'], PEER, id="quoted"),
        pytest.param(["\u0661.1.1.1"], PEER, id="other-digits"),
    ],
)
def test_client(kind: str, sent: list[str], client: tuple[str, int]) -> None:
    assert seen(*(("x-forwarded-for", value) for value in sent), kind=kind)["client"] == client


@pytest.mark.parametrize(
    ("trusted", "client"),
    [
        pytest.param("*", "10.0.0.9", id="everybody: what the peer wrote"),
        pytest.param("*, 10.0.0.9", "192.0.2.7", id="everybody, and past this proxy"),
        pytest.param("172.18.0.2", "10.0.0.9", id="the nearest alone"),
        pytest.param("172.18.0.2, 10.0.0.5/24", "192.0.2.7", id="both of two"),
    ],
)
def test_client_behind_two_proxies(trusted: str, client: str) -> None:
    sent = ("x-forwarded-for", "203.0.113.1, 192.0.2.7, 10.0.0.9")

    assert seen(sent, trusted=trusted)["client"] == (client, 0)


@pytest.mark.parametrize("name", ["x-forwarded-for", "X-Forwarded-For"])
def test_name_in_any_case(name: str) -> None:
    assert seen((name, "192.0.2.7"))["client"] == ("192.0.2.7", 0)


@pytest.mark.parametrize("name", ["x_forwarded_for", "x-real-ip", "forwarded", "x-forwarded-by"])
def test_other_headers_say_nothing(name: str) -> None:
    assert seen((name, "192.0.2.7"))["client"] == PEER


# --- the Host ---


def hosts(scope: dict[str, Any]) -> list[bytes]:
    return [value for name, value in scope["headers"] if name.lower() == b"host"]


@every_kind
@pytest.mark.parametrize(
    ("sent", "host"),
    [
        (["mysuperapp.com"], "mysuperapp.com"),
        (["mysuperapp.com:9499"], "mysuperapp.com:9499"),
        (["192.0.2.7:80"], "192.0.2.7:80"),
        (["[2001:db8::7]:80"], "[2001:db8::7]:80"),
        (["evil.example, mysuperapp.com"], "mysuperapp.com"),
        (["evil.example", "mysuperapp.com"], "mysuperapp.com"),
        ([], "app:8000"),
        ([""], "app:8000"),
        (["a b"], "app:8000"),
        (["evil.example, a b"], "app:8000"),
        (["user@evil.example"], "app:8000"),
        (["evil.example/x"], "app:8000"),
        (["evil.example?x"], "app:8000"),
        (["evil.example:x"], "app:8000"),
        (["caf\xe9.example"], "app:8000"),
    ],
)
def test_host_if_asked_for(kind: str, sent: list[str], host: str) -> None:
    headers = [("x-forwarded-host", value) for value in sent]

    assert hosts(seen(*headers, kind=kind, host=True)) == [host.encode()]
    assert hosts(seen(*headers, kind=kind)) == [b"app:8000"]


# --- who is believed ---


@every_kind
@pytest.mark.parametrize(
    ("trusted", "peer", "believed"),
    [
        pytest.param("172.18.0.2", "172.18.0.2", True, id="address"),
        pytest.param("172.18.0.5/16", "172.18.0.2", True, id="network-with-host-bits"),
        pytest.param("172.18.0.0/16", "::ffff:172.18.0.2", True, id="mapped"),
        pytest.param("localhost, 172.18.0.2", "172.18.0.2", True, id="beside-a-name"),
        pytest.param("unix:", None, True, id="unix"),
        pytest.param("unix:", "", True, id="unix-empty"),
        pytest.param("*", None, True, id="everybody"),
        pytest.param("", "127.0.0.1", False, id="nobody"),
        pytest.param("localhost", "127.0.0.1", False, id="name"),
        pytest.param("172.18.0.2", "172.18.0.3", False, id="stranger"),
        pytest.param("0.0.0.0/0, ::/0", None, False, id="unix-unnamed"),
    ],
)
def test_only_a_proxy_is_believed(
    kind: str, trusted: str, peer: str | None, *, believed: bool
) -> None:
    given = None if peer is None else (peer, 4711)
    headers = [
        ("x-forwarded-for", "192.0.2.7"),
        ("x-forwarded-proto", "https"),
        ("x-forwarded-host", "mysuperapp.com"),
    ]

    scope = seen(*headers, kind=kind, trusted=trusted, client=given, host=True)

    assert scope["scheme"] == SCHEMES[kind][believed]
    assert scope["client"] == (("192.0.2.7", 0) if believed else given)
    assert hosts(scope) == [b"mysuperapp.com" if believed else b"app:8000"]


# --- the scope ---


class Uncopyable:
    """A lock or a connection pool, which an outer layer put into the scope."""

    def __deepcopy__(self, _: Any) -> None:
        raise TypeError("can't be copied")


@pytest.mark.parametrize("trusted", ["172.18.0.0/16", "127.0.0.1"])
def test_what_others_put_into_the_scope_stays_itself(trusted: str) -> None:
    pool = Uncopyable()
    state = {"pool": pool}

    scope = seen(("x-forwarded-for", "192.0.2.7"), trusted=trusted, state=state, pool=pool)

    assert scope["state"] is state
    assert scope["pool"] is pool


@pytest.mark.parametrize("trusted", ["172.18.0.0/16", "127.0.0.1"])
@pytest.mark.parametrize("kind", ["http", "websocket"])
def test_the_given_scope_is_never_changed(trusted: str, kind: str) -> None:
    headers = [(b"x-forwarded-for", b"192.0.2.7"), (b"x-forwarded-host", b"x"), (b"host", b"app")]
    scope = {"type": kind, "scheme": "http", "client": PEER, "headers": headers}
    before = {**scope, "headers": list(headers)}

    async def app(scope: Any, _receive: Any, _send: Any) -> None:
        scope["route"] = "written by Starlette"

    wrapped: Any = behind_proxy(app, trusted, host=True)
    asyncio.run(wrapped(scope, app, app))

    assert scope == before


@pytest.mark.parametrize("kind", ["http", "websocket", "lifespan"])
def test_the_application_talks_to_the_server_itself(kind: str) -> None:
    scope = {"type": kind, "client": PEER, "headers": []}

    assert hands_on(lambda app: behind_proxy(app, PROXIES), scope)


@pytest.mark.parametrize("server", ["hypercorn", "granian"])
def test_what_uvicorn_takes_in_the_variable_is_no_error_at_import(server: str) -> None:
    run = subprocess.run(
        [sys.executable, "-c", f"import app.{server}.forwarded_prefix"],
        env={"FORWARDED_ALLOW_IPS": "localhost, unix:, 10.0.0.5/24,"},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert run.returncode == 0, run.stderr
    assert "trusted 'localhost' is no IP address" in run.stderr


@pytest.mark.parametrize(
    ("trusted", "peer", "believed"),
    [
        pytest.param("10.0.0.5/24", "10.0.0.9", True, id="network-with-host-bits"),
        pytest.param("localhost, unix:, 10.0.0.5/24,", "10.0.0.9", True, id="beside-names"),
        pytest.param("localhost, unix:, 10.0.0.5/24,", "localhost", True, id="name"),
        pytest.param("10.0.0.5/24", "10.0.1.9", False, id="stranger"),
        pytest.param("*", "10.0.1.9", True, id="everybody"),
        pytest.param("10.0.0.5/24, *", "10.0.1.9", True, id="everybody-in-list"),
        pytest.param("", "127.0.0.1", False, id="nobody"),
    ],
)
def test_granian_s_wrapper_believes_the_same_peers(
    trusted: str, peer: str, *, believed: bool
) -> None:
    scopes: list[dict[str, Any]] = []

    async def app(scope: Any, _receive: Any, _send: Any) -> None:
        scopes.append(scope)

    wrapped: Any = proxy_headers.behind_proxy(app, trusted)
    headers = [(b"x-forwarded-for", b"192.0.2.7")]
    scope = {"type": "http", "client": (peer, 1), "headers": headers}
    asyncio.run(wrapped(scope, app, app))

    assert scopes[0]["client"] == (("192.0.2.7", 0) if believed else (peer, 1))
