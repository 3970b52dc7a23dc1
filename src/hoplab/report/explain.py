"""What a symptom, a variation or a cell means, and what to copy: text for a terminal."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from textwrap import fill

from hoplab.catalogue import Catalogue
from hoplab.catalogue.variations import Variation
from hoplab.client.trace import Trace
from hoplab.predictions import Rule, predict
from hoplab.recipe import Recipe
from hoplab.report.causes import Cause, causes
from hoplab.report.words import count
from hoplab.results import CellResult, Finding, Results, Verdict
from hoplab.symptom import Advice, Symptom
from hoplab.topology import Scheme

_WIDTH = 80
_SHOWN = 68
_NOISE = {"date", "server", "x-instance", "x-asgi-scope", "x-middleware"}
"""Headers that are left out of the hops: the lab's own are shown otherwise."""


def symptom_text(symptom: Symptom, advice: Mapping[str, Advice], cells: Sequence[str]) -> str:
    """A symptom, what each proxy and server has to do with it, and cells in which it must show."""
    parts = [
        symptom.name,
        _section("What you see", _paragraph(symptom.seen)),
        _section("Why", _paragraph(symptom.cause)),
        _section("Fix", _paragraph(symptom.fix)),
        *(
            _section(name, _paragraph(f"{each.cause} {each.fix}".strip()))
            for name, each in advice.items()
        ),
        _section("Further reading", _list(_links(symptom, advice))),
    ]
    if cells:
        shown = [f"hoplab explain {cell}" for cell in cells]
        parts.append(_section("See it", "\n".join(f"  {line}" for line in shown)))
    return "\n\n".join(parts)


def _links(symptom: Symptom, advice: Mapping[str, Advice]) -> list[str]:
    """Each once, the general ones first."""
    theirs = [link for each in advice.values() for link in each.references]
    return list(dict.fromkeys([*symptom.references, *theirs]))


def variation_text(variation: Variation, catalogue: Catalogue, changes: Sequence[str]) -> str:
    """A variation, what it changes, and what shows where."""
    shown = [
        f"{cell.id}: {', '.join(dict.fromkeys(predict(cell, catalogue).values())) or 'pass'}"
        for cell in variation.symptoms
    ]
    parts = [
        variation.name,
        _paragraph(variation.about, ""),
        _section("The change", "\n".join(f"  {line}" for line in changes)) if changes else "",
        _section("What must show", "\n".join(_item(line) for line in shown)),
        _section("Fix", _paragraph(variation.fix)),
        _section("Further reading", _list(variation.references)),
    ]
    return "\n\n".join(part for part in parts if part)


@dataclass(frozen=True)
class Explained:
    """What is known of a cell that was asked.

    shown: the finding that the traced request shows. advice: on a symptom, what the cell's own
    proxy and server have to do with it. changes, fix: lines of a configuration or of words.
    """

    result: CellResult
    trace: Trace | None
    shown: Finding | None
    symptoms: Mapping[str, Symptom]
    advice: Mapping[str, Mapping[str, Advice]]
    rules: Sequence[Rule]
    variation: Variation | None
    changes: Sequence[str]
    fix: Sequence[str]


def cell_text(cell: Explained) -> str:
    """A request from hop to hop and back, the cause of what is wrong, and the fix."""
    result, variation = cell.result, cell.variation
    found = causes([result])
    parts = [f"{result.cell.id}\n\n{_outcome(result)}"]
    if cell.trace:
        outer = variation.outer if variation else None
        parts.append(_section("Hop by hop" + _shows(cell.shown), hops(result, cell.trace, outer)))
    if found:
        told = "\n".join(_cause(cause, cell) for cause in found)
        parts.append(_section("Cause" if len(found) == 1 else f"{len(found)} causes", told))
    if variation:
        parts.append(_section(f"The variation {variation.name}", _paragraph(variation.about)))
        parts.append("\n".join(f"  {line}" for line in cell.changes))
    if cell.rules:
        told = "\n".join(_item(f"{rule.statement} {rule.references[0]}") for rule in cell.rules)
        parts.append(_section("The rules that apply here", told))
    fixes = [meaning(cause, cell.symptoms, cell.advice)[1] for cause in found]
    if fix := cell.fix or list(dict.fromkeys(fixes)):
        lines = "\n".join(f"  {x}" if x[:2] in {"- ", "+ "} else _paragraph(x) for x in fix)
        title = "The smallest fix" if cell.fix and not variation else "Fix"
        parts.append(_section(title, lines))
    if failed := [f for f in result.findings if f.symptom]:
        told = "\n".join(_item(f"{f.check}: {f.symptom}\n    {f.detail}") for f in failed)
        parts.append(_section("All that is wrong", told))
    links = [
        *(variation.references if variation else ()),
        *(r for s in result.symptoms for r in cell.symptoms[s].references),
    ]
    if links:
        parts.append(_section("Further reading", _list(list(dict.fromkeys(links))[:6])))
    parts.append(f"By hand: hoplab repro {result.cell.id}")
    return "\n\n".join(part for part in parts if part)


