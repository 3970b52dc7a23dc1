"""The plugin, in a project of its own."""

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import psutil
import pytest

from tests.catalogue import ROOT

PAGE = (ROOT / "docs/check.md").read_text()
SHOWN = re.findall(r"```python\n(def test_.*?)```", PAGE, re.DOTALL)

APPLICATION = """
from fastapi import FastAPI, Request

app = FastAPI()

@app.get("/items/")
async def items(request: Request):
    return {"self": str(request.url)}
"""

MORE = """
import json
import ssl
from urllib.request import urlopen

import pytest

@pytest.mark.parametrize("proxy", ["nginx", "traefik"])
@pytest.mark.parametrize("mode", ["strip", "preserve"])
def test_over_https(hoplab_behind, proxy, mode):
    behind = hoplab_behind("main:app", proxy=proxy, mode=mode, prefix="/shop", server="hypercorn")
    trusting = ssl.create_default_context(cafile=behind.authority)
    with urlopen(f"{behind.https}/items", context=trusting) as answer:
        assert json.load(answer) == {"self": f"{behind.https}/items/"}

def test_the_same_is_started_once(hoplab_behind):
    first, second = (hoplab_behind("main:app", proxy="nginx", prefix="/shop") for _ in range(2))
    assert first is second

@pytest.mark.parametrize("name", ["nothing_of_that_name:app", "no_name"])
def test_it_does_not_start(hoplab_behind, name):
    hoplab_behind(name)

def test_no_such_proxy(hoplab_behind):
    hoplab_behind("main:app", proxy="apache")
"""


def pytest_in(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """With this plugin alone, whether it is installed or not."""
    environment = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    command = [sys.executable, "-m", "pytest", "-p", "hoplab.pytest_plugin", "-q", *words]
    return subprocess.run(
        command,
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "main.py").write_text(APPLICATION)
    return tmp_path


def test_the_page_s_example(project: Path) -> None:
    [shown] = SHOWN
    (project / "test_shop.py").write_text(f"from urllib.request import urlopen\n\n\n{shown}")

    done = pytest_in(project)

    assert done.returncode == 0, done.stdout + done.stderr
    assert "1 passed" in done.stdout


def test_topologies_and_failures(project: Path) -> None:
    (project / "test_shop.py").write_text(MORE)

    done = pytest_in(project)

    assert "5 passed" in done.stdout, done.stdout
    assert "nothing_of_that_name:app can't be imported" in done.stdout
    assert "'no_name' is no MODULE:APP" in done.stdout
    assert "proxy 'apache' is unknown; known: " in done.stdout
    assert "3 failed" in done.stdout
    assert not [p for p in psutil.process_iter(["cwd"]) if p.info["cwd"] == str(project)]


def test_it_is_in_the_wheel_and_costs_nothing_where_it_is_not_used() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert project["entry-points"]["pytest11"] == {"hoplab": "hoplab.pytest_plugin"}

    told = "import sys, hoplab.pytest_plugin; print([m for m in sys.modules if m[:7] == 'hoplab.'])"
    command = [sys.executable, "-c", told]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)

    assert done.stdout.strip() == "['hoplab.pytest_plugin']"
