"""`make bench-startup`: what the lab costs above bare scripts that start the same things.

Side by side in one run, turn by turn, medians of five. Prints ratios; nothing here is a test,
because on a loaded machine that would test the machine.

processes: `hoplab verify --engine process`, the whole contract of all eight topologies over both
schemes, against a shell script that starts the same servers and proxies at once, polls until all
answer, and stops them.

docker: the Docker engine's start of all eight in one call of Compose, one request to each, and its
stop, against `docker compose up --wait`, one request, `down`, topology after topology.
"""

import os
import shlex
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from statistics import median

from hoplab.catalogue import Catalogue, load
from hoplab.engines import certificates, compose, configuration, docker
from hoplab.engines.plan import make_plan
from hoplab.engines.published import variable
from hoplab.system import runs
from hoplab.topology import Scheme
from hoplab.workspace import checkout
from scripts import by_hand

WORKSPACE = checkout()
ROUNDS = 5


def main() -> None:
    """Run what can be run here."""
    catalogue = load(WORKSPACE)
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder) / "bare.sh"
        bare_processes(catalogue, script)
        lab, bare = side_by_side(
            lambda: hoplab("verify", "--engine", "process"),
            lambda: run(["sh", "-eu", str(script)]),
        )
        told = f"{bare:.1f} s; hoplab takes {lab / bare:.2f} times as long, or {lab - bare:+.1f} s"
        allowed = 1.5 * bare + 2
        print(f"processes: hoplab verify {lab:.1f} s, bare script {told}")
        print(f"           (goal: at most 1.5 times and 2 s, {allowed:.1f} s)")
        if reason := compose.unavailable():
            print(f"docker: not measured: {reason}")
            return
        script.write_text(bare_compose(catalogue))
        lab, bare = side_by_side(
            lambda: all_at_once(catalogue),
            lambda: run(["sh", "-eu", str(script)], compose_environment(catalogue)),
        )
        print(f"docker: all at once {lab:.1f} s, one by one {bare:.1f} s: {bare / lab:.1f} times")
        print("        (goal: at least 4 times)")


def side_by_side(first: Callable[[], None], second: Callable[[], None]) -> tuple[float, float]:
    """Medians in seconds, after one turn each that doesn't count (caches, the image's build)."""
    seconds: tuple[list[float], list[float]] = ([], [])
    for turn in range(ROUNDS + 1):
        for times, function in zip(seconds, (first, second), strict=True):
            began = time.perf_counter()
            function()
            if turn:
                times.append(time.perf_counter() - began)
                print(f"  {times[-1]:.2f}", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    return median(seconds[0]), median(seconds[1])


def hoplab(*arguments: str) -> None:
    """One run of the lab."""
    run([str(by_hand.BIN / "hoplab"), *arguments])


def all_at_once(catalogue: Catalogue) -> None:
    """Start all eight under Docker, ask each once, stop them."""
    files = certificates.ensure(WORKSPACE.certificates)
    deployments = [catalogue.recommended(topology) for topology in catalogue.topologies]
    engine = docker.DockerEngine(catalogue, deployments, runs.new(WORKSPACE.runs), files)
    endpoints = engine.start()
    try:
        for endpoint in endpoints:
            url = f"{endpoint.base(Scheme.HTTP, endpoint.host)}/app"
            with urllib.request.urlopen(url, timeout=10) as answer:  # noqa: S310 - our own
                answer.read()
    finally:
        engine.stop()


def run(command: Sequence[str], environment: Mapping[str, str] | None = None) -> None:
    """Run quietly; a failure ends the benchmark with what was said."""
    done = subprocess.run(
        command,
        cwd=WORKSPACE.root,
        env={**os.environ, **(environment or {})},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        sys.exit(f"{shlex.join(command)} failed:\n{done.stdout}{done.stderr}")


def bare_processes(catalogue: Catalogue, script: Path) -> None:
    """Write the script, and beside it the configuration files with the ports in them."""
    files = certificates.ensure(WORKSPACE.certificates)
    deployments = [catalogue.recommended(topology) for topology in catalogue.topologies]
    plan = make_plan(catalogue, deployments, {})
    processes: list[tuple[Sequence[str], Mapping[str, str]]] = [
        (app.command(app.port), app.environment) for app in plan.apps
    ]
    for deployment in deployments:
        for name, route in plan.routes[deployment].items():  # a process each, as a script has it
            folder = script.parent / route.word
            configuration.write(catalogue.proxies[name], [route], folder, files)
            processes.append((configuration.command(catalogue.proxies[name], folder), {}))
    ports = [plan.ports[deployment][Scheme.HTTP] for deployment in deployments]
    script.write_text(by_hand.script(processes, ports))


def bare_compose(catalogue: Catalogue) -> str:
    """Topology after topology."""
    lines = []
    for topology in catalogue.topologies:
        name, port = topology.name, catalogue.proxies[topology.proxy].container_ports[Scheme.HTTP]
        lines += [
            f"docker compose up --wait {name}",
            f"curl -sf http://$(docker compose port {name} {port})/api/v1/app",
            "docker compose --profile '*' down",
        ]
    return "\n".join(lines) + "\n"


def compose_environment(catalogue: Catalogue) -> dict[str, str]:
    """A project of its own, on free ports."""
    certificates.ensure(WORKSPACE.certificates)
    free = {variable(t, scheme): "0" for t in catalogue.topologies for scheme in Scheme}
    return {
        "COMPOSE_PROJECT_NAME": "hoplab-bench",
        "BACKEND_SUBNET": docker.free_subnet(own=False),
        **free,
    }


if __name__ == "__main__":
    main()