def _shows(finding: Finding | None) -> str:
    return f", for {finding.check}: {finding.symptom or finding.verdict}" if finding else ""


def _cause(cause: Cause, cell: Explained) -> str:
    told, _ = meaning(cause, cell.symptoms, cell.advice)
    checks = "; ".join(dict.fromkeys(f"{f.check}: {f.symptom}" for _, f in cause.found))
    return f"{_paragraph(told)}\n{_fill(f'So: {checks}', '    ', '      ')}"


def meaning(
    cause: Cause, symptoms: Mapping[str, Symptom], advice: Mapping[str, Mapping[str, Advice]]
) -> tuple[str, str]:
    """What is wrong, and what fixes it.

    By what the application was told; if that is right, what the cause's symptom says, or rather
    the cell's own proxy and server (`advice`, by symptom and name).
    """
    if not cause.symptom or cause.symptom not in symptoms:
        return cause.told, cause.fix
    symptom, theirs = symptoms[cause.symptom], advice.get(cause.symptom, {})
    causes_told = [each.cause for each in theirs.values() if each.cause]
    fixes = [f"{owner}: {each.fix}" for owner, each in theirs.items() if each.fix]
    return " ".join(causes_told) or symptom.cause, " ".join(fixes) or symptom.fix


def hops(result: CellResult, trace: Trace, outer: str | None = None) -> str:
    """The way of one request and of its answer: each hop's name, and what it sent."""
    topology, exchange = result.cell.topology, trace.exchange
    proxies = [] if trace.direct else [*filter(None, [outer]), topology.proxy]
    names = ["client", *proxies, topology.server]
    asked = [f"{exchange.method} {exchange.url}", *_lines(exchange.sent)]
    lines = _hop(f"client -> {names[1]}", asked)
    for number, hop in enumerate(trace.hops, 1):
        lines += _hop(f"{names[number]} -> {names[number + 1]}", _without_noise(hop.request))
    if trace.scope:
        told = [f"{key}: {json.dumps(value)}" for key, value in trace.scope.items()]
        lines += _hop(f"{topology.server} -> application", told)
    if passed := exchange.header("x-middleware"):
        lines += _hop("in the application, the layers passed", fill(passed, _SHOWN).splitlines())
    if len(trace.hops) < len(proxies):
        lines += _hop(names[len(trace.hops) + 1], ["answers itself: nothing is passed on"])
    for number, hop in reversed(list(enumerate(trace.hops, 1))):
        answer = _without_noise(hop.answer) or ["no answer"]
        lines += _hop(f"{names[number + 1]} -> {names[number]}", answer)
    answer = [f"{exchange.status}", *_lines(exchange.headers)]
    body = exchange.body.decode("utf-8", "replace").splitlines()
    if body and not exchange.header("location"):
        answer.append(body[0] if len(body[0]) <= _SHOWN else body[0][:_SHOWN] + "…")
    lines += _hop(f"{names[1]} -> client", answer)
    return "\n".join(lines)


