"""A cell of the lab as a target: all of it is known."""

from collections.abc import Iterable, Mapping, Sequence

from hoplab.catalogue import Catalogue
from hoplab.client.target import Direct, Limits, Target
from hoplab.endpoint import Endpoint
from hoplab.predictions import body_size
from hoplab.suites.asking import Job
from hoplab.suites.suite import Suite
from hoplab.topology import Cell, Scheme, Strategy


def jobs(
    catalogue: Catalogue,
    suite: Suite,
    cells: Iterable[Cell],
    endpoints: Iterable[Endpoint],
    asked: Mapping[Cell, Sequence[str]] | None = None,
) -> Sequence[Job]:
    """The cells with the targets at which they answer, and the checks to ask there: all if None."""
    where = {endpoint.deployment: endpoint for endpoint in endpoints}
    return [
        Job(
            cell,
            target(catalogue, suite, cell, where[cell.deployment]),
            catalogue.is_recommended(cell),
            None if asked is None else asked[cell],
        )
        for cell in cells
    ]


def target(catalogue: Catalogue, suite: Suite | None, cell: Cell, endpoint: Endpoint) -> Target:
    """What the checks of a suite are told of a cell that runs; without one, of any application."""
    deployment = cell.deployment
    variation = catalogue.variation(cell)
    server = catalogue.servers[cell.topology.server]
    root = cell.prefix.encoded if server.root_path_is_encoded(cell.strategy) else None
    root = root or cell.prefix.decoded
    direct = Direct(endpoint.direct, deployment.upstream_prefix) if endpoint.direct else None
    return Target(
        base=endpoint.base(cell.scheme),
        addresses={
            endpoint.origin(scheme): (endpoint.host, endpoint.ports[scheme]) for scheme in Scheme
        },
        authority=endpoint.authority,
        source=endpoint.source,
        limits=Limits(upload=body_size(cell, catalogue)),
        unsafe=suite is not None,
        lab_application=suite is not None,
        instance=endpoint.nonce,
        # With `router`, the prefix is part of the routes, and no root.
        root_path="" if cell.strategy is Strategy.ROUTER else root,
        prefix_root=root,
        client=endpoint.client,
        direct=direct,
        routes={
            purpose: path.format(prefix=cell.prefix.encoded)
            for purpose, path in (suite.routes.items() if suite else ())
        },
        right=variation.right if variation else {},
    )
