"""`import hoplab`: small, typed, and cheap where it is not used."""

import subprocess
import sys
from pathlib import Path

import pytest

import hoplab
from tests.catalogue import ROOT
from tests.commands.test_check import RIGHT, STYLE

APPLICATION = """
from fastapi import FastAPI

app = FastAPI()
print("it begins")

@app.get("/")
async def index():
    return {"items": "/items"}

@app.get("/items")
async def items():
    return []
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_what_is_wrong(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (folder / "main.py").write_text(APPLICATION)

    report = hoplab.check("main:app", proxy="nginx", server=["uvicorn"], prefix="/shop")

    assert not report.works
    [problem] = report.problems
    assert (problem.question, problem.symptom) == ("urls", "link-drops-prefix")
    assert problem.detail.endswith("expected /shop/items (index, main.py:7)")
    assert problem.origin.startswith("the application")
    assert problem.fix.startswith("Make the URL from the request")
    assert problem.topologies == ("nginx-uvicorn-strip", "nginx-uvicorn-preserve")
    assert problem.schemes == ("http", "https")
    assert "1 problem:" in report.text
    assert report.judged
    assert report.errors == ()
    assert "nginx" in report.logs
    assert capfd.readouterr() == ("", "")
    assert not (folder / ".hoplab").exists()


def test_what_is_right(folder: Path) -> None:
    (folder / "main.py").write_text(RIGHT)
    for name, text in STYLE.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text)

    report = hoplab.check("main:app", proxy="nginx", server="uvicorn", mode="strip", scheme="http")

    assert report.works
    assert report.problems == ()
    assert [cell.cell.scheme for cell in report.results.cells] == ["http"]


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"application": "main"}, "'main' is not MODULE:APP"),
        ({"proxy": "apache"}, "proxy 'apache' is unknown"),
        ({"mode": ["strip", "both"]}, "mode 'both' is unknown"),
        ({"prefix": "shop"}, "a prefix is a path"),
        ({"headers": ["no header"]}, "is not a header"),
        ({"paths": ["admin"]}, "a path begins with a slash"),
        ({"max_requests": 0}, "at least 1"),
        ({"env_file": "nowhere"}, "there is no such file"),
        ({"application": "no_such_module:app", "proxy": "nginx"}, "can't be imported"),
    ],
)
def test_a_mistake_is_one_exception(options: dict[str, str], told: str) -> None:
    with pytest.raises(hoplab.HoplabError, match=told):
        hoplab.check(**{"application": "main:app", **options})  # type: ignore[arg-type]


def test_it_costs_nothing_until_it_is_used() -> None:
    told = "import sys, hoplab; print([m for m in sys.modules if m[:7] == 'hoplab.'])"
    done = subprocess.run(
        [sys.executable, "-c", told], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout.strip() == "[]"


def test_its_names_are_there_and_no_others() -> None:
    assert set(hoplab.__all__) <= set(dir(hoplab))
    assert all(getattr(hoplab, name) for name in hoplab.__all__)
    with pytest.raises(AttributeError, match="no attribute 'chek'"):
        _ = hoplab.chek  # type: ignore[attr-defined]


def test_it_is_typed() -> None:
    assert (ROOT / "src/hoplab/py.typed").is_file()
