"""The lab under test: this checkout, with the default prefix."""

from hoplab.catalogue import load
from hoplab.workspace import checkout

WORKSPACE = checkout()
ROOT = WORKSPACE.root
CATALOGUE = load(WORKSPACE)
