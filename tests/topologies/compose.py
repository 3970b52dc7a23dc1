"""compose.yaml as it is, started and stopped by testcontainers."""

import signal
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager, suppress
from pathlib import Path
from subprocess import CalledProcessError

import psutil
import pytest

from hoplab.catalogue import Catalogue
from hoplab.endpoint import Endpoint
from hoplab.engines import compose, docker
from hoplab.engines.certificates import Certificates
from hoplab.engines.versions import container_versions
from hoplab.errors import HoplabError
from hoplab.system import interrupts, runs
from hoplab.topology import Deployment, Mode, Profile

PROFILES = [*Mode, Profile.MORE]


class ComposeEngine:
    """An engine as hoplab's own two are. The run's name is the Compose project's."""

    name = "docker"

    def __init__(
        self,
        catalogue: Catalogue,
        deployments: Sequence[Deployment],
        run: runs.Run,
        certificates: Certificates,
    ) -> None:
        # Here, because each of pytest's processes imports this module, and most start nothing.
        from testcontainers.compose import DockerCompose  # noqa: PLC0415

        self._catalogue = catalogue
        self._deployments = deployments
        self._topologies = [deployment.topology for deployment in deployments]
        self._run = run
        self._certificates = certificates
        # By profile, not by service: `down` with services leaves what these depend on.
        self._root = catalogue.workspace.root
        self._compose = DockerCompose(self._root, "compose.yaml", build=True, profiles=PROFILES)
        # In the environment, not in an env file: whatever the environment says has precedence.
        self._environment = {"COMPOSE_PROJECT_NAME": run.name, "COMPOSE_PROFILES": ""}

    def start(self) -> list[Endpoint]:
        """Bring everything up. What a failed start wrote is in the error."""
        # A profile has topologies that nobody asks: no published port of theirs, either.
        every = map(self._catalogue.recommended, self._catalogue.composed)
        self._environment |= docker.environment(
            self._catalogue, self._run, self._certificates, every, published=False
        )
        with self._told():
            try:
                self._up()
            except CalledProcessError as failed:
                said = failed.stderr.decode(errors="replace")
                logs, _ = self._compose.get_logs()
                message = f"{compose.ComposeFailed('up', said)}\n--- logs\n{logs}"
                raise HoplabError(message) from None
        containers = compose.Compose(self._run.name, self._root).containers()
        return docker.endpoints(
            self._catalogue, self._deployments, self._run, self._certificates, containers
        )

    def stop(self) -> None:
        """Remove containers, networks and the run's folder."""
        try:
            with self._told():
                self._compose.stop()
        except CalledProcessError:  # Ctrl-C at a terminal reaches testcontainers' Compose, not this
            compose.Compose(self._run.name, self._root).down()
        finally:
            self._run.remove()

    def logs(self, deployment: Deployment) -> str:
        """The log of both services, and the proxy's configuration."""
        topology = deployment.topology
        files = self._catalogue.proxies[topology.proxy].sources(topology.mode)
        with self._told():
            logs = {
                f"{service}: log": self._compose.get_logs(service)[0]
                for service in (docker.app_service(topology), topology.name)
            }
        parts = logs | {f"{topology.name}: {file.name}": file.read_text() for file in files}
        return "\n".join(f"--- {title}\n{text}" for title, text in parts.items())

    def log_files(self, deployment: Deployment) -> list[Path]:  # noqa: ARG002
        """None: Docker keeps the logs."""
        return []

    def parts(self, deployment: Deployment) -> list[str]:
        """Both services."""
        return [docker.app_service(deployment.topology), deployment.topology.name]

    def versions(self) -> dict[str, str]:
        """The versions inside the containers."""
        containers = compose.Compose(self._run.name, self._root).containers()
        return container_versions(self._catalogue, self._topologies, containers)

    def _up(self) -> None:
        """`up`, in a thread: it can be interrupted here, and ends in order there.

        subprocess.run, which testcontainers uses, kills what it runs when an exception passes; and
        what is left of a killed `up` goes on creating things for which `down` has looked already.
        """
        with ThreadPoolExecutor(1) as pool:
            starting = pool.submit(self._compose.start)
            try:
                while wait([starting], timeout=0.1).not_done:
                    interrupts.check()
            except interrupts.Interrupted:
                if wait([starting], timeout=1).not_done:  # Ctrl-C at a terminal is for all
                    _interrupt_compose()
                raise
            starting.result()

    @contextmanager
    def _told(self) -> Iterator[None]:
        with pytest.MonkeyPatch.context() as patch:
            for name, value in self._environment.items():
                patch.setenv(name, value)
            yield


def _interrupt_compose() -> None:
    for child in psutil.Process().children(recursive=True):
        with suppress(psutil.NoSuchProcess):
            if "compose" in child.cmdline():
                child.send_signal(signal.SIGINT)
