"""What a recipe prints is enough: its files, and the server that it names."""

import subprocess
import sys
from pathlib import Path

import pytest

from hoplab.catalogue import ROOT, load
from hoplab.commands import recipes
from hoplab.predictions import predict
from hoplab.topology import Cell, Mode, Scheme, Strategy, Topology, Trust

CATALOGUE = load()
SHARED = """
from fastapi import FastAPI
PREFIX = "/api/v1"
def create_app() -> FastAPI:
    return FastAPI()
"""


@pytest.mark.parametrize("topology", CATALOGUE.all_topologies, ids=lambda t: t.name)
def test_the_files_of_a_recipe_are_enough(topology: Topology, tmp_path: Path) -> None:
    deployment = CATALOGUE.recommended(topology)
    made = recipes.recipe(CATALOGUE, deployment)
    for file in made.application:
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file).write_text((ROOT / file).read_text())
    (tmp_path / "app/shared.py").write_text(SHARED)
    blocked = "uvicorn" if topology.server == "hypercorn" else "hypercorn"
    (target,) = [word for word in made.server.split() if word.startswith("app.")]
    module, name = target.split(":")
    code = (
        f"import sys; sys.modules[{blocked!r}] = None; sys.path.insert(0, '.'); "
        f"import importlib; getattr(importlib.import_module({module!r}), {name!r})"
    )

    run = subprocess.run(
        [sys.executable, "-I", "-c", code],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )

    assert run.returncode == 0, run.stderr


@pytest.mark.parametrize(
    ("server", "mode", "strategy", "trust", "right"),
    [
        ("hypercorn", Mode.STRIP, Strategy.SERVER_OPTION, Trust.PROXY, Strategy.FORWARDED_PREFIX),
        ("uvicorn", Mode.STRIP, Strategy.SERVER_OPTION, Trust.ANY, Strategy.SERVER_OPTION),
        ("uvicorn", Mode.PRESERVE, Strategy.NONE, Trust.NONE, Strategy.FORWARDED_PREFIX),
        ("uvicorn", Mode.PRESERVE, Strategy.ROUTER, Trust.NONE, Strategy.ROUTER),
    ],
)
def test_smallest_change(
    server: str, mode: Mode, strategy: Strategy, trust: Trust, right: Strategy
) -> None:
    cell = Cell(Topology("nginx", server, mode), strategy, trust, Scheme.HTTPS)

    found = recipes.smallest_change(CATALOGUE, cell)

    assert found
    assert (found.strategy, found.trust) == (right, Trust.PROXY)
    assert not predict(found, CATALOGUE.variations)
