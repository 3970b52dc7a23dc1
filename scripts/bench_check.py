"""`make bench-check`: what `hoplab check` of a small application takes, and what is the lab's.

Side by side in one run, turn by turn, medians of five, from command to table: all eight topologies
over both schemes, one topology, and a shell script that starts the same servers and proxies as the
eight take, polls until all answer, and stops them. Exits 1 if a goal is missed: 10 s, 3 s, and 2 s
more than the script. On a loaded machine that says nothing.
"""

import shlex
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from statistics import median

from hoplab.catalogue import Catalogue, load
from hoplab.commands.check import bare_of
from hoplab.commands.session import deployments_of
from hoplab.engines import certificates, configuration
from hoplab.engines.plan import make_plan
from hoplab.topology import Scheme
from hoplab.workspace import checkout
from scripts import by_hand

WORKSPACE = checkout()
ROUNDS = 5
EIGHT, ONE, MORE = 10.0, 3.0, 2.0  # seconds

APPLICATION = """
from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse

app = FastAPI()


@app.get("/", response_class=HTMLResponse)
async def index(request: Request):
    return f'<a href="{request.url_for("items")}">Items</a>'


@app.get("/items/")
async def items(request: Request):
    return [str(request.url_for("item", number=1))]


@app.get("/items/{number}")
async def item(number: int):
    return {"number": number}
"""


def main() -> int:
    """Measure, print, judge."""
    catalogue = load(WORKSPACE)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "main.py").write_text(APPLICATION)
        script = folder / "bare.sh"
        bare_processes(catalogue, script)
        check = [str(by_hand.BIN / "hoplab"), "check", "main:app"]
        eight, one, bare = medians(
            lambda: run(check, folder),
            lambda: run(
                [*check, "--proxy", "nginx", "--server", "uvicorn", "--mode", "strip"], folder
            ),
            lambda: run(["sh", "-eu", str(script)], folder),
        )
    print(f"eight topologies, both schemes: {eight:.1f} s (goal: {EIGHT:.0f} s)")
    print(f"one topology, both schemes:     {one:.1f} s (goal: {ONE:.0f} s)")
    print(f"the same processes bare:        {bare:.1f} s; the eight take {eight - bare:+.1f} s")
    print(f"                                (goal: +{MORE:.0f} s)")
    return 0 if eight <= EIGHT and one <= ONE and eight - bare <= MORE else 1


def medians(*functions: Callable[[], None]) -> list[float]:
    """In seconds, after one turn of each that doesn't count."""
    seconds: list[list[float]] = [[] for _ in functions]
    for turn in range(ROUNDS + 1):
        for times, function in zip(seconds, functions, strict=True):
            began = time.perf_counter()
            function()
            if turn:
                times.append(time.perf_counter() - began)
                print(f"  {times[-1]:.2f}", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    return [median(times) for times in seconds]


def run(command: Sequence[str], folder: Path) -> None:
    """Run quietly; a failure ends the benchmark with what was said."""
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{shlex.join(command)} failed:\n{done.stdout}{done.stderr}")


def bare_processes(catalogue: Catalogue, script: Path) -> None:
    """Write the script, and beside it the proxies' configuration with the ports in it."""
    files = certificates.ensure(WORKSPACE.certificates)
    cells = catalogue.recommended_cells(catalogue.topologies)
    behind = deployments_of(cells)
    plan = make_plan(catalogue, [*behind, bare_of(catalogue, cells[0])], {})
    processes: list[tuple[Sequence[str], Mapping[str, str]]] = [
        (app.command(app.port), app.environment) for app in plan.apps
    ]
    for name, routes in plan.routes_by_proxy(behind).items():
        folder = script.parent / name
        configuration.write(catalogue.proxies[name], routes, folder, files)
        processes.append((configuration.command(catalogue.proxies[name], folder), {}))
    ports = (plan.ports[deployment][Scheme.HTTP] for deployment in behind)
    script.write_text(by_hand.script(processes, ports))


if __name__ == "__main__":
    sys.exit(main())
