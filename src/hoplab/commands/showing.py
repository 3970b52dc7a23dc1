"""Which request shows a symptom, in which cells, and what each hop made of it."""

from collections.abc import Sequence
from dataclasses import replace

from hoplab.catalogue import Catalogue
from hoplab.client.trace import Trace, ask, is_direct, passed_on
from hoplab.commands.session import Session
from hoplab.commands.targets import target
from hoplab.engines.echo import echo
from hoplab.engines.process import ProcessEngine
from hoplab.predictions import predict
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


def request_of(catalogue: Catalogue, cell: Cell, symptoms: Sequence[str]) -> Symptom:
    """The first of these symptoms, with the request by which it shows in this cell."""
    symptom = SYMPTOMS[symptoms[0]] if symptoms else HEALTHY
    variation = catalogue.variation(cell)
    if variation:
        symptom = replace(
            symptom,
            path=variation.path or symptom.path,
            method=variation.method or symptom.method,
            headers=tuple(variation.headers) or symptom.headers,
        )
    return symptom.under(cell.prefix.encoded)


def shown_by(catalogue: Catalogue, symptom: str, count: int = 3) -> list[str]:
    """Cells in which a symptom must show: where a person meets it first, with the fewest others."""
    shown = {}
    for cell in every_cell(catalogue):
        symptoms = list(predict(cell, catalogue).values())
        if symptom in symptoms:
            shown[cell.id] = (symptoms.index(symptom), len(symptoms))
    return sorted(shown, key=lambda name: shown[name])[:count]


def trace(session: Session, cell: Cell, symptom: Symptom) -> Trace:
    """Follow one request of a cell from hop to hop."""
    catalogue = session.catalogue
    session.clean_up()
    deployments = [cell.deployment]
    real = ProcessEngine(catalogue, deployments, session.new_run(), session.certificates())
    with session.running(real) as (endpoint,):
        asked = target(catalogue, suite_of(catalogue, cell), cell, endpoint)
        exchange = ask(asked, symptom)
    if is_direct(asked, symptom):
        return Trace(exchange, [], direct=True)
    with echo() as port:
        same = ProcessEngine(
            catalogue,
            deployments,
            session.new_run(),
            session.certificates(),
            ports={cell.topology: endpoint.ports},
            upstream=port,
        )
        with session.running(same) as (endpoint,):
            told = target(catalogue, suite_of(catalogue, cell), cell, endpoint)
            return Trace(exchange, passed_on(told, symptom))
