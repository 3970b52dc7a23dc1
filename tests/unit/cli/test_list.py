"""`hoplab list` and `hoplab init`."""

from pathlib import Path

import pytest

from hoplab.commands.showing import every_cell
from hoplab.report.words import first_sentence
from hoplab.suites import SUITES, SYMPTOMS
from hoplab.suites.contract.checks import CHECKS
from hoplab.topology import Mode, Strategy, Trust
from tests.catalogue import CATALOGUE, ROOT
from tests.unit.cli.said import Call, Said

# --- init ---


def test_init_writes_a_lab(call: Call, tmp_path: Path) -> None:
    folder = tmp_path / "my lab"

    said = call("init", str(folder))

    assert (said.code, said.err) == (0, "")
    assert said.out.splitlines() == [
        f"Wrote the lab's files into {folder}. hoplab uses them in there:",
        f"  cd '{folder}' && hoplab verify",
    ]
    assert (folder / "compose.yaml").read_bytes() == (ROOT / "compose.yaml").read_bytes()
    assert call("init", str(folder)) == Said(
        2, "", f"hoplab: {folder} is not empty: name a new folder, or an empty one\n"
    )


def test_init_needs_a_folder(call: Call, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("mine")
    lost = tmp_path / "no" / "lab"

    assert call("init", str(file)) == Said(
        2, "", f"hoplab: {file} is a file: name a new folder, or an empty one\n"
    )
    assert call("init", str(lost)) == Said(3, "", f"hoplab: {lost}: No such file or directory\n")
    assert file.read_text() == "mine"
    assert not lost.parent.exists()


# --- list ---

SECTIONS: dict[str, list[str]] = {
    "proxies": list(CATALOGUE.proxies),
    "servers": list(CATALOGUE.servers),
    "modes": list(Mode),
    "strategies": list(Strategy),
    "trusts": list(Trust),
    "topologies": [topology.name for topology in CATALOGUE.all_topologies],
    "suites": list(SUITES),
    "checks": [name for suite in SUITES.values() for name in suite.checks],
    "symptoms": list(SYMPTOMS),
    "variations": list(CATALOGUE.variations),
    "cells": [cell.id for cell in every_cell(CATALOGUE)],
}


def test_list_has_every_section(call: Call) -> None:
    said = call("list")

    assert (said.code, said.err) == (0, "")
    lines = said.out.splitlines()
    assert [line for line in lines if line and not line.startswith(" ")] == list(SECTIONS)
    assert max(map(len, lines)) <= 80
    for name, every in SECTIONS.items():
        shown = said.out.partition(f"{name}\n")[2].partition("\n\n")[0].splitlines()
        left_out = [line for line in shown if line.startswith("  … and ")]
        names = [line.split()[0] for line in shown if line not in left_out and line[2] != " "]
        assert names == every[: len(names)]
        assert left_out == [f"  … and {len(every) - len(names)} more"] * (names != every)


@pytest.mark.parametrize("section", SECTIONS)
def test_list_of_one_section_is_whole(call: Call, section: str) -> None:
    said = call("list", section)

    assert (said.code, said.err) == (0, "")
    lines = said.out.splitlines()
    assert [line.split()[0] for line in lines if line[2] != " "] == SECTIONS[section]
    assert "… and " not in said.out
    assert [line for line in lines if len(line) > 80 and len(line.split()) > 1] == []


def test_list_cuts_no_description(call: Call) -> None:
    said = call("list", "checks").out + call("list", "variations").out

    told = " ".join(said.split())
    for check in CHECKS.values():
        assert " ".join((check.__doc__ or "").splitlines()[0].split()) in told
    for variation in CATALOGUE.variations.values():
        assert first_sentence(variation.about) in told
    assert "…" not in told.replace("…/", "")


def test_list_of_two_sections(call: Call) -> None:
    said = call("list", "trusts", "modes")

    assert [line for line in said.out.splitlines() if line and not line.startswith(" ")] == [
        "modes",
        "trusts",
    ]


def test_list_of_what_is_unknown(call: Call) -> None:
    assert call("list", "proxys") == Said(
        2, "", f"hoplab: list 'proxys' is unknown; known: {', '.join(SECTIONS)}\n"
    )
