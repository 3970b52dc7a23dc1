"""What a topology can be changed to: setups in which something must fail, and variations."""

import difflib
from collections.abc import Mapping, Sequence

from hoplab.catalogue import Catalogue
from hoplab.commands.fixes import changed_lines
from hoplab.commands.live.model import Change
from hoplab.predictions import predict
from hoplab.recipe import BIND, PROXIES, server_line
from hoplab.report.words import first_sentence
from hoplab.suites import SUITES
from hoplab.topology import Deployment, Topology

_SUITE = next(suite for suite in SUITES.values() if suite.product)


def possible(catalogue: Catalogue, topology: Topology) -> Mapping[str, tuple[Change, Deployment]]:
    """By name: what is changed, and what then runs. Variations first, as people write them."""
    found: dict[str, tuple[Change, Deployment]] = {}
    for cell in catalogue.varied(_SUITE.name):
        variation = catalogue.variation(cell)
        elsewhere = variation is None or variation.public or variation.listens
        # With its own ports and address, it would not be a change of what is up.
        if elsewhere or cell.topology != topology or cell.variation in found:
            continue
        if variation and predict(cell, catalogue):
            lines = changed_lines(catalogue, cell.deployment)
            if variation.application:
                lines += [f"+ APPLICATION={variation.application}"]
            about = first_sentence(" ".join(variation.about.split()))
            found[cell.variation] = (Change(cell.variation, about, lines), cell.deployment)
    recipe = catalogue.recommended(topology)
    for cell in catalogue.product:
        deployment = cell.deployment
        if cell.topology != topology or deployment == recipe or not predict(cell, catalogue):
            continue
        name = f"{cell.strategy}.{cell.trust}"
        if name not in found:
            found[name] = (_setup(catalogue, name, recipe, deployment), deployment)
    return found


def _setup(catalogue: Catalogue, name: str, recipe: Deployment, wrong: Deployment) -> Change:
    before, after = (server_line(catalogue, each, BIND, PROXIES) for each in (recipe, wrong))
    about = (
        f"Strategy `{wrong.setup.strategy}` with trust `{wrong.setup.trust}`; the recipe is"
        f" `{recipe.setup.strategy}` with `{recipe.setup.trust}`."
    )
    return Change(name, about, _diff([before], [after]))


def _diff(before: Sequence[str], after: Sequence[str]) -> list[str]:
    """Without the head, which names files: these are command lines."""
    return [*difflib.unified_diff(before, after, lineterm="", n=0)][3:]
