"""The public prefix for any ASGI app behind a reverse proxy: one file, standard library only."""

import logging
import re
from collections.abc import Awaitable, Callable, Iterable, Mapping
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import Any
from urllib.parse import unquote_to_bytes

logger = logging.getLogger(__name__)

# RFC 3986 path characters (section 3.3) except ' and &, which mean something in HTML and scripts
# (FastAPI's /docs pastes root_path between single quotes), and the comma of lists (RFC 9110, 5.3).
# No empty segment: "//host" names a host (https://github.com/angular/angular-cli/issues/32501).
_SHAPE = re.compile(rb"(?:/(?:[A-Za-z0-9._~!$()*+;=:@-]|%[0-9A-Fa-f]{2})+)+")
# Apps write the decoded root_path into URLs and pages, often without encoding it again: there
# "%3F" would begin a query, and "%252e%252e" would end up as a dot segment.
_UNSAFE_DECODED = frozenset("/\\?#%'\"<>&`")
_PREFIX_RULES = (
    "expected one absolute path such as /api/v1, percent-encoded as in a URL: no empty or dot "
    "segment, query, fragment, comma, quote, encoded slash or control character"
)
_MAX_WARNINGS = 20
_Prefix = tuple[str, bytes]  # decoded like ASGI's path and root_path, as sent like its raw_path


class ForwardedPrefixMiddleware:
    """Make `root_path`, `path` and `raw_path` tell the public path, as ASGI wants them.

    Wrap the finished app; with `add_middleware` it would be inside whatever is added later, which
    then sees another path::

        app = ForwardedPrefixMiddleware(app, trusted="10.0.0.0/8")  # the proxy sends the header
        app = ForwardedPrefixMiddleware(app, prefix="/api/v1", trusted="")  # it does not

    `X-Forwarded-Prefix` says what the proxy removed: that is put in front of every path, even of
    one that begins with it (public `/api/api/x`, https://github.com/Kludex/starlette/pull/2400),
    unless the server has done so: its `root_path` is the prefix and the path begins with it
    (Uvicorn `--root-path`; Hypercorn's is only a label: leave it out if the header is sent).

    `prefix` is for a proxy that sends no header, stripping or not: a path that begins with it is
    kept, any other gets it in front. `None`, `""` and `"/"` mean none. A trusted header goes first:
    if the proxy neither sets nor deletes it, clients choose the prefix; `trusted=""` prevents that.

    `trusted` lists the peers whose header is believed (others could point the app's links
    elsewhere), with commas or as an iterable: empty is nobody; `*` is everybody, and the only way
    to trust a Unix socket. The peer is `scope["client"]`: what replaces that by the client's
    address must run inside, `ForwardedPrefixMiddleware(ProxyFixMiddleware(app))`, or no proxy is
    recognised and clients may claim to be 127.0.0.1. Uvicorn's `--proxy-headers` (the default)
    replaces it before any app: there use `--root-path` if the proxy strips, `prefix` if not.

    A header that is empty or `/` counts as absent; an invalid or repeated one is ignored and
    logged. A `root_path` that the path carries (nested proxies, a mount) is kept behind the prefix,
    any other is replaced. A path without leading slash (`OPTIONS *`) is left alone. The given scope
    is never changed. A bad `prefix` or `trusted` raises `ValueError`.
    """

    def __init__(
        self,
        app: Callable[..., Awaitable[None]],
        *,
        prefix: str | None = None,
        trusted: str | Iterable[str] = "127.0.0.1, ::1",
    ) -> None:
        self.app = app
        try:
            self._fixed = _parse_prefix((prefix or "").encode())
        except ValueError:
            raise ValueError(f"prefix {prefix!r}: {_PREFIX_RULES}") from None
        if isinstance(trusted, str):
            trusted = trusted.split(",") if trusted.strip() else ()
        entries = [entry.strip() for entry in trusted]
        self._trusts_all = "*" in entries
        self._trusted = [_parse_network(entry) for entry in entries if entry != "*"]
        self._warned: set[bytes] = set()

    async def __call__(
        self, scope: Mapping[str, Any], receive: Callable[..., Any], send: Callable[..., Any]
    ) -> None:
        """Pass the connection on, its scope with the prefix."""
        if scope["type"] in {"http", "websocket"}:
            header = self._header_prefix(scope)
            if prefix := header or self._fixed:
                scope = _add_prefix(scope, prefix, keep=not header)
        await self.app(scope, receive, send)

    def _header_prefix(self, scope: Mapping[str, Any]) -> _Prefix | None:
        # lower(): Hypercorn's h11_pass_raw_headers leaves names as the proxy wrote them.
        values = [v for name, v in scope["headers"] if name.lower() == b"x-forwarded-prefix"]
        if not values or not self._trusts(scope.get("client")):
            return None
        value = b", ".join(values)  # invalid if several: nobody can tell which one the proxy set
        try:
            return _parse_prefix(value)
        except ValueError:
            # Once a value, few values, cut and escaped: nobody can flood the log or forge lines.
            if value[:100] not in self._warned and len(self._warned) < _MAX_WARNINGS:
                self._warned.add(value[:100])
                logger.warning("ignored X-Forwarded-Prefix %r: %s", value[:100], _PREFIX_RULES)
            return None

    def _trusts(self, client: tuple[str, int] | None) -> bool:
        try:
            peer = ip_address(client[0] if client else "")
        except ValueError:
            return self._trusts_all
        # A dual-stack socket shows IPv4 peers as ::ffff:a.b.c.d (RFC 4291, 2.5.5.2).
        peer = getattr(peer, "ipv4_mapped", None) or peer
        return self._trusts_all or any(peer in network for network in self._trusted)


def _parse_prefix(value: bytes) -> _Prefix | None:
    if not (raw := value.removesuffix(b"/")):
        return None
    segments = [unquote_to_bytes(segment).decode() for segment in raw.split(b"/")[1:]]
    unsafe = (s in {".", ".."} or set(s) & _UNSAFE_DECODED or not s.isprintable() for s in segments)
    if not _SHAPE.fullmatch(raw) or any(unsafe):
        raise ValueError(value)
    return "/" + "/".join(segments), raw


def _parse_network(entry: str) -> IPv4Network | IPv6Network:
    try:
        network = ip_network("" if "%" in entry else entry)  # a zone would be disregarded
    except ValueError:
        rules = "expected IP addresses or networks (host bits zero; no port, zone, host name) or *"
        raise ValueError(f"trusted {entry!r}: {rules}") from None
    if isinstance(network, IPv6Network) and (mapped := network.network_address.ipv4_mapped):
        return IPv4Network((mapped, network.prefixlen - 96))  # as peers are compared
    return network


def _add_prefix(scope: Mapping[str, Any], prefix: _Prefix, *, keep: bool) -> dict[str, Any]:
    decoded, raw = prefix
    path, root_path = scope["path"], scope.get("root_path", "")
    carried = root_path if _is_under(path, root_path) else ""
    if (path and path[0] != "/") or _is_under(carried, decoded):
        return dict(scope)
    if keep and _is_under(path, decoded):
        return {**scope, "root_path": decoded}
    new = {**scope, "root_path": decoded + carried, "path": decoded + path}
    if scope.get("raw_path") is not None:  # it is optional
        new["raw_path"] = raw + scope["raw_path"]
    return new


def _is_under(path: str, prefix: str) -> bool:
    # By segment: /api/v10 is not under /api/v1 (https://github.com/Kludex/starlette/issues/2599).
    return path == prefix or path.startswith(prefix + "/")
