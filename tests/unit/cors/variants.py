"""The applications with CORS, and what a browser sends to them."""

import importlib
import sys
from collections.abc import Callable
from functools import cache
from typing import Any

import pytest
from starlette.types import ASGIApp

from hoplab.client.wire import Exchange
from tests.unit.stub import PREFIX, Fault, as_it_is, scoped

NAMES = [
    "both",
    "single",
    "single_added",
    "router",
    "route_middleware",
    "inner_only",
    "no_layer",
]
VARIANTS: dict[str, Any] = {name: importlib.import_module(f"app.cors.{name}") for name in NAMES}
SINGLE, BOTH = VARIANTS["single"].app, VARIANTS["both"].app
STRANGER = "http://stranger.example"

Ask = Callable[..., Exchange]


def headers(
    origin: str | None = None,
    *,
    requests: str | None = None,
    names: str | None = None,
    cookie: bool = False,
) -> list[tuple[str, str]]:
    """What a browser sends with a request of a page of this origin; with `requests`, before it."""
    given = {
        "Origin": origin,
        "Access-Control-Request-Method": requests,
        "Access-Control-Request-Headers": names,
        "Cookie": "session=1" if cookie else None,
    }
    return [(name, value) for name, value in given.items() if value]


def allowed(answer: Exchange) -> dict[str, str]:
    """The Access-Control-* headers, without that; each may stand there once."""
    named = [(name.lower(), value) for name, value in answer.headers]
    told = {k.removeprefix("access-control-"): v for k, v in named if k.startswith("access-")}
    assert len(told) == len([k for k, _ in named if k.startswith("access-")])
    return told


def varies(answer: Exchange) -> list[str]:
    return (answer.header("Vary") or "").split(", ")


def passed(*layers: str) -> str:
    """X-Middleware of an answer that came through these layers, and back through all of them."""
    return " ".join([*(f">{name}" for name in layers), *(f"<{name}" for name in reversed(layers))])


ORDER = {
    "both": (["prometheus", "main-cors"], ["prometheus", "main-cors", "metrics-cors"]),
    "single": (["cors", "prometheus"],) * 2,
    "single_added": (["prometheus", "cors"],) * 2,
    "router": (["cors", "prometheus"],) * 2,
    "route_middleware": (["prometheus", "main-cors"], ["prometheus", "metrics-cors"]),
    "inner_only": (["prometheus"], ["prometheus", "metrics-cors"]),
    "no_layer": (["prometheus"],) * 2,
}
"""By variant: the layers outermost first, in front of the main application and of the mount."""


every_variant = pytest.mark.parametrize("variant", NAMES)


WRAPPINGS: dict[str, tuple[Fault, str, list[tuple[str, str]]]] = {
    "app.plain": (scoped(root_path=PREFIX), PREFIX, []),
    "app.forwarded_prefix": (as_it_is, PREFIX, []),
    "app.hypercorn.forwarded_prefix": (as_it_is, "", [("X-Forwarded-Prefix", PREFIX)]),
    "app.hypercorn.plain": (scoped(root_path=PREFIX), PREFIX, []),
}
"""By module: what its server does, what of the prefix arrives in the path, and as a header."""


HTTPS = ("X-Forwarded-Proto", "https")


every_wrapping = pytest.mark.parametrize("wrapping", WRAPPINGS)


@cache
def wrapped(wrapping: str, variant: str) -> ASGIApp:
    """What the module serves in a process whose APPLICATION names the variant."""
    importlib.import_module(wrapping)  # so that it is there again afterwards
    with pytest.MonkeyPatch.context() as patch:
        for module in dict.fromkeys(("app.plain", wrapping)):  # one imports the other
            importlib.import_module(module)
            package, _, name = module.rpartition(".")
            patch.delitem(sys.modules, module)
            patch.delattr(sys.modules[package], name)
        patch.setenv("APPLICATION", f"app.cors.{variant}")
        app: ASGIApp = importlib.import_module(wrapping).app
    return app
