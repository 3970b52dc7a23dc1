"""One topology of the demo in containers: a Compose project of its own, recreated with each change.

compose.yaml says how, and a file beside it what this deployment has instead: the application's
command and its files, which are mounted, so that an edit needs no build.
"""

import json
import re
import shutil
import socket
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from functools import partial
from ipaddress import ip_network
from pathlib import Path
from typing import Any, TypeAlias

from hoplab.catalogue import Catalogue
from hoplab.catalogue.variations import Change
from hoplab.client.trace import Hop
from hoplab.commands.live.files import APP, DESCRIPTIONS
from hoplab.commands.live.runner import ENVIRONMENT
from hoplab.commands.session import Session
from hoplab.endpoint import PUBLIC_NAME, Endpoint
from hoplab.engines import configuration
from hoplab.engines.certificates import Certificates
from hoplab.engines.compose import Compose, ComposeFailed, docker
from hoplab.engines.docker import (
    APP_PORT,
    BUILD_SECONDS,
    UP_SECONDS,
    DockerEngine,
    app_service,
    environment,
    tell_next_step,
)
from hoplab.engines.process import ROUTE_SECONDS
from hoplab.engines.started import answers, instance, require_no_complaint
from hoplab.errors import HoplabError
from hoplab.predictions import predict
from hoplab.prefix import Prefix
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
_COMPILED = "__pycache__"
_NOT_ASKED = {"bypass"}  # every client of a container has an address of a network that is trusted

