"""What a suite is: questions, what their answers mean, and how to show them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from hoplab.client.target import Purpose
from hoplab.results import Results
from hoplab.suites.check import Check
from hoplab.symptom import Symptom


class Tables(Protocol):
    """Results as text; `right` is what each variation's author wants.

    variations: whether a suite of more than variations shows each of them as well.
    """

    def __call__(
        self,
        results: Results,
        right: Mapping[str, Mapping[str, Any]],
        *,
        plain: bool,
        variations: bool,
    ) -> str: ...


@dataclass(frozen=True)
class Grid:
    """What a suite tells of a variation's cells together.

    columns: pairs of two heads, one above the other. rows: a label, and a short answer for each
    column. An answer that ends in `!` is not what the variation's author wants.
    """

    variation: str
    columns: Sequence[tuple[str, str]]
    rows: Sequence[tuple[str, Sequence[str]]]


class Grids(Protocol):
    """Results as grids, one for each variation; `right` as for Tables."""

    def __call__(
        self, results: Results, right: Mapping[str, Mapping[str, Any]]
    ) -> Sequence[Grid]: ...


@dataclass(frozen=True)
class Suite:
    """A folder of `suites/`, and one of `variations/`.

    command, about: its name on the command line, and the line of help. product: whether it is asked
    of every combination, or of its variations alone. routes: those of the application that serves
    its questions. refuses: a pattern of the encoded prefixes of which that application has a route:
    nobody could tell the two answers apart. grids, legend: what a page shows of a variation's cells
    together, if there is such a thing, and what its answers mean.
    """

    name: str
    command: str
    about: str
    checks: Mapping[str, Check]
    symptoms: Sequence[Symptom]
    routes: Mapping[Purpose, str]
    tables: Tables
    product: bool = False
    refuses: str = ""
    grids: Grids | None = None
    legend: str = ""
