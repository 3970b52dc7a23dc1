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
"""One assertion, with the marker; and one topology by itself."""

APPLICATION = """
import os

from fastapi import FastAPI, Request

app = FastAPI()

@app.get("/items/")
async def items(request: Request):
    return {"self": str(request.url)}

@app.get("/told")
async def told(request: Request):
    return [os.environ.get("SHOP_NAME"), request.headers.get("X-Who"), request.url.scheme]
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
    options = {"proxy": "nginx", "prefix": "/shop", "env_file": "shop.env", "start_seconds": 60}
    options |= {"headers": ["X-Who: me"], "scheme": "https"}
    first, second = (hoplab_behind("main:app", **options) for _ in range(2))
    assert first is second
    assert first.get("/told").json() == ["Plumbus", "me", "https"]
    assert first.get("/told", scheme="http").json() == ["Plumbus", "me", "http"]

@pytest.mark.parametrize("name", ["nothing_of_that_name:app", "no_name"])
def test_it_does_not_start(hoplab_behind, name):
    hoplab_behind(name)

def test_no_such_proxy(hoplab_behind):
    hoplab_behind("main:app", proxy="apache")
"""


MARKED = """
import main
import pytest

@pytest.mark.hoplab("main:app", proxy=["nginx", "caddy"], server="uvicorn", prefix="/shop")
def test_the_redirect(hoplab_app):
    answer = hoplab_app.get("/items", scheme="https")
    assert answer.header("Location") == f"{hoplab_app.https}/items/"
    assert hoplab_app.get(answer.header("Location"), scheme="https").status == 200

@pytest.mark.hoplab(proxy="nginx", server="uvicorn", mode="strip")
class TestChecked:
    def test_all_of_it(self, hoplab_check):
        hoplab_check("main:app", prefix="/shop")

    def test_an_object(self, hoplab_check):
        hoplab_check(main.app)

@pytest.mark.hoplab("main:app", proxy="nginx", server="uvicorn", mode="strip")
def test_fails(hoplab_app):
    assert hoplab_app.get("/fails").status == 200
"""

WRONG = """
from fastapi import FastAPI

app = FastAPI()

@app.get("/")
async def index():
    print("the index is asked")
    return {"items": "/items"}

@app.get("/items")
async def items():
    return []
"""

FAILS = """
import pytest

def test_check(hoplab_check):
    hoplab_check("wrong:app", proxy="nginx", server="uvicorn", prefix="/shop")

@pytest.mark.hoplab("wrong:app", proxy="nginx", server="uvicorn", mode="strip")
def test_logs(hoplab_app):
    hoplab_app.get("/items")
    assert hoplab_app.get("/").json() == {}

@pytest.mark.hoplab("wrong:app", proxy="nginx", server="uvicorn", mode="strip")
def test_other_logs(hoplab_app):
    assert hoplab_app.get("/nothing").status == 200

def test_local(hoplab_check):
    async def app(scope, receive, send): ...
    hoplab_check(app)

@pytest.mark.hoplab(proxy="nginx")
def test_an_option(hoplab_check):
    hoplab_check("wrong:app", mode="both")
"""


