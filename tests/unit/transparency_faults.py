"""Proxies that change what passes: requests, answers, streams, connections."""

import asyncio
import gzip
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.dropped import Dropped
from tests.unit.stub import PREFIX, Edit, Fault, altered, header, only, rescoped

REFUSED = PlainTextResponse("<html>refused</html>", 405)


@dataclass(frozen=True)
class Case:
    """What a check has to find, and the proxy's fault."""

    symptom: str
    title: str
    outside: Fault


def if_(asked: Callable[[Scope], bool], fault: Fault) -> Fault:
    """The fault, for some requests."""

    def chosen(app: ASGIApp) -> ASGIApp:
        faulty = fault(app)

        async def choose(scope: Scope, receive: Receive, send: Send) -> None:
            await (faulty if asked(scope) else app)(scope, receive, send)

        return choose

    return chosen


def method(name: str) -> Callable[[Scope], bool]:
    return lambda scope: scope.get("method") == name and scope["path"] == f"{PREFIX}/request"


def query(change: Callable[[bytes], bytes]) -> Fault:
    return rescoped(lambda scope: {"query_string": change(scope["query_string"])})


def arriving(name: str, *values: str) -> Fault:
    """The request's header arrives with these values."""

    def change(scope: Scope) -> dict[str, Any]:
        others = [h for h in scope["headers"] if h[0].decode() != name]
        given = any(h[0].decode() == name for h in scope["headers"])
        return {"headers": others + [(name.encode(), v.encode()) for v in values if given]}

    return rescoped(change)


def nothing_said(message: Message) -> Message | None:
    return None if message["type"] == "websocket.send" else message


def preflight(scope: Scope) -> bool:
    return any(name == b"access-control-request-method" for name, _ in scope["headers"])


def asked_for(code: int) -> Callable[[Scope], bool]:
    """Whether the answer is to have this status."""
    return lambda scope: f"status={code}".encode() in scope["query_string"]


def too_large(scope: Scope) -> bool:
    return any(len(value) > 8000 for _, value in scope["headers"])


def long_query(scope: Scope) -> bool:
    return len(scope["query_string"]) > 1024


def first_of_each(scope: Scope) -> dict[str, Any]:
    return {"headers": list(dict(reversed(scope["headers"])).items())}


def lowered(scope: Scope) -> dict[str, Any]:
    return {"path": scope["path"].lower()}


def keeps_the_body(app: ASGIApp) -> ASGIApp:
    """Who sends nothing gets what was sent before."""
    last = b""

    async def asked(scope: Scope, receive: Receive, send: Send) -> None:
        async def kept() -> Message:
            nonlocal last
            message = await receive()
            last = message.get("body") or last
            return {**message, "body": last}

        await app(scope, kept, send)

    return asked


def without_body(app: ASGIApp) -> ASGIApp:
    async def asked(scope: Scope, _: Receive, send: Send) -> None:
        async def nothing() -> Message:
            return {"type": "http.request", "body": b""}

        await app(scope, nothing, send)

    return asked


def chunked(scope: Scope) -> bool:
    return (b"transfer-encoding", b"chunked") in scope["headers"]


def twice(app: ASGIApp) -> ASGIApp:
    """The proxy sends what failed once more."""

    async def asked(scope: Scope, receive: Receive, send: Send) -> None:
        async def nowhere(_: Message) -> None: ...

        async def nothing() -> Message:
            return {"type": "http.request", "body": b""}

        await app(scope, nothing, nowhere)
        await app(scope, receive, send)

    return if_(lambda scope: scope.get("method") == "POST", lambda _: asked)(app)


def never_answered(app: ASGIApp) -> ASGIApp:
    """The proxy sends what got no answer once more, and has none for the client either."""

    async def asked(scope: Scope, _: Receive, send: Send) -> None:
        async def nowhere(_: Message) -> None: ...

        async def nothing() -> Message:
            return {"type": "http.request", "body": b""}

        await app(scope, nothing, nowhere)
        await app(scope, nothing, nowhere)
        await Dropped()(scope, nothing, send)

    return asked


def dropped(scope: Scope) -> bool:
    """Whether the application is to end the connection without an answer."""
    return b"drop=" in scope["query_string"]


ANSWER = "/answer"
EVENTS = "/events"
FILE = "/static/hello.txt"


def without(name: str) -> Edit:
    return header(name, lambda _: None)


public = header("cache-control", lambda _: "public")


def text_plain(_: str) -> str:
    return "text/plain"


def added_caching(answer: Any) -> None:
    answer.headers["cache-control"] = "public, max-age=600"


def opened(answer: Any) -> None:
    answer.headers["access-control-allow-origin"] = "*"


def of_body(body: bytes) -> Edit:
    """Another body."""

    def edit(answer: Any) -> None:
        answer.body = body

    return edit


def doubled(name: str) -> Edit:
    return lambda answer: answer.headers.append(name, answer.headers[name])


def other_domain(answer: Any) -> None:
    cookies = answer.headers.getlist("set-cookie")
    del answer.headers["set-cookie"]
    for cookie in cookies:
        answer.headers.append("set-cookie", cookie.replace("example.com", "old.example"))


def one_cookie(answer: Any) -> None:
    cookies = answer.headers.getlist("set-cookie")
    answer.headers["set-cookie"] = ", ".join(cookies)
    first = answer.headers["set-cookie"]
    del answer.headers["set-cookie"]
    answer.headers["set-cookie"] = first


def page_for(code: int) -> Edit:
    """`error_page`: the proxy's own, without what the application gave."""

    def edit(answer: Any) -> None:
        if answer.status == code:
            for name in list(answer.headers):
                del answer.headers[name]
            answer.body = b"<html>Sorry</html>"
            answer.headers["content-length"] = "18"

    return edit


