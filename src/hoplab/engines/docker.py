"""The topologies as compose.yaml has them, by the Docker CLI."""

import ipaddress
import os
import secrets
import zlib
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

from hoplab.catalogue import Catalogue
from hoplab.endpoint import Endpoint
from hoplab.engines import hints
from hoplab.engines.certificates import Certificates
from hoplab.engines.compose import Compose, ComposeFailed, inspected
from hoplab.engines.published import variable
from hoplab.engines.started import require_no_complaint
from hoplab.engines.versions import container_versions
from hoplab.errors import HoplabError
from hoplab.system import runs
from hoplab.topology import Deployment, Scheme, Topology

UP_SECONDS = 120
"""How long Compose waits until everything is healthy."""

BUILD_SECONDS = 1800
"""How long Compose has to pull, build and start: the first time, a slow network decides."""

APP_PORT = 8000

_GRACE_SECONDS = 1
"""How long a container that is replaced has to end by itself."""

_ADDRESSES = 32
"""Every proxy and application of compose.yaml has one on the backend's network, and its gateway."""

_REFUSALS = 3

_ANSWERED_WITH_ERROR = {8, 22}
"""How wget and curl end then. Other programs of health checks quote the status line."""

Container: TypeAlias = Mapping[str, Any]
"""What `docker inspect` says of one."""

SUBNETS = "172.31.0.0/16"
OWN_SUBNET = "172.31.99.0/24"
"""The default of compose.yaml."""


class DockerEngine:
    """Deployments that compose.yaml has: topologies with their recipes, and with one application.

    With `published`, on the ports of compose.yaml; else Docker chooses free ones. `told`: what
    compose.yaml is told in place of what `environment` makes; the application is built already.
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
        told: Mapping[str, str] | None = None,
        progress: Callable[[str], None] = lambda _: None,
        watch: Callable[[], None] = lambda: None,
    ) -> None:
        self._catalogue = catalogue
        self._deployments = deployments
        self._topologies = [deployment.topology for deployment in deployments]
        self._run = run
        self._certificates = certificates
        self._published = published
        self._told = told
        self._progress = progress
        self._watch = watch
        self._replaced: set[str] = set()
        self._compose = Compose(run.name, catalogue.workspace.root)

    def start(self) -> list[Endpoint]:
        """Build the application and bring everything up in one call of Compose."""
        try:
            return self.bring_up()
        except BaseException:
            self.stop()
            raise

    def bring_up(self) -> list[Endpoint]:
        """The same; what is up already, as it has to be, stays. On failure, a part may be up."""
        told = self._told or environment(
            self._catalogue,
            self._run,
            self._certificates,
            self._deployments,
            published=self._published,
        )
        self._compose = Compose(self._run.name, self._catalogue.workspace.root, told)
        self._replaced = {each["Id"] for each in self._compose.containers().values()}
        build = ["--no-build"] if self._told else ["--build"]
        services = [topology.name for topology in self._topologies]
        try:
            self._compose.run(
                *("up", *build, "--timeout", str(_GRACE_SECONDS)),
                *("--wait", "--wait-timeout", str(UP_SECONDS), *services),
                progress=self._progress,
                seconds=BUILD_SECONDS,
                hopeless=self._hopeless,
            )
        except ComposeFailed as failed:
            self._only_unhealthy(failed)
        self._require_no_complaint()
        return endpoints(
            self._catalogue,
            self._deployments,
            self._run,
            self._certificates,
            self._compose.containers(),
        )

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

    def parts(self, deployment: Deployment) -> list[str]:
        """Both services."""
        return [app_service(deployment.topology), deployment.topology.name]

    def versions(self) -> dict[str, str]:
        """The versions inside the containers, and Docker's own."""
        return container_versions(self._catalogue, self._topologies, self._compose.containers())

    def _require_no_complaint(self) -> None:
        for topology in self._topologies:
            proxy = self._catalogue.proxies[topology.proxy]
            if proxy.complaint:
                words = ("logs", "--no-color", "--no-log-prefix", topology.name)
                require_no_complaint(topology.name, proxy, self._compose.run(*words))

    def _hopeless(self) -> bool:
        """Whether waiting longer changes nothing: for an application, or for all proxies."""
        self._watch()
        every = self._compose.containers().items()
        # One that is just being replaced has ended, and means nothing.
        containers = {name: each for name, each in every if each.get("Id") not in self._replaced}
        apps = {app_service(topology) for topology in self._topologies} & set(containers)
        if any(_ended(containers[app]) or _refused(containers[app]) for app in apps):
            return True
        proxies = [containers.get(topology.name) for topology in self._topologies]
        return any(map(_refused, proxies)) and all(
            _healthy(proxy) or _refused(proxy) for proxy in proxies
        )

    def _only_unhealthy(self, failed: ComposeFailed) -> None:
        """A proxy that runs but can't reach its application is a finding; all else is an error."""
        names = {topology.proxy for topology in self._topologies}
        images = [
            "PYTHON_IMAGE",
            *(self._catalogue.proxies[n].image_variable for n in sorted(names)),
        ]
        tell_next_step(failed, images)
        containers = self._compose.containers()
        apps = {app_service(topology) for topology in self._topologies}
        if ill := first_that_failed(containers, apps):
            service, how = ill
            log = self._compose.run("logs", "--no-color", "--tail", "15", service)
            message = f"{service} {how}. The end of its log:\n{log}"
            raise HoplabError(message) from failed
        proxies = [containers.get(topology.name) for topology in self._topologies]
        if not all(proxy and proxy["State"]["Running"] for proxy in proxies):
            raise failed


