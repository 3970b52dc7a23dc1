"""The topologies as compose.yaml has them, by the Docker CLI."""

import ipaddress
import json
import os
import secrets
import signal
import subprocess
import tempfile
import threading
import time
import zlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import IO, Any

from hoplab.catalogue import Catalogue
from hoplab.endpoint import Endpoint
from hoplab.engines.certificates import Certificates
from hoplab.engines.published import variable
from hoplab.engines.versions import container_versions
from hoplab.errors import HoplabError
from hoplab.system import interrupts, runs
from hoplab.system.lifeline import die_with_parent
from hoplab.topology import Deployment, Scheme, Topology

UP_SECONDS = 120
"""How long Compose waits until everything is healthy."""

BUILD_SECONDS = 1800
"""How long Compose has to pull, build and start: the first time, a slow network decides."""

STOP_SECONDS = 20
"""How long an interrupted Compose has to end."""

_POLL_SECONDS = 0.05

APP_PORT = 8000

OWN_SUBNET = "172.31.99.0/24"
"""The default of compose.yaml."""

WITHOUT_DOCKER = "Without Docker: add --engine process (make … ENGINE=process)."


def unavailable() -> str | None:
    """Why Docker can't be used here, in one sentence; None if it can."""
    try:
        for command in (
            ["docker", "info", "--format", "{{.ServerVersion}}"],
            ["docker", "compose", "version", "--short"],
        ):
            run = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
            if run.returncode:
                why = (run.stderr.strip() or run.stdout.strip() or "no answer").splitlines()[-1]
                return f"`{' '.join(command[:2])}` says: {why.rstrip('.')}"
    except FileNotFoundError:
        return "there is no `docker` command"
    except subprocess.TimeoutExpired:
        return "the Docker daemon does not answer"
    return None


@dataclass
class Compose:
    """`docker compose` for one project: the command line, its environment and its errors.

    root: the folder of compose.yaml.
    """

    project: str
    root: Path
    environment: Mapping[str, str] = field(default_factory=dict)

    def run(
        self, *arguments: str, progress: Callable[[str], None] = lambda _: None, seconds: float = 60
    ) -> str:
        """Run and give standard output, telling `progress` each line of standard error.

        Raises ComposeFailed with what it said; HoplabError if it takes longer.
        """
        command = ["docker", "compose", "--project-name", self.project, "--progress", "plain"]
        said: list[str] = []

        def tell(lines: IO[str]) -> None:
            for line in lines:
                said.append(line)
                progress(line.strip())

        with (
            tempfile.TemporaryFile("w+") as output,
            subprocess.Popen(
                [*command, *arguments],
                cwd=self.root,
                env={**os.environ, **self.environment},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.PIPE,
                text=True,
                start_new_session=True,  # Ctrl-C is for hoplab, which then takes the project down
                preexec_fn=partial(die_with_parent, os.getpid()),  # noqa: PLW1509 - one thread
            ) as process,
        ):
            teller = threading.Thread(target=tell, args=(process.stderr,), daemon=True)
            teller.start()
            try:
                _wait(process, seconds, f"docker compose {arguments[0]}")
            except BaseException:
                process.send_signal(signal.SIGINT)  # lets it finish what the daemon is doing
                try:
                    process.wait(STOP_SECONDS)
                except subprocess.TimeoutExpired:
                    process.kill()
                raise
            teller.join()
            if process.returncode:
                raise ComposeFailed(arguments[0], "".join(said))
            output.seek(0)
            return output.read()

    def follow(self, *services: str) -> None:
        """Print the logs of services as they grow, until a signal or until they are gone."""
        command = ["docker", "compose", "--project-name", self.project, "logs", "--follow"]
        with subprocess.Popen(
            [*command, *services],
            cwd=self.root,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
            preexec_fn=partial(die_with_parent, os.getpid()),  # noqa: PLW1509 - one thread
        ) as process:
            try:
                while process.poll() is None:
                    interrupts.check()
                    time.sleep(_POLL_SECONDS)
            except BaseException:
                process.terminate()
                raise

    def containers(self) -> dict[str, dict[str, Any]]:
        """What Docker knows of the project's containers, by service."""
        label = f"label=com.docker.compose.project={self.project}"
        ids = _docker("ps", "--all", "--quiet", "--filter", label).split()
        described = json.loads(_docker("inspect", *ids)) if ids else []
        return {c["Config"]["Labels"]["com.docker.compose.service"]: c for c in described}

    def folder(self) -> str | None:
        """The folder of the compose.yaml that it was started from; None if nothing is up."""
        for container in self.containers().values():
            return str(container["Config"]["Labels"]["com.docker.compose.project.working_dir"])
        return None

    def down(self) -> None:
        """Remove the project's containers and networks; nothing if there are none."""
        with interrupts.held():
            self.run("down", "--remove-orphans", "--volumes", "--timeout", "5", seconds=120)


