"""One HTML file that needs nothing else: style, scripts and data are inside.

Whatever came from a result is data. It stands in script elements that no browser runs, and no value
in it can end its element: that is written here. The scripts put values in as text.
"""

import base64
import hashlib
import json
import re
import zlib
from collections.abc import Sequence
from html import escape
from importlib.resources import files
from typing import Any

SCRIPTS = ("data.js", "elements.js", "grid.js", "cell.js", "page.js")
"""In this order, they are one module."""

_PLACE = re.compile(r"\{\{(\w+)\}\}")
_ENDING = str.maketrans({sign: f"\\u{ord(sign):04x}" for sign in "<>&\u2028\u2029"})
_LEVEL = 9


def document(title: str, overview: Any, evidence: Sequence[Any]) -> str:
    """The page of an overview, which is read at once, and of evidence, which is unpacked later."""
    style, script = asset("page.css"), "\n".join(asset(name) for name in SCRIPTS)
    policy = "; ".join(
        [
            "default-src 'none'",
            f"style-src {_hash(style)}",
            f"script-src {_hash(script)}",
            "base-uri 'none'",
            "form-action 'none'",
        ]
    )
    packed = "\n".join(
        f'<script type="application/octet-stream" data-evidence>{_packed(each)}</script>'
        for each in evidence
    )
    places = {
        "title": escape(title.encode("utf-8", "replace").decode()),  # a file's name may be bytes
        "policy": escape(policy),
        "style": style,
        "script": script,
        "overview": in_script(overview),
        "evidence": packed,
    }
    return _PLACE.sub(lambda place: places[place[1]], asset("page.html"))


def asset(name: str) -> str:
    """The text of a file of this folder."""
    return (files(__package__) / name).read_text(encoding="utf-8")


def fingerprint() -> str:
    """A hash of what makes the page look as it does: its template, style and scripts."""
    texts = "\n".join(asset(name) for name in ("page.html", "page.css", *SCRIPTS))
    return hashlib.sha256(texts.encode()).hexdigest()


def in_script(value: Any) -> str:
    """As JSON that neither ends a script element nor begins a comment in it."""
    told = json.dumps(value, separators=(",", ":"), ensure_ascii=False)
    # Lone surrogates, which JSON may have, are no UTF-8.
    return "".join(
        f"\\u{ord(sign):04x}" if "\ud800" <= sign <= "\udfff" else sign
        for sign in told.translate(_ENDING)
    )


def _packed(value: Any) -> str:
    """Raw deflate, as the browser's DecompressionStream reads it, in letters that end nothing."""
    told = json.dumps(value, separators=(",", ":")).encode("ascii")
    packer = zlib.compressobj(_LEVEL, wbits=-zlib.MAX_WBITS)
    return base64.b64encode(packer.compress(told) + packer.flush()).decode("ascii")


def _hash(text: str) -> str:
    """As a Content-Security-Policy names an inline script or style."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
