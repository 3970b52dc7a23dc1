"""What exists: the proxies (a folder with a proxy.toml each), the servers, their cells."""

import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from hoplab.catalogue import variations
from hoplab.catalogue.servers import SERVERS, Server
from hoplab.catalogue.variations import Variation
from hoplab.errors import HoplabError
from hoplab.topology import Cell, Deployment, Mode, Recipe, Scheme, Strategy, Topology, Trust

ROOT = Path(__file__).resolve().parents[3]
"""The project's folder: compose.yaml, app/ and the proxies' folders are in it."""


@dataclass(frozen=True)
class ConfigurationFile:
    """How one file of a proxy becomes that of a process which serves many deployments.

    repeat: the beginnings of the first line that stands once for each deployment, and of the first
    that does not; nothing if the whole file does. `replace` and `replace_if_present` hold for what
    is repeated, `replace_once` for the rest.
    """

    source: str
    output: str
    repeat: Sequence[str]
    replace: Mapping[str, str]
    replace_if_present: Mapping[str, str]
    replace_once: Mapping[str, str]


@dataclass(frozen=True)
class Proxy:
    """A proxy's proxy.toml; the placeholders are told there."""

    name: str
    folder: Path
    version: Sequence[str]
    minimum: str
    image: str
    image_variable: str
    container_ports: dict[Scheme, int]
    command: Sequence[str]
    files: Sequence[ConfigurationFile]

    def sources(self, mode: Mode) -> list[Path]:
        """The files from which a deployment's configuration is made."""
        return [Path(file.source.format(folder=self.folder, mode=mode)) for file in self.files]


@dataclass(frozen=True)
class Catalogue:
    """Everything that the lab can run."""

    proxies: dict[str, Proxy]
    servers: dict[str, Server]
    variations: dict[str, Variation]
    cors: dict[str, Variation]
    """Those that run an application of app/cors/, or change who answers for its policy."""

    @cached_property
    def every_variation(self) -> dict[str, Variation]:
        """By name, whatever is asked of them."""
        return {**self.variations, **self.cors}

    @cached_property
    def topologies(self) -> list[Topology]:
        """Those of compose.yaml, strip first."""
        return [t for t in self.all_topologies if self.servers[t.server].in_compose]

    @cached_property
    def all_topologies(self) -> list[Topology]:
        """Every proxy × server × mode, strip first."""
        return [
            Topology(proxy, server, mode)
            for mode in Mode
            for proxy in self.proxies
            for server in self.servers
        ]

    @cached_property
    def cells(self) -> list[Cell]:
        """The full product, and the cells of the variations."""
        product = [
            Cell(topology, strategy, trust, scheme)
            for topology in self.all_topologies
            for strategy in Strategy
            for trust in Trust
            for scheme in Scheme
        ]
        return product + [cell for v in self.variations.values() for cell in v.symptoms]

    @cached_property
    def cors_cells(self) -> list[Cell]:
        """The cells of `cors`, which are asked other questions."""
        return [cell for v in self.cors.values() for cell in v.symptoms]

    @property
    def every_cell(self) -> list[Cell]:
        """Whatever is asked of them."""
        return self.cells + self.cors_cells

    def recipe(self, topology: Topology) -> Recipe:
        """The strategy and trust with which this topology passes."""
        return self.servers[topology.server].recipes[topology.mode]

    def recommended(self, topology: Topology) -> Deployment:
        """The topology with its recipe."""
        return Deployment(topology, self.recipe(topology))

    def is_recommended(self, cell: Cell) -> bool:
        """Whether it is its topology's recipe, unchanged."""
        return cell.deployment == self.recommended(cell.topology)

    def recommended_cells(self, topologies: Iterable[Topology]) -> list[Cell]:
        """Each topology with its recipe, over http and https."""
        return [
            Cell(topology, recipe.strategy, recipe.trust, scheme)
            for topology in topologies
            for recipe in [self.recipe(topology)]
            for scheme in Scheme
        ]

    def server_command(self, deployment: Deployment, bind: str, proxies: str) -> list[str]:
        """The command line that starts a deployment's application."""
        server = deployment.topology.server
        variation = self.every_variation.get(deployment.variation)
        if variation and server in variation.commands:
            host, _, port = bind.rpartition(":")
            fields = {"host": host, "port": port, "proxies": proxies}
            return [argument.format(**fields) for argument in variation.commands[server]]
        command = self.servers[server].command(deployment.recipe, bind, proxies)
        instead = variation.application if variation else {}
        return [instead.get(argument, argument) for argument in command]


def load(root: Path = ROOT) -> Catalogue:
    """Read the proxies' folders below `root`.

    Raises HoplabError if there is none (the package was installed without the project around it),
    or if a proxy.toml lacks something.
    """
    files = sorted(root.glob("*/proxy.toml"), reverse=True)
    if not files:
        message = f"No proxy.toml below {root}: hoplab runs in a clone of its repository."
        raise HoplabError(message)
    proxies = {file.parent.name: _read(file) for file in files}
    return Catalogue(
        proxies,
        dict(SERVERS),
        variations.load(root / "variations", proxies),
        variations.load(root / "variations/cors", proxies),
    )


def _read(file: Path) -> Proxy:
    try:
        content = tomllib.loads(file.read_text())
        docker, process = content["docker"], content["process"]
        return Proxy(
            name=file.parent.name,
            folder=file.parent,
            version=content["version"],
            minimum=content["minimum"],
            image=docker["image"],
            image_variable=docker["image_variable"],
            container_ports={scheme: docker["ports"][scheme] for scheme in Scheme},
            command=process["command"],
            files=[
                ConfigurationFile(
                    source=entry["source"],
                    output=entry["output"],
                    repeat=entry.get("repeat", []),
                    replace=entry["replace"],
                    replace_if_present=entry.get("replace_if_present", {}),
                    replace_once=entry.get("replace_once", {}),
                )
                for entry in process["files"]
            ],
        )
    except ValueError as error:
        raise HoplabError(f"{file} is not TOML: {error}") from error
    except KeyError as error:
        raise HoplabError(f"{file} lacks {str(error.args[0])!r}.") from error
    except TypeError as error:
        raise HoplabError(f"{file} has something else in the place of a table: {error}") from error
