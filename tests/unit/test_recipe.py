"""What a recipe prints is enough: its files, and the server that it names."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from hoplab import recipe as recipes
from hoplab.prefix import parse
from hoplab.report.explain import recipe_text
from hoplab.results import CellResult, Finding, Results, Verdict
from hoplab.topology import Deployment, Mode, Setup, Strategy, Topology, Trust
from tests.catalogue import CATALOGUE, ROOT

SHARED = """
from fastapi import FastAPI
PREFIX = PREFIX_DECODED = "/api/v1"
def create_app() -> FastAPI:
    return FastAPI()
"""

HYPERCORN = Topology("nginx", "hypercorn", Mode.STRIP)
ONE_PROXY = [topology for topology in CATALOGUE.all_topologies if topology.proxy == "nginx"]


IMPORTED_ALONE = """
import importlib, json, os, sys
import fastapi  # which takes most of the time, and none of the servers
assert not {"app", "uvicorn", "hypercorn", "granian"} & {*sys.modules}
for folder, module, name, blocked in json.load(sys.stdin):
    pid = os.fork()
    if not pid:
        os.chdir(folder)
        sys.path.insert(0, folder)
        sys.modules.update(dict.fromkeys(blocked))
        getattr(importlib.import_module(module), name)
        os._exit(0)
    if os.waitpid(pid, 0)[1]:
        sys.exit(f"{module} of {folder}")
