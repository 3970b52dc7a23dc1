"""A person's own application: general questions, whose right answers are its own without a proxy.

It is no `Suite` of the lab's cells: `hoplab check` asks it.
"""

from hoplab.results import CellResult
from hoplab.suites.own.checks import CHECKS
from hoplab.suites.own.symptoms import SYMPTOMS

__all__ = ["CHECKS", "NAME", "SYMPTOMS", "is_own"]

NAME = "own"
"""On a page, as the suites have names."""


def is_own(result: CellResult) -> bool:
    """Whether these are the answers of a person's own application: exactly its questions."""
    return {finding.check for finding in result.findings} == set(CHECKS)
