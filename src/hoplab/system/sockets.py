"""Addresses, which may be of IPv6 or the file of a Unix socket, and connections to them."""

import socket

from hoplab.errors import HoplabError


def address(host: str, port: int) -> str:
    """As in a URL: an IPv6 address stands in brackets."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def unmapped(host: str) -> str:
    """The IPv4 address, if one is mapped to an IPv6 address (RFC 4291, 2.5.5.2)."""
    return host.removeprefix("::ffff:")


def is_unix_socket(host: str) -> bool:
    """Whether it is the file of a Unix socket, in the place of an address."""
    return host.startswith("/")


def require_address(host: str) -> None:
    """Raise HoplabError if this machine does not have this address."""
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        with socket.socket(family) as sock:
            sock.bind((host, 0))
    except OSError as error:
        message = f"This machine has no address {host}: {error.strerror}."
        raise HoplabError(message) from error


def open_socket(
    address: tuple[str, int], source: tuple[str, int] | None, seconds: float | None
) -> socket.socket:
    """A TCP connection without Nagle's delay; no answer within `seconds` is an OSError.

    One to a Unix socket, whose port says nothing, has no source.
    """
    if is_unix_socket(address[0]):
        sock = socket.socket(socket.AF_UNIX)
        try:
            sock.settimeout(seconds)
            sock.connect(address[0])
        except BaseException:
            sock.close()
            raise
        return sock
    sock = socket.create_connection(address, seconds, source)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return sock
