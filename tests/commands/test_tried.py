"""`hoplab check` tries the fixes that need no change in a person's code."""

import json
import re
from pathlib import Path

import pytest

from hoplab.advice import Trial
from hoplab.results_file import load
from tests.catalogue import ROOT
from tests.commands.run import hoplab

PAGE = (ROOT / "docs/check.md").read_text()
APPLICATION = """from fastapi import FastAPI, Request

app = FastAPI()


@app.get("/items/")
async def read_items(request: Request):
    return {"next": str(request.url_for("read_items"))}
"""
COMMAND = "uvicorn main:app --host {host} --port {port}"
OPTIONS = ["--prefix", "/shop", "--proxy", "nginx"]


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "main.py").write_text(APPLICATION)
    return tmp_path


def tried(told: str, symptom: str) -> list[str]:
    block = told.split(f": {symptom}\n")[1].split("\n\n", maxsplit=1)[0]
    words = " ".join(block.partition("tried:")[2].partition("more:")[0].split())
    return [each.strip() for each in words.split("tried:")]


def test_an_option_that_helps_where_the_prefix_is_stripped() -> None:
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
