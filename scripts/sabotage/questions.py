"""What the plain client sends: about fifty requests, as bytes."""

from dataclasses import dataclass

_MIB = 2**20
_CREDENTIALS = "dXNlcjpwYXNz"  # user:pass


@dataclass(frozen=True)
class Question:
    """parts are sent with a pause, in seconds, in between. apart: its answer is a stream."""

    name: str
    parts: tuple[bytes, ...]
    pause: float = 0.0
    websocket: bool = False
    apart: bool = False


CLOSE = b"\x88\x82\x00\x00\x00\x00\x03\xe8"
"""A client's close frame with the code 1000 (RFC 6455, 5.5.1), masked with zeros."""


def questions(prefix: str, host: str) -> list[Question]:
    """All of them, for one origin."""

    def request(name: str, line: str, *headers: str, body: bytes = b"", pause: float = 0) -> None:
        head = [f"{line} HTTP/1.1", f"Host: {host}", "Connection: close", *headers]
        if body and not any(header.startswith("Transfer-Encoding") for header in headers):
            head.append(f"Content-Length: {len(body)}")
        raw = "\r\n".join([*head, "", ""]).encode("latin-1")
        parts = (raw + body[:5], body[5:]) if pause else (raw + body,)
        found.append(Question(name, parts, pause, apart="events" in name))

    def websocket(name: str, path: str, *headers: str) -> None:
        head = [f"GET {prefix}{path} HTTP/1.1", f"Host: {host}", "Connection: Upgrade"]
        head += ["Upgrade: websocket", "Sec-WebSocket-Version: 13"]
        head += ["Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", *headers]
        raw = "\r\n".join([*head, "", ""]).encode()
        found.append(Question(name, (raw,), websocket=True))

    found: list[Question] = []
    p = prefix
    own = (
        "Cookie: a=1; b=2",
        f"Authorization: Basic {_CREDENTIALS}",
        "Content-Type: text/csv",
        "Accept: text/html",
        "Accept-Language: eo",
        "Accept-Encoding: identity",
        "If-None-Match: W/x",
        "Range: bytes=0-3",
        "Origin: https://example.com",
        "User-Agent: plain",
        "X-Custom: 1",
        "X-Custom: 2",
    )
    forged = (
        "X-Forwarded-For: 192.0.2.7",
        "X-Forwarded-Proto: ftp",
        "X-Forwarded-Host: canary.invalid",
        "X-Forwarded-Prefix: /canary",
        "X-Real-IP: 192.0.2.7",
        "Forwarded: for=192.0.2.7",
        "X_Forwarded_For: 192.0.2.7",
    )
    for method in ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"):
        request(f"{method} /scope", f"{method} {p}/scope")
        request(f"{method} /static", f"{method} {p}/static/hello.txt")
    request("headers", f"GET {p}/scope", *own)
    request("forged headers", f"GET {p}/scope", *forged)
    request("forged headers, static", f"GET {p}/static/hello.txt", *forged)
    request("forged headers, redirect", f"GET {p}/items?x=1", *forged)
    request("cookie of 8 KiB", f"GET {p}/scope", f"Cookie: a={'x' * 8000}")
    request("another client's cookie", f"GET {p}/scope", "Cookie: a=2")
    for path in (
        "/scope?b=2&a=1&a=%20+x&utm_source=z&empty=",
        "/scope/ABC%7e/a%2Fb",
        "/scope//x",
        f"/scope/{'x' * 1500}",  # the answer's X-ASGI-Scope has it as well
        "/app",
        "/docs",
        "/redoc",
        "/docs/oauth2-redirect",
        "/openapi.json",
        "/sub/app",
        "/sub/docs",
        "/sub/items",
        "/sub/openapi.json",
        "/extra-servers/openapi.json",
        "/no-root-path-in-servers/openapi.json",
        "/items/",
        "/items/?a=1",
        "/missing",
        "/events?count=x",
        "",
        "?a=1",
        "/",
        f"{prefix}/nested",
        f"{prefix}/app",
    ):
        request(f"GET {path or 'the bare prefix'}", f"GET {p}{path}")
    for path in (p.upper() + "/app", p + "0/app", p + "-beta/app", "/" + p + "/app", "/app"):
        request(f"GET {path}", f"GET {path}")
    request("GET with dots", f"GET {p}/../..{p}/scope")
    request("POST /items", f"POST {p}/items", body=b"x")
    for name, header in (
        ("If-None-Match", "If-None-Match: *"),
        ("If-Modified-Since", "If-Modified-Since: Fri, 01 Jan 2038 00:00:00 GMT"),
        ("Range", "Range: bytes=0-3"),
    ):
        request(f"static with {name}", f"GET {p}/static/hello.txt", header)
    request("preflight", f"OPTIONS {p}/app", own[8], "Access-Control-Request-Method: PUT")
    request("GET /docs, gzip", f"GET {p}/docs", "Accept-Encoding: gzip")
    echo = f"POST {p}/echo"
    request("upload of 2 MiB", echo, body=b"x" * (2 * _MIB))
    chunk = b"5\r\nhello\r\n5\r\nworld\r\n0\r\n\r\n"
    request("chunked upload", echo, "Transfer-Encoding: chunked", body=chunk)
    request("binary upload", echo, body=bytes(range(256)))
    request("upload in two parts", echo, body=b"hello world", pause=2.5)
    request("expect", echo, "Expect: 100-continue", body=b"hello world", pause=0.2)
    request("empty upload", echo)
    request("events", f"GET {p}/events?count=3&interval=0.4")
    request("events, gzip", f"GET {p}/events?count=3&interval=0.4", "Accept-Encoding: gzip")
    request("events, far apart", f"GET {p}/events?count=3&interval=2.2")
    request("forged headers, events", f"GET {p}/events?count=1", *forged)
    for path in ("/ws", "/sub/ws"):
        websocket(path, path, *own[:2])
        websocket(f"{path}, forged headers", path, *forged)
    websocket("/ws, subprotocol", "/ws", "Sec-WebSocket-Protocol: chat")
    return found
