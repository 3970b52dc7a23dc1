"""The wheel, as the standard tools build and install it, far from any clone.

It is built from the source distribution and installed into an environment that has what it
declares and nothing else: copies of the packages that these tests run with. These tests ask whether
its files are found and whether something is written beside them; other tests ask what the commands
say.
"""

import json
import os
import shutil
import subprocess
import sys
import tomllib
import venv
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import Distribution, distribution, distributions
from pathlib import Path
from shutil import which

import pytest
from packaging.requirements import Requirement

from hoplab import __version__
from hoplab.engines.published import variable
from hoplab.system.ports import free_ports
from hoplab.topology import Mode, Scheme, Topology
from hoplab.workspace import MARKER
from tests.catalogue import CATALOGUE, ROOT, WORKSPACE

FAILS = "nginx-hypercorn-strip.server-option.proxy.http"
SOURCES = ROOT / "src/hoplab"
SECONDS = 300
"""How long a step may take."""


def run(*command: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        command, cwd=cwd, capture_output=True, text=True, timeout=SECONDS, check=False
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
    return done


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """By the backend that is installed, which needs no network."""
    folder = tmp_path_factory.mktemp("built")
    run(sys.executable, "-m", "hatchling", "build", "-t", "sdist", "-d", folder, cwd=ROOT)
    [source] = folder.iterdir()
    build = ("wheel", "--quiet", "--no-deps", "--no-build-isolation", "--wheel-dir", folder)
    run(sys.executable, "-m", "pip", *build, source, cwd=folder)
    [wheel] = folder.glob("*.whl")
    return wheel


def required(words: Iterable[str]) -> list[Distribution]:
    """What these requirements need, as pip reads it, and what that needs."""
    left = list(words)
    found: dict[tuple[str, str], Distribution] = {}
    while left:
        wanted = Requirement(left.pop())
        for extra in {"", *wanted.extras} - {e for name, e in found if name == wanted.name}:
            found[wanted.name, extra] = distribution(wanted.name)
            needs = map(Requirement, found[wanted.name, extra].requires or ())
            left += [str(n) for n in needs if not n.marker or n.marker.evaluate({"extra": extra})]
    return list({each.name: each for each in found.values()}.values())


def copy(packages: Iterable[Distribution], environment: Path) -> None:
    """With the programs, which have to start the Python that is there; and what is compiled."""
    programs = f"{sys.prefix}/bin/".encode()
    for package in packages:
        for entry in package.files or ():
            file = Path(os.path.normpath(str(entry.locate())))
            target = environment / file.relative_to(sys.prefix)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(file, target)
            if target.parent.name == "bin" and (text := target.read_bytes()).startswith(b"#!"):
                target.write_bytes(text.replace(programs, f"{environment}/bin/".encode()))


@dataclass(frozen=True)
class Environment:
    """A virtual environment, and the folder in which a person types `hoplab`."""

    folder: Path
    work: Path
    state: Path

    @property
    def packages(self) -> Path:
        [found] = self.folder.glob("lib/python*/site-packages")
        return found

    def hoplab(
        self,
        *arguments: str,
        below: str = "",
        code: int = 0,
        variables: Mapping[str, str] | None = None,
    ) -> subprocess.CompletedProcess[str]:
        """In the working directory, or below it; with the variables of a new login."""
        done = subprocess.run(
            [self.folder / "bin" / "hoplab", *arguments],
            cwd=self.work / below,
            env={
                "PATH": os.defpath,
                "HOME": str(self.work),
                "XDG_STATE_HOME": str(self.state),
                **(variables or {}),
            },
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )
        assert done.returncode == code, done.stdout + done.stderr
        return done

    def written(self) -> dict[Path, tuple[int, int]]:
        """Every file of the environment, with its size and when it was written."""
        files = (path for path in self.folder.rglob("*") if path.is_file())
        return {file: (file.stat().st_size, file.stat().st_mtime_ns) for file in files}


@pytest.fixture(scope="session")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Environment]:
    """It is the same at the end as at the beginning: state goes elsewhere."""
    root = tmp_path_factory.mktemp("installed")
    environment = Environment(root / "environment", root / "work", root / "state")
    environment.work.mkdir()
    venv.create(environment.folder, symlinks=True)
    pip = (sys.executable, "-m", "pip", "--python", environment.folder / "bin" / "python")
    run(*pip, "install", "--quiet", "--no-deps", "--no-index", wheel, cwd=root)
    [declares] = distributions(name="hoplab", path=[str(environment.packages)])
    copy(required(declares.requires or ()), environment.folder)
    run(*pip, "check", cwd=root)  # all that it declares is there, in versions that suit each other
    before = environment.written()
    yield environment
    changed = environment.written().items() ^ before.items()
    assert sorted({file for file, _ in changed}) == []