def tell_next_step(failed: ComposeFailed, images: Iterable[str]) -> None:
    """Raise HoplabError with what a person can do, if the error tells that.

    images: the variables of those that were needed.
    """
    if hint := hints.next_step(failed.errors, images):
        raise HoplabError(f"{failed}\n{hint}") from failed


def first_that_failed(
    containers: Mapping[str, Container], apps: Collection[str]
) -> tuple[str, str] | None:
    """The service to blame, and what it does; None if all that matters is well.

    A proxy may fail for want of its application. An application that has ended says why in its log;
    one that does not answer yet may only be slow.
    """

    def ask_first(item: tuple[str, Container]) -> tuple[bool, bool]:
        return item[0] not in apps, not _ended(item[1])

    for service, container in sorted(containers.items(), key=ask_first):
        if _ended(container):
            return service, "ended instead of starting"
        if service in apps and not _healthy(container):
            # Not the last alone: a busy machine may have let that one time out.
            said = [each["Output"].strip() for each in _probes(container) if _is_refusal(each)]
            how = f"does not pass its health check: {said[-1]}" if said else "does not answer"
            return service, how
    return None


def _ended(container: Container | None) -> bool:
    return container is not None and container["State"]["Status"] == "exited"


def _healthy(container: Container | None) -> bool:
    return container is not None and _health(container).get("Status") == "healthy"


def _refused(container: Container | None) -> bool:
    """Whether it answers its health check, but again and again with an error.

    Docker itself waits until the check's start period is over.
    """
    if container is None or _healthy(container):
        return False
    last = _probes(container)[-_REFUSALS:]
    return len(last) == _REFUSALS and all(map(_is_refusal, last))


def _is_refusal(probe: Mapping[str, Any]) -> bool:
    """Whether the health check was answered, with an error."""
    return probe["ExitCode"] in _ANSWERED_WITH_ERROR or "HTTP/" in probe["Output"]


def _probes(container: Container) -> list[dict[str, Any]]:
    return _health(container).get("Log") or []


def _health(container: Container) -> dict[str, Any]:
    return container["State"].get("Health") or {}


