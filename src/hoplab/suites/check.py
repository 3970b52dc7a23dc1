"""What a check is.

A function that takes a probe and returns what it saw, as a sentence, if all is well. It raises
Failed with a symptom if not. Whatever else it raises is the lab's own error. Its docstring begins
with the question; with `needs` it says what it has to know of a target, and with `independent_of`
which parts of a cell can't change its answer.
"""

from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import TypeAlias

from hoplab.client.probe import Probe

Check: TypeAlias = Callable[[Probe], str]


class Part(StrEnum):
    """A part of a cell, by the name of its field."""

    SCHEME = "scheme"
    STRATEGY = "strategy"
    TRUST = "trust"


def by_name(*checks: Check) -> Mapping[str, Check]:
    """Checks by their names on the command line and in the results."""
    return {check.__name__.replace("_", "-"): check for check in checks}


def independent_of(*parts: Part) -> Callable[[Check], Check]:
    """Say which parts of a cell can't change the answer: a matrix asks once for all of them."""

    def declare(check: Check) -> Check:
        check.independent_of = frozenset(parts)  # type: ignore[attr-defined]
        return check

    return declare


def slow(check: Check) -> Check:
    """Say that the check mostly waits: it is asked at the same time as the cell's others."""
    check.slow = True  # type: ignore[attr-defined]
    return check


def is_slow(check: Check) -> bool:
    """Whether `slow` declared it so."""
    return getattr(check, "slow", False)


def last(check: Check) -> Check:
    """Say that the check looks at what all others were answered (`Probe.met`): it is asked last."""
    check.last = True  # type: ignore[attr-defined]
    return check


def is_last(check: Check) -> bool:
    """Whether `last` declared it so."""
    return getattr(check, "last", False)


def is_independent(check: Check, part: Part) -> bool:
    """Whether `independent_of` declared it so."""
    declared: frozenset[Part] = getattr(check, "independent_of", frozenset())
    return part in declared
