"""Who gave an answer, as far as that shows in it."""

from enum import StrEnum

from hoplab.client.wire import Exchange
from hoplab.suites.own.links import media_type

_NOT_FOUND = 404


class Responder(StrEnum):
    """What an answer looks like."""

    FASTAPI = "an application with FastAPI's own words"
    STARLETTE = "an application with Starlette's own words"
    PAGE = "a page for people"
    UNKNOWN = "anybody"


APPLICATIONS = {Responder.FASTAPI, Responder.STARLETTE}


def responder(exchange: Exchange) -> Responder:
    """Who gave this answer: Starlette's and FastAPI's own 404 and 405 are known by their words."""
    kind, body = media_type(exchange), exchange.body.strip()
    if kind == "application/json":
        content = exchange.json()
        if isinstance(content, dict) and set(content) == {"detail"}:
            return Responder.FASTAPI
    if kind == "text/plain" and body in {b"Not Found", b"Method Not Allowed"}:
        return Responder.STARLETTE
    return Responder.PAGE if kind == "text/html" else Responder.UNKNOWN
