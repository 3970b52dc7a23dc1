"""The report as one HTML page without scripts, in the style of the lab's report.

All that came from a site, or may have, is text: `_Markup` alone is written as it stands.
"""

import base64
import hashlib
from collections.abc import Iterable, Iterator
from html import escape
from importlib.resources import files

from hoplab import __version__
from hoplab.client.wire import Exchange
from hoplab.diagnosis.faults import FAULTS
from hoplab.diagnosis.text import CHECKED, filled, headline
from hoplab.diagnosis.words import Cause, Group, Prescription, Report
from hoplab.report.page.document import asset


class _Markup(str):
    """What is HTML already. Only `_tag` and `_joined` make it."""

    __slots__ = ()


def _tag(name: str, *inside: str | None, **attributes: str) -> _Markup:
    """An element. What is inside is escaped, unless it is an element itself."""
    told = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escape(value)}"'
        for key, value in attributes.items()
    )
    return _Markup(f"<{name}{told}>{_joined(inside)}</{name}>")


def _joined(parts: Iterable[str | None]) -> _Markup:
    return _Markup(
        "".join(
            part if isinstance(part, _Markup) else escape(part)
            for part in parts
            if part is not None
        )
    )


def render(report: Report) -> str:
    """The whole page."""
    style = asset("page.css") + files("hoplab.diagnosis").joinpath("page.css").read_text("utf-8")
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    head = _joined(
        [
            _Markup('<meta charset="utf-8">'),
            _Markup(f'<meta http-equiv="Content-Security-Policy" content="{escape(policy)}">'),
            _Markup('<meta name="viewport" content="width=device-width, initial-scale=1">'),
            _Markup('<meta name="referrer" content="no-referrer">'),
            _tag("title", f"hoplab doctor: {report.base}"),
            _Markup(f"<style>{style}</style>"),  # ours, and no element ends in it
        ]
    )
    body = _tag("body", _tag("main", *_body(report)))
    page = _tag("html", _tag("head", head), body, lang="en")
    return f"<!doctype html>\n{page}\n".encode("utf-8", "replace").decode()


def _body(report: Report) -> Iterator[_Markup]:
    diagnosis = report.diagnosis
    yield _tag("h1", "hoplab doctor")
    yield _tag(
        "p", _tag("span", diagnosis.verdict.value, class_=f"verdict {diagnosis.verdict.value}")
    )
    yield _tag("p", headline(report))
    yield _facts(report)
    wrong = dict.fromkeys(answer.wrong for answer in report.sheet.findings)
    yield from _section("Found", [_list(wrong)] if wrong else [])
    yield from _section("Cause", [_group(group, report) for group in diagnosis.groups])
    yield from _section(
        "Or else",
        [_list(_titles(group, report) for group in other) for other in diagnosis.other],
    )
    yield from _section("What to change in yours", map(_prescription, report.prescriptions))
    yield from _section(
        "What this does not explain",
        [_list(answer.told for answer in diagnosis.odd)] if diagnosis.odd else [],
    )
    yield from _section("Worth knowing", [_group(group, report) for group in diagnosis.notes])
    yield from _section("Every question", _questions(report))
    yield from _section("What was asked, and what came", _exchanges(report))
    yield _tag("p", f"hoplab {__version__}", class_="versions")


def _section(title: str, parts: Iterable[_Markup]) -> Iterator[_Markup]:
    if inside := list(parts):
        yield _tag("section", _tag("h2", title), *inside)


def _facts(report: Report) -> _Markup:
    facts = {
        "URL": report.url,
        "Base": report.base,
        "Prefix": report.prefix or "none",
        "Proxy": _known(report.known.proxy, report.known.why_proxy),
        "Server": _known(report.known.server, report.known.why_server),
        "On the way": str(report.facts.get("arrival", "")),
        "Asked": f"{report.requests} requests in {report.seconds:.1f} s",
        "Ended early": report.unfinished,
    }
    pairs = [(name, value) for name, value in facts.items() if value]
    return _tag("dl", *(each for n, v in pairs for each in (_tag("dt", n), _tag("dd", v))))


def _known(name: str, why: str) -> str:
    return f"{name} (a guess: {why})" if why else name


def _list(texts: Iterable[str]) -> _Markup:
    return _tag("ul", *(_tag("li", text) for text in texts))


def _titles(group: Group, report: Report) -> str:
    return "; or ".join(filled(FAULTS[fault].title, report.prefix) for fault in group.faults)


def _group(group: Group, report: Report) -> _Markup:
    several = "One of these; the answers can't tell them apart." if len(group.causes) > 1 else None
    parts = [_cause(cause, report) for cause in group.causes]
    if several:
        parts.insert(0, _tag("p", several))
    if group.asks:
        option = f" ({group.settles})" if group.settles else ""
        parts.append(_tag("p", f"To settle it: {filled(group.asks, report.prefix)}{option}"))
    return _tag("article", *parts)


def _cause(cause: Cause, report: Report) -> _Markup:
    words = FAULTS[cause.fault]
    parts = [
        _tag("h3", filled(words.title, report.prefix)),
        _tag("p", filled(words.why, report.prefix)),
        _tag("p", _tag("strong", "Change: "), filled(words.change, report.prefix)),
    ]
    for weighs in ("for", "against"):
        told = dict.fromkeys(e.answer.told for e in cause.evidence if e.weighs == weighs)
        if told:
            parts += [_tag("p", f"Evidence {weighs}:"), _list(told)]
    parts += _references(words.references)
    return _joined(parts)


def _prescription(each: Prescription) -> _Markup:
    guess = _tag("span", " (a guess)", class_="guess") if each.guessed else None
    parts = [_tag("h3", each.of, guess), _tag("p", each.text)]
    if each.lines:
        parts.append(_tag("pre", "\n".join(each.lines)))
    return _tag("article", *parts, *_references(each.references))


def _references(urls: Iterable[str]) -> list[_Markup]:
    """Links to pages that we name ourselves: a site's own addresses are text."""
    return [_tag("p", _tag("a", url, href=url)) for url in urls if url.startswith("https://")]


def _questions(report: Report) -> list[_Markup]:
    rows = [
        _row(
            CHECKED.get(question, question.value), "wrong" if answer.wrong else "asked", answer.told
        )
        for question, answer in report.sheet.answers.items()
    ]
    rows += [
        _row(CHECKED.get(each.question, each.question.value), "not asked", each.why)
        for each in report.sheet.unasked
        if each.question not in report.sheet.answers
    ]
    return [_tag("table", *rows)] if rows else []


def _exchanges(report: Report) -> list[_Markup]:
    every: dict[int, Exchange] = {}
    for answer in report.sheet.answers.values():
        every |= {id(each): each for each in answer.exchanges}
    shown = dict.fromkeys(
        (each.method, each.url, str(each.status), each.header("Location") or "")
        for each in every.values()
    )
    return [_tag("table", *(_row(*columns) for columns in shown))] if shown else []


def _row(*columns: str) -> _Markup:
    return _tag("tr", *(_tag("td", column) for column in columns))
