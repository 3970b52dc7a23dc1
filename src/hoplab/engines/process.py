"""Deployments as plain local processes on loopback.

An application's process is shared by the deployments that differ in nothing that it is told; a
proxy's serves all of its deployments.
"""

import http.client
import json
import os
import select
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import IO, TypeAlias

import psutil

from hoplab import interrupts
from hoplab.catalogue import ROOT, Catalogue
from hoplab.endpoint import Endpoint
from hoplab.engines import configuration, runs
from hoplab.engines.certificates import Certificates
from hoplab.engines.configuration import LOOPBACK, Route
from hoplab.engines.lifeline import die_with_parent
from hoplab.engines.ports import free_ports
from hoplab.engines.versions import local_versions, require_binary, require_package
from hoplab.errors import HoplabError
from hoplab.servers import Server
from hoplab.topology import PREFIX, Deployment, Mode, Scheme, Topology

START_SECONDS = 30.0
"""How long a process has to start. A slow machine needs it; a fast one does not wait."""

ROUTE_SECONDS = 5.0
"""How long a proxy that answers already has to reach its application; then it is asked as it is."""

CLIENT = "127.0.0.9" if sys.platform == "linux" else None
"""The client's own address. From 127.0.0.1, nobody could tell it from the proxy; other systems
than Linux have no other address on loopback."""

PRELOADED = "app.shared"
"""What is the same in every application under test, and takes most of their imports' time."""

Command: TypeAlias = tuple[str, ...]


@dataclass
class _Started:
    """A process, a port where it should answer, and where it writes."""

    name: str
    process: psutil.Process
    port: int
    log: Path

    def tail(self) -> str:
        lines = self.log.read_text(errors="replace").splitlines() if self.log.exists() else []
        return "\n".join(f"  {line}" for line in lines[-15:]) or "  (it wrote nothing)"


@dataclass
class _App:
    """An application's process, to be or that is, and the deployments that it serves."""

    word: str
    server: Server
    command: Callable[[int], list[str]]
    environment: Mapping[str, str]
    port: int = 0
    deployments: list[Deployment] = field(default_factory=list)
    started: _Started | None = None


