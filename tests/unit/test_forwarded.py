"""The forwarded headers: what each claims, and a lie for each."""

import pytest

from hoplab.forwarded import HEADERS, Claim, lies


@pytest.mark.parametrize(
    ("scheme", "switch"),
    [("https", "on"), ("http", "off")],
)
def test_every_header_lies_in_its_own_form(scheme: str, switch: str) -> None:
    told = dict(lies(scheme))

    assert [*told] == [*HEADERS], "one for each, and no other"
    for name, expected in {
        "X-Forwarded-For": "192.0.2.7",
        "X-Forwarded-Proto": scheme,
        "X-Forwarded-Host": "canary.invalid",
        "X-Forwarded-Port": "1",
        "X-Forwarded-Prefix": "/canary",
        "X-Original-URL": "/canary",
        "X-Original-Method": "DELETE",
        "X-Forwarded-Ssl": switch,
        "Front-End-Https": switch,
        "CF-Visitor": f'{{"scheme":"{scheme}"}}',
        "Forwarded": f"for=192.0.2.7;host=canary.invalid;proto={scheme}",
    }.items():
        assert told[name] == expected
    users = {told[name] for name, header in HEADERS.items() if header.claim is Claim.USER}
    assert users == {"canary"}