def test_the_wheel_has_the_package_and_the_lab_s_files(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        packed = {name for name in archive.namelist() if ".dist-info/" not in name}

    package = {
        f"hoplab/{file.relative_to(SOURCES)}"
        for file in SOURCES.rglob("*")
        if file.is_file() and "__pycache__" not in file.parts
    }
    files = {f"hoplab/files/{file}" for file in WORKSPACE.files()}
    assert packed == package | files
    assert "hoplab/py.typed" in packed


def test_the_version_is_said_once(wheel: Path) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]

    assert wheel.name == f"hoplab-{__version__}-py3-none-any.whl"
    assert project["dynamic"] == ["version"]


def test_it_is_alone_at_the_top(installed: Environment) -> None:
    [record] = installed.packages.glob("hoplab-*.dist-info/RECORD")
    names = {line.split("/")[0] for line in record.read_text().splitlines()}

    assert names == {"..", "hoplab", f"hoplab-{__version__}.dist-info"}
    assert not [name for name in ("app", "tests") if (installed.packages / name).exists()]


def test_no_package_of_the_tests_came_with_it(installed: Environment) -> None:
    present = {d.name.lower() for d in distributions(path=[str(installed.packages)])}

    assert {"hoplab", "fastapi"} <= present
    assert not present & {"pytest", "mypy", "ruff", "hatchling", "playwright", "schemathesis"}


def test_verify(installed: Environment) -> None:
    narrow = ("--server", "uvicorn", "--mode", "strip", "--scheme", "https")

    done = installed.hoplab("verify", "--engine", "process", *narrow, "--format", "json")

    cells = {cell["id"]: cell["verdict"] for cell in json.loads(done.stdout)["cells"]}
    assert cells == {
        f"{proxy}-uvicorn-strip.server-option.proxy.https": "pass" for proxy in CATALOGUE.proxies
    }


def test_every_server_finds_the_application(installed: Environment) -> None:
    narrow = ("--proxy", "nginx", "--mode", "strip", "--scheme", "http", "--variation", "none")

    done = installed.hoplab(
        *("matrix", *narrow, "--strategy", "forwarded-prefix", "--trust", "proxy"),
        *("--check", "reach"),
    )

    assert f"\n{len(CATALOGUE.servers)} cells: " in done.stdout
    assert "as predicted\n" in done.stdout


def test_cors(installed: Environment) -> None:
    narrow = ("--proxy", "caddy", "--server", "uvicorn", "--mode", "strip", "--scheme", "http")

    done = installed.hoplab("cors", *narrow, "--variation", "cors-both")

    assert "as predicted\n" in done.stdout


APPLICATION = """from fastapi import FastAPI

app = FastAPI()


@app.get("/items/")
async def read_items():
    return []
"""
OWN_TEST = """import pytest


@pytest.mark.hoplab("main:app", proxy="nginx", server="uvicorn", mode="strip")
def test_the_redirect(hoplab_app):
    assert hoplab_app.get("/items").header("Location") == f"{hoplab_app.http}/items/"
"""


