"""`hoplab show` and `hoplab report` of results files."""

import json
from dataclasses import replace
from io import StringIO
from pathlib import Path

import pytest

from hoplab import results_file
from hoplab.advice import Trial, Tried
from hoplab.prefix import parse
from hoplab.results import CellResult, Finding, Results, Verdict
from hoplab.suites.own import CHECKS as OWN
from tests.catalogue import CATALOGUE
from tests.unit.cli.said import DATA, Call, Said, matrix_of

every_command = pytest.mark.parametrize("command", ["verify", "matrix", "cors"])

# --- a results file ---


def test_show_prints_what_the_run_printed(call: Call) -> None:
    said = call("show", str(DATA / "results-schema-1.json"))

    assert said == Said(0, (DATA / "results-schema-1.txt").read_text(), "")


@every_command
def test_show_prints_the_tables_of_each_command(
    call: Call,
    asked: list[tuple[str, list[str], list[str]]],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    command: str,
) -> None:
    matrix_of(monkeypatch)
    file = tmp_path / "results.json"
    printed = call(command)
    written = call(command, "--format", "json", "-o", str(file))

    said = call("show", str(file))

    assert len(asked) == (2 if command == "verify" else 0)
    assert (written.code, said.code, said.err) == (printed.code, 0, "")
    assert said.out == printed.out


def test_show_of_an_own_application_says_what_to_change(call: Call, tmp_path: Path) -> None:
    cell = replace(CATALOGUE.recommended_cells(CATALOGUE.topologies)[0], prefix=parse("/shop"))
    wrong = Finding("scope", Verdict.FAIL, "root-path-missing", "root_path is ''")
    rest = [Finding(name, Verdict.PASS, None, "well") for name in OWN if name != "scope"]
    tried = [Tried("root-path-missing", wrong.detail, [Trial("with `x`", [cell.topology.name])])]
    result = CellResult(cell, recipe=True, findings=[wrong, *rest])
    file = tmp_path / "results.json"
    file.write_text(results_file.dump(Results("process", "", 1.0, {}, [result], tried=tried)))

    said = call("show", str(file))

    assert (said.code, said.err) == (0, "")
    assert said.out.startswith("topology ")
    assert "/shop" in said.out.partition("fix: ")[2]
    assert "  tried: with `x`: passed there\n" in said.out


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "No such file"),
        ("{", "is not JSON"),
        ("{}", "is not a results file: write one with "),
    ],
)
def test_show_of_what_is_no_results_file(
    call: Call, tmp_path: Path, content: str | None, message: str
) -> None:
    file = tmp_path / "results.json"
    if content is not None:
        file.write_text(content)

    said = call("show", str(file))

    assert (said.code, said.out) == (2, "")
    assert message in said.err
    assert len(said.err.splitlines()) == 1


# --- a page of results files ---


def test_report_writes_a_page(call: Call, tmp_path: Path) -> None:
    file = tmp_path / "page.html"

    said = call("report", str(DATA / "results-schema-1.json"), "-o", str(file))

    assert (said.code, said.out) == (0, "")
    assert said.err.endswith(f"hoplab: {file} (0.1 MB): open it in a browser.\n")
    assert file.read_text().startswith("<!doctype html>")
    file.write_text("old")
    again = call("report", str(DATA / "results-schema-2.json"), "-o", str(file))
    assert (again.code, file.read_text()[:9]) == (0, "<!doctype")
    printed = call("report", str(DATA / "results-schema-2.json"))
    assert printed.out == file.read_text()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "No such file"),
        ("", "is not JSON: "),
        ("<html>", "is not JSON: "),
        ((DATA / "results-schema-2.json").read_text()[:500], "if it was cut off, write one with"),
        ("[]", "is not a results file: write one with `hoplab matrix --format json -o FILE`"),
        ('{"hoplab": "9", "schema": 9, "cells": []}', "has schema 9; this hoplab reads 1, 2 and 3"),
        (
            json.dumps(results_file.as_json(Results("process", "", 1.0, {}))),
            "x.json has no cells, so there is nothing to show: the run was interrupted",
        ),
    ],
    ids=["missing", "empty", "html", "cut", "list", "schema", "no cells"],
)
def test_report_of_what_is_no_results_file(
    call: Call, tmp_path: Path, content: str | None, message: str
) -> None:
    file, page = tmp_path / "x.json", tmp_path / "page.html"
    if content is not None:
        file.write_text(content)

    said = call("report", str(DATA / "results-schema-2.json"), str(file), "-o", str(page))

    assert (said.code, said.out) == (2, "")
    assert message in said.err
    assert "x.json" in said.err
    assert len(said.err.splitlines()) == 1
    assert not page.exists()


def test_a_page_is_not_for_a_terminal(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hoplab.cli.options.sys.stdout", Terminal())

    for arguments in (
        ["report", str(DATA / "results-schema-1.json")],
        ["cors", "--format", "html"],
    ):
        said = call(*arguments)
        assert said.code == 2
        assert said.err == (
            "hoplab: a page is for a browser, not for a terminal: add -o FILE.html\n"
        )


class Terminal(StringIO):
    def isatty(self) -> bool:
        return True


@every_command
def test_each_command_writes_its_results_as_a_page(
    call: Call,
    asked: list[tuple[str, list[str], list[str]]],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    command: str,
) -> None:
    matrix_of(monkeypatch)
    file = tmp_path / "page.html"

    said = call(command, "--proxy", "nginx", "--format", "html", "-o", str(file))

    assert len(asked) == (1 if command == "verify" else 0)
    assert (said.code, said.out) == (call(command, "--proxy", "nginx").code, "")
    assert f"<title>hoplab: hoplab {command}</title>" in file.read_text()