def pytest_in(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """With this plugin alone, whether it is installed or not, as no worker of another pytest."""
    environment = {name: v for name, v in os.environ.items() if not name.startswith("PYTEST_XDIST")}
    environment["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
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


def test_the_page_s_examples(project: Path) -> None:
    text = "from urllib.request import urlopen\n\nimport pytest\n\n\n" + "\n\n".join(SHOWN)
    (project / "test_shop.py").write_text(text)

    done = pytest_in(project)

    assert done.returncode == 0, done.stdout + done.stderr
    assert "6 passed" in done.stdout
    assert len(SHOWN[0].splitlines()) < 15


def test_topologies_and_failures(project: Path) -> None:
    (project / "test_shop.py").write_text(MORE)
    (project / "shop.env").write_text("SHOP_NAME=Plumbus\n")

    done = pytest_in(project)

    assert "5 passed" in done.stdout, done.stdout
    assert "nothing_of_that_name:app can't be imported" in done.stdout
    assert "'no_name' is not MODULE:APP" in done.stdout
    assert "proxy 'apache' is unknown; known: " in done.stdout
    assert "3 failed" in done.stdout
    assert not [p for p in psutil.process_iter(["cwd"]) if p.info["cwd"] == str(project)]


def test_marked(project: Path) -> None:
    (project / "test_shop.py").write_text(MARKED)

    done = pytest_in(project, "--strict-markers", "-vv")

    assert "6 passed" in done.stdout, done.stdout
    for proxy in ("nginx", "caddy"):
        for mode in ("strip", "preserve"):
            assert f"test_the_redirect[{proxy}-uvicorn-{mode}] PASSED" in done.stdout
    assert "FAILED test_shop.py::test_fails[nginx-uvicorn-strip]" in done.stdout
    assert "@pytest.mark.hoplab(application, proxy" in pytest_in(project, "--markers").stdout


def test_failures_say_what_and_why_and_have_logs(project: Path) -> None:
    (project / "wrong.py").write_text(WRONG)
    (project / "test_shop.py").write_text(FAILS)

    done = pytest_in(project)

    assert "5 failed" in done.stdout, done.stdout
    parts = re.split(r"^_{3,} (test_\w+)\S* _+$", done.stdout, flags=re.MULTILINE)
    of = dict(zip(parts[1::2], parts[2::2], strict=True))
    check = " ".join(of["test_check"].split())
    assert "wrong:app behind a proxy: 1 problem (link-drops-prefix)" in check
    assert "expected /shop/items (index, wrong.py:6)" in check
    assert "from: the application" in check
    assert "fix: Make the URL from the request" in check
    assert "Traceback" not in done.stdout
    assert "hoplab: log of nginx" in of["test_check"]
    logged = of["test_logs"].split("hoplab: log of ", 1)[1]
    assert "the index is asked" in logged
    assert "GET /api/v1/items" in logged
    other = of["test_other_logs"].split("hoplab: log of ", 1)[1]
    assert "GET /api/v1/nothing" in other
    assert "the index is asked" not in other
    assert 'name it as "main:app"' in of["test_local"]
    assert "mode 'both' is unknown" in of["test_an_option"]


@pytest.mark.parametrize(
    ("source", "told"),
    [
        ("@pytest.mark.hoplab(proxy='nginx')", 'say which application: @pytest.mark.hoplab("main'),
        ("@pytest.mark.hoplab('main:app', proxy='apache')", "proxy 'apache' is unknown"),
    ],
)
def test_a_marker_that_chooses_nothing(project: Path, source: str, told: str) -> None:
    text = f"import pytest\n\n{source}\ndef test_it(hoplab_app): ...\n"
    (project / "test_shop.py").write_text(text)

    done = pytest_in(project)

    assert done.returncode != 0
    assert told in done.stdout


def test_with_xdist(project: Path) -> None:
    (project / "test_shop.py").write_text(MARKED)

    done = pytest_in(project, "-p", "xdist.plugin", "-n", "2")

    assert "6 passed" in done.stdout, done.stdout + done.stderr
    assert "1 failed" in done.stdout
    assert "hoplab: log of nginx" in done.stdout
    assert not [p for p in psutil.process_iter(["cwd"]) if p.info["cwd"] == str(project)]


def test_it_is_in_the_wheel_and_costs_nothing_where_it_is_not_used() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert project["entry-points"]["pytest11"] == {"hoplab": "hoplab.pytest_plugin"}

    told = "import sys, hoplab.pytest_plugin; print([m for m in sys.modules if m[:7] == 'hoplab.'])"
    command = [sys.executable, "-c", told]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)

    assert done.stdout.strip() == "['hoplab.pytest_plugin']"

    told = (
        "import sys, pytest; before = set(sys.modules); import hoplab.pytest_plugin;"
        " print(sorted(set(sys.modules) - before))"
    )
    command = [sys.executable, "-c", told]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)

    assert done.stdout.strip() == "['hoplab', 'hoplab.pytest_plugin']"
