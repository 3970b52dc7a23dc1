"""Placeholders: `@word@` and nothing else."""

import pytest

from hoplab.catalogue.placeholders import filled
from hoplab.errors import HoplabError

FIELDS = {"mode": "strip", "prefix_decoded": "/café", "odd": "@mode@"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ""),
        ("no such thing", "no such thing"),
        ("@mode@", "strip"),
        ("a/@mode@@mode@.conf", "a/stripstrip.conf"),
        ('rule = "@prefix_decoded@"', 'rule = "/café"'),
        # What configuration languages have: braces, dollars, mail addresses, patterns.
        ("{mode} {} {{ x }} $mode ${MODE} %s \\1", "{mode} {} {{ x }} $mode ${MODE} %s \\1"),
        ("me@example.com", "me@example.com"),
        ("@Mode@ @mode @ @@ @", "@Mode@ @mode @ @@ @"),
        # Once: what is filled in may contain anything.
        ("@odd@", "@mode@"),
    ],
)
def test_filled(text: str, expected: str) -> None:
    assert filled(text, FIELDS, "x.toml") == expected


def test_an_unknown_one_is_named_with_those_that_are_known() -> None:
    known = "known: @mode@, @prefix_decoded@, @odd@"
    with pytest.raises(HoplabError, match=f"^x.toml: there is no placeholder @port@; {known}$"):
        filled("@mode@:@port@", FIELDS, "x.toml")
