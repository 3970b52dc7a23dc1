"""Named changes to right or wrong deployments, as people really make them: `variations/*/*.toml`.

A folder for each suite whose questions show them. Each file says what it changes (lines of a
proxy's file, the server's command, the application, a proxy more), in which cells it is measured,
which symptoms must show there, and how it is fixed.
"""

import tomllib
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import product
from pathlib import Path
from typing import Any, TypeAlias

from hoplab.catalogue.form import ANY, choice, require
from hoplab.catalogue.proxies import BEHAVIOUR_FORM, NOTHING_SAID, changed
from hoplab.catalogue.servers import SERVERS
from hoplab.errors import HoplabError
from hoplab.prefix import Prefix
from hoplab.topology import Cell, Mode, Profile, Scheme, Strategy, Topology, Trust

Symptoms: TypeAlias = Mapping[str, str]
"""The symptom of each check that fails."""


@dataclass(frozen=True)
class Change:
    """Lines of a configuration file: the right ones, and what stands there instead.

    `file` is below the project's folder; `@mode@` may stand in it.
    """

    file: str
    right: str
    wrong: str


@dataclass(frozen=True)
class Variation:
    """One file of `variations/`.

    commands: by server, the whole command line in place of its own; `@host@`, `@port@`,
    `@proxies@`, `@prefix@` and `@prefix_decoded@` may stand in it.
    application: the module of the application that is wrapped and served in the usual one's place.
    outer: the proxy in front of the cell's own, if there are two.
    listens: where the application listens in place of 127.0.0.1: another address, or `unix` for a
    socket, of which `@socket@` in the commands is the file. public: where the proxy listens.
    path, method, headers: what to ask below the public base, if its symptom's own request doesn't
    show it.
    symptoms: what must show in each of its cells; None where the rules say.
    behaviour: what it changes in what its proxies do, as in proxy.toml; the rules read it.
    acts_as: the cells that the rules take for others, with another trust or strategy.
    right: what its author wants, for the suite's checks: the table of the suite's name.
    """

    name: str
    suite: str
    about: str
    fix: str
    references: Sequence[str]
    changes: Sequence[Change]
    commands: Mapping[str, Sequence[str]]
    outer: str | None
    symptoms: Mapping[Cell, Symptoms | None]
    path: str | None = None
    method: str | None = None
    headers: Sequence[tuple[str, str]] = ()
    application: str = ""
    listens: str = ""
    public: str = ""
    right: Mapping[str, Any] = field(default_factory=dict)
    behaviour: Mapping[str, Any] = field(default_factory=dict)
    acts_as: Mapping[Cell, Cell] = field(default_factory=dict)

    @property
    def changes_application_alone(self) -> bool:
        """Whether proxy and server are those of the recipe."""
        return bool(self.application) and not (self.changes or self.commands or self.outer)

    def has_own_command(self, server: str) -> bool:
        """Whether this server is started otherwise than its recipe says."""
        return bool(self.application) or server in self.commands


_CHANGES = ("changes", "commands", "application", "outer", "listens", "public")
_ACTS_AS_KEYS = {"strategy", "trust"}
_KEYS = {
    *("about", "fix", "references", "changes", "commands", "application", "outer", "cells"),
    *("path", "method", "headers", "behaviour", "listens", "public"),
}
_FORM = {
    **dict.fromkeys(
        ("about", "fix", "application", "outer", "path", "method", "listens", "public"), str
    ),
    "references": [str],
    "headers": {ANY: str},
    "behaviour": BEHAVIOUR_FORM,
    "changes": [{"file": str, "right": str, "wrong": str}],
    "commands": {ANY: [str]},
    "cells": [
        {
            "proxy": str,
            "partners": {ANY: str},
            **{key: [str] for key in ("proxies", "servers", "modes")},
            "why": str,
            "acts_as": {ANY: str},
            **{key: {ANY: str} for key in ("fails", *(f"fails_{scheme}" for scheme in Scheme))},
        }
    ],
}
_CELLS_KEYS = {
    *("proxy", "proxies", "servers", "modes", "strategy", "trust", "acts_as", "partners"),
}
_FAILS_KEYS = {"fails", "why", *(f"fails_{scheme}" for scheme in Scheme)}


def load(folder: Path, proxies: Collection[str], prefix: Prefix) -> dict[str, Variation]:
    """Read every file. Raises HoplabError, naming the file, if one can't be understood."""
    files = sorted(folder.glob("*/*.toml"))
    found: dict[str, Variation] = {}
    for file in files:
        if file.stem in found:
            message = f"{file}: there is another variation of this name."
            raise HoplabError(message)
        found[file.stem] = _read(file, proxies, prefix)
    return found


