"""Which request shows a symptom, in which cells, and what each hop made of it."""

from collections.abc import Callable

from hoplab.catalogue import Catalogue
from hoplab.client.trace import Hop, Request, Trace, ask, request_of
from hoplab.commands.session import Session
from hoplab.commands.targets import target
from hoplab.engines.process import ProcessEngine
from hoplab.engines.tap import taps
from hoplab.predictions import predict
from hoplab.report.causes import causes, decisive
from hoplab.results import CellResult, Finding
from hoplab.suites import HEALTHY, SUITES, SYMPTOMS
from hoplab.suites.suite import Suite
from hoplab.symptom import Symptom
from hoplab.topology import Cell


def suite_of(catalogue: Catalogue, cell: Cell) -> Suite:
    """The suite whose questions are about this cell."""
    variation = catalogue.variation(cell)
    if variation:
        return SUITES[variation.suite]
    return next(suite for suite in SUITES.values() if suite.product)


def cells_of(catalogue: Catalogue, suite: Suite) -> list[Cell]:
    """Those that a suite is asked of."""
    return [*(catalogue.product if suite.product else ()), *catalogue.varied(suite.name)]


def every_cell(catalogue: Catalogue) -> list[Cell]:
    """Those of all suites."""
    return [cell for suite in SUITES.values() for cell in cells_of(catalogue, suite)]


def fixes_of(catalogue: Catalogue) -> Callable[[Finding], list[str]]:
    """What to change about a finding, in lines, in the words of the prefix that is asked."""
    symptoms = symptoms_of(catalogue)

    def told(finding: Finding) -> list[str]:
        symptom = symptoms.get(finding.symptom or "")
        return [f"fix: {symptom.fix}"] if symptom else []

    return told


def symptoms_of(catalogue: Catalogue) -> dict[str, Symptom]:
    """Every symptom by its name, in the words of the prefix that is asked."""
    return {name: each.under(catalogue.prefix.encoded) for name, each in SYMPTOMS.items()}


def questions_of(catalogue: Catalogue, result: CellResult) -> list[tuple[Request, Finding | None]]:
    """What shows a cell, best first, and the finding that each shows, which may be a pass.

    What its variation's author says, and one request for each cause.
    """
    found: list[tuple[Request, Finding | None]] = []
    if request := _own_request(catalogue, result):
        found.append((request, _answered_by(result, request)))
    for cause in causes([result]):
        failed = [finding for _, finding in cause.found]
        if not any(finding in failed for _, finding in found):
            found.append((request_for(result.cell, failed[0]), failed[0]))
    if not found:
        base = result.cell.prefix.encoded
        request = Request(HEALTHY.method, base + HEALTHY.path, HEALTHY.headers)
        found.append((request, _answered_by(result, request)))
    return found


def _own_request(catalogue: Catalogue, result: CellResult) -> Request | None:
    """What the author of the cell's variation says to ask."""
    variation = catalogue.variation(result.cell)
    if variation is None or variation.path is None:
        return None
    base = result.cell.prefix.encoded
    path = base + variation.path.replace("{prefix}", base)
    return Request(variation.method or "GET", path, tuple(variation.headers))


def request_for(cell: Cell, finding: Finding) -> Request:
    """What shows a finding: what was asked, or its symptom's own request if nothing was."""
    if exchange := decisive(finding):
        return request_of(exchange)
    symptom = SYMPTOMS.get(finding.symptom or "", HEALTHY).under(cell.prefix.encoded)
    return Request(symptom.method, cell.prefix.encoded + symptom.path, symptom.headers)


def _answered_by(result: CellResult, request: Request) -> Finding | None:
    """The finding that this request shows: a failure that it decides, or any that it is part of."""
    for finding in result.findings:
        shown = decisive(finding)
        if finding.symptom and shown and request_of(shown) == request:
            return finding
    return next(
        (f for f in result.findings if request in [request_of(e) for e in f.exchanges]), None
    )


def shown_by(catalogue: Catalogue, symptom: str, count: int = 3) -> list[str]:
    """Cells in which a symptom must show: where a person meets it first, with the fewest others."""
    shown = {}
    for cell in every_cell(catalogue):
        symptoms = list(predict(cell, catalogue).values())
        if symptom in symptoms:
            shown[cell.id] = (symptoms.index(symptom), len(symptoms))
    return sorted(shown, key=lambda name: shown[name])[:count]


def trace(session: Session, cell: Cell, request: Request) -> Trace:
    """Follow one request of a cell from hop to hop, and its answer back: on the wires."""
    catalogue = session.catalogue
    with taps() as between:
        engine = ProcessEngine(
            catalogue,
            [cell.deployment],
            session.new_run(),
            session.certificates(),
            tap=between.before,
        )
        with session.running(engine) as (endpoint,):
            asked = target(catalogue, suite_of(catalogue, cell), cell, endpoint)
            between.forget()
            exchange = ask(asked, request)
            hops = [Hop(heads.request, heads.answer) for heads in between.heads()]
    return Trace(exchange, [] if request.direct else hops, direct=request.direct)
