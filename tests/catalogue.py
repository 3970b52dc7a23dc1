"""The lab under test: this checkout, with the default prefix."""

from functools import cache

from hoplab.catalogue import Catalogue, load
from hoplab.catalogue.variations import Symptoms
from hoplab.predictions import predict
from hoplab.prefix import DEFAULT_PREFIX, Prefix
from hoplab.topology import Cell
from hoplab.workspace import checkout

WORKSPACE = checkout()
ROOT = WORKSPACE.root


@cache
def loaded(prefix: Prefix) -> Catalogue:
    """Read once for each prefix: it is the same files in every test."""
    return load(WORKSPACE, prefix)


CATALOGUE = loaded(DEFAULT_PREFIX)


@cache
def predicted(cell: Cell) -> Symptoms:
    """By the rules as they are, once for all tests: there are more than a thousand cells."""
    return predict(cell, CATALOGUE)