def test_check_and_the_plugin(installed: Environment, tmp_path: Path) -> None:
    """pytest is the person's own: the wheel does not bring it along."""
    project = installed.work / "project"
    project.mkdir()
    (project / "main.py").write_text(APPLICATION)
    (project / "test_main.py").write_text(OWN_TEST)
    words = ("main:app", "--proxy", "nginx", "--server", "uvicorn", "--mode", "strip")

    checked = installed.hoplab("check", *words, below="project").stdout

    assert checked.startswith("topology ")
    assert "\nnginx-uvicorn-strip ✓" in checked

    copy(required(["pytest"]), tmp_path)
    done = subprocess.run(
        [installed.folder / "bin/python", "-m", "pytest", "-q", "-p", "no:cacheprovider"],
        cwd=project,
        env={
            "PATH": os.defpath,
            "HOME": str(installed.work),
            "XDG_STATE_HOME": str(installed.state),
            "PYTHONPATH": str(tmp_path / installed.packages.relative_to(installed.folder)),
            "PYTHONDONTWRITEBYTECODE": "1",
        },
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert "1 passed" in done.stdout, done.stdout + done.stderr


def test_recipe_prints_the_files(installed: Environment) -> None:
    done = installed.hoplab("recipe", "nginx", "uvicorn", "strip")

    assert (ROOT / "nginx/strip.conf.template").read_text().splitlines()[-2] in done.stdout
    assert "uvicorn app.plain:app" in done.stdout


def test_explain_follows_a_request(installed: Environment) -> None:
    done = installed.hoplab("explain", FAILS)

    assert "redirect-drops-prefix" in done.stdout
    assert "nginx -> hypercorn" in done.stdout


@pytest.mark.skipif(not which("curl", path=os.defpath), reason="repro asks with curl")
def test_repro_runs_what_it_prints(installed: Environment) -> None:
    done = installed.hoplab("repro", "--run", FAILS)

    assert f"from {installed.packages / 'hoplab/files'}:" in done.stdout
    assert "HTTP/1.1 307" in done.stdout


def test_list(installed: Environment) -> None:
    done = installed.hoplab("list", "proxies")

    assert [line.split()[0] for line in done.stdout.splitlines()] == list(CATALOGUE.proxies)


def test_it_runs_as_a_module(installed: Environment) -> None:
    done = run(installed.folder / "bin/python", "-m", "hoplab", "version", cwd=installed.work)

    assert done.stdout == f"hoplab {__version__}\n"


def test_results_are_written_where_a_person_is_and_shown(installed: Environment) -> None:
    words = ("--proxy", "nginx", "--server", "uvicorn", "--mode", "strip", "--check", "reach")

    installed.hoplab("verify", "--engine", "process", *words, "--format", "json", "-o", "mine.json")

    assert (installed.work / "mine.json").is_file()
    assert "nginx-uvicorn-strip" in installed.hoplab("show", "mine.json").stdout


def test_up_stays_and_down_ends_it(installed: Environment) -> None:
    topology = Topology("traefik", "uvicorn", Mode.STRIP)
    numbers = free_ports(len(Scheme))
    ports = {variable(topology, scheme): str(n) for scheme, n in zip(Scheme, numbers, strict=True)}
    words = ("--engine", "process", "--proxy", topology.proxy, "--server", topology.server)
    try:
        up = installed.hoplab("up", topology.mode, *words, variables=ports)
        [entry] = json.loads(installed.hoplab("ps", "--format", "json").stdout)
    finally:
        down = installed.hoplab("down")

    assert (entry["topology"], entry["state"]) == (topology.name, "up")
    assert Path(entry["ca"]).is_relative_to(installed.state / "hoplab")
    assert entry["ca"] in up.stdout
    assert "Stopped 1 topology." in down.stderr
    assert not list(installed.state.glob("hoplab/*/up/*"))
    assert not list(installed.state.glob("hoplab/*/runs/*"))


def test_in_a_lab_of_one_s_own_its_files_are_used(installed: Environment) -> None:
    installed.hoplab("init", "mine")
    assert (installed.work / "mine" / MARKER).is_file()
    routes = installed.work / "mine/traefik/strip/routes.toml"
    text = routes.read_text()
    routes.write_text(text.replace("(`{{ $prefix }}", "(`/elsewhere{{ $prefix }}"))
    assert routes.read_text() != text
    words = ("--proxy", "traefik", "--server", "uvicorn", "--mode", "strip", "--check", "reach")
    verify = ("verify", "--engine", "process", *words, "--scheme", "http")

    told = installed.hoplab(*verify, below="mine/app", code=1).stdout

    assert "reach: proxy-has-no-route" in told
    assert (installed.work / "mine/certificates/ca.pem").is_file()
    assert not list((installed.work / "mine/.hoplab/runs").iterdir())
    installed.hoplab(*verify)  # beside it, those of the wheel
