"""The smallest of many changes that makes something pass, found by trying: delta debugging.

See https://www.debuggingbook.org/html/DeltaDebugger.html. Trials that don't depend on each other
are asked for together, since they can run at the same time.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

Changes: TypeAlias = frozenset[int]
"""Which of the changes are made, by number."""

Failures: TypeAlias = Collection[str]
"""What fails with some changes; nothing if all passes."""

Try: TypeAlias = Callable[[Sequence[Changes]], Sequence[Failures]]


@dataclass(frozen=True)
class Smallest:
    """Changes of which none can be left out, and what fails without each; how many were tried."""

    without: Mapping[int, Failures]
    tried: int


@dataclass(frozen=True)
class NoneFound:
    """Not even all of the changes help, and this is left; or, if nothing is, there was no room.

    Then all of them together help, and which are needed is not known.
    """

    left: Failures
    tried: int


def smallest(count: int, attempt: Try, most: int) -> Smallest | NoneFound:
    """Of so many changes, those that are needed. At most `most` trials are made."""
    memory = _Memory(attempt)
    every = frozenset(range(count))
    first = memory.of([every, *(every - {each} for each in every)])
    if first[0]:
        return NoneFound(first[0], len(memory.known))
    needed = frozenset(each for each, failures in zip(every, first[1:], strict=True) if failures)
    rest = sorted(every - needed)
    while len(memory.known) <= most:
        with_some = [needed | frozenset(rest[:length]) for length in range(len(rest))]
        alone = [needed - {each} for each in sorted(needed)]
        found = memory.of([*with_some, needed, *alone])
        length = next(
            (n for n, failures in enumerate(found[: len(rest)]) if not failures), len(rest)
        )
        if length:  # the last one of these is needed beside the others
            needed |= {rest[length - 1]}
            rest = rest[: length - 1]
            continue
        without = dict(zip(sorted(needed), found[len(rest) + 1 :], strict=True))
        needless = next((each for each, failures in without.items() if not failures), None)
        if needless is None:
            return Smallest(without, len(memory.known))
        needed, rest = needed - {needless}, []
    return NoneFound((), len(memory.known))


class _Memory:
    """Each set of changes is tried once."""

    def __init__(self, attempt: Try) -> None:
        self.known: dict[Changes, Failures] = {}
        self._attempt = attempt

    def of(self, sets: Sequence[Changes]) -> list[Failures]:
        new = [each for each in dict.fromkeys(sets) if each not in self.known]
        if new:
            self.known |= dict(zip(new, self._attempt(new), strict=True))
        return [self.known[each] for each in sets]
