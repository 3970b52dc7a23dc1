"""One topology of the demo in containers: a Compose project of its own, recreated with each change.

compose.yaml says how, and a file beside it what this deployment has instead: the application's
command and its files, which are mounted, so that an edit needs no build.
"""

import json
import re
import shutil
import socket
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from ipaddress import ip_network
from pathlib import Path
from typing import Any

from hoplab.catalogue import Catalogue
from hoplab.catalogue.variations import Change
from hoplab.client.trace import Hop
from hoplab.commands.live.files import APP, DESCRIPTIONS
from hoplab.commands.live.runner import ENVIRONMENT
from hoplab.commands.session import Session
from hoplab.endpoint import Endpoint
from hoplab.engines import configuration
from hoplab.engines.certificates import Certificates
from hoplab.engines.compose import Compose, ComposeFailed, docker
from hoplab.engines.docker import (
    APP_PORT,
    BUILD_SECONDS,
    DockerEngine,
    app_service,
    environment,
    tell_next_step,
)
from hoplab.engines.started import START_SECONDS, answers
from hoplab.errors import HoplabError
from hoplab.predictions import predict
from hoplab.system import interrupts
from hoplab.system.ports import LOOPBACK
from hoplab.topology import Deployment, Scheme, Topology
from hoplab.workspace import Workspace

COMPOSE, CHANGES = "compose.yaml", "demo.json"
_LISTENS = f"import socket; socket.create_connection(('127.0.0.1', {APP_PORT}), 2)"
_SECONDS = 2.0
_PAUSE = 0.05
_LOOK = 0.5  # seconds between two questions to Docker, each of which starts a program
_ADDRESS = 100  # of the application, in its subnet: none that Docker gives to others
_LINES = "15"
_LOOPBACK = re.compile(r"\b127\.\d+\.\d+\.\d+\b")
_NOT_ASKED = {"bypass"}  # every client of a container has an address of a network that is trusted


