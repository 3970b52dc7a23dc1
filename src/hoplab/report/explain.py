"""What a symptom, a variation or a cell means, and what to copy: text for a terminal."""

import json
from collections.abc import Mapping, Sequence
from textwrap import fill

from hoplab.catalogue import Catalogue
from hoplab.catalogue.variations import Variation
from hoplab.client.trace import Trace
from hoplab.predictions import Rule, predict
from hoplab.recipe import Recipe
from hoplab.results import CellResult, Results, Verdict
from hoplab.symptom import Advice, Symptom
from hoplab.topology import Scheme

_WIDTH = 80
_SHOWN = 68
_OF_INTEREST = {
    "host",
    "forwarded",
    "upgrade",
    "connection",
    "x-real-ip",
    "origin",
    "access-control-request-method",
    "access-control-request-headers",
}


def symptom_text(symptom: Symptom, advice: Mapping[str, Advice], cells: Sequence[str]) -> str:
    """A symptom, what each proxy and server has to do with it, and cells in which it must show."""
    parts = [
        symptom.name,
        _section("What a person sees", _paragraph(symptom.seen)),
        _section("Why", _paragraph(symptom.cause)),
        _section("Fix", _paragraph(symptom.fix)),
        *(
            _section(name, _paragraph(f"{each.cause} {each.fix}".strip()))
            for name, each in advice.items()
        ),
        _section("Read on", _list(_links(symptom, advice))),
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
        _section("Read on", _list(variation.references)),
    ]
    return "\n\n".join(part for part in parts if part)


def cell_text(
    result: CellResult,
    trace: Trace | None,
    symptoms: Sequence[Symptom],
    rules: Sequence[Rule],
    variation: Variation | None,
    changes: Sequence[str],
    fix: Sequence[str],
) -> str:
    """What a cell shows and why, from hop to hop, and the smallest fix."""
    parts = [f"{result.cell.id}\n\n{_outcome(result)}"]
    if variation:
        parts.append(_section(f"The variation {variation.name}", _paragraph(variation.about)))
        parts.append("\n".join(f"  {line}" for line in changes))
    if symptoms:
        parts.append(_section("What a person sees", _paragraph(symptoms[0].seen)))
    if trace:
        outer = variation.outer if variation else None
        parts.append(_section("Hop by hop", hops(result, trace, outer)))
    told = [f"{rule.statement} {rule.references[0]}" for rule in rules]
    if told:
        parts.append(_section("The rules that hold here", "\n".join(_item(line) for line in told)))
    if fix:
        lines = "\n".join(f"  {x}" if x[:2] in {"- ", "+ "} else _paragraph(x) for x in fix)
        title = "Fix" if variation else "The smallest fix"
        parts.append(_section(title, lines))
    links = [
        *(variation.references if variation else ()),
        *(r for s in symptoms for r in s.references),
    ]
    if links:
        parts.append(_section("Read on", _list(list(dict.fromkeys(links))[:6])))
    parts.append(f"By hand: hoplab repro {result.cell.id}")
    return "\n\n".join(part for part in parts if part)


def hops(result: CellResult, trace: Trace, outer: str | None = None) -> str:
    """The way of one request: each hop's name, and what it sent.

    Between an outer proxy and the cell's own, nobody looks.
    """
    topology, exchange = result.cell.topology, trace.exchange
    proxies = f"{outer} -> {topology.proxy}" if outer else topology.proxy
    first = topology.server if trace.direct else proxies
    asked = [f"{exchange.method} {exchange.url}", *_headers(exchange.sent)]
    lines = _hop(f"client -> {first}", asked)
    if trace.passed_on:
        request, *headers = trace.passed_on
        pairs = [tuple(line.split(": ", 1)) for line in headers if ": " in line]
        told = [request, *_headers([(k, v) for k, v in pairs])]
        lines += _hop(f"{topology.proxy} -> {topology.server}", told)
    elif not trace.direct:
        lines += _hop(f"{proxies}", ["answers itself: nothing is passed on"])
    if trace.scope:
        told = [f"{key}: {json.dumps(value)}" for key, value in trace.scope.items()]
        lines += _hop(f"{topology.server} -> application", told)
    if passed := exchange.header("x-middleware"):
        lines += _hop("in the application, the layers passed", fill(passed, _SHOWN).splitlines())
    location = exchange.header("location")
    answer = [f"{exchange.status}" + (f" location: {location}" if location else "")]
    answer += [f"{k}: {v}" for k, v in exchange.headers if _is_cors(k)]
    answered = "application" if trace.scope else proxies
    body = exchange.body.decode("utf-8", "replace").splitlines()
    if body and not location:
        answer.append(body[0] if len(body[0]) <= _SHOWN else body[0][:_SHOWN] + "…")
    lines += _hop(f"{answered} -> client", answer)
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
                    f"{f.check}: {f.symptom or f.verdict}"
                    for f in result.findings
                    if f.verdict in {Verdict.FAIL, Verdict.ERROR}
                ]
                told = f"# {scheme}: passed {', '.join(passed)}"
                told += f"; FAILED {', '.join(wrong)}" if wrong else ""
                lines.append(fill(told, _WIDTH, subsequent_indent="#   "))
    versions = ", ".join(f"{name} {number}" for name, number in results.versions.items())
    return "\n".join([*lines, fill(f"# with {versions}", _WIDTH, subsequent_indent="#   ")])


def _outcome(result: CellResult) -> str:
    if result.verdict is Verdict.ERROR:
        detail = next(f.detail for f in result.findings if f.verdict is Verdict.ERROR)
        return f"error, which says nothing about the cell:\n{detail}"
    failed = [
        _item(f"{f.check}: {f.symptom}\n    {f.detail}") for f in result.findings if f.symptom
    ]
    told = "as predicted" if not result.surprises else "SURPRISE"
    lines = [f"{result.verdict}, {told}", *failed]
    return "\n".join([*lines, *(f"  predicted otherwise: {s}" for s in result.surprises)])


def _headers(headers: Sequence[tuple[str, str]]) -> list[str]:
    return [
        f"{name}: {value}"
        for name, value in headers
        if name.lower() in _OF_INTEREST or name.lower().startswith(("x-forwarded", "x_forwarded"))
    ]


def _is_cors(name: str) -> bool:
    return name.lower().startswith("access-control-") or name.lower() == "vary"


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
