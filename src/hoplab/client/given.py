"""What a person gives to reach a site: a URL, headers, and where a name really is."""

import base64
import ipaddress
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from urllib.parse import unquote_to_bytes, urlsplit

import idna

from hoplab.client.masking import masked
from hoplab.client.wire import Headers, as_sent
from hoplab.endpoint import Address
from hoplab.errors import HoplabError
from hoplab.printable import printable

PORTS = {"http": 80, "https": 443}
_MOST_PORT = 65535
_HEADER = re.compile(r"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([\x20-\x7e\x80-\xff\t]*)")
_PART = re.compile(r"\[[^\]]*\]|[^:\[\]]*")
_NAME = re.compile(r"[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)*\.?")
"""A host's name; with underscores, which DNS has and RFC 1123 has not: browsers take them."""


class BadGiven(HoplabError):
    """Something that a person gave is not what it should be; the message says what to give."""


@dataclass(frozen=True)
class Given:
    """A URL that can be asked.

    url: as it is sent, in ASCII, without credentials and fragment. origin: its scheme, name and
    port. host: the name or address alone, without brackets. headers: what its credentials become.
    """

    url: str
    origin: str
    host: str
    port: int
    headers: Headers = ()


def read(url: str) -> Given:
    """What a person's URL means. Raises BadGiven, which never quotes a password, if it is none."""
    told = as_browsers_read(url.strip().removeprefix("\ufeff"))
    scheme, colon, rest = told.partition("://")
    if not colon:
        message = f"{_hidden(told)!r} has no scheme: give http://{_hidden(told)} or https://"
        raise BadGiven(message)
    if scheme.lower() not in PORTS:
        message = f"{printable(scheme, 40)}:// can't be asked: give an http or https URL"
        raise BadGiven(message)
    shown = f"{scheme}://{_hidden(rest)}"
    try:
        parts = urlsplit(f"{scheme.lower()}://{rest}")
        port = parts.port
        host = parts.hostname or ""
    except ValueError as error:
        # Not what the error says: it may quote a part of a password with a slash in it.
        message = f"{shown!r} is no URL: its port or its brackets are wrong"
        raise BadGiven(message) from error
    if port == 0:
        message = f"{shown!r}: 0 is no port"
        raise BadGiven(message)
    host = _host(host, shown)
    name = f"[{host}]" if ":" in host else host
    usual = PORTS[parts.scheme]
    netloc = name if port in {None, usual} else f"{name}:{port}"
    origin = f"{parts.scheme}://{netloc}"
    query = f"?{parts.query}" if parts.query else ""
    path = parts.path or "/"
    return Given(
        as_sent(f"{origin}{path}{query}"), origin, host, port or usual, _basic(parts.netloc)
    )


def as_browsers_read(url: str) -> str:
    """With slashes for backslashes before the query: https://url.spec.whatwg.org/#path-state."""
    end = min((at for sign in "?#" if (at := url.find(sign)) >= 0), default=len(url))
    return url[:end].replace("\\", "/") + url[end:]


def _hidden(url: str) -> str:
    """The URL without credentials and without the values of its query, to be quoted."""
    return printable(masked(url.rpartition("@")[2]), 200)


def _host(host: str, shown: str) -> str:
    if ":" in host:
        try:
            return str(ipaddress.IPv6Address(host))
        except ValueError as error:
            message = f"{shown!r}: {printable(host, 60)} is no IPv6 address"
            raise BadGiven(message) from error
    try:
        # As browsers do: https://www.unicode.org/reports/tr46/
        told = host if host.isascii() else idna.encode(host, uts46=True).decode("ascii")
    except (idna.IDNAError, UnicodeError) as error:
        message = f"{shown!r}: {printable(host, 60)} is no name of a host ({error})"
        raise BadGiven(message) from error
    if not _NAME.fullmatch(told.lower()) or any(len(part) > 63 for part in told.split(".")):  # noqa: PLR2004 - RFC 1035, 2.3.4
        message = f"{shown!r}: {printable(host, 60)!r} is no name of a host"
        raise BadGiven(message)
    return told.lower()


