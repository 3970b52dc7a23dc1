"""Bodies that come compressed although nobody asked for it: unpacked as far as is wanted."""

import zlib

_AUTOMATIC = (
    32 + zlib.MAX_WBITS
)  # gzip's header or zlib's: https://docs.python.org/3/library/zlib.html
_PLAIN = {"", "identity"}
_KNOWN = {"gzip", "x-gzip", "deflate"}
_MOST_LAYERS = 2


def is_known(coding: str) -> bool:
    """Whether `unpacked` reads it."""
    return {part.strip().lower() for part in coding.split(",")} <= _KNOWN | _PLAIN


def unpacked(body: bytes, coding: str, most: int) -> tuple[bytes, str]:
    """At most `most` bytes of what was packed, and what is worth telling about it.

    A bomb costs no more memory than that. The body as it is, where its coding is not known.
    """
    codings = [part.strip().lower() for part in coding.split(",")]
    codings = [part for part in codings if part not in _PLAIN]
    if not codings or not body:
        return body, ""
    if len(codings) > _MOST_LAYERS or not {*codings} <= _KNOWN:
        return body, f"its body is packed as {coding[:40]!r}, and not read"
    told = ""
    for each in reversed(codings):
        try:
            body, whole = _inflated(body, each, most)
        except zlib.error:
            return body, f"its body is said to be {each}, and is not"
        if not whole:
            told = f"only the first {len(body)} bytes of its unpacked body were read"
    return body, told


def _inflated(body: bytes, coding: str, most: int) -> tuple[bytes, bool]:
    machine = zlib.decompressobj(_AUTOMATIC)
    try:
        found = machine.decompress(body, most)
    except zlib.error:
        if coding != "deflate":
            raise
        # Some servers send it without zlib's header: https://www.rfc-editor.org/rfc/rfc9110#section-8.4.1.2
        machine = zlib.decompressobj(-zlib.MAX_WBITS)
        found = machine.decompress(body, most)
    return found, not machine.unconsumed_tail