def _read(file: Path, proxies: Collection[str], prefix: Prefix) -> Variation:
    suite = file.parent.name
    try:
        content = tomllib.loads(file.read_text(encoding="utf-8"))
        require(_FORM | {suite: {}}, content)
        _refuse_unknown("key", content, _KEYS | {suite})
        for entry in content["cells"]:
            _refuse_unknown("key", entry, _CELLS_KEYS | _FAILS_KEYS)
            _refuse_unknown("key", entry.get("acts_as", {}), _ACTS_AS_KEYS)
        outer = [content["outer"]] if "outer" in content else []
        used = [
            *outer,
            *(proxy for entry in content["cells"] for proxy in _proxies(entry, proxies)),
        ]
        _refuse_unknown("proxy", used, proxies)
        servers = (server for entry in content["cells"] for server in entry.get("servers", ()))
        for entry in content["cells"]:
            paired = [name for pair in entry.get("partners", {}).items() for name in pair]
            _refuse_unknown("proxy or server", paired, {*proxies, *SERVERS})
        _refuse_unknown("server", [*servers, *content.get("commands", ())], SERVERS)
        changed(NOTHING_SAID, content.get("behaviour", {}))  # raises if it is not understood
        ruled = "behaviour" in content or not any(content.get(key) for key in _CHANGES)
        cells = [
            told
            for entry in content["cells"]
            for told in _cells(file.stem, entry, proxies, prefix, ruled=ruled)
        ]
        return Variation(
            name=file.stem,
            suite=suite,
            about=" ".join(content["about"].split()),
            fix=" ".join(content["fix"].split()),
            references=content["references"],
            changes=[Change(**change) for change in content.get("changes", [])],
            commands=content.get("commands", {}),
            application=content.get("application", ""),
            listens=content.get("listens", ""),
            public=content.get("public", ""),
            outer=content.get("outer"),
            path=content.get("path"),
            method=content.get("method"),
            headers=[(name, value) for name, value in content.get("headers", {}).items()],
            symptoms={cell: symptoms for cell, symptoms, _ in cells},
            right=content.get(suite, {}),
            behaviour=content.get("behaviour", {}),
            acts_as={cell: other for cell, _, other in cells if other != cell},
        )
    except KeyError as error:
        raise HoplabError(f"{file} lacks {str(error.args[0])!r}.") from error
    except (ValueError, TypeError) as error:
        raise HoplabError(f"{file}: {error}") from error


def _refuse_unknown(what: str, given: Iterable[str], known: Collection[str]) -> None:
    if unknown := sorted(set(given) - set(known)):
        message = f"there is no {what} {unknown[0]!r}; known: {', '.join(sorted(known))}"
        raise ValueError(message)


def _cells(
    name: str, entry: Mapping[str, Any], proxies: Collection[str], prefix: Prefix, *, ruled: bool
) -> list[tuple[Cell, Symptoms | None, Cell]]:
    """Every cell of an entry, what must show if the entry says it, and the cell that it acts as.

    Where it names no proxies, servers or modes, they are all proxies, the servers of compose.yaml
    (none that is another one), and both modes; where it names no strategy or trust, they are the
    recipe's. `partners` names the one server of a proxy, or the one proxy of a server, with which
    that is measured. If the rules can't say what must show, the entry has to.
    """
    cells: list[tuple[Cell, Symptoms | None, Cell]] = []
    stated = bool(_FAILS_KEYS & set(entry)) or not (ruled or "acts_as" in entry)
    every = [s.name for s in SERVERS.values() if s.profile is not Profile.NONE and not s.like]
    servers = entry.get("servers", every)
    modes = [choice(Mode, mode, "cells.modes") for mode in entry.get("modes", Mode)]
    partners = entry.get("partners", {})
    for proxy, server, mode, scheme in product(_proxies(entry, proxies), servers, modes, Scheme):
        if partners.get(proxy, server) != server or partners.get(server, proxy) != proxy:
            continue
        recipe = SERVERS[server].recipe(mode)
        cell = Cell(
            Topology(proxy, server, mode),
            choice(Strategy, entry.get("strategy", recipe.strategy), "cells.strategy"),
            choice(Trust, entry.get("trust", recipe.trust), "cells.trust"),
            scheme,
            name,
            prefix,
        )
        other = entry.get("acts_as", {})
        acts_as = replace(
            cell,
            strategy=Strategy(other.get("strategy", cell.strategy)),
            trust=Trust(other.get("trust", cell.trust)),
        )
        fails = {**entry["fails"], **entry.get(f"fails_{scheme}", {})} if stated else None
        cells.append((cell, fails, acts_as))
    return cells


def _proxies(entry: Mapping[str, Any], every: Collection[str]) -> Collection[str]:
    """Those that an entry names, as one or as several; all if it names none."""
    one = [entry["proxy"]] if "proxy" in entry else []
    return entry.get("proxies") or one or every