class ComposeFailed(HoplabError):
    """Compose ended with an error; `errors` is all that it said."""

    def __init__(self, command: str, errors: str) -> None:
        lines = [line for line in errors.splitlines() if "rror" in line or "fail" in line]
        last = "\n".join(f"  {line.strip()}" for line in (lines or errors.splitlines())[-8:])
        super().__init__(f"`docker compose {command}` failed:\n{last}")
        self.errors = errors


class DockerEngine:
    """Deployments that compose.yaml has: topologies with their recipes.

    With `published`, on the ports of compose.yaml; else Docker chooses free ones.
    """

    name = "docker"

    def __init__(
        self,
        catalogue: Catalogue,
        deployments: Sequence[Deployment],
        run: runs.Run,
        certificates: Certificates,
        *,
        published: bool = False,
        progress: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._catalogue = catalogue
        self._topologies = [deployment.topology for deployment in deployments]
        self._run = run
        self._certificates = certificates
        self._published = published
        self._progress = progress
        self._compose = Compose(run.name, catalogue.workspace.root)

    def start(self) -> list[Endpoint]:
        """Build the application and bring everything up in one call of Compose."""
        told = environment(
            self._catalogue,
            self._run,
            self._certificates,
            self._topologies,
            published=self._published,
        )
        self._compose = Compose(self._run.name, self._catalogue.workspace.root, told)
        services = [topology.name for topology in self._topologies]
        up = ["up", "--build", "--wait", "--wait-timeout", str(UP_SECONDS), *services]
        try:
            try:
                self._compose.run(*up, progress=self._progress, seconds=BUILD_SECONDS)
            except ComposeFailed as failed:
                self._only_unhealthy(failed)
            return endpoints(
                self._catalogue,
                self._topologies,
                self._run,
                self._certificates,
                self._compose.containers(),
            )
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Take the project down and remove the run's folder."""
        self._compose.down()
        self._run.remove()

    def logs(self, deployment: Deployment) -> str:
        """The log of both services, and the proxy's configuration."""
        topology = deployment.topology
        services = [app_service(topology), topology.name]
        log = self._compose.run("logs", "--no-color", *services)
        files = self._catalogue.proxies[topology.proxy].sources(topology.mode)
        return "\n".join(
            [f"--- {' and '.join(services)}: log\n{log}"]
            + [f"--- {topology.name}: {file.name}\n{file.read_text()}" for file in files]
        )

    def log_files(self, deployment: Deployment) -> list[Path]:  # noqa: ARG002
        """None: Docker keeps the logs."""
        return []

    def versions(self) -> dict[str, str]:
        """The versions inside the containers, and Docker's own."""
        return container_versions(self._catalogue, self._topologies, self._compose.containers())

    def _only_unhealthy(self, failed: ComposeFailed) -> None:
        """A proxy that runs but can't reach its application is a finding; all else is an error."""
        names = {topology.proxy for topology in self._topologies}
        images = [
            "PYTHON_IMAGE",
            *(self._catalogue.proxies[n].image_variable for n in sorted(names)),
        ]
        if hint := _hint(failed.errors, images):
            raise HoplabError(f"{failed}\n{hint}") from failed
        containers = self._compose.containers()
        apps = {app_service(topology) for topology in self._topologies}
        for service, container in sorted(containers.items(), key=lambda item: item[0] not in apps):
            state = container["State"]
            healthy = state.get("Health", {}).get("Status") == "healthy"
            if state["Status"] == "exited" or (service in apps and not healthy):
                log = self._compose.run("logs", "--no-color", "--tail", "15", service)
                how = "ended instead of starting" if not state["Running"] else "does not answer"
                message = f"{service} {how}. The end of its log:\n{log}"
                raise HoplabError(message) from failed
        if not all(containers[t.name]["State"]["Running"] for t in self._topologies):
            raise failed


def environment(
    catalogue: Catalogue,
    run: runs.Run,
    certificates: Certificates,
    topologies: Iterable[Topology],
    *,
    published: bool,
) -> dict[str, str]:
    """What compose.yaml is told of a run. Without `published`, Docker chooses free ports."""
    root = catalogue.workspace.root
    ports = [variable(topology, scheme) for topology in topologies for scheme in Scheme]
    return {
        "NONCE": run.nonce,
        # A name of its own for each clone, so that none starts another's code.
        "APP_IMAGE": os.environ.get("APP_IMAGE")
        or f"hoplab-app:{zlib.crc32(str(root).encode()):08x}",
        "CERTIFICATES": str(certificates.folder),
        "BACKEND_SUBNET": os.environ.get("BACKEND_SUBNET") or free_subnet(own=published),
        "PUBLIC_PREFIX": catalogue.prefix.encoded,
        "PUBLIC_PREFIX_DECODED": catalogue.prefix.decoded,
        **({} if published else dict.fromkeys(ports, "0")),
    }


def endpoints(
    catalogue: Catalogue,
    topologies: Iterable[Topology],
    run: runs.Run,
    certificates: Certificates,
    containers: Mapping[str, Mapping[str, Any]],
) -> list[Endpoint]:
    """Where the topologies of a run answer, read from its containers as they are."""
    networks = {name: c["NetworkSettings"]["Networks"] for name, c in containers.items()}
    found = []
    for topology in topologies:
        published = containers[topology.name]["NetworkSettings"]["Ports"]
        container_ports = catalogue.proxies[topology.proxy].container_ports
        service = app_service(topology)
        endpoint = Endpoint(
            deployment=catalogue.recommended(topology),
            ports={
                scheme: int(published[f"{port}/tcp"][0]["HostPort"])
                for scheme, port in container_ports.items()
            },
            authority=certificates.authority,
            nonce=f"{run.nonce}.{service}",
            # Docker passes connections from loopback on with the network's gateway as their source.
            client=networks[topology.name][f"{run.name}_edge"]["Gateway"] or None,
            direct=(networks[service][f"{run.name}_backend"]["IPAddress"], APP_PORT),
        )
        found.append(endpoint)
    return found


def app_service(topology: Topology) -> str:
    """The compose service of a topology's application: `SERVER-strip`."""
    return f"{topology.server}-{topology.mode}"


def free_subnet(*, own: bool) -> str:
    """A subnet that no Docker network has: compose.yaml's if `own`, or else any.

    Any, and not the next one: another run may be choosing at this moment.
    """
    ids = _docker("network", "ls", "--quiet").split()
    networks = json.loads(_docker("network", "inspect", *ids)) if ids else []
    taken = [
        ipaddress.IPv4Network(config["Subnet"])
        for network in networks
        for config in network["IPAM"]["Config"] or []
        if "." in config.get("Subnet", "")
    ]
    candidates = ipaddress.IPv4Network("172.31.0.0/16").subnets(new_prefix=24)
    free = [str(c) for c in candidates if not any(c.overlaps(other) for other in taken)]
    if not free:
        message = "No free subnet in 172.31.0.0/16: set BACKEND_SUBNET, or `docker network prune`."
        raise HoplabError(message)
    return OWN_SUBNET if own and OWN_SUBNET in free else secrets.choice(free)


def _docker(*arguments: str) -> str:
    run = subprocess.run(
        ["docker", *arguments], capture_output=True, text=True, timeout=60, check=False
    )
    if run.returncode:
        message = f"`docker {arguments[0]}` failed: {run.stderr.strip()}"
        raise HoplabError(message)
    return run.stdout


def _wait(process: subprocess.Popen[str], seconds: float, what: str) -> None:
    deadline = time.monotonic() + seconds
    while process.poll() is None:
        interrupts.check()
        if time.monotonic() > deadline:
            message = f"`{what}` did not end in {seconds:.0f} s."
            raise HoplabError(message)
        time.sleep(0.01)


def _hint(errors: str, images: Iterable[str]) -> str | None:
    if "port is already allocated" in errors or "address already in use" in errors:
        return "Stop what has this port, or choose another: README, The eight topologies."
    if "Pool overlaps" in errors or "overlaps with" in errors:
        return "Set BACKEND_SUBNET to a free one, for example BACKEND_SUBNET=10.99.0.0/24."
    if "bind source path does not exist" in errors:
        return "Run `make certificates`."
    for sign in (
        "pull access denied",
        "failed to resolve",
        "no such host",
        "manifest unknown",
        "i/o timeout",
        "connection refused",
        "Client.Timeout",
        "not found",
    ):
        if sign in errors:
            return (
                f"An image could not be pulled. Set its variable ({', '.join(images)}) to one that"
                f" this machine has or can reach.\n{WITHOUT_DOCKER}"
            )
    return None
