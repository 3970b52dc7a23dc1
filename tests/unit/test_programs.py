"""Where a proxy's program is found: the variable, the virtual environment, the PATH, sbin."""

import sys
from dataclasses import replace
from pathlib import Path

import pytest

from hoplab.engines import programs
from hoplab.errors import HoplabError
from tests.catalogue import CATALOGUE

PROXY = replace(CATALOGUE.proxies["nginx"], name="lighthouse", programs=["lighthouse", "lightd"])


@pytest.fixture(autouse=True)
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A virtual environment, a PATH and an sbin, all empty."""
    for name in ("venv", "path", "sbin"):
        (tmp_path / name).mkdir()
    monkeypatch.setattr(sys, "executable", str(tmp_path / "venv/python"))
    monkeypatch.setattr(programs, "_ALSO", (str(tmp_path / "sbin"),))
    monkeypatch.setenv("PATH", str(tmp_path / "path"))
    monkeypatch.delenv("LIGHTHOUSE_PROGRAM", raising=False)
    return tmp_path


def install(file: Path, mode: int = 0o755) -> str:
    file.write_text("#!/bin/sh\n")
    file.chmod(mode)
    return str(file)


def test_nothing_is_installed() -> None:
    assert programs.find(PROXY) is None


@pytest.mark.parametrize("folder", ["venv", "path", "sbin"])
@pytest.mark.parametrize("name", ["lighthouse", "lightd"])
def test_it_is_found_in(folders: Path, folder: str, name: str) -> None:
    assert programs.find(PROXY) is None
    program = install(folders / folder / name)

    assert programs.find(PROXY) == program


def test_the_virtual_environment_comes_before_the_path_and_that_before_sbin(folders: Path) -> None:
    sbin = install(folders / "sbin/lighthouse")
    assert programs.find(PROXY) == sbin
    path = install(folders / "path/lighthouse")
    assert programs.find(PROXY) == path
    venv = install(folders / "venv/lighthouse")
    assert programs.find(PROXY) == venv


def test_the_first_name_counts_wherever_it_is(folders: Path) -> None:
    install(folders / "venv/lightd")
    first = install(folders / "sbin/lighthouse")

    assert programs.find(PROXY) == first


def test_what_can_not_be_started_is_no_program(folders: Path) -> None:
    install(folders / "venv/lighthouse", mode=0o644)
    (folders / "path/lighthouse").mkdir()

    assert programs.find(PROXY) is None


def test_without_a_path_the_system_s_default_counts(
    folders: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PATH")
    program = install(folders / "venv/lighthouse")

    assert programs.find(PROXY) == program


# --- the variable ---


def test_the_variable_comes_first(folders: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(folders / "venv/lighthouse")
    other = install(folders / "other")
    monkeypatch.setenv("LIGHTHOUSE_PROGRAM", other)

    assert PROXY.program_variable == "LIGHTHOUSE_PROGRAM"
    assert programs.find(PROXY) == other


def test_the_variable_may_have_a_name_on_the_path(
    folders: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = install(folders / "path/other")
    monkeypatch.setenv("LIGHTHOUSE_PROGRAM", "other")

    assert programs.find(PROXY) == other


def test_an_empty_variable_is_none(folders: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = install(folders / "venv/lighthouse")
    monkeypatch.setenv("LIGHTHOUSE_PROGRAM", "")

    assert programs.find(PROXY) == program


@pytest.mark.parametrize("named", ["nothing", "/nowhere/lighthouse"])
def test_a_variable_that_names_no_program_is_told(
    folders: Path, monkeypatch: pytest.MonkeyPatch, named: str
) -> None:
    install(folders / "venv/lighthouse")
    monkeypatch.setenv("LIGHTHOUSE_PROGRAM", named)

    with pytest.raises(HoplabError) as caught:
        programs.find(PROXY)

    assert str(caught.value) == f"LIGHTHOUSE_PROGRAM={named}: there is no such program."
