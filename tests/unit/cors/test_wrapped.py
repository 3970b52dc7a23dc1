"""The applications with CORS behind a proxy, in what a server needs around them."""

import importlib
import inspect
import re
from collections.abc import Iterator
from typing import Any

import pytest

from tests.catalogue import CATALOGUE
from tests.unit.cors.variants import (
    HTTPS,
    NAMES,
    ORDER,
    VARIANTS,
    WRAPPINGS,
    Ask,
    every_variant,
    every_wrapping,
    passed,
    wrapped,
)
from tests.unit.stub import PREFIX

pytestmark = pytest.mark.usefixtures("no_counts")


@every_wrapping
@every_variant
@pytest.mark.parametrize(("path", "which"), [("/items/", 0), ("/metrics/", 1)])
def test_layers_run_in_the_same_order_behind_a_proxy(
    ask: Ask, wrapping: str, variant: str, path: str, which: int
) -> None:
    server, before, sent = WRAPPINGS[wrapping]

    answer = ask(server(wrapped(wrapping, variant)), "GET", before + path, sent)

    assert answer.status == 200
    assert answer.header("X-Middleware") == passed(*ORDER[variant][which])


@every_wrapping
@every_variant
def test_every_variant_learns_prefix_and_scheme(ask: Ask, wrapping: str, variant: str) -> None:
    server, before, sent = WRAPPINGS[wrapping]
    app = server(wrapped(wrapping, variant))

    scope = ask(app, "GET", f"{before}/scope", [*sent, HTTPS]).json()
    redirect = ask(app, "GET", f"{before}/items", [*sent, HTTPS])

    # Uvicorn reads X-Forwarded-Proto by itself; what is made for Hypercorn has to.
    scheme = "https" if wrapping.startswith("app.hypercorn.") else "http"
    assert (scope["root_path"], scope["path"]) == (PREFIX, f"{PREFIX}/scope")
    assert scope["scheme"] == scheme
    assert re.fullmatch(rf"{scheme}://[^/]+{PREFIX}/items/", redirect.header("Location") or "")


@every_wrapping
@every_variant
def test_what_is_wrapped_is_the_application_that_is_named(wrapping: str, variant: str) -> None:
    assert VARIANTS[variant].app in list(inside(wrapped(wrapping, variant)))


def inside(app: Any) -> Iterator[Any]:
    """The application, what it wraps, and so on."""
    while app is not None:
        yield app
        if inspect.isfunction(app):
            app = inspect.getclosurevars(app).nonlocals.get("app")
        else:
            app = getattr(app, "app", None)


@every_wrapping
def test_without_a_variant_it_is_the_usual_application(wrapping: str) -> None:
    """Also after a test has served another."""
    wrapped(wrapping, "both")
    usual = importlib.import_module(wrapping).app

    assert {getattr(each, "title", "hoplab") for each in inside(usual)} == {"hoplab"}


def test_the_variations_serve_every_variant_and_nothing_else() -> None:
    served = {each.application for each in CATALOGUE.variations.values() if each.suite == "cors"}

    assert served == {f"app.cors.{name}" for name in NAMES}
