"""A body that came compressed is unpacked as far as is wanted, or left as it is."""

import gzip
import zlib

import pytest

from hoplab.client.unpacking import is_known, unpacked

TEXT = b"hello" * 10
GZIP = gzip.compress(TEXT, mtime=0)  # not now: pytest's processes compare the tests' names
ZLIB = zlib.compress(TEXT)


def bare() -> bytes:
    """Deflate without zlib's header, as some servers send it."""
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return packer.compress(TEXT) + packer.flush()


@pytest.mark.parametrize(
    ("body", "coding"),
    [
        (GZIP, "gzip"),
        (GZIP, "X-GZip"),
        (ZLIB, "deflate"),
        (bare(), "deflate"),
        (gzip.compress(GZIP, mtime=0), "gzip, gzip"),
        (gzip.compress(ZLIB, mtime=0), "deflate,\tgzip"),
        (GZIP, "identity, gzip, ,"),
        (TEXT, "identity"),
        (TEXT, " Identity ,"),
        (TEXT, ""),
    ],
)
def test_what_was_packed_is_unpacked_from_the_last_coding_to_the_first(
    body: bytes, coding: str
) -> None:
    assert unpacked(body, coding, len(TEXT)) == (TEXT, "")
    assert is_known(coding)


def test_all_known_codings_at_once_are_known() -> None:
    assert is_known("gzip, x-gzip, deflate, identity,")


@pytest.mark.parametrize("coding", ["br", "gzip, br", "zstd", "gzip gzip"])
def test_other_codings_are_not_read(coding: str) -> None:
    told = f"its body is packed as {coding!r}, and not read"

    assert unpacked(TEXT, coding, 1000) == (TEXT, told)
    assert not is_known(coding)


def test_more_than_two_layers_are_not_read() -> None:
    told = "its body is packed as 'gzip, gzip, gzip', and not read"

    assert unpacked(TEXT, "gzip, gzip, gzip", 1000) == (TEXT, told)


def test_a_long_name_of_a_coding_is_cut() -> None:
    told = f"its body is packed as {'x' * 40!r}, and not read"

    assert unpacked(TEXT, "x" * 41, 1000) == (TEXT, told)


@pytest.mark.parametrize("coding", ["gzip", "deflate"])
def test_what_is_no_such_coding_stays_as_it_is(coding: str) -> None:
    assert unpacked(TEXT, coding, 1000) == (TEXT, f"its body is said to be {coding}, and is not")


def test_an_empty_body_is_not_packed() -> None:
    assert unpacked(b"", "gzip", 1000) == (b"", "")
    assert unpacked(b"", "br", 1000) == (b"", "")


@pytest.mark.parametrize("body", [ZLIB, bare()])
def test_so_much_is_unpacked_and_no_more(body: bytes) -> None:
    told = "only the first 5 bytes of its unpacked body were read"

    assert unpacked(body, "deflate", 5) == (b"hello", told)
