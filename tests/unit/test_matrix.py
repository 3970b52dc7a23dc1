"""A finding is about the topology; the lab's own trouble is an error and never a finding."""

import re
from dataclasses import replace

import pytest

from hoplab import matrix
from hoplab.checks import CHECKS, Check
from hoplab.errors import HarnessError
from hoplab.probe import Failed, NotApplicable, Probe, Recorded
from hoplab.results import CellResult, Verdict
from hoplab.topology import PREFIX, Cell, Mode, Recipe, Scheme, Strategy, Topology, Trust
from tests.unit.stub import (
    LOOPBACK,
    TOPOLOGY,
    Stub,
    altered,
    as_it_is,
    closed_port,
    header,
    listening,
    right,
)

CELL = Cell(TOPOLOGY, Strategy.SERVER_OPTION, Trust.PROXY, Scheme.HTTP)
RECIPE = Recipe(Strategy.SERVER_OPTION, Trust.PROXY)


def passes(_probe: Probe) -> str:
    return "all is well"


def fails(_probe: Probe) -> str:
    raise Failed("redirect-broken", "404, expected 307")


def is_not_asked(_probe: Probe) -> str:
    raise NotApplicable("nobody can know")


def is_recorded(_probe: Probe) -> str:
    raise Recorded("/app: 200")


def has_trouble(_probe: Probe) -> str:
    raise HarnessError("no answer")


def has_a_bug(_probe: Probe) -> str:
    raise ValueError("not a port: x")


def asks(probe: Probe) -> str:
    return str(probe.get("/app").status)


@pytest.mark.parametrize(
    ("check", "verdict", "symptom", "detail"),
    [
        (passes, Verdict.PASS, None, "all is well"),
        (fails, Verdict.FAIL, "redirect-broken", "404, expected 307"),
        (is_not_asked, Verdict.NOT_APPLICABLE, None, "nobody can know"),
        (is_recorded, Verdict.RECORDED, None, "/app: 200"),
        (has_trouble, Verdict.ERROR, None, "no answer"),
        (has_a_bug, Verdict.ERROR, None, "ValueError: not a port: x"),
    ],
)
def test_what_a_check_does_becomes_a_finding(
    stub: Stub, check: Check, verdict: Verdict, symptom: str | None, detail: str
) -> None:
    finding = matrix.ask_one("name", check, CELL, stub.endpoint)

    assert finding.check == "name"
    assert (finding.verdict, finding.symptom, finding.detail) == (verdict, symptom, detail)


def test_evidence_is_kept_when_the_check_breaks(stub: Stub) -> None:
    def breaks(probe: Probe) -> str:
        probe.get("/app")
        raise KeyError("scheme")

    finding = matrix.ask_one("name", breaks, CELL, stub.endpoint)

    assert (finding.verdict, finding.detail) == (Verdict.ERROR, "KeyError: 'scheme'")
    assert [exchange.status for exchange in finding.exchanges] == [200]


def ask(stub: Stub, checks: dict[str, Check], *cells: Cell) -> list[CellResult]:
    return matrix.ask(
        cells, [stub.endpoint], checks, lambda _: RECIPE, progress=lambda _done, _of: None
    )


def test_one_bug_does_not_stop_the_others(stub: Stub) -> None:
    [result] = ask(stub, {"bug": has_a_bug, "asks": asks, "fails": fails}, CELL)

    assert [(f.check, f.verdict) for f in result.findings] == [
        ("bug", Verdict.ERROR),
        ("asks", Verdict.PASS),
        ("fails", Verdict.FAIL),
    ]
    assert result.verdict is Verdict.ERROR
    assert result.symptoms == ["redirect-broken"]


