"""Which processes some deployments need, and which ports.

An application's process is shared by the deployments for which its command line is the same; a
proxy's serves all of its deployments. So their number grows with servers × strategies × trusts, and
not with the cells.
"""

import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from hoplab.catalogue import Catalogue
from hoplab.catalogue.servers.server import Server
from hoplab.engines.configuration import Route
from hoplab.system.ports import LOOPBACK, free_ports
from hoplab.system.sockets import unmapped
from hoplab.topology import Deployment, Mode, Scheme, Topology


@dataclass
class App:
    """An application's process, and its command line for a port.

    `host` is where it listens: an address, or the file of a Unix socket.
    """

    word: str
    server: Server
    command: Callable[[int], list[str]]
    environment: Mapping[str, str]
    port: int = 0
    host: str = LOOPBACK


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
    tap: Callable[[str, int], int] | None = None,
    numbers: Sequence[int] = (),
    folder: Path = Path("/run"),
) -> Plan:
    """`given` are the ports of topologies.

    The others come from `numbers` (applications first, then proxies, http before https), or are
    free ones. `tap` gives the port of somebody in between, to which a proxy sends what is for a
    host (or the file of a Unix socket) and port. Unix sockets are in `folder`.
    """
    plan = Plan(_apps(catalogue, deployments, folder))
    proxies = sum(1 + (_outer(catalogue, deployment) is not None) for deployment in deployments)
    # All free ones at once: then they differ.
    left = iter(numbers or free_ports(len(plan.apps) + len(Scheme) * proxies))
    for app in plan.apps:
        app.port = next(left)
    for deployment in deployments:
        ports = given.get(deployment.topology) or {scheme: next(left) for scheme in Scheme}
        plan.ports[deployment] = ports
        plan.routes[deployment] = _routes(
            catalogue, deployment, ports, plan.app_of[deployment], left, tap
        )
    return plan


def _apps(
    catalogue: Catalogue, deployments: Iterable[Deployment], folder: Path
) -> dict[Deployment, App]:
    """One process for each command line; only the port in it differs."""
    apps: dict[tuple[str, ...], App] = {}
    found = {}
    for deployment in deployments:
        server = catalogue.servers[deployment.topology.server]
        word = _app_word(catalogue, deployment)
        host = _listens(catalogue, deployment, word, folder)
        proxies = "::1" if host == "::1" else LOOPBACK  # from which the proxy comes
        command = partial(_command, catalogue, deployment, host, proxies)
        environment = catalogue.server_environment(deployment, proxies)
        key = (*command(0), *environment.values())
        if key not in apps:
            apps[key] = App(word, server, command, environment, host=host)
        found[deployment] = apps[key]
    return found


def _command(
    catalogue: Catalogue, deployment: Deployment, host: str, proxies: str, port: int
) -> list[str]:
    return catalogue.server_command(deployment, f"{host}:{port}", proxies)


def _listens(catalogue: Catalogue, deployment: Deployment, word: str, folder: Path) -> str:
    variation = catalogue.variation(deployment)
    listens = variation.listens if variation else ""
    if listens != "unix":
        return listens or LOOPBACK
    # Short: a socket's path has at most a hundred letters.
    return str(folder / f"{zlib.crc32(word.encode()):x}.sock")


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
    app: App,
    free: Iterator[int],
    tap: Callable[[str, int], int] | None,
) -> dict[str, Route]:
    topology, word = deployment.topology, deployment.word
    variation = catalogue.variation(deployment)
    changes = variation.changes if variation else ()
    public = (variation.public if variation else "") or LOOPBACK
    routes = {}
    if outer := _outer(catalogue, deployment):
        # The outer proxy has the public ports, and passes everything on to the inner one.
        inner = {scheme: next(free) for scheme in Scheme}
        port = inner[Scheme.HTTP]
        to_inner = f"{LOOPBACK}:{tap(LOOPBACK, port) if tap else port}"
        routes[outer] = Route(
            f"{word}-outer", Mode.PRESERVE, to_inner, deployment.prefix, ports, changes
        )
        ports = inner
    host = unmapped(app.host)
    if tap:
        upstream = f"{LOOPBACK}:{tap(host, app.port)}"
    else:
        upstream = catalogue.proxies[topology.proxy].upstream(host, app.port)
    routes[topology.proxy] = Route(
        word, topology.mode, upstream, deployment.prefix, ports, changes, public
    )
    return routes
