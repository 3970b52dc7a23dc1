"""The trials: deployments that are wrong, and the same with what a text says to write.

Each `trials/*.toml` has a list of `[[trials]]`. A trial is a topology's recipe with something wrong
in it, and the same with the fix. It names no symptom and no text: which symptoms its wrong
deployment has is measured, and which text it tries is found by the lines that it changes.

proxies, servers, modes: the topologies; where they are not named, the first proxy, the first server
and `strip`. scheme: https, where it is not named. suite: contract, where it is not named; `own` is
what `hoplab check` asks, of the `application` of both sides.
wrong, fixed: what of `strategy`, `trust`, `command` and `application` differs from the recipe;
`right` is the variation that says what the author of a CORS policy wants.
changes: lines of a proxy's file that are `right` in the lab, as they are in the `wrong` deployment
and in the `fixed` one; left out, they are right there. `part` names one of the file's `[parts]` in
the place of `file` and `right`. `@mode@` is the mode.
variation: a file of `variations/`, whose changes the wrong deployment has; like: one whose changes
both have. outer: a proxy in front. right: what the author of a CORS policy wants.
alone: its lines stand once for all of a proxy's deployments, so it gets a proxy of its own.
old: it is asked of a distribution's nginx, which has modules that the lab's lacks.
"""

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import product
from pathlib import Path
from typing import Any

from hoplab.catalogue import Catalogue
from hoplab.catalogue.variations import Change, Variation
from hoplab.topology import Cell, Mode, Scheme, Strategy, Topology, Trust

FOLDER = Path(__file__).with_name("trials")

OWN = "own"
"""In the place of a suite's name: what `hoplab check` asks of a person's own application."""

_KEYS = {
    *(
        "proxies",
        "servers",
        "modes",
        "scheme",
        "wrong",
        "fixed",
        "changes",
        "variation",
        "like",
        "outer",
    ),
    *("right", "alone", "old", "suite"),
}
_SIDE_KEYS = {"strategy", "trust", "command", "application", "right"}
_CHANGE_KEYS = {"part", "file", "right", "wrong", "fixed"}


@dataclass(frozen=True)
class Trial:
    """One topology of one trial; `variations` are what its two cells need in the catalogue."""

    id: str
    suite: str
    wrong: Cell
    fixed: Cell
    variations: Mapping[str, Variation] = field(hash=False)
    alone: bool = False
    old: bool = False

    @property
    def owners(self) -> set[str]:
        """Whose texts may be meant: the proxies and the server."""
        topology = self.wrong.topology
        outer = {each.outer for each in self.variations.values() if each.outer}
        return {topology.proxy, topology.server, *outer}


def load(catalogue: Catalogue) -> list[Trial]:
    """Every trial of every file."""
    found: list[Trial] = []
    for file in sorted(FOLDER.glob("*.toml")):
        content = tomllib.loads(file.read_text())
        for number, entry in enumerate(content["trials"], start=1):
            found += _trials(catalogue, f"{file.stem}-{number}", entry, content.get("parts", {}))
    return found


def _trials(
    catalogue: Catalogue, name: str, entry: Mapping[str, Any], parts: Mapping[str, Any]
) -> Iterator[Trial]:
    assert set(entry) <= _KEYS, (name, set(entry) - _KEYS)
    named = catalogue.variations.get(entry.get("variation", ""))
    both = catalogue.variations.get(entry.get("like", ""))
    assert named or "variation" not in entry, f"{name}: there is no such variation"
    assert both or "like" not in entry, f"{name}: there is no such variation"
    sides = {"wrong": entry.get("wrong", {}), "fixed": entry.get("fixed", {})}
    for side in sides.values():
        assert set(side) <= _SIDE_KEYS, (name, set(side))
    for change in entry.get("changes", ()):
        assert set(change) <= _CHANGE_KEYS, (name, set(change))
    proxies = entry.get("proxies", [next(iter(catalogue.proxies))])
    servers = entry.get("servers", [next(iter(catalogue.servers))])
    for proxy, server, mode in product(proxies, servers, entry.get("modes", [Mode.STRIP])):
        topology = Topology(proxy, server, Mode(mode))
        cells, variations = {}, {}
        for side, told in sides.items():
            made = _variation(catalogue, f"{name}-{side}", entry, side, topology, parts)
            if both:
                made = _on(both, made)
            if named and side == "wrong":
                made = _on(named, made)
            recipe = catalogue.recipe(topology)
            cells[side] = Cell(
                topology,
                Strategy(told.get("strategy", recipe.strategy)),
                Trust(told.get("trust", recipe.trust)),
                Scheme(entry.get("scheme", Scheme.HTTPS)),
                made.name,
            )
            variations[made.name] = made
        yield Trial(
            f"{name}-{topology.name}",
            entry.get("suite", named.suite if named else "contract"),
            cells["wrong"],
            cells["fixed"],
            variations,
            entry.get("alone", False),
            entry.get("old", False),
        )


def _on(first: Variation, then: Variation) -> Variation:
    """The second with what the first changes."""
    return replace(
        then,
        changes=[*first.changes, *then.changes],
        commands={**first.commands, **then.commands},
        application=then.application or first.application,
        outer=then.outer or first.outer,
    )


def _variation(
    catalogue: Catalogue,
    name: str,
    entry: Mapping[str, Any],
    side: str,
    topology: Topology,
    parts: Mapping[str, Any],
) -> Variation:
    told = entry.get(side, {})
    named = told.get("right", entry.get("like", entry.get("variation", "")))
    policy = catalogue.variations[named].right if named else {}
    return Variation(
        name=name,
        suite="",
        about="",
        fix="",
        references=(),
        changes=[
            Change(*_place(change, topology.mode, parts), change[side])
            for change in entry.get("changes", ())
            if side in change
        ],
        commands={topology.server: told["command"]} if "command" in told else {},
        application=told.get("application", ""),
        outer=entry.get("outer"),
        symptoms={},
        right=entry.get("right", policy),
    )


def _place(change: Mapping[str, Any], mode: Mode, parts: Mapping[str, Any]) -> tuple[str, str]:
    place = parts[change["part"].replace("@mode@", mode)] if "part" in change else change
    return place["file"], place["right"]
