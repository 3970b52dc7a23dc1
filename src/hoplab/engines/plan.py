"""Which processes some deployments need, and which ports.

An application's process is shared by the deployments for which its command line is the same; a
proxy's serves all of its deployments. So their number grows with servers × strategies × trusts, and
not with the cells.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

from hoplab.catalogue import Catalogue
from hoplab.catalogue.servers.server import Server
from hoplab.engines.configuration import Route
from hoplab.system.ports import LOOPBACK, free_ports
from hoplab.topology import Deployment, Mode, Scheme, Topology


@dataclass
class App:
    """An application's process, and its command line for a port."""

    word: str
    server: Server
    command: Callable[[int], list[str]]
    environment: Mapping[str, str]
    port: int = 0


@dataclass
class Plan:
    """What each deployment needs.

    routes: of every proxy that a request passes, the client's first. ports: those at which it is
    asked from outside.
    """

    app_of: dict[Deployment, App] = field(default_factory=dict)
    routes: dict[Deployment, dict[str, Route]] = field(default_factory=dict)
    ports: dict[Deployment, Mapping[Scheme, int]] = field(default_factory=dict)

    @property
    def apps(self) -> list[App]:
        """Each once."""
        return list({app.word: app for app in self.app_of.values()}.values())

    def routes_by_proxy(self, deployments: Iterable[Deployment]) -> dict[str, list[Route]]:
        """What one process of each proxy has to serve, for these deployments."""
        found: dict[str, list[Route]] = {}
        for deployment in deployments:
            for proxy, route in self.routes[deployment].items():
                found.setdefault(proxy, []).append(route)
        return found


def make_plan(
    catalogue: Catalogue,
    deployments: Sequence[Deployment],
    given: Mapping[Topology, Mapping[Scheme, int]],
    *,
    tap: Callable[[int], int] = lambda port: port,
    numbers: Sequence[int] = (),
) -> Plan:
    """`given` are the ports of topologies.

    The others come from `numbers` (applications first, then proxies, http before https), or are
    free ones. `tap` gives the port to which a proxy sends what is for a port: the same, or that of
    somebody in between.
    """
    plan = Plan(_apps(catalogue, deployments))
    proxies = sum(1 + (_outer(catalogue, deployment) is not None) for deployment in deployments)
    # All free ones at once: then they differ.
    left = iter(numbers or free_ports(len(plan.apps) + len(Scheme) * proxies))
    for app in plan.apps:
        app.port = next(left)
    for deployment in deployments:
        ports = given.get(deployment.topology) or {scheme: next(left) for scheme in Scheme}
        plan.ports[deployment] = ports
        plan.routes[deployment] = _routes(
            catalogue, deployment, ports, plan.app_of[deployment].port, left, tap
        )
    return plan


def _apps(catalogue: Catalogue, deployments: Iterable[Deployment]) -> dict[Deployment, App]:
    """One process for each command line; only the port in it differs."""
    apps: dict[tuple[str, ...], App] = {}
    found = {}
    for deployment in deployments:
        server = catalogue.servers[deployment.topology.server]
        command = partial(_command, catalogue, deployment)
        environment = catalogue.server_environment(deployment, LOOPBACK)
        key = (*command(0), *environment.values())
        if key not in apps:
            apps[key] = App(_app_word(catalogue, deployment), server, command, environment)
        found[deployment] = apps[key]
    return found


def _command(catalogue: Catalogue, deployment: Deployment, port: int) -> list[str]:
    return catalogue.server_command(deployment, f"{LOOPBACK}:{port}", LOOPBACK)


def _app_word(catalogue: Catalogue, deployment: Deployment) -> str:
    server, setup = deployment.topology.server, deployment.setup
    variation = catalogue.variation(deployment)
    own = variation is not None and variation.has_own_command(server)
    return f"{server}-{setup.strategy}-{setup.trust}" + f"-{deployment.variation}" * own


def _outer(catalogue: Catalogue, deployment: Deployment) -> str | None:
    variation = catalogue.variation(deployment)
    return variation.outer if variation else None


def _routes(
    catalogue: Catalogue,
    deployment: Deployment,
    ports: Mapping[Scheme, int],
    app_port: int,
    free: Iterator[int],
    tap: Callable[[int], int],
) -> dict[str, Route]:
    topology, word = deployment.topology, deployment.word
    variation = catalogue.variation(deployment)
    changes = variation.changes if variation else ()
    routes = {}
    if outer := _outer(catalogue, deployment):
        # The outer proxy has the public ports, and passes everything on to the inner one.
        inner = {scheme: next(free) for scheme in Scheme}
        upstream = f"{LOOPBACK}:{tap(inner[Scheme.HTTP])}"
        routes[outer] = Route(
            f"{word}-outer", Mode.PRESERVE, upstream, deployment.prefix, ports, changes
        )
        ports = inner
    upstream = f"{LOOPBACK}:{tap(app_port)}"
    routes[topology.proxy] = Route(word, topology.mode, upstream, deployment.prefix, ports, changes)
    return routes
