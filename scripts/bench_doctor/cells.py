"""The cells at which the doctor is measured."""

from itertools import product

from hoplab.catalogue import Catalogue
from hoplab.suites import SUITES
from hoplab.topology import Cell, Mode, Scheme, Strategy, Topology, Trust


def every(catalogue: Catalogue) -> list[Cell]:
    """All of the product and of the variations."""
    varied = [cell for suite in SUITES.values() for cell in catalogue.varied(suite.name)]
    return [*catalogue.product, *varied]


def forgeable(catalogue: Catalogue) -> list[Cell]:
    """The recipes, and those in which a client's own headers decide something."""
    wrong = [cell for cell in every(catalogue) if cell.variation == "traefik-trusts-client"]
    return [*catalogue.recommended_cells(catalogue.topologies), *wrong]


def of_an_application(catalogue: Catalogue) -> list[Cell]:
    """Of a person's own application: the strategies that need no change in it."""
    strategies = (Strategy.NONE, Strategy.SERVER_OPTION, Strategy.FORWARDED_PREFIX)
    names = {name for t in catalogue.topologies for name in (t.proxy, t.server)}
    proxies = [name for name in catalogue.proxies if name in names]
    servers = [name for name in catalogue.servers if name in names]
    trusts = (Trust.NONE, Trust.PROXY)
    return [
        Cell(Topology(*each[:3]), *each[3:], Scheme.HTTPS, prefix=catalogue.prefix)
        for each in product(proxies, servers, Mode, strategies, trusts)
    ]
