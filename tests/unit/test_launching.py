"""The launcher of the ASGI servers: what it answers late, and what happens when it has ended."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from hoplab.engines.launching import FRAMEWORK, Launcher
from hoplab.errors import HoplabError
from hoplab.system import interrupts, runs
from hoplab.workspace import checkout

Make = Callable[..., Launcher]


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Make]:
    """One that has imported nothing. After the test, it is stopped, and nothing of it is left."""
    made: list[Launcher] = []

    def launcher(**options: Any) -> Launcher:
        made.append(Launcher([], [], tmp_path, tmp_path / "launcher.log", {}, **options))
        return made[-1]

    yield launcher
    for each in made:
        each.stop()
    assert sleeping(tmp_path) == []


def sleeping(folder: Path) -> list[str]:
    """How long each of those programs sleeps that were started in this folder."""
    return sorted(
        process.info["cmdline"][-1]
        for process in psutil.process_iter(["name", "cmdline", "cwd"])
        if process.info["cwd"] == str(folder)
        and process.info["name"] == SLEEP
        and process.info["cmdline"]  # of one that is starting or ending, there is none
    )


def until_sleeping(folder: Path, *wanted: str) -> None:
    """Wait until these, and no other ones, are there: a fork takes a moment to become one."""
    deadline = time.monotonic() + DEADLINE
    while sleeping(folder) != [*wanted]:
        assert time.monotonic() < deadline, sleeping(folder)
        time.sleep(0.01)


SLEEP = "sleep"
DEADLINE = 60.0


def told(folder: Path, seconds: str) -> dict[str, Any]:
    return {
        "command": [SLEEP, seconds],
        "environment": {},
        "directory": str(folder),
        "modules": str(folder),
        "log": str(folder / f"{seconds}.log"),
        "stay": False,
        "exec": True,
    }


def launcher_process() -> psutil.Process:
    return next(
        each
        for each in psutil.Process().children()
        if runs.alive(each) and "hoplab.engines.launcher" in each.cmdline()
    )


def test_one_that_was_killed_is_replaced(make: Make, tmp_path: Path) -> None:
    launcher = make()
    launcher.launch(told(tmp_path, "600"))
    process = launcher_process()
    process.kill()
    process.wait()

    launcher.launch(told(tmp_path, "601"))

    until_sleeping(tmp_path, "601")


def test_one_that_dies_while_it_is_asked_says_so_and_is_replaced(
    make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    launcher = make()
    launcher.launch(told(tmp_path, "600"))
    process = launcher_process()
    process.suspend()
    monkeypatch.setattr(interrupts, "check", process.kill)

    with pytest.raises(HoplabError, match="launcher of the ASGI servers ended"):
        launcher.launch(told(tmp_path, "601"))
    monkeypatch.undo()

    launcher.launch(told(tmp_path, "602"))
    until_sleeping(tmp_path, "602")


def test_one_that_does_not_answer_is_replaced_and_what_it_has_started_goes_on(
    make: Make, tmp_path: Path
) -> None:
    launcher = make()
    launcher.launch(told(tmp_path, "600"))
    process = launcher_process()
    process.send_signal(signal.SIGSTOP)
    launcher.seconds = 0.2

    with pytest.raises(HoplabError, match="did not answer in time"):
        launcher.launch(told(tmp_path, "601"))
    launcher.seconds = DEADLINE
    launcher.launch(told(tmp_path, "602"))

    until_sleeping(tmp_path, "600", "602")
    process.send_signal(signal.SIGCONT)


def test_an_answer_that_nobody_waited_for_is_not_taken_for_anothers(
    make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt() -> None:
        raise interrupts.Interrupted(130)

    launcher = make()
    launcher.launch(told(tmp_path, "600"))
    process = launcher_process()
    process.suspend()
    monkeypatch.setattr(interrupts, "check", interrupt)
    with pytest.raises(interrupts.Interrupted):
        launcher.launch(told(tmp_path, "601"))
    monkeypatch.undo()
    process.resume()

    launcher.launch(told(tmp_path, "602"))

    until_sleeping(tmp_path, "600", "602")


def test_what_it_has_started_is_stopped_and_it_starts_more(make: Make, tmp_path: Path) -> None:
    launcher = make()
    launcher.launch(told(tmp_path, "600"))
    process = launcher_process()

    launcher.stop_started()

    assert sleeping(tmp_path) == []
    launcher.launch(told(tmp_path, "601"))
    until_sleeping(tmp_path, "601")
    assert launcher_process() == process


_IMPORTED_BY_THE_APPLICATION = """
import importlib, json, sys
for name in sys.argv[1:]:
    importlib.import_module(name)
before = {*sys.modules}
import app.plain
print(json.dumps(sorted({*sys.modules} - before)))
"""


def test_of_the_framework_an_application_has_nothing_left_to_import() -> None:
    """Each fork would import it again: half of the time until an edited application answers."""
    run = subprocess.run(
        [sys.executable, "-c", _IMPORTED_BY_THE_APPLICATION, *FRAMEWORK],
        cwd=checkout().root,
        env={**os.environ, "DOCS_OFFLINE": "1"},
        capture_output=True,
        text=True,
        check=True,
    )

    imported = json.loads(run.stdout)

    assert "app.shared" in imported
    packages = {name.partition(".")[0] for name in imported}
    assert packages & {"fastapi", "pydantic", "starlette"} == set(), imported
