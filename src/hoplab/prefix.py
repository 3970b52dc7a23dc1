"""The public prefix of a deployment: a value, in the two forms in which it is written."""

import re
from dataclasses import dataclass
from urllib.parse import quote, unquote

_KEPT = "!$()*+;=:@~"
"""What RFC 3986 (3.3) allows in a path as it stands, without what means something in HTML, in
scripts and in lists of header values: FastAPI's docs pages put root_path between quotes."""

_REFUSED = re.compile(r"[?#\\'\"<>&`,%\[\]|^]")


@dataclass(frozen=True, order=True)
class Prefix:
    """`encoded` is percent-encoded as in a URL, and begins with a slash; none stands at its end.

    It is empty where there is no prefix: the application is public at the root of its name.
    """

    encoded: str

    @property
    def decoded(self) -> str:
        """As ASGI's `path` and `root_path` have it."""
        return unquote(self.encoded)

    @property
    def option(self) -> str:
        """As `--prefix` takes it, and results files have it: `/` where there is none."""
        return self.encoded or "/"

    def __str__(self) -> str:
        return self.encoded


def parse(text: str) -> Prefix:
    """The prefix that a person wrote, encoded or not, with or without a slash at the end.

    `/` is none.

    Raises ValueError, with what is wrong with it.
    """
    if text == "/":
        return NO_PREFIX
    path = text.removesuffix("/")
    try:
        unquote(path, errors="strict")
    except UnicodeDecodeError:
        message = "what is percent-encoded in it is not UTF-8"
        raise ValueError(message) from None
    if not path.startswith("/"):
        message = "a prefix is a path such as /api/v1, or / for none"
        raise ValueError(message)
    segments = path.split("/")[1:]
    for segment in segments:
        name = unquote(segment)
        if name in {"", ".", ".."} or "/" in name:
            message = "a segment of a prefix is a name: not empty, no dots alone, no encoded slash"
            raise ValueError(message)
        if (found := _REFUSED.search(name)) or not name.isprintable() or " " in name:
            which = repr(found[0]) if found else "a space or a control character"
            message = f"a prefix can't contain {which}, which means something in a URL or a page"
            raise ValueError(message)
    return Prefix("".join("/" + quote(unquote(segment), safe=_KEPT) for segment in segments))


NO_PREFIX = Prefix("")

DEFAULT_PREFIX = Prefix("/api/v1")
"""As in FastAPI's guide "Behind a Proxy"."""