_Files: TypeAlias = Mapping[Path, bytes]


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
        self._runs: tuple[Deployment, tuple[_Files, _Files]] | None = None
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
        """Only what has other files than before starts again, if the deployment is the same."""
        was, self._endpoint = self._endpoint, None
        app, proxy = app_service(self._topology), self._topology.name
        files = self._files_of_app(used), self._files_of_proxy(used)
        before, self._runs = self._runs, None
        try:
            if was and before and before[0] == deployment:
                concerned = {proxy} if files[1] != before[1][1] else set()
                if files[0] != before[1][0] or not concerned:
                    concerned.add(app)
                endpoint = self._restarted(was, concerned, deployment, used, watch)
            else:
                endpoint = self._recreated(deployment, used, watch)
        except HoplabError as error:
            # In the names of the files from which these were copied: the lab knows whose they are.
            message = str(error)
            for name in (str(self._project), "/srv"):
                message = message.replace(f"{name}/", f"{used.workspace.root}/")
            raise HoplabError(message) from error
        self._runs, self._endpoint = (deployment, files), endpoint
        return endpoint

    def _recreated(
        self, deployment: Deployment, used: Catalogue, watch: Callable[[], None]
    ) -> Endpoint:
        self._copy(used, APP)
        self._write_proxy(deployment, used)
        shutil.copy(self._session.catalogue.workspace.root / COMPOSE, self._project)
        (self._project / CHANGES).write_text(json.dumps(self._changes(deployment, used)))
        told = {**self._told, "COMPOSE_FILE": f"{COMPOSE}:{CHANGES}"}
        here = replace(used, workspace=Workspace(self._project))
        engine = DockerEngine(
            here, [deployment], self.run_of, self._certificates, told=told, watch=watch
        )
        (endpoint,) = engine.bring_up()
        return endpoint

    def _restarted(
        self,
        endpoint: Endpoint,
        services: Collection[str],
        deployment: Deployment,
        used: Catalogue,
        watch: Callable[[], None],
    ) -> Endpoint:
        """The same containers, which read their files again when they start, at the same addresses.

        A proxy may have looked up the application's once. They end at once: in order, some servers
        would wait for the proxy's idle connections.
        """
        proxy = used.proxies[self._topology.proxy]
        if app_service(self._topology) in services:
            self._copy(used, APP)
        if self._topology.name in services:
            self._write_proxy(deployment, used)
        containers = self.compose.containers()
        if not all(
            name in containers and containers[name]["State"]["Running"]
            for name in (app_service(self._topology), self._topology.name)
        ):  # one was killed or removed by hand
            return self._recreated(deployment, used, watch)
        docker("restart", "-t", "0", *(containers[service]["Id"] for service in services))
        self._wait(lambda: _answer(endpoint, used.prefix), UP_SECONDS, watch)
        if self._topology.name in services:
            reaches = partial(_reaches, endpoint, used.prefix)
            self._wait(reaches, ROUTE_SECONDS, watch, required=False)
            if proxy.complaint:
                require_no_complaint(self._topology.name, proxy, self._log(self._topology.name))
        return endpoint

    def _wait(
        self,
        condition: Callable[[], bool],
        seconds: float,
        watch: Callable[[], None],
        *,
        required: bool = True,
    ) -> None:
        """Until it holds. Raises HoplabError if a container ends, or if it is required in time."""
        deadline, look = time.monotonic() + seconds, time.monotonic() + _LOOK
        while not condition():
            watch()
            interrupts.check()
            if time.monotonic() > look:
                look = time.monotonic() + _LOOK
                if died := self._dead():
                    raise HoplabError(died)
            if time.monotonic() > deadline:
                if not required:
                    return
                raise HoplabError(f"{self._topology.name} does not answer.")
            time.sleep(_PAUSE)

    def _write_proxy(self, deployment: Deployment, used: Catalogue) -> None:
        """The proxy's files into the project, with what the deployment's variation changes."""
        proxy = used.proxies[self._topology.proxy]
        self._copy(used, proxy.folder.name)
        if variation := used.variation(deployment):
            own = replace(proxy, folder=self._project / proxy.folder.name)
            configuration.change(own, self._topology.mode, variation.changes)

    def _files_of_proxy(self, used: Catalogue) -> _Files:
        """All that its container may read, by their names in the proxy's folder."""
        return _content(used.proxies[self._topology.proxy].folder, DESCRIPTIONS)

    def _files_of_app(self, used: Catalogue) -> _Files:
        return _content(used.workspace.root / APP)

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
        """Docker is asked only if something does not answer any more: that takes a while.

        The containers stay: a person may start the one that has ended.
        """
        if self._endpoint is None or _listen(self._endpoint):
            return ""
        return self._dead()

    def returned(self) -> Endpoint | None:
        """Where it was: a container that is started again keeps its address."""
        endpoint = self._endpoint
        if endpoint is None or not _listen(endpoint) or self._dead():
            return None
        return endpoint if _answer(endpoint, self._session.catalogue.prefix) else None

    def _dead(self) -> str:
        containers = self.compose.containers()
        for service in (app_service(self._topology), self._topology.name):
            if service not in containers:
                return f"{service} died: its container is gone."
            if not containers[service]["State"]["Running"]:
                log = self._log(service, "--tail", _LINES)
                return f"{service} died. The end of its log:\n{log}"
        return ""

    def _log(self, service: str, *options: str) -> str:
        """What it wrote since its last start."""
        began = self.compose.containers()[service]["State"]["StartedAt"]
        return self.compose.run(
            "logs", "--no-color", "--no-log-prefix", "--since", began, *options, service
        )

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


def _content(folder: Path, without: Collection[str] = ()) -> _Files:
    files = (
        file
        for file in folder.rglob("*")
        if file.name not in without and file.parent.name != _COMPILED
    )
    return {file.relative_to(folder): file.read_bytes() for file in files if file.is_file()}


def _answer(endpoint: Endpoint, prefix: Prefix) -> bool:
    """Whether the application and the proxy do, whatever they say."""
    proxy = (LOOPBACK, endpoint.ports[Scheme.HTTP])
    return all(answers(*each, prefix) for each in filter(None, [endpoint.direct, proxy]))


def _reaches(endpoint: Endpoint, prefix: Prefix) -> bool:
    """Whether the proxy reaches its application: some answer before they have read all files."""
    port = endpoint.ports[Scheme.HTTP]
    return instance(LOOPBACK, port, prefix, Scheme.HTTP, PUBLIC_NAME) == endpoint.nonce


def _listen(endpoint: Endpoint) -> bool:
    """Whether the proxy and the application do."""
    proxy = [(LOOPBACK, port) for port in endpoint.ports.values()]
    try:
        for address in [*proxy, *filter(None, [endpoint.direct])]:
            socket.create_connection(address, _SECONDS).close()
    except OSError:
        return False
    return True