def recipe_text(recipe: Recipe, files: Mapping[str, str], results: Results, cell: str) -> str:
    """What to copy, whole, and what it passed just now. `cell` is one of its cells."""
    topology = recipe.deployment.topology
    told = recipe.deployment.setup
    of = f"{topology.proxy}, {topology.server}, {topology.mode}"
    parts = [f"# {of}: strategy {told.strategy}, trust {told.trust}"]
    for path in recipe.proxy:
        parts.append(f"# {path}\n\n{files[str(path)].rstrip()}")
    prefix = recipe.deployment.prefix
    parts.append(
        "# in its environment, besides addresses and certificates\n\n"
        f"PUBLIC_PREFIX={prefix.encoded} PUBLIC_PREFIX_DECODED={prefix.decoded}"
    )
    parts.append(
        f"# the server; PROXY: the address or network that {topology.proxy} comes from\n\n"
        f"{recipe.server}"
    )
    parts += [f"# {path}\n\n{files[str(path)].rstrip()}" for path in recipe.application]
    parts.append(
        "# Put your own application in the place of create_app(). Every Host is accepted: let the\n"
        "# proxy check it, or TrustedHostMiddleware. Filled in, with all commands:\n"
        f"# hoplab repro {cell}"
    )
    return "\n\n".join([*parts, _proof(results)])


def _proof(results: Results) -> str:
    lines = []
    for scheme in Scheme:
        for result in results.cells:
            if result.cell.scheme is scheme:
                passed = [f.check for f in result.findings if f.verdict is Verdict.PASS]
                wrong = [
                    f"{f.check}: {f.symptom}" for f in result.findings if f.verdict is Verdict.FAIL
                ]
                errors = [f.detail for f in result.findings if f.verdict is Verdict.ERROR]
                told = f"# {scheme}: passed {', '.join(passed) or 'nothing'}"
                told += f"; FAILED {', '.join(wrong)}" if wrong else ""
                told += "".join(f"; error: {detail}" for detail in dict.fromkeys(errors))
                lines.append(fill(told, _WIDTH, subsequent_indent="#   "))
    versions = ", ".join(f"{name} {number}" for name, number in results.versions.items())
    return "\n".join([*lines, fill(f"# with {versions}", _WIDTH, subsequent_indent="#   ")])


def _outcome(result: CellResult) -> str:
    if result.verdict is Verdict.ERROR:
        detail = next(f.detail for f in result.findings if f.verdict is Verdict.ERROR)
        return f"error, which says nothing about the cell:\n{detail}"
    told = "as predicted" if not result.surprises else "SURPRISE"
    failed = sum(f.verdict is Verdict.FAIL for f in result.findings)
    how = f" ({count(failed, 'finding')})" if failed else ""
    lines = [f"{result.verdict}, {told}{how}"]
    return "\n".join([*lines, *(f"  predicted otherwise: {s}" for s in result.surprises)])


def _without_noise(head: Sequence[str]) -> list[str]:
    """A head's first line, and its headers but for those that say nothing of the way."""
    first, *headers = head or [""]
    pairs = [(name, value) for name, _, value in (line.partition(": ") for line in headers)]
    return [first.rstrip(), *_lines(pairs)] if first else []  # a reason may be empty


def _lines(headers: Iterable[tuple[str, str]]) -> list[str]:
    return [f"{name}: {value}" for name, value in headers if name.lower() not in _NOISE]


def _hop(name: str, lines: Sequence[str]) -> list[str]:
    return [f"  {name}", *(f"      {line}" for line in lines)]


def _section(title: str, content: str) -> str:
    return f"{title}\n{content}"


def _paragraph(text: str, indent: str = "  ") -> str:
    return _fill(text, indent, indent)


def _item(text: str) -> str:
    """The first line, and the others further in."""
    first, *rest = text.splitlines()
    return "\n".join(
        [_fill(first, "  ", "    "), *(_fill(x.strip(), "      ", "      ") for x in rest)]
    )


def _fill(text: str, first: str, others: str) -> str:
    return fill(
        text,
        _WIDTH,
        initial_indent=first,
        subsequent_indent=others,
        break_long_words=False,  # a URL stays whole
        break_on_hyphens=False,
    )


def _list(lines: Sequence[str]) -> str:
    return "\n".join(f"  {line}" for line in lines)
