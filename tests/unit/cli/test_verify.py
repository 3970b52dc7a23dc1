"""What `hoplab verify` does with its words."""

import json
from pathlib import Path

import pytest

from hoplab.commands import ask
from hoplab.commands.session import Session
from hoplab.results import CellResult, Finding, Results, Verdict
from hoplab.suites.contract.checks import CHECKS
from hoplab.topology import Cell
from tests.catalogue import CATALOGUE
from tests.unit.cli.said import RECOMMENDED, Call


def test_verify_asks_everything_of_everyone(
    call: Call, asked: list[tuple[str, list[str], list[str]]]
) -> None:
    call("verify")

    [(engine, cells, checks)] = asked
    assert engine == "auto"
    assert cells == [cell.id for cell in RECOMMENDED]
    assert checks == list(CHECKS)


def test_filters(call: Call, asked: list[tuple[str, list[str], list[str]]]) -> None:
    call(
        *("verify", "--engine", "process", "--proxy", "nginx", "--server", "hypercorn"),
        *("--server", "uvicorn", "--mode", "preserve", "--scheme", "https"),
        *("--check", "docs", "--check", "reach"),
    )

    assert asked == [
        (
            "process",
            [
                "nginx-uvicorn-preserve.forwarded-prefix.proxy.https",
                "nginx-hypercorn-preserve.server-option.proxy.https",
            ],
            ["reach", "docs"],
        )
    ]


def test_json_on_standard_output(call: Call, asked: list[tuple[str, list[str], list[str]]]) -> None:
    said = call("verify", "--format", "json", "--proxy", "nginx")

    assert len(asked) == 1
    assert said.code == 1
    nginx = [topology for topology in CATALOGUE.composed if topology.proxy == "nginx"]
    cells = json.loads(said.out)["cells"]
    assert [cell["id"] for cell in cells] == [c.id for c in CATALOGUE.recommended_cells(nginx)]
    assert {cell["verdict"] for cell in cells} == {"fail"}


def test_table_in_a_file_has_no_colours(
    call: Call,
    asked: list[tuple[str, list[str], list[str]]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    file = tmp_path / "table.txt"

    said = call("verify", "-o", str(file))

    assert len(asked) == 1
    assert (said.code, said.out) == (1, "")
    assert "\x1b" not in file.read_text()
    every = len(RECOMMENDED)
    assert f"{every} cells: 0 pass, {every} fail" in file.read_text()
    assert "\x1b[" in call("verify").out, "the test proves nothing"


def test_existing_file_is_overwritten(
    call: Call, asked: list[tuple[str, list[str], list[str]]], tmp_path: Path
) -> None:
    file = tmp_path / "results.json"
    file.write_text(10_000 * "old")

    call("verify", "--format", "json", "-o", str(file))

    assert len(asked) == 1
    assert len(json.loads(file.read_text())["cells"]) == len(RECOMMENDED)


@pytest.mark.parametrize(
    ("verdicts", "code"),
    [([Verdict.PASS], 0), ([Verdict.FAIL], 1), ([Verdict.FAIL, Verdict.ERROR], 3), ([], 3)],
)
def test_exit_is_0_only_if_all_pass(
    call: Call, monkeypatch: pytest.MonkeyPatch, verdicts: list[Verdict], code: int
) -> None:
    def verify(_session: Session, _engine: str, cells: list[Cell], _checks: object) -> Results:
        findings = [Finding("reach", verdict, None, "") for verdict in verdicts]
        return Results(
            "process", "", 1.0, {}, [CellResult(c, recipe=True, findings=findings) for c in cells]
        )

    monkeypatch.setattr(ask, "verify", verify)

    assert call("verify").code == code
