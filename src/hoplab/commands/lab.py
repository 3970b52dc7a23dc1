"""What the commands do: choose an engine, start, ask, stop."""

import fcntl
import json
import shutil
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from hoplab.catalogue import ROOT, Catalogue
from hoplab.client.trace import Trace, ask, is_direct, passed_on
from hoplab.commands.reproduction import Reproduction, reproduction
from hoplab.endpoint import Endpoint
from hoplab.engines import Engine, certificates, docker
from hoplab.engines.echo import echo
from hoplab.engines.process import ProcessEngine
from hoplab.errors import HoplabError
from hoplab.predictions import predict
from hoplab.report.progress import Progress
from hoplab.results import CellResult, Finding, Results, Verdict
from hoplab.suites import Symptom, asking
from hoplab.suites.asking import Unfinished
from hoplab.suites.contract.checks import CHECKS, Check
from hoplab.system import interrupts, ports, runs
from hoplab.system.memory import used
from hoplab.topology import Cell, Deployment, Scheme, Topology

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
        engine = self._engine(name, deployments_of(cells), runs.new(RUNS))
        with self.running(engine) as endpoints:
            found = self._ask(cells, endpoints, checks)
            versions = engine.versions()
        return Results(engine.name, started, time.monotonic() - began, versions, found)

    def matrix(
        self, cells: Sequence[Cell], checks: Mapping[str, Check] = CHECKS
    ) -> tuple[Results, interrupts.Interrupted | None]:
        """The contract of any cells, with their predictions, as processes.

        What can't be started, or dies, is an error of its own cells. If a signal came meanwhile, it
        is given back with the results of the cells that were finished by then.
        """
        self.clean_up()
        began, started = time.monotonic(), _now()
        engine = ProcessEngine(
            self.catalogue,
            deployments_of(cells),
            runs.new(RUNS),
            certificates.ensure(CERTIFICATES),
            partial=True,
        )
        signal = None
        memory = 0
        with self.running(engine) as endpoints:
            start_seconds = time.monotonic() - began
            processes = engine.processes

            def count(done: int, of: int) -> None:
                nonlocal memory
                self.progress.count(done, of)
                if done == of and not memory:  # it only grows: caches, and recorded exchanges
                    memory = used(processes)

            able = [cell for cell in cells if cell.deployment not in engine.failures]
            try:
                found = self._ask_while_it_may(able, endpoints, checks, count)
            except Unfinished as unfinished:
                found, signal = list(unfinished.results), unfinished.signal
            trouble = {**engine.died(), **engine.failures}
            versions = engine.versions()
        asked = {result.cell: result for result in found}
        results = [
            self._judged(cell, asked.get(cell), checks, trouble.get(cell.deployment))
            for cell in cells
            if cell in asked or (cell.deployment in trouble and not signal)
        ]
        seconds = time.monotonic() - began
        return Results(
            engine.name,
            started,
            seconds,
            versions,
            results,
            start_seconds,
            len(processes),
            memory,
            len(cells) - len(results),
        ), signal

    def trace(self, cell: Cell, symptom: Symptom) -> Trace:
        """Follow one request of a cell from hop to hop."""
        self.clean_up()
        files = certificates.ensure(CERTIFICATES)
        deployments = [cell.deployment]
        real = ProcessEngine(self.catalogue, deployments, runs.new(RUNS), files)
        with self.running(real) as (endpoint,):
            exchange = ask(cell, endpoint, symptom)
        if is_direct(endpoint, symptom):
            return Trace(exchange, [], direct=True)
        with echo() as port:
            same = ProcessEngine(
                self.catalogue,
                deployments,
                runs.new(RUNS),
                files,
                ports={cell.topology: endpoint.ports},
                upstream=port,
            )
            with self.running(same) as (told,):
                return Trace(exchange, passed_on(cell, told, symptom))

    def reproduction(self, cell: Cell, *, free_ports: bool = False) -> Reproduction:
        """How to make this cell by hand, on ports that people know or on free ones."""
        files = certificates.ensure(CERTIFICATES)
        folder = STATE / "repro" / (f"{cell.id}.run" if free_ports else cell.id)
        return reproduction(self.catalogue, cell, folder, files, own_ports=free_ports)

    def _judged(
        self,
        cell: Cell,
        result: CellResult | None,
        checks: Mapping[str, Check],
        trouble: str | None,
    ) -> CellResult:
        """A cell's result with its prediction; whose process died, of that nothing is known."""
        findings = result.findings if result else []
        if trouble:
            findings = [Finding(check, Verdict.ERROR, None, trouble) for check in checks]
        prediction = predict(cell, self.catalogue.every_variation)
        return CellResult(cell, self.catalogue.is_recommended(cell), findings, prediction)

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
        deployments = [self.catalogue.recommended(topology) for topology in topologies]
        engine = self._engine(name, deployments, run, own)
        try:
            endpoints = self._start(engine)
            found = self._ask(self.catalogue.recommended_cells(topologies), endpoints, CHECKS)
            versions = engine.versions()
        except BaseException:
            engine.stop()
            raise
        run.disown()
        entries = [_entry(engine, endpoint) for endpoint in endpoints]
        (UP / "up.json").write_text(json.dumps(entries))
        return endpoints, Results(name, started, time.monotonic() - began, versions, found)

    def ps(self) -> list[dict[str, Any]]:
        """What `up` started and still runs."""
        return [{k: v for k, v in entry.items() if k != "logs"} for entry in self._running()]

    def _running(self) -> list[dict[str, Any]]:
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
            shutil.rmtree(STATE / "repro", ignore_errors=True)
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
        up = self._running()
        entries = [entry for entry in up if not names or entry["topology"] in names]
        if not entries:
            message = "Nothing is up. Start it with `make up-strip` or `make up-preserve`."
            if up:
                others = ", ".join(entry["topology"] for entry in up)
                message = f"{', '.join(names)} is not up; up: {others}"
            raise HoplabError(message)
        if entries[0]["engine"] == "docker":
            # A topology's name without its proxy is its application's: nginx-uvicorn-strip.
            services = dict.fromkeys(
                part for e in entries for part in (e["topology"], e["topology"].partition("-")[2])
            )
            return docker.Compose(UP.name).run("logs", "--no-color", *services)
        files = [Path(file) for file in dict.fromkeys(f for e in entries for f in e["logs"])]
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
        try:
            return self._ask_while_it_may(cells, endpoints, checks, self.progress.count)
        except Unfinished as unfinished:
            raise unfinished.signal from None

    def _ask_while_it_may(
        self,
        cells: Sequence[Cell],
        endpoints: Sequence[Endpoint],
        checks: Mapping[str, Check],
        count: Callable[[int, int], None],
    ) -> list[CellResult]:
        self.progress.stage("asking")
        return asking.ask(cells, endpoints, checks, self.catalogue.is_recommended, count)

    def _engine(
        self,
        name: str,
        deployments: Sequence[Deployment],
        run: runs.Run,
        own: Mapping[Topology, Mapping[Scheme, int]] | None = None,
    ) -> Engine:
        files = certificates.ensure(CERTIFICATES)
        if name == "docker":
            return docker.DockerEngine(
                self.catalogue,
                deployments,
                run,
                files,
                own_ports=own is not None,
                progress=self.progress.line,
            )
        return ProcessEngine(
            self.catalogue, deployments, run, files, ports=own, stay=own is not None
        )


def deployments_of(cells: Iterable[Cell]) -> list[Deployment]:
    """What has to run for these cells."""
    return list(dict.fromkeys(cell.deployment for cell in cells))


def _entry(engine: Engine, endpoint: Endpoint) -> dict[str, Any]:
    return {
        "topology": endpoint.topology.name,
        "engine": engine.name,
        "logs": [str(file) for file in engine.log_files(endpoint.deployment)],
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