def _basic(netloc: str) -> Headers:
    """RFC 7617: user and password of a URL, with their percent-encoding undone."""
    before, at, _ = netloc.rpartition("@")
    if not at:
        return ()
    user, _, password = before.partition(":")
    pair = unquote_to_bytes(user) + b":" + unquote_to_bytes(password)
    return [("Authorization", f"Basic {base64.b64encode(pair).decode()}")]


def header(given: str) -> tuple[str, str]:
    """A header as curl takes it, `Name: value`. Raises BadGiven, without its value."""
    if not (match := _HEADER.fullmatch(given)):
        name = printable(given.partition(":")[0], 40)
        message = f"--header {name!r}…: no header, such as 'Authorization: Bearer TOKEN'"
        raise BadGiven(message)
    return match[1], match[2].strip()


@dataclass(frozen=True)
class Resolve:
    """`--resolve HOST:PORT:ADDR[,ADDR]`: at which addresses a host is, for one port.

    host: `*` for any. https://curl.se/docs/manpage.html#--resolve
    """

    host: str
    port: int
    addresses: Sequence[str]


@dataclass(frozen=True)
class ConnectTo:
    """`--connect-to HOST1:PORT1:HOST2:PORT2`: connect to the second in place of the first.

    An empty host, or a port of None, is any as the first, and as asked as the second.
    https://curl.se/docs/manpage.html#--connect-to
    """

    host: str
    port: int | None
    to_host: str
    to_port: int | None


def resolve(given: str) -> Resolve:
    """Read `HOST:PORT:ADDR`; IPv6 in brackets or not. Raises BadGiven."""
    host, first, rest = _first(given.removeprefix("+"))
    port, second, addresses = rest.partition(":")
    found = [each.strip("[]") for each in addresses.split(",")]
    if not (host and first and second) or not all(map(_is_address, found)):
        message = f"--resolve {printable(given, 80)}: give HOST:PORT:ADDRESS, with an IP address"
        raise BadGiven(message)
    return Resolve(_as_host(host, given), _port(port, f"--resolve {given}") or 0, found)


def connect_to(given: str) -> ConnectTo:
    """Read `HOST1:PORT1:HOST2:PORT2`; each may be empty. Raises BadGiven."""
    what = f"--connect-to {printable(given, 80)}"
    host, first, rest = _first(given)
    port, second, rest = rest.partition(":")
    to_host, third, to_port = _first(rest)
    if not (first and second and third):
        message = f"{what}: give HOST1:PORT1:HOST2:PORT2"
        raise BadGiven(message)
    return ConnectTo(
        _as_host(host, given), _port(port, what), _as_host(to_host, given), _port(to_port, what)
    )


def where(
    host: str, port: int, resolves: Iterable[Resolve], connects: Iterable[ConnectTo]
) -> list[Address]:
    """Where to connect for a host and port: by `--connect-to`, then by `--resolve`, as in curl."""
    for each in connects:
        if each.host in {"", host} and each.port in {None, port}:
            host, port = each.to_host or host, each.to_port or port
            break
    # The last one wins, and one that names the host before `*`: curl overwrites its cache.
    for named in (host, "*"):
        for entry in reversed([*resolves]):
            if entry.host == named and entry.port == port:
                return [(address, port) for address in entry.addresses]
    return [(host, port)]


def _first(given: str) -> tuple[str, str, str]:
    """What stands before the first colon, which may be an address in brackets."""
    match = _PART.match(given)
    part = match[0] if match else ""
    rest = given[len(part) :]
    return part.strip("[]"), rest[:1] if rest.startswith(":") else "", rest[1:]


def _as_host(host: str, given: str) -> str:
    return host if host in {"", "*"} else _host(host, given)


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _port(text: str, what: str) -> int | None:
    if not text:
        return None
    if not text.isdecimal() or not 0 < int(text[:6]) <= _MOST_PORT:
        message = f"{printable(what, 100)}: {printable(text, 20)!r} is no port"
        raise BadGiven(message)
    return int(text)
