"""Which checks a matrix asks of which cell: what can't differ between cells is asked once."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence

from hoplab.suites.check import Check, Part, is_independent
from hoplab.topology import Cell, Scheme, Trust


def schedule(
    checks: Mapping[str, Check], cells: Sequence[Cell], is_recipe: Callable[[Cell], bool]
) -> Mapping[Cell, Sequence[str]]:
    """The names of the checks to ask of each cell, in the order of the checks.

    Every recipe is asked every check. Of other cells that differ only in what can't change a
    check's answer, one is asked: none if there is a recipe among them, else the first of those over
    https and with the recipes' trust, as far as there are any. A variation's cells differ in
    nothing but the scheme.
    """
    asked: dict[Cell, list[str]] = {cell: [] for cell in cells}
    for name, check in checks.items():
        alike: dict[tuple[object, ...], list[Cell]] = defaultdict(list)
        for cell in cells:
            alike[_what_matters(check, cell)].append(cell)
        for group in alike.values():
            recipes = [cell for cell in group if is_recipe(cell)]
            for cell in recipes or [max(group, key=_telling)]:
                asked[cell].append(name)
    return asked


def _what_matters(check: Check, cell: Cell) -> tuple[object, ...]:
    """What may change its answer; a variation has one strategy and trust for each topology."""
    parts = [Part.SCHEME] if cell.variation else [*Part]
    same = [part for part in parts if is_independent(check, part)]
    return tuple(value for name, value in vars(cell).items() if name not in same)


def _telling(cell: Cell) -> tuple[bool, bool]:
    """`max` takes the first of the best: https shows what http hides, as a scheme that is lost."""
    return cell.scheme is Scheme.HTTPS, cell.trust is Trust.PROXY
