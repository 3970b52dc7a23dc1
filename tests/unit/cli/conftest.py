"""`hoplab …` in this process and as a program, away from the project's own state."""

import sys
from dataclasses import replace
from pathlib import Path

import pytest

from hoplab import cli
from hoplab.catalogue import Catalogue
from hoplab.commands import ask
from hoplab.commands.session import Session
from hoplab.engines import compose
from hoplab.prefix import DEFAULT_PREFIX, Prefix
from hoplab.results import CellResult, Finding, Results, Verdict
from hoplab.system import interrupts
from hoplab.topology import Cell
from hoplab.workspace import Workspace
from tests.catalogue import ROOT, loaded
from tests.commands.clone import Clone
from tests.unit.cli.said import Call, Said

NO_DAEMON = {"DOCKER_HOST": "tcp://127.0.0.1:1"}


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The lab's folders, away from the project's own."""
    apart = Workspace(ROOT, tmp_path)

    def load_apart(_: Workspace, prefix: Prefix = DEFAULT_PREFIX) -> Catalogue:
        return replace(loaded(prefix), workspace=apart)

    for module in (cli.ask, cli.check, cli.learn, cli.reside):
        monkeypatch.setattr(module, "current", lambda: apart)
        monkeypatch.setattr(module, "load", load_apart)
    return tmp_path


@pytest.fixture
def call(state: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Call:
    """`hoplab …` in this process."""
    assert state.is_dir()
    monkeypatch.setattr(interrupts, "install", lambda: None)
    monkeypatch.setattr(compose, "unavailable", lambda: "there is no `docker` command")

    def run(*arguments: str) -> Said:
        monkeypatch.setattr(sys, "argv", ["hoplab", *arguments])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        out, err = capsys.readouterr()
        code = ended.value.code
        assert isinstance(code, int)
        return Said(code, out, err)

    return run


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Call:
    """`hoplab …` as a program, from a copy of the project with a state of its own."""
    clone = Clone(tmp_path_factory.mktemp("clone"))

    def run(*arguments: str) -> Said:
        ended = clone.program(*arguments, **NO_DAEMON)
        return Said(ended.returncode, ended.stdout, ended.stderr)

    return run


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, list[str], list[str]]]:
    """Engine, cells and checks of each call of `verify`, which is answered with a failure."""
    calls: list[tuple[str, list[str], list[str]]] = []

    def verify(
        _session: Session, engine: str, cells: list[Cell], checks: dict[str, object]
    ) -> Results:
        calls.append((engine, [cell.id for cell in cells], list(checks)))
        finding = Finding("reach", Verdict.FAIL, "unreachable", "404")
        results = [CellResult(cell, recipe=True, findings=[finding]) for cell in cells]
        return Results("process", "2026-11-22T03:00:00Z", 1.0, {}, results)

    monkeypatch.setattr(ask, "verify", verify)
    return calls
