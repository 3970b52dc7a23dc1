"""ForwardedPrefixMiddleware with a scope in, and the scope that it passes on."""

import asyncio
from collections.abc import MutableMapping
from typing import Any

import pytest

from app.forwarded_prefix_middleware import ForwardedPrefixMiddleware

Scope = dict[str, Any]
Message = MutableMapping[str, Any]

PROXY = ("127.0.0.1", 40000)
STRANGER = ("203.0.113.9", 40000)


def a_scope(path: str = "/x", *headers: bytes, **changes: Any) -> Scope:
    """What a server passes on for `path`, with one X-Forwarded-Prefix for each of `headers`."""
    scope: Scope = {
        "type": "http",
        "method": "GET",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"q=1",
        "headers": [(b"host", b"app.example"), *((b"x-forwarded-prefix", v) for v in headers)],
        "client": PROXY,
    }
    return scope | changes


def passed_on(scope: Scope, **options: Any) -> Scope:
    """The scope that the wrapped application gets; the proxy is trusted if `options` don't say."""
    options.setdefault("trusted", PROXY[0])
    seen: list[Scope] = []

    async def app(scope: Scope, _receive: object, _send: object) -> None:
        seen.append(scope)

    async def unused(*_: object) -> None:
        pytest.fail("the middleware itself receives and sends nothing")

    asyncio.run(ForwardedPrefixMiddleware(app, **options)(scope, unused, unused))
    return seen[0]


def paths(scope: Scope) -> tuple[str | None, str, bytes | None]:
    return scope.get("root_path"), scope["path"], scope.get("raw_path")
