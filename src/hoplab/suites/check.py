"""What a check is.

A function that takes a probe and returns what it saw, as a sentence, if all is well. It raises
Failed with a symptom if not. Whatever else it raises is the lab's own error. Its docstring begins
with the question; with `needs` it says what it has to know of a target.
"""

from collections.abc import Callable, Mapping
from typing import TypeAlias

from hoplab.client.probe import Probe

Check: TypeAlias = Callable[[Probe], str]


def by_name(*checks: Check) -> Mapping[str, Check]:
    """Checks by their names on the command line and in the results."""
    return {check.__name__.replace("_", "-"): check for check in checks}
