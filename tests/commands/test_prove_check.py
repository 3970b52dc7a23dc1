"""The questions to any application find what is wrong in the matrix, or docs/check.md says why not.

A sample; `make prove-check` asks the whole.
"""

import pytest

from hoplab.commands.session import Session
from hoplab.predictions import predict
from hoplab.report.progress import Silent
from hoplab.topology import Cell, Scheme, Strategy
from scripts.prove_check import RIGHT, Proof, every, gaps, prove, reasons
from tests.catalogue import CATALOGUE

REASONS = reasons()
CELLS = [cell for cell in every(CATALOGUE) if cell.topology.proxy == "nginx"]
OTHERS = 8


def wrong(cell: Cell) -> str:
    return ", ".join(sorted(set(predict(cell, CATALOGUE).values()))) or RIGHT


def example(kind: tuple[str, str]) -> Cell:
    """A cell of which the page says that something else is found."""
    told, found = kind
    of = [cell for cell in CELLS if wrong(cell) == told and cell.scheme is Scheme.HTTP]
    if told == RIGHT:  # these are of two strategies, and of servers of two kinds
        strategy = Strategy.ROUTER if "servers" in found else Strategy.MOUNT
        server = "uvicorn" if "websocket" in found else "granian"
        of = [c for c in of if (c.strategy, c.topology.server) == (strategy, server)]
    return of[0]


def sample() -> list[Cell]:
    """An example of each reason, some of the other wrong ones, and two right ones."""
    known = {RIGHT, *(told for told, _ in REASONS)}
    others = [cell for cell in CELLS if wrong(cell) not in known]
    right = [cell for cell in CELLS if CATALOGUE.is_recommended(cell)][:2]
    return list(
        dict.fromkeys([*map(example, REASONS), *others[:: len(others) // OTHERS][:OTHERS], *right])
    )


@pytest.fixture(scope="module")
def proofs() -> list[Proof]:
    return prove(Session(CATALOGUE, Silent()), sample())


def test_what_is_wrong_is_found_or_has_a_reason(proofs: list[Proof]) -> None:
    assert {kind: some for kind, some in gaps(proofs).items() if kind not in REASONS} == {}
    assert not [proof for proof in proofs if proof.errors]
    found = [proof for proof in proofs if proof.wrong and proof.found]
    assert len(found) >= OTHERS


def test_each_reason_is_about_something(proofs: list[Proof]) -> None:
    assert set(gaps(proofs)) == set(REASONS)
    assert all(why.endswith(".") for why in REASONS.values())


def test_a_cell_in_which_nothing_is_found_is_a_gap() -> None:
    cell = CELLS[0]
    symptom = frozenset({"root-path-missing"})

    assert not gaps([Proof(cell, symptom, symptom), Proof(cell, frozenset(), frozenset())])
    assert list(gaps([Proof(cell, symptom, frozenset())])) == [("root-path-missing", RIGHT)]
    assert list(gaps([Proof(cell, frozenset(), symptom)])) == [(RIGHT, "root-path-missing")]
    assert gaps([Proof(cell, symptom, symptom, ("no answer",))])
