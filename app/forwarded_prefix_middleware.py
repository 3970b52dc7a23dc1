"""The public prefix for any ASGI app behind a reverse proxy: this file and trusted_peers.py."""

import logging
import re
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any
from urllib.parse import unquote, unquote_to_bytes

from app.trusted_peers import TrustedPeers

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

    Wrap the finished app, or add this as the last middleware::

        app = ForwardedPrefixMiddleware(app, trusted="10.0.0.0/8")  # the proxy sends the header
        app = ForwardedPrefixMiddleware(app, prefix="/api/v1", trusted="")  # it does not

    `X-Forwarded-Prefix` is what the proxy removed. It is put in front of every path, even of one
    that begins with it (public `/api/api/x`, https://github.com/Kludex/starlette/pull/2400), unless
    the server has done so (Uvicorn `--root-path`). Several headers, or one with commas, are joined
    in order: two stripPrefix of Traefik send `/api` and `/v1` for `/api/v1`. Empty and `/` are
    nothing. If one is invalid, all are ignored and logged, as if none had been sent.

    `prefix` is for a proxy that sends no header, stripping or not: a path that begins with it is
    kept, any other gets it in front. A trusted header goes first. A bad prefix raises `ValueError`.

    `trusted` are the peers whose header is believed, see TrustedPeers; the proxy must set or delete
    it, or clients choose the prefix. The peer is `scope["client"]`: what replaces that by the
    client belongs inside, `ForwardedPrefixMiddleware(behind_proxy(app), …)`. Outside, it hides the
    proxy, and a client may claim to be one. Uvicorn's `--proxy-headers` (the default) is outside:
    there use `trusted=""`, or `--no-proxy-headers` and behind_proxy.

    A `root_path` that the path carries (nested proxies, a mount) is kept behind the prefix, another
    one is replaced. Decoded paths are compared; `raw_path` keeps the spelling in which it came.

    The app gets a copy of the scope, as ASGI wants it. Metrics and tracing belong inside: outside
    they see neither the public path nor `route` and `endpoint`, which Starlette puts into the copy.
    """

    def __init__(
        self,
        app: Callable[..., Awaitable[None]],
        *,
        trusted: str | Iterable[str],
        prefix: str | None = None,
    ) -> None:
        self.app = app
        try:
            self._fixed = _parse_prefix((prefix or "").encode())
        except ValueError:
            raise ValueError(f"prefix {prefix!r}: {_PREFIX_RULES}") from None
        self._trusted = TrustedPeers(trusted)
        self._warned: set[bytes] = set()

    async def __call__(
        self, scope: Mapping[str, Any], receive: Callable[..., Any], send: Callable[..., Any]
    ) -> None:
        """Pass the connection on, its scope with the prefix."""
        if scope["type"] in {"http", "websocket"}:
            header = self._header_prefix(scope)
            prefix = header or self._fixed
            scope = {**scope, **(_paths(scope, prefix, keep=not header) if prefix else {})}
        await self.app(scope, receive, send)

    def _header_prefix(self, scope: Mapping[str, Any]) -> _Prefix | None:
        # lower(): Hypercorn's h11_pass_raw_headers leaves names as the proxy wrote them.
        values = [v for name, v in scope["headers"] if name.lower() == b"x-forwarded-prefix"]
        if not values or not self._trusted.trusts(scope.get("client")):
            return None
        value = b", ".join(values)  # several lines are one list (RFC 9110, 5.3)
        try:
            parts = [_parse_prefix(part.strip(b" \t")) for part in value.split(b",")]
        except ValueError:
            # Once a value, few values, cut and escaped: nobody can flood the log or forge lines.
            if value[:100] not in self._warned and len(self._warned) < _MAX_WARNINGS:
                self._warned.add(value[:100])
                logger.warning("ignored X-Forwarded-Prefix %r: %s", value[:100], _PREFIX_RULES)
            return None
        found = [part for part in parts if part]
        return ("".join(p for p, _ in found), b"".join(raw for _, raw in found)) if found else None


def _parse_prefix(value: bytes) -> _Prefix | None:
    if not (raw := value.removesuffix(b"/")):
        return None
    segments = [unquote_to_bytes(segment).decode() for segment in raw.split(b"/")[1:]]
    unsafe = (s in {".", ".."} or set(s) & _UNSAFE_DECODED or not s.isprintable() for s in segments)
    if not _SHAPE.fullmatch(raw) or any(unsafe):
        raise ValueError(value)
    return "/" + "/".join(segments), raw


def _paths(scope: Mapping[str, Any], prefix: _Prefix, *, keep: bool) -> dict[str, Any]:
    decoded, raw = prefix
    path, root_path = scope["path"], scope.get("root_path", "")
    carried = root_path if _is_under(path, root_path) else ""
    # unquote(): Uvicorn takes --root-path as in a URL, and passes it on so.
    if (path and path[0] != "/") or _is_under(unquote(carried), decoded):
        return {}
    if keep and _is_under(path, decoded):
        return {"root_path": decoded}
    new = {"root_path": decoded + carried, "path": decoded + path}
    if scope.get("raw_path") is not None:  # it is optional
        new["raw_path"] = raw + scope["raw_path"]
    return new


def _is_under(path: str, prefix: str) -> bool:
    # By segment: /api/v10 is not under /api/v1 (https://github.com/Kludex/starlette/issues/2599).
    return path == prefix or path.startswith(prefix + "/")
