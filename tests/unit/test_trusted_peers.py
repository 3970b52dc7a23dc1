"""TrustedPeers: which peers a list believes, and which addresses it names."""

import logging
from collections.abc import Iterable
from ipaddress import ip_address
from typing import Any

import pytest
from uvicorn.middleware.proxy_headers import _TrustedHosts

from app.trusted_peers import TrustedPeers, parse_address

V4 = ("10.0.0.9", 4711)
V6 = ("2001:db8::9", 4711)
MAPPED = ("::ffff:10.0.0.9", 4711)
NOBODY = [pytest.param(None, id="none"), pytest.param(("", 0), id="empty")]
"""How servers give a peer of a Unix socket: Uvicorn and Hypercorn the first, Granian the second."""

TRUSTED = [
    pytest.param("10.0.0.9", V4, id="v4"),
    pytest.param("10.0.0.0/24", V4, id="v4-network"),
    pytest.param("10.0.0.5/24", V4, id="v4-network-with-host-bits"),
    pytest.param("10.0.0.0/255.255.255.0", V4, id="v4-netmask"),
    pytest.param("10.0.0.9", MAPPED, id="mapped-peer"),
    pytest.param("10.0.0.5/24", ("::ffff:a00:9", 1), id="mapped-peer-in-hex"),
    pytest.param("::ffff:10.0.0.9", V4, id="mapped-entry"),
    pytest.param("::ffff:10.0.0.5/120", V4, id="mapped-network-with-host-bits"),
    pytest.param("::ffff:10.0.0.9", MAPPED, id="mapped-both"),
    pytest.param("::ffff:0:0/96", V4, id="mapped-network-of-all-v4"),
    pytest.param("2001:db8::9", V6, id="v6"),
    pytest.param("2001:DB8:0:0::9", V6, id="v6-other-spelling"),
    pytest.param("2001:db8::/32", V6, id="v6-network"),
    pytest.param("2001:db8::5/64", V6, id="v6-network-with-host-bits"),
    pytest.param("fe80::/10", ("fe80::1%eth0", 1), id="v6-zone-in-network"),
    pytest.param("fe80::1%eth0", ("fe80::1%eth0", 1), id="v6-zone"),
    pytest.param("::1, 10.0.0.9", V4, id="list"),
    pytest.param(" ::1 ,, 10.0.0.9 ,", V4, id="list-with-blanks"),
    pytest.param(["::1", " 10.0.0.9 "], V4, id="iterable"),
    pytest.param("10.0.0.9", ["10.0.0.9", 1], id="peer-as-list"),
    pytest.param("localhost", ("localhost", 1), id="name"),
    pytest.param("/run/proxy.sock", ("/run/proxy.sock", 1), id="socket-path"),
    pytest.param("unix:", None, id="unix-none"),
    pytest.param("unix:", ("", 0), id="unix-empty"),
    pytest.param("unix:", ("unix:", 0), id="unix-name"),
    pytest.param("*", V4, id="all-v4"),
    pytest.param("*", None, id="all-unix"),
    pytest.param("10.0.0.1, *", V6, id="all-in-list"),
    pytest.param(["*"], ("testclient", 1), id="all-name"),
]

