"""What exists: the proxies, the servers, the variations, and the cells that they make."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from hoplab.catalogue import proxies, variations
from hoplab.catalogue.placeholders import filled
from hoplab.catalogue.proxies import Proxy, refusal
from hoplab.catalogue.servers import SERVERS
from hoplab.catalogue.servers.server import Server, Start
from hoplab.catalogue.variations import Variation
from hoplab.prefix import DEFAULT_PREFIX, Prefix
from hoplab.symptom import Advice
from hoplab.system.sockets import is_unix_socket
from hoplab.topology import (
    Cell,
    Deployment,
    Mode,
    Profile,
    Scheme,
    Setup,
    Strategy,
    Topology,
    Trust,
)
from hoplab.workspace import Workspace


@dataclass(frozen=True)
class Catalogue:
    """Everything that the lab can run, under one public prefix."""

    workspace: Workspace
    prefix: Prefix
    proxies: dict[str, Proxy]
    servers: dict[str, Server]
    variations: dict[str, Variation]

    @cached_property
    def topologies(self) -> list[Topology]:
        """Those of compose.yaml's main profiles, strip first."""
        return [t for t in self.all_topologies if self.profile(t) is Profile.MAIN]

    @cached_property
    def composed(self) -> list[Topology]:
        """All of compose.yaml."""
        return [t for t in self.all_topologies if self.profile(t) is not Profile.NONE]

    @cached_property
    def all_topologies(self) -> list[Topology]:
        """Every proxy × server × mode, strip first. Without a prefix, nothing can be stripped."""
        return [
            Topology(proxy, server, mode)
            for mode in (Mode if self.prefix.encoded else [Mode.PRESERVE])
            for proxy in self.proxies
            for server in self.servers
        ]

    @cached_property
    def product(self) -> list[Cell]:
        """Every combination, right and wrong. Without a prefix, there is none to be told of."""
        return [
            Cell(topology, strategy, trust, scheme, prefix=self.prefix)
            for topology in self.all_topologies
            for strategy in (Strategy if self.prefix.encoded else [Strategy.NONE])
            for trust in Trust
            for scheme in Scheme
        ]

    def varied(self, suite: str) -> list[Cell]:
        """The cells of the variations that are about this suite's questions.

        Without a prefix there are none: their lines are about one.
        """
        if not self.prefix.encoded:
            return []
        of = [variation for variation in self.variations.values() if variation.suite == suite]
        return [cell for variation in of for cell in variation.symptoms]

    def variation(self, deployment: Deployment | Cell) -> Variation | None:
        """The one that it has, if any."""
        return self.variations.get(deployment.variation)

    @cached_property
    def advice(self) -> dict[str, Mapping[str, Advice]]:
        """What each proxy and server has to do with symptoms, by its name."""
        owners: list[Proxy | Server] = [*self.proxies.values(), *self.servers.values()]
        prefix = self.prefix.encoded
        return {
            owner.name: {symptom: each.under(prefix) for symptom, each in owner.advice.items()}
            for owner in owners
        }

    def advice_for(self, cell: Cell, symptoms: Iterable[str]) -> dict[str, dict[str, Advice]]:
        """What the cell's own proxy and server have to do with these symptoms, by their names.

        One that is not known, as in an old results file, has none.
        """
        owners = (cell.topology.proxy, cell.topology.server)
        return {
            name: {o: self.advice[o][name] for o in owners if name in self.advice.get(o, {})}
            for name in symptoms
        }

    @property
    def right(self) -> dict[str, Mapping[str, Any]]:
        """What each variation's author wants, by its name."""
        return {name: each.right for name, each in self.variations.items()}

    def advice_on(self, symptom: str) -> dict[str, Advice]:
        """What there is on one symptom; the names of those that say the same are joined."""
        owners: dict[Advice, list[str]] = {}
        for owner, advice in self.advice.items():
            if symptom in advice:
                owners.setdefault(advice[symptom], []).append(owner)
        return {", ".join(names): advice for advice, names in owners.items()}

    def profile(self, topology: Topology) -> Profile:
        """Where compose.yaml has it."""
        profiles = {self.proxies[topology.proxy].profile, self.servers[topology.server].profile}
        return next(p for p in (Profile.NONE, Profile.MORE, Profile.MAIN) if p in profiles)

    def recipe(self, topology: Topology) -> Setup:
        """The strategy and trust with which this topology passes."""
        if not self.prefix.encoded:
            return Setup(Strategy.NONE, Trust.PROXY)
        return self.servers[topology.server].recipe(topology.mode)

    def recommended(self, topology: Topology) -> Deployment:
        """The topology with its recipe."""
        return Deployment(topology, self.recipe(topology), prefix=self.prefix)

    def is_recommended(self, cell: Cell) -> bool:
        """Whether it is its topology's recipe, unchanged."""
        return cell.deployment == self.recommended(cell.topology)

    def recommended_cells(self, topologies: Iterable[Topology]) -> list[Cell]:
        """Each topology with its recipe, over http and https."""
        return [
            Cell(topology, setup.strategy, setup.trust, scheme, prefix=self.prefix)
            for topology in topologies
            for setup in [self.recipe(topology)]
            for scheme in Scheme
        ]

    def server_command(self, deployment: Deployment, bind: str, proxies: str) -> list[str]:
        """The command line that starts a deployment's application."""
        server = self.servers[deployment.topology.server]
        start = self._start(deployment, bind, proxies)
        variation = self.variation(deployment)
        if variation and server.name in variation.commands:
            fields = {
                "host": start.host,
                "port": start.port,
                "proxies": proxies,
                "prefix": self.prefix.encoded,
                "prefix_decoded": self.prefix.decoded,
                "socket": start.host if is_unix_socket(start.host) else SOCKET,
            }
            where = f"variations/{variation.suite}/{variation.name}.toml"
            return [filled(arg, fields, where) for arg in variation.commands[server.name]]
        return server.command_line(start)

    def server_environment(self, deployment: Deployment, proxies: str) -> dict[str, str]:
        """The variables that the command line needs; of the prefix, only if it is another one."""
        start = self._start(deployment, ":", proxies)
        environment = self.servers[deployment.topology.server].environment_for(start)
        if self.prefix != DEFAULT_PREFIX:
            environment["PUBLIC_PREFIX"] = self.prefix.encoded
        if (variation := self.variation(deployment)) and variation.application:
            environment["APPLICATION"] = variation.application
        return environment

    def refusal(self, deployment: Deployment) -> str | None:
        """Why this deployment can't have the prefix; None if it can."""
        topology, strategy = deployment.topology, deployment.setup.strategy
        server = self.servers[topology.server]
        return (
            self.proxies[topology.proxy].refusal(self.prefix)
            or refusal(server.name, server.refuses, self.prefix)
            or refusal(f"the strategy {strategy}", _REFUSED_BY.get(strategy, {}), self.prefix)
        )

    def _start(self, deployment: Deployment, bind: str, proxies: str) -> Start:
        host, _, port = bind.rpartition(":")
        return Start(deployment.setup, host, port, proxies, self.prefix)


SOCKET = "/run/app.sock"
"""Where a person's Unix socket may be."""

_PARAMETER = {"%7B.*%7D": "Starlette takes {…} in a route's path for a parameter."}
_REFUSED_BY = {Strategy.MOUNT: _PARAMETER, Strategy.ROUTER: _PARAMETER}


def load(workspace: Workspace, prefix: Prefix = DEFAULT_PREFIX) -> Catalogue:
    """Read the proxies' folders and the variations.

    Raises HoplabError, naming the file, if one can't be understood.
    """
    found = proxies.load(workspace.root)
    return Catalogue(
        workspace,
        prefix,
        found,
        dict(SERVERS),
        variations.load(workspace.variations, found, prefix),
    )
