"""`make bench-live`: how long the live lab takes, with ENGINE=docker in containers: medians of ten.

From a save of a file to the first new verdicts of every topology that runs with it: of a proxy's
file (its topologies of one mode), and of app/shared.py, which every application imports.
From a request to its trace, and from a named change to the first new verdicts. It edits a copy of
the lab's files; it prints seconds beside the goals, and is no test: on a loaded machine it would
test the machine.
"""

import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from statistics import median

from hoplab.catalogue import load
from hoplab.client.trace import Request
from hoplab.commands.live.lab import RunningLab, running
from hoplab.commands.live.model import State, TopologyState
from hoplab.commands.session import Session
from hoplab.engines.published import variable
from hoplab.report.progress import Progress
from hoplab.system import interrupts, ports
from hoplab.system.ports import free_ports
from hoplab.topology import Mode, Scheme
from hoplab.workspace import Workspace, checkout

ROUNDS = 10
SECONDS = 120.0
ROOT = checkout().root
NGINX = "nginx-uvicorn-strip"
GOALS = {"process": 3.0, "docker": 10.0}
"""Seconds until new verdicts, by engine."""


def main(engine: str) -> None:
    """Measure all of it."""
    interrupts.install()
    goal = GOALS[engine]
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        for name in ("app", "variations", *load(checkout()).proxies):
            shutil.copytree(ROOT / name, root / name)
        for name in ("compose.yaml", ".env"):
            shutil.copy(ROOT / name, root)
        catalogue = load(Workspace(root))
        names = [
            variable(topology, scheme) for topology in catalogue.topologies for scheme in Scheme
        ]
        os.environ.update(zip(names, map(str, free_ports(len(names))), strict=True))
        os.environ.setdefault("APP_IMAGE", "hoplab-app:bench-live")  # one, not one for each folder
        # The lab draws its free ports from other blocks: these are free for as long as it restarts.
        ports._claimed.clear()
        nginx, traefik = (
            [t.name for t in catalogue.topologies if (t.proxy, t.mode) == (proxy, Mode.STRIP)]
            for proxy in ("nginx", "traefik")
        )
        every = [t.name for t in catalogue.topologies]
        with (
            Progress() as progress,
            running(Session(catalogue, progress), catalogue.topologies, engine) as lab,
        ):
            settled(lab, every)
            for name, concerned in (
                ("nginx/strip.conf.template", nginx),
                ("traefik/strip/routes.toml", traefik),
                ("app/shared.py", every),
            ):
                measure(f"{name} saved", goal, partial(saved, lab, root / name, concerned))
            measure("a named change", goal, lambda: changed(lab))
            measure("a request traced", 1.0, lambda: traced(lab))


def measure(what: str, goal: float, once: Callable[[], float]) -> None:
    """Print the median, and the goal."""
    seconds = [once() for _ in range(ROUNDS)]
    print(f"{what:32} {median(seconds):6.2f} s  (worst {max(seconds):.2f} s, goal {goal:.0f} s)")
    sys.stdout.flush()


def until(
    lab: RunningLab, names: Iterable[str], condition: Callable[[TopologyState], bool]
) -> float:
    """Wait until each of these was once so; gives the time at which the last one was."""
    deadline = time.monotonic() + SECONDS
    left = set(names)
    revision = -1
    while left:
        revision = lab.wait(revision, 1.0)
        interrupts.check()
        left -= {state.topology for state in lab.states() if condition(state)}
        if time.monotonic() > deadline:
            found = [s for s in lab.states() if s.topology in left]
            told = [f"{s.topology} is {s.state}, asking: {s.asking}. {s.message}" for s in found]
            sys.exit("\n".join([f"Not in {SECONDS:.0f} s:", *told]))
    return time.monotonic()


def settled(lab: RunningLab, names: Iterable[str]) -> None:
    """Until these are up and asked everything."""
    until(lab, names, lambda state: state.state is State.UP and not state.asking)


def new_verdicts(lab: RunningLab, names: Iterable[str], began: float) -> float:
    """Seconds until each of these has other results than now, and then all of them."""
    before = {state.topology: state.results for state in lab.states()}
    asked = until(lab, names, lambda state: state.results is not before[state.topology])
    settled(lab, names)
    return asked - began


def saved(lab: RunningLab, file: Path, names: Iterable[str]) -> float:
    """Save a file that means the same: what is measured is how long it takes to know that."""
    before = time.monotonic()
    file.write_text(file.read_text() + "\n")
    return new_verdicts(lab, names, before)


def changed(lab: RunningLab) -> float:
    """Change a topology, and change it back."""
    began = time.monotonic()
    lab.change(NGINX, "nginx-bare")
    seconds = new_verdicts(lab, [NGINX], began)
    lab.fix(NGINX)
    settled(lab, [NGINX])
    return seconds


def traced(lab: RunningLab) -> float:
    """One request, whose hops come by."""
    began = time.monotonic()
    trace = lab.trace(NGINX, Scheme.HTTPS, Request("GET", "/api/v1/items"))
    assert trace.hops or not trace.listened  # noqa: S101 - else nothing was measured
    return time.monotonic() - began


if __name__ == "__main__":
    main(*sys.argv[1:] or ["process"])