OTHERS = [
    pytest.param("", V4, id="nobody"),
    pytest.param(" , ", V4, id="nobody-blank"),
    pytest.param([], V4, id="nobody-iterable"),
    pytest.param("10.0.0.1", V4, id="v4"),
    pytest.param("10.0.0.5/29", V4, id="v4-other-network-with-host-bits"),
    pytest.param("10.0.0.1", MAPPED, id="mapped"),
    pytest.param("::/0", MAPPED, id="mapped-is-v4"),
    pytest.param("::ffff:0:0/90", V4, id="mapped-network-and-more-is-v6"),
    pytest.param("0.0.0.0/0", V6, id="v6-is-not-v4"),
    pytest.param("::1", ("127.0.0.1", 1), id="v4-is-not-v6"),
    pytest.param("fe80::1%eth0", ("fe80::1%eth1", 1), id="other-zone"),
    pytest.param("fe80::1%eth0", ("fe80::1", 1), id="no-zone"),
    pytest.param("localhost", ("127.0.0.1", 1), id="name-is-not-looked-up"),
    pytest.param("10.0.0.9:80", V4, id="entry-with-port"),
    pytest.param("[2001:db8::9]", V6, id="entry-in-brackets"),
    pytest.param("10.0.0.0/33", V4, id="prefix-length"),
    pytest.param("10.0.0.1 10.0.0.9", V4, id="no-comma"),
    pytest.param("0.0.0.0/0, ::/0", ("10.0.0.9:80", 1), id="peer-with-port"),
    *(pytest.param("0.0.0.0/0, ::/0, localhost", *each.values, id=each.id) for each in NOBODY),
    pytest.param("unix:", ("unix:/run/proxy.sock", 0), id="unix-is-no-path"),
    pytest.param("unix:", V4, id="unix-is-no-address"),
]


@pytest.mark.parametrize(("entries", "client"), TRUSTED)
def test_trusted(entries: str | Iterable[str], client: Any) -> None:
    assert TrustedPeers(entries).trusts(client)


@pytest.mark.parametrize(("entries", "client"), OTHERS)
def test_not_trusted(entries: str | Iterable[str], client: Any) -> None:
    assert not TrustedPeers(entries).trusts(client)


UVICORN_DIFFERS = {
    *("v4-network-with-host-bits", "v6-network-with-host-bits"),  # a name there
    *("mapped-peer", "mapped-peer-in-hex", "mapped-entry", "mapped-network-with-host-bits"),
    *("mapped-network-of-all-v4", "mapped-is-v4"),
    *("unix-none", "unix-empty"),  # there only * trusts a Unix socket
    "all-in-list",  # a name there, beside others
}


@pytest.mark.parametrize(
    ("entries", "client", "name"),
    [pytest.param(*each.values, each.id, id=each.id) for each in (*TRUSTED, *OTHERS)],
)
def test_uvicorn_reads_it_the_same_way_but_for_these(entries: Any, client: Any, name: str) -> None:
    peer = client[0] if client else None
    entries = entries if isinstance(entries, str) else [entry.strip() for entry in entries]

    same = TrustedPeers(entries).trusts(client) is (peer in _TrustedHosts(entries))

    assert same is (name not in UVICORN_DIFFERS)


def test_everybody_names_nobody() -> None:
    peers = TrustedPeers("*, 10.0.0.9, unix:, localhost")

    assert [host in peers for host in ("10.0.0.9", "unix:", "localhost")] == [True] * 3
    assert [host in peers for host in ("*", "10.0.0.1", "", "nginx")] == [False] * 4


@pytest.mark.parametrize(
    ("entries", "warned"),
    [
        ("localhost", ["localhost"]),
        ("nginx, 10.0.0.1:80, nginx", ["10.0.0.1:80", "nginx"]),
        ("10.0.0.0/33", ["10.0.0.0/33"]),
        ("fe80::1%eth0/64", ["fe80::1%eth0/64"]),
        ("*, unix:, 10.0.0.5/24, ::1, fe80::1%eth0, ", []),
    ],
)
def test_a_name_is_logged_since_it_is_mostly_a_mistake(
    entries: str, warned: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    TrustedPeers(entries)

    assert [record.levelno for record in caplog.records] == [logging.WARNING] * len(warned)
    assert [record.getMessage() for record in caplog.records] == [
        f"trusted {name!r} is no IP address or network: no TCP peer is it" for name in warned
    ]


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("10.0.0.9", "10.0.0.9"),
        ("::FFFF:10.0.0.9", "10.0.0.9"),
        ("2001:DB8::0009", "2001:db8::9"),
        ("010.0.0.9", None),
        ("10.0.0", None),
        ("10.0.0.0/24", None),
        ("", None),
        ("localhost", None),
        ("167772169", None),
    ],
)
def test_parse_address(text: str, address: str | None) -> None:
    assert parse_address(text) == (ip_address(address) if address else None)
