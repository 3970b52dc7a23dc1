"""Which processes some deployments need, and which ports.

An application's process is shared by the deployments for which its command line is the same; a
proxy's serves all of its deployments. So their number grows with servers × strategies × trusts, and
not with the cells.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

from hoplab.catalogue import Catalogue
from hoplab.engines.configuration import LOOPBACK, Route
from hoplab.engines.ports import free_ports
from hoplab.servers import Server
from hoplab.topology import Deployment, Mode, Scheme, Topology


@dataclass
class App:
    """An application's process: its command line for a port, and the deployments it serves."""

    word: str
    server: Server
    command: Callable[[int], list[str]]
    environment: Mapping[str, str]
    port: int = 0
    deployments: list[Deployment] = field(default_factory=list)


@dataclass
class Plan:
    """`routes` by proxy; `ports` are those at which a deployment is asked from outside."""

    catalogue: Catalogue
    apps: list[App] = field(default_factory=list)
    app_of: dict[Deployment, App] = field(default_factory=dict)
    routes: dict[str, list[Route]] = field(default_factory=dict)
    ports: dict[Deployment, Mapping[Scheme, int]] = field(default_factory=dict)

    def proxies_of(self, deployment: Deployment) -> list[str]:
        """The proxies that a request passes, the client's first."""
        variation = self.catalogue.variations.get(deployment.variation)
        outer = [variation.outer] if variation and variation.outer else []
        return [*outer, deployment.topology.proxy]


def make_plan(
    catalogue: Catalogue,
    deployments: Sequence[Deployment],
    own_ports: Mapping[Topology, Mapping[Scheme, int]],
    *,
    upstream: int | None = None,
    numbers: Sequence[int] = (),
) -> Plan:
    """`own_ports` are a topology's own; `upstream` is a port in every application's place.

    The others come from `numbers` (applications first, then proxies, http before https), or are
    free ones.
    """
    plan = Plan(catalogue)
    for deployment in deployments:
        _add_app(plan, deployment)
    routes = sum(len(plan.proxies_of(deployment)) for deployment in deployments)
    # All free ones at once: then they differ.
    left = iter(numbers or free_ports(len(plan.apps) + len(Scheme) * routes))
    for app in plan.apps:
        app.port = upstream or next(left)
    for deployment in deployments:
        _add_routes(plan, deployment, own_ports.get(deployment.topology), left)
    return plan


def _add_app(plan: Plan, deployment: Deployment) -> None:
    server = plan.catalogue.servers[deployment.topology.server]
    command = partial(_command, plan.catalogue, deployment)
    environment = server.environment(deployment.recipe.trust, LOOPBACK)
    for app in plan.apps:
        if (app.command(0), app.environment) == (command(0), environment):
            break
    else:
        app = App(_app_word(plan.catalogue, deployment), server, command, environment)
        plan.apps.append(app)
    app.deployments.append(deployment)
    plan.app_of[deployment] = app


def _command(catalogue: Catalogue, deployment: Deployment, port: int) -> list[str]:
    return catalogue.server_command(deployment, f"{LOOPBACK}:{port}", LOOPBACK)


def _app_word(catalogue: Catalogue, deployment: Deployment) -> str:
    server, recipe = deployment.topology.server, deployment.recipe
    variation = catalogue.variations.get(deployment.variation)
    own = variation is not None and server in variation.commands
    return f"{server}-{recipe.strategy}-{recipe.trust}" + f"-{deployment.variation}" * own


def _add_routes(
    plan: Plan,
    deployment: Deployment,
    own: Mapping[Scheme, int] | None,
    free: Iterator[int],
) -> None:
    topology, word = deployment.topology, deployment.word
    variation = plan.catalogue.variations.get(deployment.variation)
    changes = variation.changes if variation else ()
    ports = own or {scheme: next(free) for scheme in Scheme}
    plan.ports[deployment] = ports
    if variation and variation.outer:
        # The outer proxy has the public ports, and passes everything on to the inner one.
        inner = {scheme: next(free) for scheme in Scheme}
        upstream = f"{LOOPBACK}:{inner[Scheme.HTTP]}"
        outer = Route(f"{word}-outer", Mode.PRESERVE, upstream, ports, changes)
        plan.routes.setdefault(variation.outer, []).append(outer)
        ports = inner
    upstream = f"{LOOPBACK}:{plan.app_of[deployment].port}"
    route = Route(word, topology.mode, upstream, ports, changes)
    plan.routes.setdefault(topology.proxy, []).append(route)
