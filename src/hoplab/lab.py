"""What the commands do: choose an engine, start, ask, stop."""

import fcntl
import json
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from hoplab import interrupts, matrix
from hoplab.catalogue import ROOT, Catalogue
from hoplab.checks import CHECKS, Check
from hoplab.endpoint import Endpoint
from hoplab.engines import Engine, certificates, docker, ports, runs
from hoplab.engines.process import ProcessEngine
from hoplab.errors import HoplabError
from hoplab.report.progress import Progress
from hoplab.results import CellResult, Results
from hoplab.topology import Cell, Scheme, Topology

STATE = ROOT / ".hoplab"
RUNS = STATE / "runs"
UP = STATE / "up" / "hoplab"  # compose.yaml's project name
CERTIFICATES = ROOT / "certificates"


@dataclass(frozen=True)
class Lab:
    """One command's work, told on `progress`."""

    catalogue: Catalogue
    progress: Progress

    def choose_engine(self, wanted: str) -> str:
        """`docker` or `process`; for `auto`, Docker if a daemon answers. Says which and why."""
        if wanted == "process":
            return wanted
        reason = docker.unavailable()
        if reason is None:
            return "docker"
        if wanted == "docker":
            message = f"Docker can't be used: {reason}\n{docker.WITHOUT_DOCKER}"
            raise HoplabError(message)
        self.progress.notice(f"No Docker ({reason}): using local processes.")
        return "process"

    def verify(
        self, wanted: str, cells: Sequence[Cell], checks: Mapping[str, Check] = CHECKS
    ) -> Results:
        """Start what the cells need, on free ports; ask; stop."""
        name = self.choose_engine(wanted)
        self.clean_up()
        began, started = time.monotonic(), _now()
        topologies = list(dict.fromkeys(cell.topology for cell in cells))
        engine = self._engine(name, topologies, runs.new(RUNS))
        with self.running(engine) as endpoints:
            found = self._ask(cells, endpoints, checks)
            versions = engine.versions()
        return Results(engine.name, started, time.monotonic() - began, versions, found)

    def up(self, wanted: str, topologies: Sequence[Topology]) -> tuple[list[Endpoint], Results]:
        """Start topologies on their own ports, beside those that are up; ask; let them run."""
        with _alone():
            return self._up(self.choose_engine(wanted), topologies)

    def _up(self, name: str, topologies: Sequence[Topology]) -> tuple[list[Endpoint], Results]:
        self.clean_up()
        running = {entry["topology"] for entry in self.ps()}
        topologies = [t for t in self.catalogue.topologies if t in topologies or t.name in running]
        own = ports.own(topologies)
        ports.require_free({t: own[t] for t in topologies if t.name not in running})
        if running:
            self.progress.notice(f"Starting the {len(running)} topologies that are up anew.")
        self._down()
        ports.require_free(own)
        if name == "docker" and (elsewhere := docker.Compose(UP.name).folder()):
            message = f"Another lab is up: run `make down` in {elsewhere} first."
            raise HoplabError(message)
        UP.mkdir(parents=True)
        run = runs.Run(UP)
        run.record_owner()  # until it is verified, it ends with this process
        began, started = time.monotonic(), _now()
        engine = self._engine(name, topologies, run, own)
        try:
            endpoints = self._start(engine)
            found = self._ask(self.catalogue.recommended_cells(topologies), endpoints, CHECKS)
            versions = engine.versions()
        except BaseException:
            engine.stop()
            raise
        run.disown()
        (UP / "up.json").write_text(json.dumps([_entry(name, endpoint) for endpoint in endpoints]))
        return endpoints, Results(name, started, time.monotonic() - began, versions, found)

    def ps(self) -> list[dict[str, Any]]:
        """What `up` started and still runs."""
        try:
            entries: list[dict[str, Any]] = json.loads((UP / "up.json").read_text())
        except OSError:
            return []
        if entries and entries[0]["engine"] == "process":
            return entries if runs.Run(UP).processes() else []
        states = docker.Compose(UP.name).containers()
        return [
            entry
            for entry in entries
            if states.get(entry["topology"], {}).get("State", {}).get("Running")
        ]

    def down(self) -> None:
        """Stop everything that `up` started, or that a person started from compose.yaml."""
        with _alone():
            self.clean_up()
            count = len(self.ps())
            self._down()
        self.progress.notice(f"Stopped {count} topologies." if count else "Nothing was up.")

    def _down(self) -> None:
        runs.stop(runs.Run(UP).processes())
        if docker.unavailable() is None:
            project = docker.Compose(UP.name)
            if project.folder() == str(ROOT):
                project.down()
        runs.Run(UP).remove()

    def logs(self, names: Sequence[str]) -> str:
        """The logs of what is up."""
        up = self.ps()
        entries = [entry for entry in up if not names or entry["topology"] in names]
        if not entries:
            message = "Nothing is up. Start it with `make up-strip` or `make up-preserve`."
            if up:
                others = ", ".join(entry["topology"] for entry in up)
                message = f"{', '.join(names)} is not up; up: {others}"
            raise HoplabError(message)
        # A topology's name without its proxy is its application's: nginx-uvicorn-strip.
        services = dict.fromkeys(
            service for e in entries for service in (e["topology"], e["topology"].partition("-")[2])
        )
        if entries[0]["engine"] == "docker":
            return docker.Compose(UP.name).run("logs", "--no-color", *services)
        files = [UP / f"{service}.log" for service in services]
        return "\n".join(f"--- {file.stem}\n{file.read_text(errors='replace')}" for file in files)

    def clean_up(self) -> None:
        """Stop what a killed run has left behind."""
        for run in [*runs.orphans(RUNS), *runs.orphans(UP.parent)]:
            self.progress.notice(f"Cleaning up after {run.name}, which was killed.")
            runs.stop(run.processes())
            if docker.unavailable() is None:
                docker.Compose(run.name).down()
            run.remove()

    @contextmanager
    def running(self, engine: Engine) -> Iterator[list[Endpoint]]:
        """Start an engine and stop it, whatever happens in between."""
        try:
            yield self._start(engine)
        finally:
            self.progress.stage("stopping")
            engine.stop()

    def _start(self, engine: Engine) -> list[Endpoint]:
        self.progress.stage(f"starting ({engine.name})")
        return engine.start()

    def _ask(
        self, cells: Sequence[Cell], endpoints: Sequence[Endpoint], checks: Mapping[str, Check]
    ) -> list[CellResult]:
        self.progress.stage("asking")
        return matrix.ask(cells, endpoints, checks, self.catalogue.recipe, self.progress.count)

    def _engine(
        self,
        name: str,
        topologies: Sequence[Topology],
        run: runs.Run,
        own: Mapping[Topology, Mapping[Scheme, int]] | None = None,
    ) -> Engine:
        files = certificates.ensure(CERTIFICATES)
        if name == "docker":
            return docker.DockerEngine(
                self.catalogue,
                topologies,
                run,
                files,
                own_ports=own is not None,
                progress=self.progress.line,
            )
        return ProcessEngine(
            self.catalogue, topologies, run, files, ports=own, stay=own is not None
        )


def _entry(engine: str, endpoint: Endpoint) -> dict[str, Any]:
    return {
        "topology": endpoint.topology.name,
        "engine": engine,
        "http": endpoint.base(Scheme.HTTP, endpoint.host),
        "https": endpoint.base(Scheme.HTTPS, endpoint.host),
        "ca": str(endpoint.authority),
    }


@contextmanager
def _alone() -> Iterator[None]:
    """Wait until no other `up` or `down` is at work in this clone."""
    STATE.mkdir(parents=True, exist_ok=True)
    with (STATE / "lock").open("w") as lock:
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                interrupts.check()
                time.sleep(0.05)
        yield


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
