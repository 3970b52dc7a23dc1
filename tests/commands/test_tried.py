"""`hoplab check` tries the fixes that need no change in a person's code."""

import json
import os
import re
import signal
from pathlib import Path
from typing import Any

import psutil
import pytest

from hoplab.advice import Trial
from hoplab.commands import tried as trying
from hoplab.commands.check import asked_where_it_starts
from hoplab.endpoint import Endpoint
from hoplab.engines.process import ProcessEngine
from hoplab.results_file import load
from hoplab.system import runs
from tests.catalogue import ROOT
from tests.commands.launchers import kept_processes
from tests.commands.run import hoplab

PAGE = (ROOT / "docs/check.md").read_text()
APPLICATION = """from fastapi import FastAPI, Request

app = FastAPI()


@app.get("/items/")
async def read_items(request: Request):
    return {"next": str(request.url_for("read_items"))}
"""
SLEPT = f"4712.{os.getpid()}"
"""Of this process of pytest: another may run the same test."""
COMMAND = "uvicorn main:app --host {host} --port {port}"
OPTIONS = ["--prefix", "/shop", "--proxy", "nginx"]


@pytest.fixture(autouse=True, scope="module")
def lent_launchers() -> None:
    """None: here each command has its own, which is looked at."""


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "main.py").write_text(APPLICATION)
    return tmp_path


LEAVES = f"""import subprocess

subprocess.run(["sh", "-c", "sleep {SLEPT} &"])
{APPLICATION}"""
"""What it starts is no child of its own."""


def launchers() -> list[psutil.Process]:
    """Of the command: other files' tests have kept theirs."""
    return [
        each
        for each in psutil.Process().children()
        if each.pid not in kept_processes()
        and runs.alive(each)
        and "hoplab.engines.launcher" in each.cmdline()
    ]


def sleeping() -> list[psutil.Process]:
    every = psutil.process_iter(["cmdline"])
    return [each for each in every if SLEPT in (each.info["cmdline"] or []) and runs.alive(each)]


@pytest.fixture
def found_at_start(monkeypatch: pytest.MonkeyPatch) -> list[tuple[list[psutil.Process], bool]]:
    """For each start of an engine, the launchers that are there, and whether a sleep is left."""
    found = []
    start = ProcessEngine.start

    def noted(engine: ProcessEngine) -> list[Endpoint]:
        found.append((launchers(), bool(sleeping())))
        return start(engine)

    monkeypatch.setattr(ProcessEngine, "start", noted)
    return found


def tried(told: str, symptom: str) -> list[str]:
    block = told.split(f": {symptom}\n")[1].split("\n\n", maxsplit=1)[0]
    words = " ".join(block.partition("tried:")[2].partition("more:")[0].split())
    return [each.strip() for each in words.split("tried:")]


def test_an_option_that_helps_where_the_prefix_is_stripped(
    place: Path, found_at_start: list[tuple[list[psutil.Process], bool]]
) -> None:
    (place / "main.py").write_text(LEAVES)

    done = hoplab("check", "main:app", *OPTIONS, "--command", COMMAND, "--format", "json")

    assert done.returncode == 1
    [found] = [
        each
        for each in load(json.loads(done.stdout)).tried or ()
        if each.symptom == "root-path-missing"
    ]
    strip, preserve = ["nginx-own-strip"], ["nginx-own-preserve"]
    assert list(found.fixes) == [
        Trial("with `--root-path {prefix}`", strip, preserve, []),
        Trial("with `--forwarded-allow-ips 127.0.0.1`", [], [*strip, *preserve], []),
        Trial("with ForwardedPrefixMiddleware around the application", [*strip, *preserve], [], []),
    ]
    first, trials = found_at_start
    assert (len(first[0]), trials) == (1, first), "one launcher for all"
    assert (first[1], sleeping(), launchers()) == (False, [], []), "nothing is left behind"


def test_ctrl_c_while_fixes_are_tried_leaves_nothing(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (place / "main.py").write_text(LEAVES)
    interrupted = []

    def ask_interrupted(*words: Any) -> Any:
        interrupted.append(launchers())
        os.kill(os.getpid(), signal.SIGINT)
        return asked_where_it_starts(*words)

    monkeypatch.setattr(trying, "asked_where_it_starts", ask_interrupted)

    with pytest.raises(KeyboardInterrupt):
        hoplab("check", "main:app", *OPTIONS, "--mode", "strip", "--command", COMMAND)

    assert len(interrupted[0]) == 1
    assert (launchers(), sleeping()) == ([], [])


def test_the_example_of_the_page() -> None:
    [command] = re.findall(r"^    --command '(uvicorn .*)'$", PAGE, re.MULTILINE)
    mode = ["--mode", "preserve"]

    done = hoplab("check", "main:app", *OPTIONS, *mode, "--command", command)

    page = PAGE.split("scope: scope-path-wrong\n")[1].partition("```")[0].splitlines()
    lines = [line for line in page if line != "…"]
    assert "\n".join(lines) in done.stdout.split(": scope-path-wrong\n")[1]


def test_what_only_the_code_can_change_is_not_tried(place: Path) -> None:
    text = APPLICATION.replace('str(request.url_for("read_items"))', '"/items/"')
    (place / "main.py").write_text(text)
    one = ["--server", "uvicorn", "--mode", "strip"]

    done = hoplab("check", "main:app", *OPTIONS, *one)

    assert tried(done.stdout, "link-drops-prefix") == ["no, it is a change in your own code"]
    assert "trying fixes" not in done.stderr


def test_nothing_is_tried_if_it_is_not_wanted() -> None:
    one = ["--mode", "strip", "--no-try"]

    done = hoplab("check", "main:app", *OPTIONS, *one, "--command", COMMAND)

    assert (done.returncode, "tried:" in done.stdout) == (1, False)
