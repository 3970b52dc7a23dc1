"""Nothing that others have written can act on a terminal."""

import sys
import unicodedata

import pytest

from hoplab.printable import printable


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("", ""),
        ("plain text", "plain text"),
        ("café → 中", "café → 中"),
        ("\x1b[31mred\x1b[0m", r"\x1b[31mred\x1b[0m"),
        ("\x1b]0;title\x07", r"\x1b]0;title\x07"),
        ("\x9b31m", r"\x9b31m"),
        ("\x00\x7f\x85", r"\x00\x7f\x85"),
        ("a\r\nb\tc", r"a\r\nb\tc"),
        ("\u202egnp.exe\u202c", r"\u202egnp.exe\u202c"),
        ("\u2066\u2069\u200f\u061c", r"\u2066\u2069\u200f\u061c"),
        ("\u200b\ufeff\u00ad", r"\u200b\ufeff\xad"),
        ("\u2028\u2029", r"\u2028\u2029"),
        ("\ud800", r"\ud800"),
        ("\ufffe\U000e0041", r"\ufffe\U000e0041"),
        ("\uffff\U0001fffe", r"\uffff\U0001fffe"),
    ],
)
def test_what_is_shown(text: str, shown: str) -> None:
    assert printable(text) == shown


def test_no_character_that_a_terminal_acts_on_is_left() -> None:
    every = "".join(map(chr, range(sys.maxunicode + 1)))

    left = {unicodedata.category(sign) for sign in set(printable(every))}

    assert not left & {"Cc", "Cf", "Cs", "Cn", "Co", "Zl", "Zp"}
    assert {"Lu", "Zs"} <= left


def test_the_length_is_bounded_and_lines_may_stay() -> None:
    assert printable("x" * 100, 5) == printable("x" * 6, 5) == "xxxxx…"
    assert printable("x" * 5, 5) == "xxxxx"
    assert printable("a\n\x1b\r", lines=True) == "a\n\\x1b\\r"
