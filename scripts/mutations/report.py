"""What was noticed and what was not, as Markdown."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from scripts.mutations.mutated import Change

MARK = "<!-- What follows is written by `make sabotage-code`. -->\n"


@dataclass
class Counted:
    """Of a module: how many mutations there are, and those that no test noticed."""

    mutations: int = 0
    equivalent: int = 0
    alive: dict[str, Change] = field(default_factory=dict)

    @property
    def asked(self) -> int:
        """How many change something."""
        return self.mutations - self.equivalent

    @property
    def share(self) -> str:
        """For example `414 of 435 (95.2 %)`."""
        noticed = self.asked - len(self.alive)
        return f"{noticed} of {self.asked} ({100 * noticed / (self.asked or 1):.1f} %)"


def total(counted: Mapping[str, Counted]) -> Counted:
    """Of all modules together."""
    every = list(counted.values())
    return Counted(
        sum(each.mutations for each in every),
        sum(each.equivalent for each in every),
        {name: change for each in every for name, change in each.alive.items()},
    )


def tables(counted: Mapping[str, Counted]) -> str:
    """A line a module; then each mutation that was not noticed."""
    rows = [
        f"| {name} | {each.mutations} | {each.equivalent} | {each.share} |"
        for name, each in [*((f"`{n}`", c) for n, c in counted.items()), ("all", total(counted))]
    ]
    head = ["| module | mutations | equivalent | noticed |", "|---|---:|---:|---:|"]
    parts = ["\n".join([*head, *rows])]
    for name, each in counted.items():
        if each.alive:
            lines = [line for change in each.alive.values() for line in _shown(change)]
            parts.append("\n".join([f"`{name}`:", "", "```diff", *lines, "```"]))
    return "\n\n".join(parts)


def _shown(change: Change) -> Sequence[str]:
    return [
        *(f"- {line}" for line in change.was.split("\n") if change.was),
        *(f"+ {line}" for line in change.now.split("\n") if change.now),
    ]
