"""A window into what an application gets: added for the time of a diagnosis, removed after it.

    from hoplab.doctor import Window

    app.add_middleware(Window)

With HOPLAB_WINDOW_TOKEN set in the application's environment, `hoplab doctor URL --window-token
TOKEN` sees the ASGI scope that arrives behind proxy and server. Without it, nothing is changed.
This file needs the standard library alone, and may be copied to where hoplab is not installed.
"""

import hmac
import json
import os
import re
import sys
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import Any, TypeAlias

VARIABLE = "HOPLAB_WINDOW_TOKEN"
HEADER = "X-Hoplab-Window"
PATH = "/.hoplab-window"
VERSION = 1
SHORTEST = 16  # characters of a token: it is all that protects the window
MASK = "…"

Scope: TypeAlias = MutableMapping[str, Any]
Message: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]
Application: TypeAlias = Callable[[Scope, Receive, Send], Awaitable[None]]

_SHOWN = re.compile(
    r"host|forwarded|via|x-real-ip|x-scheme|x-url-scheme|x-script-name|front-end-https"
    r"|x-forwarded-(for|proto|protocol|scheme|host|port|prefix|server|ssl|path|uri|context)"
    r"|x-original-(host|uri|url|for|proto|forwarded-for|forwarded-host|forwarded-proto)"
    r"|x-rewrite-url|x-proxycontextpath|x-envoy-(original-path|external-address)"
    r"|x-client-ip|true-client-ip|cf-connecting-ip|cf-visitor|fly-client-ip|x-azure-clientip"
    r"|connection|upgrade|te|user-agent|accept|accept-encoding|content-length|transfer-encoding"
)
"""The headers whose values say something about proxies. Of all others, only the name is shown: any
of them may hold a cookie, a token or a person's name."""


class Window:
    """ASGI middleware: answers GET of a path that ends with /.hoplab-window, to who has the token.

    token: a secret of 16 characters or more; None takes that of HOPLAB_WINDOW_TOKEN, and without
    one the window is closed. All other requests, WebSockets and the lifespan pass unchanged. Raises
    ValueError for a token that could be guessed.
    """

    def __init__(self, app: Application, token: str | None = None) -> None:
        told = os.environ.get(VARIABLE, "") if token is None else token
        if told and len(told) < SHORTEST:
            message = (
                f"{VARIABLE} needs {SHORTEST} characters or more, such as what"
                " `python -c 'import secrets; print(secrets.token_urlsafe())'` prints"
            )
            raise ValueError(message)
        self._app = app
        self._token = told.encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer if this is asked for, with the token; else the application answers."""
        if self._token and scope["type"] == "http" and self._is_asked(scope):
            await _answer(seen(scope, receive), send)
        else:
            await self._app(scope, receive, send)

    def _is_asked(self, scope: Scope) -> bool:
        """Whatever of the prefix, or more than that, has arrived in front of the path."""
        if scope["method"] != "GET" or not str(scope["path"]).rstrip("/").endswith(PATH):
            return False
        name = HEADER.lower().encode()
        given = [value for key, value in scope["headers"] if bytes(key).lower() == name]
        return len(given) == 1 and hmac.compare_digest(bytes(given[0]), self._token)


def seen(scope: Scope, receive: object = None) -> dict[str, Any]:
    """What the window shows of a scope: fit for JSON, and without anything secret."""
    return {
        "hoplab_window": VERSION,
        "path": scope["path"],
        "raw_path": _text(scope.get("raw_path")),
        "root_path": scope.get("root_path", ""),
        "scheme": scope.get("scheme"),
        "http_version": scope.get("http_version"),
        "client": _address(scope.get("client")),
        "server": _address(scope.get("server")),
        "headers": [[_text(name), _value(name, value)] for name, value in scope["headers"]],
        "program": os.path.basename(sys.argv[0]) if sys.argv else "",  # noqa: PTH119
        "served_by": _package(receive),
    }


def _value(name: bytes, value: bytes) -> str:
    text = _text(value) or ""
    if not _SHOWN.fullmatch((_text(name) or "").lower()):
        return MASK
    path, question, _ = text.partition("?")
    return f"{path}?{MASK}" if question else text  # what stands in a query may be secret


def _text(value: bytes | None) -> str | None:
    return None if value is None else bytes(value).decode("latin-1")


def _address(value: Iterable[Any] | None) -> list[Any] | None:
    return None if value is None else list(value)


def _package(receive: object) -> str:
    """The package that made `receive`: the server's own, if nothing stands in between."""
    module = getattr(receive, "__module__", None) or type(receive).__module__
    return str(module).partition(".")[0]


async def _answer(shown: dict[str, Any], send: Send) -> None:
    body = json.dumps(shown).encode()
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(body)).encode()),
        (b"cache-control", b"no-store"),
        (b"x-content-type-options", b"nosniff"),
    ]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})
