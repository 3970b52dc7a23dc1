"""What exists: the proxies (a folder with a proxy.toml each), the servers, their topologies."""

import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from hoplab.errors import HoplabError
from hoplab.servers import SERVERS, Server
from hoplab.topology import Cell, Mode, Recipe, Scheme, Topology

ROOT = Path(__file__).resolve().parents[2]
"""The project's folder: compose.yaml, app/ and the proxies' folders are in it."""


@dataclass(frozen=True)
class Proxy:
    """A proxy's proxy.toml; the placeholders are told there."""

    name: str
    folder: Path
    version: Sequence[str]
    image: str
    image_variable: str
    container_ports: dict[Scheme, int]
    command: Sequence[str]
    working_directory: str
    sockets: Sequence[str]
    template: str | None
    output: str | None


@dataclass(frozen=True)
class Catalogue:
    """Everything that the lab can run."""

    proxies: dict[str, Proxy]
    servers: dict[str, Server]

    @cached_property
    def topologies(self) -> list[Topology]:
        """Every proxy × server × mode, strip first."""
        return [
            Topology(proxy, server, mode)
            for mode in Mode
            for proxy in self.proxies
            for server in self.servers
        ]

    def recipe(self, topology: Topology) -> Recipe:
        """The strategy and trust with which this topology passes."""
        return self.servers[topology.server].recipes[topology.mode]

    def recommended_cells(self, topologies: Iterable[Topology]) -> list[Cell]:
        """Each topology with its recipe, over http and https."""
        return [
            Cell(topology, self.recipe(topology).strategy, self.recipe(topology).trust, scheme)
            for topology in topologies
            for scheme in Scheme
        ]


def load(root: Path = ROOT) -> Catalogue:
    """Read the proxies' folders below `root`.

    Raises HoplabError if there is none (the package was installed without the project around it),
    or if a proxy.toml lacks something.
    """
    files = sorted(root.glob("*/proxy.toml"), reverse=True)
    if not files:
        message = f"No proxy.toml below {root}: hoplab runs in a clone of its repository."
        raise HoplabError(message)
    return Catalogue({file.parent.name: _read(file) for file in files}, dict(SERVERS))


def _read(file: Path) -> Proxy:
    try:
        content = tomllib.loads(file.read_text())
        docker, process = content["docker"], content["process"]
        return Proxy(
            name=file.parent.name,
            folder=file.parent,
            version=content["version"],
            image=docker["image"],
            image_variable=docker["image_variable"],
            container_ports={scheme: docker["ports"][scheme] for scheme in Scheme},
            command=process["command"],
            working_directory=process["working_directory"],
            sockets=process.get("sockets", []),
            template=process.get("template"),
            output=process.get("output"),
        )
    except ValueError as error:
        raise HoplabError(f"{file} is not TOML: {error}") from error
    except KeyError as error:
        raise HoplabError(f"{file} lacks {str(error.args[0])!r}.") from error
    except TypeError as error:
        raise HoplabError(f"{file} has something else in the place of a table: {error}") from error
