"""Which changes are needed, found by trying."""

from collections.abc import Callable, Sequence

import pytest

from hoplab.commands.smallest import Changes, NoneFound, Smallest, smallest


def trying(passes: Callable[[Changes], bool]) -> Callable[[Sequence[Changes]], list[list[str]]]:
    """Something that passes with some of the changes."""
    return lambda sets: [[] if passes(each) else [f"without {sorted(each)}"] for each in sets]


@pytest.mark.parametrize(
    ("count", "passes", "needed"),
    [
        (6, lambda c: {1, 4} <= c, {1, 4}),
        (1, lambda c: 0 in c, {0}),
        (5, lambda c: 0 in c or 3 in c, {0}),  # either: leaving one out shows nothing
        (7, lambda c: 2 in c and (5 in c or 6 in c), {2, 5}),
        (4, lambda c: {0, 1, 2, 3} <= c, {0, 1, 2, 3}),
        (8, lambda c: (1 in c or 2 in c) and (3 in c or 4 in c), {1, 3}),
    ],
)
def test_the_changes_that_are_needed(
    count: int, passes: Callable[[Changes], bool], needed: set[int]
) -> None:
    found = smallest(count, trying(passes), most=100)

    assert isinstance(found, Smallest)
    assert set(found.without) == needed
    assert all(found.without.values())


def test_each_set_is_tried_once() -> None:
    seen: list[Changes] = []

    def attempt(sets: Sequence[Changes]) -> list[list[str]]:
        seen.extend(sets)
        return [[] if 2 in each else ["bad"] for each in sets]

    found = smallest(5, attempt, most=100)

    assert len(seen) == len(set(seen)) == found.tried


def test_no_changes_help() -> None:
    assert smallest(2, lambda sets: [["bad"] for _ in sets], 9) == NoneFound(["bad"], 3)


def test_there_is_a_limit() -> None:
    either = trying(lambda changes: bool(changes & {3, 5}) and bool(changes & {1, 2}))

    found = smallest(20, either, most=10)

    assert isinstance(found, NoneFound)
    assert not found.left, "all of them together help"
