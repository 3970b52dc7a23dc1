"""`hoplab check` of applications that nobody here wrote, pinned, each installed only for its test.

What is found in each, docs/check.md says, with the same by hand. Not part of `make test`: they take
minutes to install.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

import hoplab
from tests.applications.installing import SOURCES, install
from tests.catalogue import ROOT

PAGE = (ROOT / "docs/check.md").read_text()


@dataclass(frozen=True)
class Application:
    """What to install, where to begin besides the front page, and the symptoms that must show."""

    name: str
    requirements: Sequence[str]
    symptoms: Sequence[str] = ()
    paths: Sequence[str] = ()

    @property
    def told(self) -> str:
        """Its name and version, as the page writes them in bold."""
        return self.requirements[0].replace("==", " ")


APPLICATIONS = (
    Application("datasette", ["datasette==0.65.5"], ["link-wrong-path"], ["/_memory"]),
    Application(
        "litestar",
        ["litestar==2.25.0"],
        ["link-drops-prefix", "servers-drop-prefix", "docs-openapi-404"],
    ),
    Application("django", ["django==5.2.19"], ["link-drops-prefix"], ["/admin/login/"]),
    Application("gradio", ["gradio==6.31.0"], ["link-drops-prefix", "link-wrong-path"], ["/ui/"]),
    Application("sqladmin", ["sqladmin==0.32.0"], paths=["/admin/"]),
    Application(
        "starlette_admin", ["starlette-admin==1.0.3", "sqlalchemy==2.1.9"], paths=["/admin/"]
    ),
    Application("quart", ["quart==0.22.0"]),
)


@pytest.mark.parametrize("application", APPLICATIONS, ids=[each.name for each in APPLICATIONS])
def test_what_is_found(
    application: Application, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    packages = tmp_path / "packages"
    install(application.requirements, packages, tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(packages))
    folder = tmp_path / "project"
    folder.mkdir()
    monkeypatch.chdir(folder)
    (folder / "main.py").write_text((SOURCES / f"{application.name}.py").read_text())

    report = hoplab.check(
        "main:app",
        prefix="/shop",
        proxy="nginx",
        server="uvicorn",
        paths=application.paths,
        start_seconds=300,
    )

    assert report.errors == ()
    assert report.judged
    assert [problem.symptom for problem in report.problems] == list(application.symptoms)
    everywhere = ("nginx-uvicorn-strip", "nginx-uvicorn-preserve")
    assert {problem.topologies for problem in report.problems} <= {everywhere}


@pytest.mark.parametrize("application", APPLICATIONS, ids=[each.name for each in APPLICATIONS])
def test_the_page_says_so(application: Application) -> None:
    found = PAGE.split("## Found in applications")[1]
    part = re.split(r"^(?=\*\*\w)", found, flags=re.MULTILINE)
    [told] = [each for each in part if each[2:].lower().startswith(application.told)]

    assert set(re.findall(r"\(`([a-z0-9-]+)`\)", told)) == set(application.symptoms)
