"""Whose forwarded headers count, as in FORWARDED_ALLOW_IPS: one file, standard library only."""

import logging
from collections.abc import Iterable, Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Any

logger = logging.getLogger(__name__)

UNIX_SOCKET = "unix:"
_MAPPED_BITS = 96  # ::ffff:0:0/96 is all of IPv4


class TrustedPeers:
    """A list of peers such as `10.0.0.0/8, ::1`: with commas or as an iterable, empty is nobody.

    An entry is an IP address, a network (with host bits too: `10.0.0.5/24`), or one of these:

    * `unix:` is a peer without an address: it came through a Unix socket. nginx calls it so.
    * `*` is everybody who connects.
    * Any other text is the peer of this very name, as for Uvicorn. No peer over TCP has a name, and
      none is looked up: so it is logged.

    An IPv4 address and the same one as IPv4-mapped IPv6 are one (RFC 4291, 2.5.5.2): a dual-stack
    socket shows IPv4 peers as `::ffff:10.0.0.1`.
    """

    def __init__(self, entries: str | Iterable[str]) -> None:
        if isinstance(entries, str):
            entries = entries.split(",")
        parsed = [_parse_entry(entry.strip()) for entry in entries if entry.strip()]
        names = {entry for entry in parsed if isinstance(entry, str)}
        self._everybody = "*" in names
        self._names = names - {"*"}
        self._networks = [entry for entry in parsed if not isinstance(entry, str)]
        for name in sorted(self._names - {UNIX_SOCKET}):
            if parse_address(name) is None:  # it has no zone either
                logger.warning("trusted %r is no IP address or network: no TCP peer is it", name)

    def trusts(self, client: Sequence[Any] | None) -> bool:
        """Whether the peer, `scope["client"]`, is in the list, or everybody is."""
        host = client[0] if client else None  # None or "": servers give a Unix socket either way
        return self._everybody or (host or UNIX_SOCKET) in self

    def __contains__(self, host: str) -> bool:
        """Whether the list has this address or name; `*` is none of them."""
        address = parse_address(host)
        named = address is not None and any(address in network for network in self._networks)
        return named or host in self._names


def parse_address(text: str) -> IPv4Address | IPv6Address | None:
    """The IP address, IPv4 where it is mapped to IPv6; None for anything else."""
    try:
        address = ip_address(text)
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


def _parse_entry(text: str) -> IPv4Network | IPv6Network | str:
    """An address or network as a network, IPv4 where it is mapped to IPv6; other text as it is."""
    try:
        network = ip_network(text, strict=False)
    except ValueError:
        return text
    if isinstance(network, IPv6Network):
        if "%" in text:  # with its zone it is another address, and ip_network drops the zone
            return text
        if network.prefixlen >= _MAPPED_BITS and (mapped := network.network_address.ipv4_mapped):
            return IPv4Network((mapped, network.prefixlen - _MAPPED_BITS))
    return network