def environment(
    catalogue: Catalogue,
    run: runs.Run,
    certificates: Certificates,
    deployments: Iterable[Deployment],
    *,
    published: bool,
    subnet: str | None = None,
) -> dict[str, str]:
    """What compose.yaml is told of a run. Without `published`, Docker chooses free ports.

    All applications are the same: that of the deployments' variation, if they have one. subnet: the
    backend's; without one, BACKEND_SUBNET or one that is free.
    """
    root = catalogue.workspace.root
    require_settings(root)
    ports, application = [], ""
    for deployment in deployments:
        ports += [variable(deployment.topology, scheme) for scheme in Scheme]
        if variation := catalogue.variation(deployment):
            application = variation.application
    return {
        "NONCE": run.nonce,
        # A name of its own for each clone, so that none starts another's code.
        "APP_IMAGE": os.environ.get("APP_IMAGE")
        or f"hoplab-app:{zlib.crc32(str(root).encode()):08x}",
        "CERTIFICATES": str(certificates.folder),
        "BACKEND_SUBNET": subnet or given_subnet() or free_subnet(own=published),
        "PUBLIC_PREFIX": catalogue.prefix.encoded,
        "PUBLIC_PREFIX_DECODED": catalogue.prefix.decoded,
        "APPLICATION": application,
        **({} if published else dict.fromkeys(ports, "0")),
    }


def endpoints(
    catalogue: Catalogue,
    deployments: Iterable[Deployment],
    run: runs.Run,
    certificates: Certificates,
    containers: Mapping[str, Mapping[str, Any]],
) -> list[Endpoint]:
    """Where the deployments of a run answer, read from its containers as they are."""
    networks = {name: c["NetworkSettings"]["Networks"] for name, c in containers.items()}
    found = []
    for deployment in deployments:
        topology = deployment.topology
        published = containers[topology.name]["NetworkSettings"]["Ports"]
        container_ports = catalogue.proxies[topology.proxy].container_ports
        service = app_service(topology)
        endpoint = Endpoint(
            deployment=deployment,
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


def require_settings(root: Path) -> None:
    """Raise HoplabError if a variable that compose.yaml reads can't be right."""
    given_subnet()
    if (file := os.environ.get("PIP_CERT")) and not (root / file).is_file():
        message = f"PIP_CERT={file}: there is no such file."
        raise HoplabError(message)


def given_subnet() -> str | None:
    """What BACKEND_SUBNET says. Raises HoplabError if that is no network, or too small."""
    given = os.environ.get("BACKEND_SUBNET")
    if not given:
        return None
    try:
        network = ipaddress.ip_network(given)
        wrong = None if network.num_addresses >= _ADDRESSES else "it has too few addresses"
    except ValueError as error:
        wrong = str(error)
    if wrong:
        message = f"BACKEND_SUBNET={given}: {wrong}. Expected a network such as 10.99.0.0/24."
        raise HoplabError(message)
    return given


def free_subnet(*, own: bool) -> str:
    """A subnet that no Docker network has: compose.yaml's if `own`, or else any.

    Any, and not the next one: another run may be choosing at this moment.
    """
    free = free_subnets()
    if not free:
        message = f"No free subnet in {SUBNETS}: set BACKEND_SUBNET, or `docker network prune`."
        raise HoplabError(message)
    return OWN_SUBNET if own and OWN_SUBNET in free else secrets.choice(free)


def free_subnets() -> list[str]:
    """Those of SUBNETS that no Docker network has."""
    networks = inspected(["network", "ls", "--quiet"], ["network", "inspect"])
    taken = [
        ipaddress.IPv4Network(config["Subnet"])
        for network in networks
        for config in network["IPAM"]["Config"] or []
        if "." in config.get("Subnet", "")
    ]
    candidates = ipaddress.IPv4Network(SUBNETS).subnets(new_prefix=24)
    return [str(c) for c in candidates if not any(c.overlaps(other) for other in taken)]