class ProcessEngine:
    """Without `ports`, each deployment gets free ones. With `stay`, all outlive this process.

    With `partial`, what can't be started is told by `failures` and the others run; without, it is
    an error.
    """

    name = "process"

    def __init__(
        self,
        catalogue: Catalogue,
        deployments: Sequence[Deployment],
        run: runs.Run,
        certificates: Certificates,
        *,
        ports: Mapping[Topology, Mapping[Scheme, int]] | None = None,
        stay: bool = False,
        partial: bool = False,
    ) -> None:
        self._catalogue = catalogue
        self._deployments = deployments
        self._run = run
        self._certificates = certificates
        self._ports = ports or {}
        self._stay = stay
        self._partial = partial
        self._launcher: subprocess.Popen[str] | None = None
        self._apps: dict[Deployment, _App] = {}
        self._proxies: dict[str, _Started] = {}
        self.failures: dict[Deployment, str] = {}

    def start(self) -> list[Endpoint]:
        """Start all at once, then wait until every one answers."""
        try:
            return self._start()
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Stop what was started, all at once, and remove the run's folder."""
        if self._launcher and self._launcher.stdin:
            self._launcher.stdin.close()
        processes = [item.process for item in self._started()]
        if self._launcher:
            processes.append(psutil.Process(self._launcher.pid))
        runs.stop(processes)
        if self._launcher:
            self._launcher.wait()
        self._launcher = None
        self._run.remove()

    def logs(self, deployment: Deployment) -> str:
        """The proxy's and the application's log, and the proxy's configuration."""
        files = [self._log(self._apps[deployment].word)]
        files += [self._log(proxy) for proxy in self._route_of(deployment)]
        proxy = self._catalogue.proxies[deployment.topology.proxy]
        files += configuration.sources(proxy, deployment.topology.mode)
        return "\n".join(
            f"--- {path.name}\n{path.read_text(errors='replace') if path.exists() else ''}"
            for path in files
        )

    def log_files(self, deployment: Deployment) -> list[Path]:
        """Where the application and the proxy of a deployment write."""
        return [self._log(self._apps[deployment].word), self._log(deployment.topology.proxy)]

    def versions(self) -> dict[str, str]:
        """The versions of what ran here."""
        return local_versions(self._catalogue)

    @property
    def processes(self) -> list[psutil.Process]:
        """All that it started and that runs: proxies and applications."""
        return [item.process for item in self._started() if runs.alive(item.process)]

    def died(self) -> dict[Deployment, str]:
        """The deployments one of whose processes has ended by itself, with the end of its log."""
        dead = {}
        for deployment, app in self._apps.items():
            parts = [app.started, *(self._proxies.get(p) for p in self._route_of(deployment))]
            for part in parts:
                if part and not runs.alive(part.process):
                    dead[deployment] = f"{part.name} died. The end of its log:\n{part.tail()}"
        return dead

    def _start(self) -> list[Endpoint]:
        apps = self._plan_apps()
        proxies = sum(len(self._route_of(deployment)) for deployment in self._deployments)
        free = iter(free_ports(len(apps) + len(Scheme) * proxies))
        for app in apps:
            app.port = next(free)
        routes, ports = self._plan_routes(free)
        # The launcher takes a second to import the servers: the proxies start meanwhile.
        self._launcher = self._start_launcher(sorted({app.server.name for app in apps}))
        for proxy in routes:
            interrupts.check()
            with self._failing(self._uses(proxy)):
                self._proxies[proxy] = self._start_proxy(proxy, routes[proxy])
                self._record()
        for app in apps:
            interrupts.check()
            with self._failing(app.deployments.__contains__):
                app.started = self._start_app(app)
                self._record()
        for app in apps:
            with self._failing(app.deployments.__contains__):
                if app.started:
                    _wait_until(app.started, _answers, START_SECONDS)
        for proxy, started in self._proxies.items():
            with self._failing(self._uses(proxy)):
                _wait_until(started, _answers, START_SECONDS)
        for deployment in self._running():
            port = ports[deployment][Scheme.HTTP]
            started = self._proxies[deployment.topology.proxy]
            # A variation may never let it through; by now it is in force like the others.
            if not deployment.variation:
                reaches = partial(self._reaches_app, port)
                _wait_until(started, reaches, ROUTE_SECONDS, required=False)
        if self._stay and self._launcher and self._launcher.stdin:
            self._launcher.stdin.close()
            self._launcher.wait()
            self._launcher = None
        return [
            Endpoint(
                deployment=deployment,
                ports=dict(ports[deployment]),
                authority=self._certificates.authority,
                nonce=self._nonce(self._apps[deployment]),
                source=CLIENT,
                client=CLIENT,
                direct=(LOOPBACK, self._apps[deployment].port),
            )
            for deployment in self._running()
        ]

    def _plan_apps(self) -> list[_App]:
        """One process for each command line; the port in it is the only thing to differ."""
        apps: dict[Command, _App] = {}
        for deployment in self._deployments:
            server = self._catalogue.servers[deployment.topology.server]
            command = partial(self._command, deployment)
            environment = server.environment(deployment.recipe.trust, LOOPBACK)
            key = (*command(0), *environment.values())
            if key not in apps:
                apps[key] = _App(self._app_word(deployment), server, command, environment)
            apps[key].deployments.append(deployment)
            self._apps[deployment] = apps[key]
        return list(apps.values())

    def _command(self, deployment: Deployment, port: int) -> list[str]:
        return self._catalogue.server_command(deployment, f"{LOOPBACK}:{port}", LOOPBACK)

    def _app_word(self, deployment: Deployment) -> str:
        server, recipe = deployment.topology.server, deployment.recipe
        variation = self._catalogue.variations.get(deployment.variation)
        own = variation is not None and server in variation.commands
        return f"{server}-{recipe.strategy}-{recipe.trust}" + f"-{deployment.variation}" * own

    def _plan_routes(
        self, free: Iterator[int]
    ) -> tuple[dict[str, list[Route]], dict[Deployment, dict[Scheme, int]]]:
        """What each proxy has to serve, and where each deployment is asked from outside."""
        routes: dict[str, list[Route]] = {}
        public: dict[Deployment, dict[Scheme, int]] = {}
        for deployment in self._deployments:
            topology, word = deployment.topology, deployment.word
            given = self._ports.get(topology)
            ports = dict(given) if given else {scheme: next(free) for scheme in Scheme}
            public[deployment] = ports
            variation = self._catalogue.variations.get(deployment.variation)
            changes = variation.changes if variation else ()
            if variation and variation.outer:
                inner = {scheme: next(free) for scheme in Scheme}
                outer = Route(
                    f"{word}-outer",
                    Mode.PRESERVE,
                    f"{LOOPBACK}:{inner[Scheme.HTTP]}",
                    ports,
                    changes,
                )
                routes.setdefault(variation.outer, []).append(outer)
                ports = inner
            upstream = f"{LOOPBACK}:{self._apps[deployment].port}"
            routes.setdefault(topology.proxy, []).append(
                Route(word, topology.mode, upstream, ports, changes)
            )
        return routes, public

    def _route_of(self, deployment: Deployment) -> list[str]:
        variation = self._catalogue.variations.get(deployment.variation)
        outer = [variation.outer] if variation and variation.outer else []
        return [*outer, deployment.topology.proxy]

    def _uses(self, proxy: str) -> Callable[[Deployment], bool]:
        return lambda deployment: proxy in self._route_of(deployment)

    def _running(self) -> Iterator[Deployment]:
        return (d for d in self._deployments if d not in self.failures)

    @contextmanager
    def _failing(self, concerns: Callable[[Deployment], bool]) -> Iterator[None]:
        """What can't be started concerns these deployments alone, if some may fail."""
        try:
            yield
        except HoplabError as error:
            if not self._partial:
                raise
            for deployment in filter(concerns, self._deployments):
                self.failures.setdefault(deployment, str(error))

    def _started(self) -> list[_Started]:
        apps = {id(app): app.started for app in self._apps.values() if app.started}
        return [*self._proxies.values(), *apps.values()]

    def _record(self) -> None:
        self._run.record(item.process for item in self._started())

    def _nonce(self, app: _App) -> str:
        return f"{self._run.nonce}.{app.word}"

    def _reaches_app(self, port: int, _started: _Started) -> bool:
        answer = _get(port)
        nonce = answer.getheader("X-Instance") if answer else None
        return nonce is not None and nonce.startswith(self._run.nonce)

    def _start_launcher(self, servers: Sequence[str]) -> subprocess.Popen[str]:
        with self._log("launcher").open("w") as errors:
            launcher = [sys.executable, "-m", "hoplab.engines.launcher", PRELOADED, *servers]
            return self._popen(launcher, ROOT, errors, text=True)

    def _start_app(self, app: _App) -> _Started:
        require_package(app.server)
        log = self._log(app.word)
        deployment = {
            "command": app.command(app.port),
            "environment": {**app.environment, "INSTANCE_NONCE": self._nonce(app)},
            "log": str(log),
            "stay": self._stay,
        }
        launcher = self._launcher
        if launcher is None or launcher.stdin is None or launcher.stdout is None:
            message = "The launcher is not running."
            raise HoplabError(message)
        launcher.stdin.write(json.dumps(deployment) + "\n")
        launcher.stdin.flush()
        deadline = time.monotonic() + START_SECONDS
        while not select.select([launcher.stdout], [], [], 0.1)[0] and time.monotonic() < deadline:
            interrupts.check()
        answer = launcher.stdout.readline() if time.monotonic() < deadline else ""
        if not answer:
            wrote = self._log("launcher").read_text()
            message = f"The launcher of the ASGI servers ended:\n{wrote}"
            raise HoplabError(message)
        try:
            process = psutil.Process(int(answer))
        except psutil.NoSuchProcess:
            message = f"{app.word} ended at once:\n{log.read_text() if log.exists() else ''}"
            raise HoplabError(message) from None
        return _Started(app.word, process, app.port, log)

    def _start_proxy(self, name: str, routes: Sequence[Route]) -> _Started:
        proxy = self._catalogue.proxies[name]
        require_binary(proxy)
        folder = self._run.folder / name
        for path, text in configuration.render(proxy, routes, folder, self._certificates).items():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        log = self._log(name)
        with log.open("w") as output:
            process = self._popen(configuration.command(proxy, folder), folder, output)
        return _Started(name, psutil.Process(process.pid), routes[0].ports[Scheme.HTTP], log)

    def _popen(
        self, command: Sequence[str], directory: Path, output: IO[str], *, text: bool = False
    ) -> subprocess.Popen[str]:
        dies = partial(die_with_parent, os.getpid())
        pipe = subprocess.PIPE if text else None
        return subprocess.Popen(
            command,
            cwd=directory,
            env={**os.environ, **_with_own_scripts()},
            stdin=pipe or subprocess.DEVNULL,
            stdout=pipe or output,
            stderr=output if text else subprocess.STDOUT,
            text=True,
            # Ctrl-C is for hoplab, which then stops its processes in order.
            start_new_session=True,
            preexec_fn=None if self._stay else dies,  # noqa: PLW1509 - no threads yet
        )

    def _log(self, name: str) -> Path:
        return self._run.folder / f"{name}.log"


def _with_own_scripts() -> dict[str, str]:
    """The scripts of this virtual environment come first, whether it is activated or not."""
    scripts = Path(sys.executable).parent
    return {"PATH": f"{scripts}{os.pathsep}{os.environ.get('PATH', os.defpath)}"}


def _wait_until(
    started: _Started,
    condition: Callable[[_Started], bool],
    seconds: float,
    *,
    required: bool = True,
) -> None:
    deadline = time.monotonic() + seconds
    while not condition(started):
        interrupts.check()
        if not runs.alive(started.process):
            message = f"{started.name} ended instead of starting. The end of its log:\n"
            raise HoplabError(message + started.tail())
        if time.monotonic() > deadline:
            if not required:
                return
            message = f"{started.name} did not answer in {seconds:.0f} s. The end of its log:\n"
            raise HoplabError(message + started.tail())
        time.sleep(0.01)


def _answers(started: _Started) -> bool:
    return _get(started.port) is not None


def _get(port: int) -> http.client.HTTPResponse | None:
    connection = http.client.HTTPConnection(LOOPBACK, port, timeout=5)
    try:
        connection.request("GET", f"{PREFIX}/app")
        response = connection.getresponse()
        response.read()
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()
    return response