@pytest.mark.parametrize(
    ("checks", "verdict"),
    [
        ({}, Verdict.ERROR),
        ({"direct": is_recorded}, Verdict.RECORDED),
        ({"client": is_not_asked}, Verdict.NOT_APPLICABLE),
    ],
)
def test_a_cell_of_which_nothing_was_judged_has_not_passed(
    stub: Stub, checks: dict[str, Check], verdict: Verdict
) -> None:
    [result] = ask(stub, checks, CELL)

    assert result.verdict is verdict


def test_many_cells_keep_their_order_and_their_findings(stub: Stub) -> None:
    def names_its_cell(probe: Probe) -> str:
        return probe.cell.id

    cells = [
        Cell(TOPOLOGY, strategy, trust, scheme)
        for strategy in Strategy
        for trust in Trust
        for scheme in Scheme
    ]
    told: list[tuple[int, int]] = []

    results = matrix.ask(
        cells,
        [stub.endpoint],
        {"one": names_its_cell, "two": names_its_cell},
        lambda _: RECIPE,
        lambda done, of: told.append((done, of)),
    )

    assert [result.cell for result in results] == cells
    assert all({f.detail for f in result.findings} == {result.cell.id} for result in results)
    assert [result.cell for result in results if result.recipe] == [
        cell for cell in cells if Recipe(cell.strategy, cell.trust) == RECIPE
    ]
    assert told == sorted(told)
    assert told[-1] == (72, 72)


def test_each_cell_is_asked_at_its_own_endpoint(stub: Stub) -> None:
    other = Topology("traefik", "uvicorn", Mode.STRIP)
    elsewhere = replace(stub.endpoint, topology=other, ports=dict.fromkeys(Scheme, closed_port()))

    results = matrix.ask(
        [CELL, replace(CELL, topology=other)],
        [elsewhere, stub.endpoint],
        {"asks": asks},
        lambda _: RECIPE,
        lambda _done, _of: None,
    )

    assert [result.verdict for result in results] == [Verdict.PASS, Verdict.ERROR]


# --- the same for every check of the contract ---


@pytest.mark.parametrize("check", [name for name in CHECKS if name != "direct"])
@pytest.mark.parametrize("scheme", Scheme)
def test_answer_of_another_instance_is_an_error(stub: Stub, check: str, scheme: Scheme) -> None:
    finding = stub.ask(check, scheme, nonce="0123456789abcdef.uvicorn-strip")

    assert (finding.verdict, finding.symptom) == (Verdict.ERROR, None), finding.detail
    assert "answered by the instance" in finding.detail
    assert "0123456789abcdef.uvicorn-strip" in finding.detail


def test_direct_answer_of_another_instance_is_an_error(stub: Stub) -> None:
    with listening(right(stub.deployment), root_path=PREFIX) as port:
        finding = stub.ask("direct", direct=(LOOPBACK, port), nonce="another")

    assert (finding.verdict, finding.symptom) == (Verdict.ERROR, None)


def test_another_instance_in_the_middle_of_a_check_is_an_error(stub: Stub) -> None:
    """Two applications on one port, say, or a proxy that balances: the redirect's target only."""
    stub.serve(as_it_is, altered("/items/", header("x-instance", lambda _: "another")))

    finding = stub.ask("slash-redirect")

    assert (finding.verdict, finding.symptom) == (Verdict.ERROR, None)
    assert "answered by the instance 'another'" in finding.detail


@pytest.mark.parametrize("check", CHECKS)
@pytest.mark.parametrize("scheme", Scheme)
def test_nobody_at_the_port_is_an_error(stub: Stub, check: str, scheme: Scheme) -> None:
    port = closed_port()

    finding = stub.ask(check, scheme, ports=dict.fromkeys(Scheme, port), direct=(LOOPBACK, port))

    # An application that can't be asked past its proxy is no trouble: nothing needs it.
    expected = Verdict.NOT_APPLICABLE if check == "direct" else Verdict.ERROR
    assert (finding.verdict, finding.symptom) == (expected, None)
    assert re.search("Connection refused|Connect call failed", finding.detail)
    assert len(finding.exchanges) == 1
