"""The document of a page: data that can't break out, a policy that names what is inside."""

import base64
import hashlib
import json
import re
import zlib
from html import unescape

import pytest

from hoplab.report.page.document import SCRIPTS, asset, document, fingerprint, in_script
from tests.catalogue import CATALOGUE

HOSTILE = [
    "</script><script>alert(1)</script>",
    "</SCRIPT >",
    "<!--<script>",
    "]]>",
    "\u2028\u2029",
    "&lt;/script&gt;",
    "{{script}}",
    "\ud800",
    "\\u003c",
    '"\\',
    "\x00",
]
ASSETS = ["page.html", "page.css", *SCRIPTS]


@pytest.mark.parametrize("value", HOSTILE, ids=ascii)
def test_a_value_comes_back_and_ends_nothing(value: str) -> None:
    told = in_script({value: [value]})

    assert not set(told) & set("<>&\u2028\u2029")
    assert json.loads(told) == {value: [value]}
    told.encode()


@pytest.mark.parametrize("value", HOSTILE, ids=ascii)
def test_a_document_has_the_elements_of_its_template_whatever_is_in_it(value: str) -> None:
    made = document(value, {"told": value}, [{"found": value}])

    assert re.findall(r"<(/?script|!--)", made, re.IGNORECASE) == ["script", "/script"] * 3
    assert made.count("<style>") == made.count("</style>") == 1
    (data,) = re.findall(r'id="data">(.*?)</script>', made, re.DOTALL)
    assert json.loads(data) == {"told": value}
    (packed,) = re.findall(r"data-evidence>(.*?)</script>", made, re.DOTALL)
    unpacked = zlib.decompress(base64.b64decode(packed), wbits=-zlib.MAX_WBITS)
    assert json.loads(unpacked) == {"found": value}
    (written,) = re.findall(r"<title>(.*?)</title>", made, re.DOTALL)
    assert unescape(written) == value.encode("utf-8", "replace").decode()


def test_the_policy_names_the_style_and_the_script_and_nothing_else() -> None:
    made = document("x", {}, [])

    def hashed(text: str) -> str:
        return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"

    (style,) = re.findall(r"<style>(.*?)</style>", made, re.DOTALL)
    (script,) = re.findall(r'<script type="module">(.*?)</script>', made, re.DOTALL)
    (policy,) = re.findall(r'Content-Security-Policy" content="(.*?)"', made)
    assert unescape(policy).split("; ") == [
        "default-src 'none'",
        f"style-src {hashed(style)}",
        f"script-src {hashed(script)}",
        "base-uri 'none'",
        "form-action 'none'",
    ]


@pytest.mark.parametrize("name", ASSETS)
def test_a_file_of_the_page_needs_no_other_and_makes_no_markup(name: str) -> None:
    text = asset(name)

    loaded = r"(?i)\bsrc=|@import|url\(|\bimport\b|<link|fetch\(|XMLHttpRequest|WebSocket\("
    assert not re.search(loaded, text)
    assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b", text)
    if name.endswith(".js"):
        assert not re.search(r"(?i)</script|<!--", text)
    assert len(text.splitlines()) < 400


def test_the_page_s_files_name_no_proxy_and_no_server() -> None:
    names = "|".join({*CATALOGUE.proxies, *CATALOGUE.servers} - {"fastapi"})
    for name in ASSETS:
        assert not re.search(rf"(?i)\b({names})\b", asset(name)), name


def test_the_fingerprint_is_that_of_all_its_files(monkeypatch: pytest.MonkeyPatch) -> None:
    before = fingerprint()
    seen = {before}
    for changed in ASSETS:
        with monkeypatch.context() as patch:
            patch.setattr(
                "hoplab.report.page.document.asset",
                lambda name, other=changed: asset(name) + " " * (name == other),
            )
            seen.add(fingerprint())

    assert fingerprint() == before
    assert len(seen) == 1 + len(ASSETS)