def if_status(code: int, edit: Edit) -> Edit:
    return lambda answer: edit(answer) if answer.status == code else None


def if_json(edit: Edit) -> Edit:
    return lambda answer: edit(answer) if answer.body.startswith(b"{") else None


def compressed(answer: Any) -> None:
    answer.body = gzip.compress(answer.body)
    answer.headers["content-encoding"] = "gzip"


def named_compressed(answer: Any) -> None:
    answer.headers["content-encoding"] = "br"


def from_another_origin(scope: Scope) -> bool:
    return any(name == b"origin" for name, _ in scope["headers"])


def shorter(answer: Any) -> None:
    answer.body = answer.body[:1000]


def halved(answer: Any) -> None:
    answer.body = answer.body[: len(answer.body) // 2]


def as_deflate(answer: Any) -> None:
    answer.body = zlib.compress(answer.body)
    answer.headers["content-encoding"] = "deflate"


def no_large_cookie(answer: Any) -> None:
    if any(len(value) > 2048 for value in answer.headers.values()):
        del answer.headers["set-cookie"]


def small_buffer(answer: Any) -> None:
    if sum(map(len, answer.headers.values())) > 2048:
        page_for(answer.status)(answer)
        answer.status = 502


def small_cookie(answer: Any) -> None:
    *others, last = answer.headers.getlist("set-cookie")
    if len(last) > 2048:
        del answer.headers["set-cookie"]
        for each in (*others, last[:1024]):
            answer.headers.append("set-cookie", each)


def gzip_asked(scope: Scope) -> bool:
    return (b"accept-encoding", b"gzip") in scope["headers"]


def beginning(answer: Any) -> None:
    answer.body = answer.body[:10]


def is_post(scope: Scope) -> bool:
    return bool(scope["method"] == "POST")


to_another = query(lambda asked: asked.replace(b"token=", b"token=x"))


def is_head(scope: Scope) -> bool:
    return bool(scope["method"] == "HEAD")


as_text = altered(ANSWER, header("content-type", text_plain))
no_length = altered(ANSWER, without("content-length"))


def too_slow(app: ASGIApp) -> ASGIApp:
    """A time-out of half a second."""

    async def asked(scope: Scope, receive: Receive, send: Send) -> None:
        if b"seconds" in scope["query_string"]:
            await PlainTextResponse("504 Gateway Time-out", 504)(scope, receive, send)
        else:
            await app(scope, receive, send)

    return asked


def cached(app: ASGIApp, status: int | None = None) -> ASGIApp:
    """Every answer is kept, by method, path and query; or those of one status only."""
    kept: dict[Any, list[Message]] = {}

    async def asked(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await app(scope, receive, send)
            return
        key = (scope["method"], scope["path"], scope["query_string"])
        if key not in kept:
            messages: list[Message] = []

            async def keep(message: Message) -> None:
                messages.append(message)

            await app(scope, receive, keep)
            if status not in {None, messages[0]["status"]}:
                for message in messages:
                    await send(message)
                return
            kept[key] = messages
        for message in kept[key]:
            await send(message)

    return asked


def caching(code: int) -> Fault:
    """`proxy_cache_valid CODE 1m` alone."""
    return only("/request", lambda app: cached(app, code))


cached_by_cookie = if_(lambda scope: b"shared" in scope["query_string"], cached)
"""Nobody asked for a cache, though nobody sees another one's page."""


def one_at_a_time(app: ASGIApp) -> ASGIApp:
    """A connection to the application, and no more."""
    free = asyncio.Lock()

    async def asked(scope: Scope, receive: Receive, send: Send) -> None:
        async with free:
            await app(scope, receive, send)

    return asked


def by_cookie(app: ASGIApp) -> ASGIApp:
    caches: dict[Any, ASGIApp] = {}

    async def asked(scope: Scope, receive: Receive, send: Send) -> None:
        cookie = dict(scope["headers"]).get(b"cookie")
        await caches.setdefault(cookie, cached(app))(scope, receive, send)

    return asked


@rescoped
def believes(scope: Scope) -> dict[str, Any]:
    told = any(name == b"x-forwarded-for" for name, _ in scope["headers"])
    return {"client": ("192.0.2.7", 1)} if told else {}


def impatient(app: ASGIApp) -> ASGIApp:
    """Closes what is quiet for a moment."""

    async def asked(scope: Scope, receive: Receive, send: Send) -> None:
        async def soon() -> Message:
            try:
                return await asyncio.wait_for(receive(), 0.3)
            except TimeoutError:
                await send({"type": "websocket.close", "code": 1001})
                return {"type": "websocket.disconnect", "code": 1001}

        await app(scope, soon, send)

    return if_(lambda scope: scope["type"] == "websocket", lambda _: asked)(app)


def reads_on(app: ASGIApp) -> ASGIApp:
    """`proxy_ignore_client_abort on`."""

    async def asked(scope: Scope, receive: Receive, send: Send) -> None:
        async def stays() -> Message:
            message = await receive()
            if message["type"] == "http.disconnect":
                await asyncio.sleep(1)  # longer than the check waits
            return message

        async def anyway(message: Message) -> None:
            await send(message)

        await app(scope, stays, anyway)

    return asked


def quiet(scope: Scope) -> bool:
    return b"quiet" in scope["query_string"]


def first_on_a_connection(app: ASGIApp) -> ASGIApp:
    """Go's servers allow a larger head on a connection that was used before."""
    known = set()

    async def asked(scope: Scope, receive: Receive, send: Send) -> None:
        new = scope["client"] not in known
        known.add(scope["client"])
        await (REFUSED if new and too_large(scope) else app)(scope, receive, send)

    return asked
