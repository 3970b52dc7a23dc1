"""What others have written, made fit for a terminal, a log or a page."""

import unicodedata

_UNFIT = {"Cc", "Cf", "Cs", "Cn", "Co", "Zl", "Zp"}
"""Categories of Unicode: control and format characters (escape sequences, bidirectional overrides,
zero-width joiners), halves of surrogate pairs, what is not assigned, line separators."""

_SHORT = {"\n": r"\n", "\r": r"\r", "\t": r"\t"}
_BYTE, _BASIC = 0x100, 0x10000


def printable(text: str, most: int | None = None, *, lines: bool = False) -> str:
    r"""The text with every character that a terminal may act on written as an escape, `\x1b`.

    That is C0 and C1 controls, bidirectional overrides, and all else that is not seen. Of more than
    `most` characters, the first ones and an ellipsis. lines: leave the ends of lines as they are.
    """
    if most is not None and len(text) > most:
        text = text[:most] + "…"
    if text.isascii() and text.isprintable():
        return text
    return "".join("\n" if lines and sign == "\n" else _shown(sign) for sign in text)


def _shown(sign: str) -> str:
    if unicodedata.category(sign) not in _UNFIT:
        return sign
    number = ord(sign)
    if number < _BYTE:
        return _SHORT.get(sign, f"\\x{number:02x}")
    return f"\\u{number:04x}" if number < _BASIC else f"\\U{number:08x}"
