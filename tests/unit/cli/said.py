"""What a command said, and the lab that it is about."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from hoplab.commands import ask
from hoplab.commands.session import Session
from hoplab.results import CellResult, Finding, Results, Verdict
from hoplab.suites import SUITES
from hoplab.suites.check import Check
from hoplab.suites.suite import Suite
from hoplab.system import interrupts
from hoplab.topology import Cell
from tests.catalogue import CATALOGUE, predicted

PROXIES = ", ".join(CATALOGUE.proxies)
SERVERS = ", ".join(CATALOGUE.servers)
TOPOLOGIES = ", ".join(topology.name for topology in CATALOGUE.composed)
RECOMMENDED = CATALOGUE.recommended_cells(CATALOGUE.topologies)
CELLS = [*CATALOGUE.product, *CATALOGUE.varied("contract")]
DATA = Path(__file__).parents[1] / "data"


@dataclass(frozen=True)
class Said:
    code: int
    out: str
    err: str


Call = Callable[..., Said]


def matrix_of(
    monkeypatch: pytest.MonkeyPatch,
    symptom: str | None = None,
    signal: interrupts.Interrupted | None = None,
) -> list[tuple[list[Cell], list[str]]]:
    """Each call's cells and checks; every cell shows what was predicted, or this symptom."""
    calls: list[tuple[list[Cell], list[str]]] = []

    def answered(
        session: Session,
        cells: Sequence[Cell],
        suite: Suite = SUITES["contract"],
        checks: Mapping[str, Check] | None = None,
    ) -> tuple[Results, interrupts.Interrupted | None]:
        checks = suite.checks if checks is None else checks
        calls.append((list(cells), list(checks)))
        found = []
        for cell in cells:
            prediction = predicted(cell)
            shown = {"reach": symptom} if symptom else prediction
            findings = [
                Finding(
                    name, Verdict.FAIL if shown.get(name) else Verdict.PASS, shown.get(name), ""
                )
                for name in checks
            ]
            recommended = session.catalogue.is_recommended(cell)
            found.append(CellResult(cell, recommended, findings, prediction))
        return Results("process", "2026-11-22T03:00:00Z", 1.0, {}, found), signal

    monkeypatch.setattr(ask, "matrix", answered)
    return calls
