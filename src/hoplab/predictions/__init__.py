"""What each cell must show, derived from a few rules about proxies, servers and the framework.

`RULES` say what one hop after the other does to the request; what a proxy and a server do stands in
the proxy's folder and the server's file. What the application then answers follows from how
Starlette and FastAPI make URLs and choose routes, which `Application` models. None of it is a
record of a run: `hoplab matrix` compares the two.

A variation's file says what it changes in what the proxy does, or as which other cell it acts.
Where neither can be said in the rules' words, it says what must show, and why.
"""

from collections.abc import Sequence

from hoplab.catalogue import Catalogue
from hoplab.catalogue.proxies import changed
from hoplab.catalogue.variations import Symptoms
from hoplab.predictions.application import Application
from hoplab.predictions.rules import RULES, Case, Rule
from hoplab.predictions.transparency import unreached
from hoplab.topology import Cell

__all__ = ["RULES", "Case", "Rule", "because", "body_size", "predict"]

_MIB = 2**20


def predict(cell: Cell, catalogue: Catalogue, rules: Sequence[Rule] | None = None) -> Symptoms:
    """The symptom of every check that must fail in this cell; the others must not."""
    variation = catalogue.variation(cell)
    if variation and (stated := variation.symptoms[cell]) is not None:
        return {**unreached(stated), **stated}
    given = RULES if rules is None else rules
    application = Application(_case(cell, catalogue), given, body_size(cell, catalogue))
    found = {check: symptom for check, symptom in application.symptoms().items() if symptom}
    return {**unreached(found), **found}


def because(cell: Cell, catalogue: Catalogue) -> list[Rule]:
    """The rules that hold in this cell, in the order of the hops."""
    case = _case(cell, catalogue)
    return [rule for rule in RULES if rule.applies(case)]


def body_size(cell: Cell, catalogue: Catalogue) -> int:
    """How many bytes a cell's upload has.

    16 MiB for what people copy; a little over one in a variation, since proxies have limits there;
    elsewhere more than the buffers of proxies and of TCP on loopback.
    """
    if catalogue.is_recommended(cell):
        return 16 * _MIB
    return _MIB + 64 * 1024 if cell.variation else 256 * 1024


def _case(cell: Cell, catalogue: Catalogue) -> Case:
    behaviour = catalogue.proxies[cell.topology.proxy].behaviour
    if variation := catalogue.variation(cell):
        behaviour = changed(behaviour, variation.behaviour)
        cell = variation.acts_as.get(cell, cell)
    return Case(cell, behaviour, catalogue.servers[cell.topology.server])