"""


def test_the_files_of_a_recipe_are_enough(tmp_path: Path) -> None:
    """Without the other servers: what is copied must not need them."""
    imported = []
    for topology in ONE_PROXY:
        folder = tmp_path / topology.name
        made = recipes.recipe(CATALOGUE, CATALOGUE.recommended(topology))
        for file in made.application:
            (folder / file).parent.mkdir(parents=True, exist_ok=True)
            (folder / file).write_text((ROOT / file).read_text())
        (folder / "app/shared.py").write_text(SHARED)
        own = "uvicorn" if topology.server == "fastapi" else topology.server
        blocked = sorted({"uvicorn", "hypercorn", "granian"} - {own})
        (target,) = [word for word in made.server.split() if word.startswith("app.")]
        imported.append((str(folder), *target.split(":"), blocked))

    run = subprocess.run(
        [sys.executable, "-I", "-c", IMPORTED_ALONE],
        input=json.dumps(imported),
        capture_output=True,
        text=True,
        check=False,
    )

    assert run.returncode == 0, run.stderr


def test_the_proxy_makes_no_difference_to_the_application() -> None:
    for topology in CATALOGUE.all_topologies:
        nginx = replace(topology, proxy="nginx")
        one, other = (
            recipes.recipe(CATALOGUE, CATALOGUE.recommended(each)) for each in (topology, nginx)
        )
        assert (one.application, one.server) == (other.application, other.server)


def test_a_recipe_names_the_proxy_s_files_and_the_application_s_module_first() -> None:
    made = recipes.recipe(CATALOGUE, CATALOGUE.recommended(HYPERCORN))

    assert made.proxy == [Path("nginx/strip.conf.template"), Path("nginx/drop-forwarded.conf")]
    assert made.application == [
        Path("app/hypercorn/forwarded_prefix.py"),
        Path("app/forwarded_prefix_middleware.py"),
        Path("app/hypercorn/proxy_fix.py"),
        Path("app/trusted_peers.py"),
    ]
    assert made.server == (
        "FORWARDED_ALLOW_IPS=PROXY hypercorn app.hypercorn.forwarded_prefix:app"
        " --bind 127.0.0.1:8000 --workers 0"
    )


def test_the_modules_of_ours_are_found_by_their_imports(tmp_path: Path) -> None:
    """In files of any encoding, once, and but for what every application shares."""
    (tmp_path / "app/server").mkdir(parents=True)
    for name, text in {
        "server/x.py": b"# caf\xe9\nfrom app import one,two\nfrom app.three import a, b\n",
        "one.py": b"from app.shared import c\nfrom app.instance import d\nfrom app import two\n",
        "two.py": b"from application import e\nfrom app.three import f\n",
        "three.py": b"from app.server.x import app\n",
    }.items():
        (tmp_path / "app" / name).write_bytes(text)

    command = ["serve", "application", "--bind", "127.0.0.1:80", "app.server.x:app"]
    assert recipes._modules(tmp_path, command) == [
        Path("app/server/x.py"),
        Path("app/one.py"),
        Path("app/two.py"),
        Path("app/three.py"),
    ]


def test_a_server_s_line_has_the_options_that_are_set() -> None:
    uvicorn = CATALOGUE.recommended(Topology("nginx", "uvicorn", Mode.STRIP))

    assert recipes.server_line(CATALOGUE, uvicorn, "127.0.0.1:80", "10.9.0.0/24") == (
        "uvicorn app.plain:app --host 127.0.0.1 --port 80"
        " --forwarded-allow-ips 10.9.0.0/24 --root-path /api/v1"
    )


def test_a_server_s_line_has_the_variables_that_are_set() -> None:
    nobody = Deployment(HYPERCORN, Setup(Strategy.SERVER_OPTION, Trust.NONE))
    cafe = replace(CATALOGUE, prefix=parse("/café"))

    def line(deployment: Deployment) -> str:
        return recipes.server_line(cafe, deployment, "127.0.0.1:80", "10.9.0.0/24")

    assert line(nobody) == (
        "PUBLIC_PREFIX=/caf%C3%A9 hypercorn app.plain:app"
        " --bind 127.0.0.1:80 --workers 0 --root-path /café"
    ).replace("/café", "'/café'")
    assert line(cafe.recommended(HYPERCORN)).startswith(
        "FORWARDED_ALLOW_IPS=10.9.0.0/24 PUBLIC_PREFIX=/caf%C3%A9 hypercorn "
    )


def test_a_variation_s_application_is_named_by_a_variable() -> None:
    cell = next(iter(CATALOGUE.variations["cors-both"].symptoms))

    line = recipes.server_line(CATALOGUE, cell.deployment, "127.0.0.1:80", "127.0.0.1")

    assert line.startswith("APPLICATION=app.cors.both uvicorn app.plain:app ")


@pytest.mark.parametrize(
    ("command", "environment", "expected"),
    [
        (["a", "b c", "*"], None, "a 'b c' '*'"),
        (["a"], {}, "a"),
        (["a"], {"X": "1", "EMPTY": "", "Y": "* *"}, "X=1 Y='* *' a"),
    ],
)
def test_shell_line(command: list[str], environment: dict[str, str] | None, expected: str) -> None:
    assert recipes.shell_line(command, environment) == expected


def test_scripts_of_this_environment_are_named_from_the_project_s_folder(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sys, "executable", str(ROOT / ".venv/bin/python"))
    assert recipes.script(ROOT, "uvicorn") == ".venv/bin/uvicorn"
    monkeypatch.setattr(sys, "executable", "/a b/venv/bin/python")
    assert recipes.script(ROOT, "uvicorn") == "/a b/venv/bin/uvicorn"


def test_what_could_not_be_asked_is_told_once_with_the_reason() -> None:
    cell = CATALOGUE.recommended_cells([HYPERCORN])[0]
    findings = [Finding(check, Verdict.ERROR, None, "no room") for check in ("reach", "docs")]
    findings.append(Finding("static", Verdict.FAIL, "static-unreachable", "404"))
    results = Results("process", "", 0.0, {}, [CellResult(cell, recipe=True, findings=findings)])
    made = replace(recipes.recipe(CATALOGUE, CATALOGUE.recommended(HYPERCORN)), proxy=[])

    told = recipe_text(replace(made, application=[]), {}, results, cell.id)

    assert "passed nothing; FAILED static: static-unreachable; error: no room\n" in told
