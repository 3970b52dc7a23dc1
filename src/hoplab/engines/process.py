"""Deployments as plain local processes on loopback.

An application's process is shared by the deployments that differ in nothing that it is told; a
proxy's serves all of its deployments.
"""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import IO

import psutil

from hoplab.catalogue import Catalogue
from hoplab.catalogue.servers.server import Launch
from hoplab.endpoint import PUBLIC_NAME, Endpoint
from hoplab.engines import configuration
from hoplab.engines.certificates import Certificates
from hoplab.engines.configuration import Route
from hoplab.engines.launching import Launcher, lab_environment, launcher_of
from hoplab.engines.plan import App, make_plan
from hoplab.engines.started import START_SECONDS, Started, answers, instance, wait_until
from hoplab.engines.versions import local_versions, require_binary, require_package
from hoplab.errors import HoplabError
from hoplab.system import interrupts, runs
from hoplab.system.lifeline import die_with_parent
from hoplab.system.ports import LOOPBACK
from hoplab.system.sockets import require_address
from hoplab.topology import Deployment, Scheme, Topology

ROUTE_SECONDS = 5.0
"""How long a proxy that answers already has to reach its application; then it is asked as it is."""

CLIENT = "127.0.0.9" if sys.platform == "linux" else None
"""The client's own address. From 127.0.0.1, nobody could tell it from the proxy; other systems
than Linux have no other address on loopback."""

_FEW = 4


@dataclass(frozen=True)
class Hosted:
    """Where applications run, and what they are told besides.

    watch: called while they start; raises HoplabError if there is nothing to wait for any more.
    seconds: how long they have to start; None is what everything has.
    """

    directory: Path
    environment: Mapping[str, str] = field(default_factory=dict)
    watch: Callable[[], None] = lambda: None
    seconds: float | None = None


