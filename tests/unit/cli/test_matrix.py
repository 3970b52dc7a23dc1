"""What `hoplab matrix` does with its words."""

import json
from pathlib import Path

import pytest

from hoplab.suites.contract.checks import CHECKS
from hoplab.system import interrupts
from tests.unit.cli.said import CELLS, Call, matrix_of


def test_matrix_asks_everything_of_every_cell(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = matrix_of(monkeypatch)

    said = call("matrix")

    assert (said.code, said.err) == (0, "")
    assert calls == [(CELLS, list(CHECKS))]


def test_filters_of_the_matrix(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = matrix_of(monkeypatch)

    call(
        *("matrix", "--proxy", "nginx", "--server", "fastapi", "--mode", "strip"),
        *("--strategy", "router", "--strategy", "none", "--trust", "any", "--scheme", "https"),
        *("--variation", "none", "--check", "docs"),
    )

    [(cells, checks)] = calls
    assert [cell.id for cell in cells] == [
        "nginx-fastapi-strip.none.any.https",
        "nginx-fastapi-strip.router.any.https",
    ]
    assert checks == ["docs"]


@pytest.mark.parametrize(("symptom", "code"), [(None, 0), ("root-path-missing", 1)])
def test_matrix_exits_0_only_if_all_is_as_predicted(
    call: Call, monkeypatch: pytest.MonkeyPatch, symptom: str | None, code: int
) -> None:
    matrix_of(monkeypatch, symptom)

    said = call("matrix", "--proxy", "nginx", "--format", "json")

    assert said.code == code
    assert ("surprise\n  reach: predicted pass, found root-path-missing" in said.err) == bool(code)
    assert " cells: " in said.err, "a person who gets a file learns what came of it"
    assert len(json.loads(said.out)["cells"]) == sum(
        cell.topology.proxy == "nginx" for cell in CELLS
    )


def test_matrix_that_was_interrupted_writes_what_it_has(
    call: Call, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    matrix_of(monkeypatch, signal=interrupts.Interrupted(130))
    file = tmp_path / "matrix.json"

    said = call("matrix", "--proxy", "nginx", "--format", "json", "-o", str(file))

    assert (said.code, said.out) == (130, "")
    assert said.err.endswith("hoplab: interrupted\n")
    assert json.loads(file.read_text())["cells"]
    assert call("matrix", "--proxy", "nginx").out == "", "half a table that looks whole"
