"""What of a scope a client could lie about, and when it is a lie that was believed."""

from typing import Any

import pytest

from hoplab.suites.contract.checks.spoof import Seen, believed, seen, ways_to_tell

LIES = [
    ("X-Forwarded-For", "192.0.2.7"),
    ("X-Forwarded-Proto", "https"),
    ("X-Forwarded-Prefix", "/canary"),
    ("X-Forwarded-Host", "canary.invalid"),
]
HONEST: Seen = {
    "client": "127.0.0.1",
    "scheme": "http",
    "root_path": "/api/v1",
    "host": "mysuperapp.com:9000",
    "path": "/api/v1/scope",
}


def scope(client: list[Any] | None) -> dict[str, Any]:
    url = "http://mysuperapp.com:9000/api/v1/scope?q=1"
    return {"client": client, "scheme": "http", "root_path": "/api/v1", "url": url}


@pytest.mark.parametrize(
    ("client", "address"),
    [
        (["127.0.0.1", 4711], "127.0.0.1"),
        (["::1", 4711], "::1"),
        (["2001:db8::7", 0], "2001:db8::7"),
        (["192.0.2.7:4711", 0], "192.0.2.7"),
        (["[2001:db8::7]:4711", 0], "[2001:db8::7]"),
        (["unknown", 0], "unknown"),
        (["192.0.2.7:http", 0], "192.0.2.7:http"),
        ([None, 0], None),
        ([], None),
        (None, None),
    ],
)
def test_the_client_is_an_address_without_a_port(
    client: list[Any] | None, address: str | None
) -> None:
    assert seen(scope(client)) == {**HONEST, "client": address}


@pytest.mark.parametrize(
    ("what", "value", "symptom"),
    [
        ("client", "192.0.2.7", "client-spoofable"),
        ("client", "192.0.2.70", "forwarded-misread"),
        ("client", None, "forwarded-misread"),
        ("scheme", "https", "scheme-spoofable"),
        ("scheme", "httpsx", "forwarded-misread"),
        ("scheme", "javascript", "forwarded-misread"),
        ("root_path", "/canary", "prefix-spoofable"),
        ("root_path", "/canary/api/v1", "prefix-spoofable"),
        ("root_path", "", "forwarded-misread"),
        ("root_path", None, "forwarded-misread"),
        ("host", "canary.invalid", "host-spoofable"),
        ("host", "canary.invalid:1", "host-spoofable"),
        ("host", "mysuperapp.com", "forwarded-misread"),
        ("path", "/canary/scope", "prefix-spoofable"),
        ("path", "/api/v1/scope/", "forwarded-misread"),
    ],
)
def test_a_lie_is_believed_if_what_is_seen_is_what_the_client_wrote(
    what: str, value: str | None, symptom: str
) -> None:
    """An address and a scheme as they are; a prefix and a host also as a part."""
    told = f"{what} {value!r}, was {HONEST[what]!r}"

    assert believed(HONEST, {**HONEST, what: value}, LIES) == (symptom, told)


def test_no_lie_is_believed_where_nothing_changed() -> None:
    assert believed(HONEST, dict(HONEST), LIES) is None


def test_a_client_writes_its_lies_in_five_ways() -> None:
    assert ways_to_tell([("X-Real-IP", "a"), ("Forwarded", "b")]) == {
        "plain": [("X-Real-IP", "a"), ("Forwarded", "b")],
        "doubled": [("X-Real-IP", "a"), ("Forwarded", "b")] * 2,
        "odd case": [("x-rEAL-ip", "a"), ("fORWARDED", "b")],
        "underscores": [("X_Real_IP", "a"), ("Forwarded", "b")],
        "one underscore": [("X_Real-IP", "a")],
    }