class ProcessEngine:
    """Without `ports`, each deployment gets free ones. With `stay`, all outlive this process.

    With `partial`, what can't be started is told by `failures` and the others run; without, it is
    an error. With `tap`, proxies send what is for a port to the one that it gives. With `hosted`,
    the applications are a person's own. With `launcher`, this one starts
    them, and goes on when the engine stops; it has to have their servers.
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
        tap: Callable[[str, int], int] | None = None,
        hosted: Hosted | None = None,
        launcher: Launcher | None = None,
    ) -> None:
        self._catalogue = catalogue
        self._deployments = deployments
        self._plan = make_plan(catalogue, deployments, ports or {}, tap=tap, folder=run.folder)
        self._run = run
        self._certificates = certificates
        self._stay = stay
        self._partial = partial
        self._hosted = hosted or Hosted(catalogue.workspace.root)
        self._launcher = launcher
        self._shared = launcher is not None
        self._apps: dict[str, Started] = {}
        self._proxies: dict[str, Started] = {}
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
        processes = [item.process for item in self._started()]
        for proxy in self._proxies.values():  # its workers outlive one that somebody has killed
            processes += runs.of_session(proxy.process.pid)
        processes += self._workers()
        if self._launcher and not self._shared:
            self._launcher.stop(processes)
            self._launcher = None
        else:
            runs.stop(processes)
        self._run.remove()

    def proxies_run_with(self, catalogue: Catalogue) -> bool:
        """Whether the proxies run, and with the very files that this catalogue gives them."""
        routes = self._plan.routes_by_proxy(self._running())
        return all(runs.alive(each.process) for each in self._proxies.values()) and all(
            path.read_text() == text
            for name, some in routes.items()
            for path, text in configuration.render(
                catalogue.proxies[name], some, self._run.folder / name, self._certificates
            ).items()
        )

    def restart_applications(self, catalogue: Catalogue, hosted: Hosted) -> list[Endpoint]:
        """Start the applications again from other files, on the same ports; the proxies run on."""
        ending = [*(app.process for app in self._apps.values()), *self._workers()]
        for process in ending:  # in order, some would wait for the proxy's idle connections
            with suppress(psutil.NoSuchProcess):
                process.kill()
        # Wholly: a zombie's threads may hold its port yet.
        psutil.wait_procs(ending, timeout=runs.STOP_SECONDS)
        for app in self._apps.values():
            app.log.unlink(missing_ok=True)  # else the old one's words would be the new one's
        self._catalogue, self._hosted, self._apps = catalogue, hosted, {}
        self._start_applications()
        self._wait_for_applications()
        self._wait_for_routes()
        return [self._endpoint(deployment) for deployment in self._running()]

    def logs(self, deployment: Deployment) -> str:
        """The proxy's and the application's log, and the proxy's configuration."""
        files = [self._log(self._plan.app_of[deployment].word)]
        files += [self._log(proxy) for proxy in self._plan.routes[deployment]]
        proxy = self._catalogue.proxies[deployment.topology.proxy]
        files += proxy.sources(deployment.topology.mode)
        return "\n".join(
            f"--- {path.name}\n{path.read_text(errors='replace') if path.exists() else ''}"
            for path in files
        )

    def log_files(self, deployment: Deployment) -> list[Path]:
        """Where the application and the proxy of a deployment write."""
        return [self._log(self._plan.app_of[deployment].word), self._log(deployment.topology.proxy)]

    def parts(self, deployment: Deployment) -> list[str]:
        """The names of its application's process and of its proxies'."""
        return [self._plan.app_of[deployment].word, *self._plan.routes[deployment]]

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
        for deployment, app in self._plan.app_of.items():
            proxies = self._plan.routes[deployment]
            parts = [self._apps.get(app.word), *(self._proxies.get(proxy) for proxy in proxies)]
            for part in parts:
                if part and not runs.alive(part.process):
                    dead[deployment] = f"{part.name} died. The end of its log:\n{part.tail()}"
        return dead

    def _start(self) -> list[Endpoint]:
        plan = self._plan
        self._try_variations()
        routes = plan.routes_by_proxy(self._running())
        apps = plan.apps
        # The launcher takes a second to import the servers: the proxies start meanwhile.
        if apps and not self._launcher:
            servers = {app.server.name: app.server for app in apps}
            log = self._log("launcher")
            self._launcher = launcher_of(
                self._catalogue, list(servers.values()), log, stay=self._stay
            )
        for proxy in routes:
            interrupts.check()
            with self._failing(self._uses(proxy)):
                self._proxies[proxy] = self._start_proxy(proxy, routes[proxy])
                self._record()
        self._start_applications()
        self._wait_for_applications()
        for proxy, started in self._proxies.items():
            with self._failing(self._uses(proxy)):
                wait_until(started, self._answers, START_SECONDS)
        self._wait_for_routes()
        if self._stay and self._launcher and not self._shared:
            self._launcher.end()
            self._launcher = None
        return [self._endpoint(deployment) for deployment in self._running()]

    def _start_applications(self) -> None:
        for app in self._plan.apps:
            interrupts.check()
            with self._failing(self._runs_on(app)):
                self._apps[app.word] = self._start_app(app)
                self._record()

    def _wait_for_applications(self) -> None:
        for app in self._plan.apps:
            with self._failing(self._runs_on(app)):
                if app.word in self._apps:
                    seconds = self._hosted.seconds or START_SECONDS
                    wait_until(self._apps[app.word], self._answers, seconds)

    def _workers(self) -> list[psutil.Process]:
        """The applications' own children."""
        found: list[psutil.Process] = []
        for app in self._apps.values():
            with suppress(psutil.NoSuchProcess):
                found += app.process.children(recursive=True)
        return found

    def _endpoint(self, deployment: Deployment) -> Endpoint:
        app, host = self._plan.app_of[deployment], self._public(deployment)
        client = CLIENT if host == LOOPBACK else host
        return Endpoint(
            deployment=deployment,
            ports=dict(self._plan.ports[deployment]),
            authority=self._certificates.authority,
            nonce=self._nonce(app),
            host=host,
            source=client,
            client=client,
            # From the client's address, which is of IPv4: a stranger has no other one on loopback.
            direct=(LOOPBACK, app.port) if LOOPBACK == host == app.host else None,
        )

    def _public(self, deployment: Deployment) -> str:
        """Where the proxy listens that the client asks."""
        return next(iter(self._plan.routes[deployment].values())).host

    def _try_variations(self) -> None:
        """A line that is no longer there, or an address, must not take its whole proxy down."""
        for deployment in filter(lambda d: d.variation, self._deployments):
            with self._failing(deployment.__eq__):
                for name, route in self._plan.routes[deployment].items():
                    require_address(route.host)
                    proxy, folder = self._catalogue.proxies[name], self._run.folder / name
                    configuration.render(proxy, [route], folder, self._certificates)

    def _wait_for_routes(self) -> None:
        """A proxy takes a configuration as a whole: what holds for the ends holds in between."""
        served: dict[str, list[Deployment]] = {}
        for deployment in self._running():
            served.setdefault(deployment.topology.proxy, []).append(deployment)
        deadline = time.monotonic() + ROUTE_SECONDS  # for all together
        for deployment in [d for some in served.values() for d in _ends(some)]:
            scheme = self._catalogue.proxies[deployment.topology.proxy].schemes[0]
            where = self._public(deployment), self._plan.ports[deployment][scheme]
            reaches = partial(self._reaches_app, *where, scheme)
            with self._failing(deployment.__eq__):
                started = self._proxies[deployment.topology.proxy]
                left = max(0.0, deadline - time.monotonic())
                wait_until(started, reaches, left, required=False)
        for name, started in self._proxies.items():  # it may be about other routes
            with self._failing(self._uses(name)):
                started.require_no_complaint()

    def _uses(self, proxy: str) -> Callable[[Deployment], bool]:
        return lambda deployment: proxy in self._plan.routes[deployment]

    def _runs_on(self, app: App) -> Callable[[Deployment], bool]:
        return lambda deployment: self._plan.app_of[deployment] is app

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

    def _started(self) -> list[Started]:
        return [*self._proxies.values(), *self._apps.values()]

    def _record(self) -> None:
        self._run.record({item.name: item.process for item in self._started()})

    def _nonce(self, app: App) -> str:
        return f"{self._run.nonce}.{app.word}"

    def _reaches_app(self, host: str, port: int, scheme: Scheme, _started: Started) -> bool:
        nonce = instance(host, port, self._catalogue.prefix, scheme, PUBLIC_NAME)
        return nonce is not None and nonce.startswith(self._run.nonce)

    def _answers(self, started: Started) -> bool:
        self._hosted.watch()
        return answers(started.host, started.port, self._catalogue.prefix)

    def _start_app(self, app: App) -> Started:
        require_package(app.server)
        log = self._log(app.word)
        # Nobody reads the requests of a matrix, and to write them takes a tenth of its time.
        logging = app.server.log_no_requests if self._partial else app.server.log_requests
        deployment = {
            "command": [*app.command(app.port), *logging],
            "environment": {
                **app.environment,
                **self._hosted.environment,
                "INSTANCE_NONCE": self._nonce(app),
            },
            "directory": str(self._hosted.directory),
            "modules": str(self._catalogue.workspace.root),
            "log": str(log),
            "stay": self._stay,
            "exec": app.server.launch is Launch.EXEC,
        }
        if self._launcher is None:
            message = "The launcher is not running."
            raise HoplabError(message)
        try:
            process = psutil.Process(self._launcher.launch(deployment))
        except psutil.NoSuchProcess:
            self._hosted.watch()  # it may have said why
            message = f"{app.word} ended at once:\n{log.read_text() if log.exists() else ''}"
            raise HoplabError(message) from None
        return Started(app.word, process, app.host, app.port, log)

    def _start_proxy(self, name: str, routes: Sequence[Route]) -> Started:
        proxy = self._catalogue.proxies[name]
        require_binary(proxy)
        folder = self._run.folder / name
        configuration.write(proxy, routes, folder, self._certificates)
        log = self._log(name)
        with log.open("w") as output:
            process = self._popen(configuration.command(proxy, folder), folder, output)
        host, port = routes[0].host, routes[0].ports[proxy.schemes[0]]
        return Started(name, psutil.Process(process.pid), host, port, log, proxy, folder)

    def _popen(
        self, command: Sequence[str], directory: Path, output: IO[str]
    ) -> subprocess.Popen[str]:
        dies = partial(die_with_parent, os.getpid())
        return subprocess.Popen(
            command,
            cwd=directory,
            env={**os.environ, **lab_environment(self._catalogue)},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            text=True,
            # Ctrl-C is for hoplab, which then stops its processes in order.
            start_new_session=True,
            preexec_fn=None if self._stay else dies,  # noqa: PLW1509 - takes no lock
        )

    def _log(self, name: str) -> Path:
        return self._run.folder / f"{name}.log"


def _ends(deployments: Sequence[Deployment]) -> list[Deployment]:
    """The first few and the last few."""
    return list(dict.fromkeys([*deployments[:_FEW], *deployments[-_FEW:]]))
