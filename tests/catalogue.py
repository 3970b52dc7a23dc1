"""The lab under test: this checkout, with the default prefix."""

from functools import cache

from hoplab.catalogue import load
from hoplab.catalogue.variations import Symptoms
from hoplab.predictions import predict
from hoplab.topology import Cell
from hoplab.workspace import checkout

WORKSPACE = checkout()
ROOT = WORKSPACE.root
CATALOGUE = load(WORKSPACE)


@cache
def predicted(cell: Cell) -> Symptoms:
    """By the rules as they are, once for all tests: there are more than a thousand cells."""
    return predict(cell, CATALOGUE)
