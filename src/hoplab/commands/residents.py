"""What is up: what `up` has written down, and what a person started from compose.yaml."""

import json
import zlib
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from hoplab.catalogue import Catalogue
from hoplab.endpoint import Endpoint
from hoplab.engines import Engine, compose, docker
from hoplab.engines.compose import Compose
from hoplab.prefix import Prefix, parse
from hoplab.system import runs
from hoplab.system.ports import LOOPBACK
from hoplab.topology import Scheme, Topology
from hoplab.workspace import Workspace

PROJECT = "hoplab"
"""The name in compose.yaml."""

_FILE = "up.json"


@dataclass(frozen=True)
class Resident:
    """A topology that is up.

    logs: the files that its parts write, if they write files. parts: the names of what has to run
    for it; `dead` are those that do not. project: what Docker calls all of it.
    """

    topology: str
    engine: str
    prefix: str
    http: str
    https: str
    ca: str
    logs: Sequence[str]
    parts: Sequence[str]
    project: str
    dead: Sequence[str] = ()

    def told(self) -> dict[str, Any]:
        """What `ps` says of it."""
        state = f"not running: {', '.join(self.dead)}" if self.dead else "up"
        told = asdict(self)
        return {key: told[key] for key in _TOLD} | {"state": state}


_TOLD = ("topology", "engine", "prefix", "http", "https", "ca")


def write(run: runs.Run, engine: Engine, endpoints: Sequence[Endpoint], prefix: Prefix) -> None:
    """Write down what runs from now on."""
    entries = [
        Resident(
            topology=endpoint.topology.name,
            engine=engine.name,
            prefix=prefix.option,
            http=endpoint.base(Scheme.HTTP, endpoint.host),
            https=endpoint.base(Scheme.HTTPS, endpoint.host),
            ca=str(endpoint.authority),
            logs=[str(file) for file in engine.log_files(endpoint.deployment)],
            parts=engine.parts(endpoint.deployment),
            project=run.name,
        )
        for endpoint in endpoints
    ]
    (run.folder / _FILE).write_text(json.dumps([asdict(entry) for entry in entries]))


def residents(catalogue: Catalogue) -> list[Resident]:
    """What is up, in the order of the catalogue; of each, which parts do not run."""
    found = {entry.topology: entry for entry in _of_docker(catalogue)}
    for run in runs_of(catalogue.workspace):
        running = run.running()
        for entry in _written(run):
            if entry.engine != docker.DockerEngine.name and running:
                found[entry.topology] = _alive(entry, running)
    order = [topology.name for topology in catalogue.composed]
    return sorted(found.values(), key=lambda entry: order.index(entry.topology))


def runs_of(workspace: Workspace) -> list[runs.Run]:
    """What `up` has started: one run, or none."""
    return [runs.Run(folder) for folder in sorted(workspace.up.glob("*")) if folder.is_dir()]


def projects(workspace: Workspace) -> list[Compose]:
    """The Compose projects of this clone that have containers; none without Docker."""
    if compose.unavailable():
        return []
    possible = [Compose(name, workspace.root) for name in names(workspace)]
    return [project for project in possible if project.folder() == workspace.root]


def free_project(workspace: Workspace) -> str:
    """compose.yaml's own name, or if another clone has that in use, one of this clone."""
    usual, own = names(workspace)
    return own if Compose(usual, workspace.root).folder() else usual


def names(workspace: Workspace) -> tuple[str, str]:
    """What its Compose project may be called: as compose.yaml says, or with a name of its own."""
    return PROJECT, f"{PROJECT}-{zlib.crc32(str(workspace.root).encode()):08x}"


def _written(run: runs.Run) -> list[Resident]:
    try:
        return [Resident(**entry) for entry in json.loads((run.folder / _FILE).read_text())]
    except (OSError, ValueError, TypeError):  # it is being started, or is of another version
        return []


def _of_docker(catalogue: Catalogue) -> Iterator[Resident]:
    workspace = catalogue.workspace
    written = {entry.topology: entry for run in runs_of(workspace) for entry in _written(run)}
    for project in projects(workspace):
        containers = project.containers()
        running = {name for name, each in containers.items() if each["State"]["Running"]}
        for topology in catalogue.composed:
            if container := containers.get(topology.name):
                entry = written.get(topology.name) or _by_hand(
                    catalogue, topology, container, project
                )
                if entry:
                    yield _alive(entry, running)


def _by_hand(
    catalogue: Catalogue, topology: Topology, container: Mapping[str, Any], project: Compose
) -> Resident | None:
    """A topology of `docker compose up`, as its proxy's container describes it.

    None if the container is not as in compose.yaml, but has no port or prefix.
    """
    settings = dict(word.split("=", 1) for word in container["Config"]["Env"])
    published = container["HostConfig"]["PortBindings"] | container["NetworkSettings"]["Ports"]
    inside = catalogue.proxies[topology.proxy].container_ports
    mounts = {mount["Destination"]: mount["Source"] for mount in container["Mounts"]}
    try:
        prefix = parse(settings["PUBLIC_PREFIX"]).encoded
        ports = {scheme: published[f"{inside[scheme]}/tcp"][0]["HostPort"] for scheme in Scheme}
        authority = Path(mounts["/certificates"]) / "ca.pem"
    except (KeyError, TypeError, ValueError):
        return None
    return Resident(
        topology=topology.name,
        engine=docker.DockerEngine.name,
        prefix=prefix,
        http=f"http://{LOOPBACK}:{ports[Scheme.HTTP]}{prefix}",
        https=f"https://{LOOPBACK}:{ports[Scheme.HTTPS]}{prefix}",
        ca=str(authority),
        logs=[],
        parts=[docker.app_service(topology), topology.name],
        project=project.project,
    )


def _alive(entry: Resident, running: Collection[str]) -> Resident:
    dead = [part for part in entry.parts if part not in running]
    return Resident(**{**asdict(entry), "dead": dead})
