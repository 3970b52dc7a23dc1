"""The live page's files: HTML with the token in it, one style sheet, one script.

They are the report's own style and elements, and what this page adds.
"""

import hashlib
import re
from html import escape
from importlib.resources import files

from hoplab.report.page import document as report

SCRIPTS = ("state.js", "grid.js", "topology.js", "request.js", "way.js", "page.js")
"""After the report's `elements.js`, in this order, they are one module."""

_PLACE = re.compile(r"\{\{(\w+)\}\}")


def page(token: str, run: str) -> str:
    """The page of one run. Its token is an attribute: no other origin can read it."""
    places = {"token": escape(token), "run": escape(run)}
    return _PLACE.sub(lambda place: places[place[1]], asset("page.html"))


def style() -> str:
    """The report's, and then this page's."""
    return f"{report.asset('page.css')}\n{asset('page.css')}"


def script() -> str:
    """All of it, as one module."""
    return "\n".join([report.asset("elements.js"), *map(asset, SCRIPTS)])


def asset(name: str) -> str:
    """The text of a file of this folder."""
    return (files(__package__) / name).read_text(encoding="utf-8")


def fingerprint() -> str:
    """A hash of what makes the page look as it does."""
    texts = "\n".join([asset("page.html"), style(), script()])
    return hashlib.sha256(texts.encode()).hexdigest()