class Containers:
    """A Runner. `subnet`: the backend's, which no other topology has."""

    listens = False

    def __init__(
        self, session: Session, certificates: Certificates, topology: Topology, subnet: str
    ) -> None:
        self.run_of = session.new_run()
        self._session = session
        self._certificates = certificates
        self._topology = topology
        self._subnet = ip_network(subnet)
        self._told = environment(
            session.catalogue,
            self.run_of,
            certificates,
            [session.catalogue.recommended(topology)],
            published=True,
            subnet=subnet,
        )
        self._project = self.run_of.folder / "project"
        self._number = 0
        self._runs: tuple[Deployment, Mapping[Path, bytes]] | None = None
        self._engine: DockerEngine | None = None
        self._endpoint: Endpoint | None = None

    @property
    def compose(self) -> Compose:
        """The project, as compose.yaml has it."""
        return Compose(self.run_of.name, self._session.catalogue.workspace.root, self._told)

    def build(self) -> None:
        """Build the application's image, which all topologies share."""
        told = self._session.progress.line
        try:
            service = app_service(self._topology)
            self.compose.run("build", service, progress=told, seconds=BUILD_SECONDS)
        except ComposeFailed as failed:
            tell_next_step(failed, ["PYTHON_IMAGE"])
            raise

    def can_run(self, deployment: Deployment) -> bool:
        """compose.yaml has one proxy in front of each application, which is not on loopback.

        And something has to fail that can be asked here, where no client is a stranger.
        """
        catalogue = self._session.catalogue
        variation = catalogue.variation(deployment)
        if variation and (variation.outer or any(map(_on_loopback, variation.changes))):
            return False
        cells = map(deployment.cell, Scheme)
        return any(predict(cell, catalogue).keys() - _NOT_ASKED for cell in cells)

    def run(self, deployment: Deployment, used: Catalogue, watch: Callable[[], None]) -> Endpoint:
        """The proxy's container stays if the proxy would do the same with these files."""
        self._endpoint = None
        runs = deployment, self._files_of_proxy(used)
        try:
            if self._engine and runs == self._runs:
                self._copy(used, APP)
                endpoint = self._restarted(self._engine, watch)
            else:
                self._runs = None
                endpoint = self._recreated(deployment, used, watch)
        except HoplabError as error:
            # In the names of the files from which these were copied: the lab knows whose they are.
            message = str(error)
            for name in (str(self._project), "/srv"):
                message = message.replace(f"{name}/", f"{used.workspace.root}/")
            raise HoplabError(message) from error
        self._runs, self._endpoint = runs, endpoint
        return endpoint

    def _recreated(
        self, deployment: Deployment, used: Catalogue, watch: Callable[[], None]
    ) -> Endpoint:
        proxy = used.proxies[self._topology.proxy]
        for name in (APP, proxy.folder.name):
            self._copy(used, name)
        shutil.copy(self._session.catalogue.workspace.root / COMPOSE, self._project)
        if variation := used.variation(deployment):
            own = replace(proxy, folder=self._project / proxy.folder.name)
            configuration.change(own, self._topology.mode, variation.changes)
        (self._project / CHANGES).write_text(json.dumps(self._changes(deployment, used)))
        told = {**self._told, "COMPOSE_FILE": f"{COMPOSE}:{CHANGES}"}
        here = replace(used, workspace=Workspace(self._project))
        self._engine = DockerEngine(
            here, [deployment], self.run_of, self._certificates, told=told, watch=watch
        )
        (endpoint,) = self._engine.bring_up()
        return endpoint

    def _restarted(self, engine: DockerEngine, watch: Callable[[], None]) -> Endpoint:
        """The application alone: it keeps its address, which a proxy may have looked up once.

        At once: in order, some servers would wait for the proxy's idle connections.
        """
        service = app_service(self._topology)
        docker("restart", "-t", "0", self.compose.containers()[service]["Id"])
        (endpoint,) = engine.found()
        deadline, look = time.monotonic() + START_SECONDS, time.monotonic() + _LOOK
        while not (endpoint.direct and answers(*endpoint.direct, self._session.catalogue.prefix)):
            watch()
            interrupts.check()
            if time.monotonic() > look:
                look = time.monotonic() + _LOOK
                if died := self._dead():
                    raise HoplabError(died)
            if time.monotonic() > deadline:
                raise HoplabError(f"{service} does not answer.")
            time.sleep(_PAUSE)
        return endpoint

    def _files_of_proxy(self, used: Catalogue) -> Mapping[Path, bytes]:
        """All that its container may read, by their names in the proxy's folder."""
        folder = used.proxies[self._topology.proxy].folder
        files = (file for file in folder.rglob("*") if file.name not in DESCRIPTIONS)
        return {file.relative_to(folder): file.read_bytes() for file in files if file.is_file()}

    def _copy(self, used: Catalogue, name: str) -> None:
        """Into the project, whose folders stay, since they are mounted."""
        target = self._project / name
        for old in target.iterdir() if target.exists() else ():
            if old.is_dir():
                shutil.rmtree(old)
            else:
                old.unlink()
        shutil.copytree(used.workspace.root / name, target, dirs_exist_ok=True)

    def died(self) -> str:
        """Docker is asked only if something does not answer any more: that takes a while."""
        if self._endpoint is None or _listen(self._endpoint):
            return ""
        return self._dead()

    def _dead(self) -> str:
        containers = self.compose.containers()
        for service in (app_service(self._topology), self._topology.name):
            if service not in containers:
                return f"{service} died: its container is gone."
            if not containers[service]["State"]["Running"]:
                log = self.compose.run("logs", "--no-color", "--tail", _LINES, service)
                return f"{service} died. The end of its log:\n{log}"
        return ""

    def hops(self, mark: str) -> list[Hop]:  # noqa: ARG002
        """None: nobody listens between containers."""
        return []

    def stop(self) -> None:
        """The project, with its networks."""
        self._endpoint = self._runs = None
        self.compose.down()

    def _changes(self, deployment: Deployment, used: Catalogue) -> Mapping[str, Any]:
        """In Compose's form. A dollar is doubled, or it would begin a variable."""
        server = used.servers[self._topology.server]
        command = used.server_command(deployment, f"0.0.0.0:{APP_PORT}", str(self._subnet))
        variables = {**used.server_environment(deployment, str(self._subnet)), **ENVIRONMENT}
        application = {
            "command": [word.replace("$", "$$") for word in [*command, *server.log_no_requests]],
            "environment": {name: value.replace("$", "$$") for name, value in variables.items()},
            "volumes": [
                {
                    "type": "bind",
                    "source": f"./{APP}",
                    "target": "/srv/app",
                    "read_only": True,
                }
            ],
            "networks": {"backend": {"ipv4_address": str(self._subnet[_ADDRESS])}},
            # A wrong one may answer 404 where the right one is healthy.
            "healthcheck": {"test": ["CMD", "python", "-IS", "-c", _LISTENS]},
        }
        self._number += 1
        made = {"labels": {"hoplab.made": str(self._number)}}  # its files may differ: make it again
        return {
            "services": {
                app_service(self._topology): {**application, **made},
                self._topology.name: made,
            }
        }


def _on_loopback(change: Change) -> bool:
    return bool(_LOOPBACK.search(change.wrong))


def _listen(endpoint: Endpoint) -> bool:
    """Whether the proxy and the application do."""
    proxy = [(LOOPBACK, port) for port in endpoint.ports.values()]
    try:
        for address in [*proxy, *filter(None, [endpoint.direct])]:
            socket.create_connection(address, _SECONDS).close()
    except OSError:
        return False
    return True
