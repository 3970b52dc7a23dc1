"""The candidates: combinations of right and wrong ways to make a deployment, by their faults."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from itertools import combinations, product
from typing import Any

from hoplab.catalogue.proxies import Boundary, Host, Treatment, Upgrades
from hoplab.catalogue.servers.server import RootPath
from hoplab.diagnosis.words import Area, Fault, Question, Symbol
from hoplab.diagnosis.worlds import ANOTHER, PREFIX, Setting, World, shown
from hoplab.topology import Mode, Strategy

MOST_FAULTS = 3
"""A deployment with more is none that can be told from outside."""


@dataclass(frozen=True)
class Option:
    """One way to make one area of a deployment; `fault` is None where it is right."""

    area: Area
    fault: Fault | None
    changes: Mapping[str, Any] = field(default_factory=dict)
    only: RootPath | None = None
    """Possible only with a server that does this with its option."""


_STRIP: Mapping[str, Any] = {"mode": Mode.STRIP}
_PRESERVE: Mapping[str, Any] = {"mode": Mode.PRESERVE}
_OPTION: Mapping[str, Any] = {"strategy": Strategy.SERVER_OPTION}
_PREPENDED: Mapping[str, Any] = {**_OPTION, "root_path": RootPath.PREPENDED}
_LABEL: Mapping[str, Any] = {**_OPTION, "root_path": RootPath.LABEL}
_ARGUMENT: Mapping[str, Any] = {"strategy": Strategy.APP_ARGUMENT}


def _prefix(
    fault: Fault | None, *changes: Mapping[str, Any], only: RootPath | None = None
) -> Option:
    told: dict[str, Any] = {}
    for each in changes:
        told |= each
    return Option(Area.PREFIX, fault, told, only)


_WITH_PREFIX: Sequence[Option] = (
    _prefix(None, _STRIP, _PREPENDED, only=RootPath.PREPENDED),
    _prefix(None, _STRIP, {"strategy": Strategy.FORWARDED_PREFIX}),
    _prefix(None, _PRESERVE, _LABEL, only=RootPath.LABEL),
    _prefix(None, _PRESERVE, _ARGUMENT),
    _prefix(None, _PRESERVE, {"strategy": Strategy.MOUNT}),
    _prefix(None, _PRESERVE, {"strategy": Strategy.ROUTER}),
    _prefix(Fault.UNTOLD_STRIPPED, _STRIP, {"strategy": Strategy.NONE}),
    _prefix(Fault.LABEL_STRIPPED, _STRIP, _LABEL, only=RootPath.LABEL),
    _prefix(Fault.LABEL_STRIPPED, _STRIP, _ARGUMENT),
    _prefix(Fault.UNTOLD_PRESERVED, _PRESERVE, {"strategy": Strategy.NONE}),
    _prefix(Fault.PREPENDED_PRESERVED, _PRESERVE, _PREPENDED, only=RootPath.PREPENDED),
    _prefix(Fault.IN_ROUTES_STRIPPED, _STRIP, {"strategy": Strategy.ROUTER}),
    _prefix(Fault.MOUNTED_STRIPPED, _STRIP, {"strategy": Strategy.MOUNT}),
    _prefix(
        Fault.FIXED_STRIPPED,
        _STRIP,
        {"strategy": Strategy.FORWARDED_PREFIX, "prefix_sent": False},
    ),
    _prefix(
        Fault.ROOT_PATH_SLASH,
        _STRIP,
        _PREPENDED,
        {"root": f"{PREFIX}/"},
        only=RootPath.PREPENDED,
    ),
    _prefix(
        Fault.ROOT_PATH_ONLY_SLASH,
        _STRIP,
        _PREPENDED,
        {"root": "/"},
        only=RootPath.PREPENDED,
    ),
    _prefix(
        Fault.OTHER_ROOT_PATH,
        _STRIP,
        _PREPENDED,
        {"root": ANOTHER},
        only=RootPath.PREPENDED,
    ),
    _prefix(Fault.OTHER_ROOT_PATH, _STRIP, _LABEL, {"root": ANOTHER}, only=RootPath.LABEL),
    _prefix(Fault.OTHER_ROOT_PATH, _PRESERVE, _LABEL, {"root": ANOTHER}, only=RootPath.LABEL),
)

_WITHOUT_PREFIX: Sequence[Option] = (
    _prefix(None, _PRESERVE, {"strategy": Strategy.NONE}),
    _prefix(
        Fault.OTHER_ROOT_PATH,
        _PRESERVE,
        _PREPENDED,
        {"root": ANOTHER},
        only=RootPath.PREPENDED,
    ),
    _prefix(Fault.OTHER_ROOT_PATH, _PRESERVE, _LABEL, {"root": ANOTHER}, only=RootPath.LABEL),
    _prefix(
        Fault.ROOT_PATH_ONLY_SLASH,
        _PRESERVE,
        _PREPENDED,
        {"root": "/"},
        only=RootPath.PREPENDED,
    ),
)

_ELSE: Sequence[Option] = (
    Option(Area.DOCS, Fault.DOCS_FIXED, {"docs_fixed": True}),
    Option(Area.SERVERS, Fault.SERVERS_FIXED, {"servers_fixed": True}),
    Option(Area.PATH, Fault.PATH_FIXED, {"one_path": True}),
    Option(Area.PATH, Fault.PATH_SLASHES, {"slash": True}),
    Option(Area.PATH, Fault.PREFIX_AGAIN, {"again": True}),
    Option(Area.SCHEME, Fault.NOT_TRUSTED, {"trusted": False}),
    Option(Area.SCHEME, Fault.PROTO_NOT_SENT, {"proto": Treatment.DROPPED}),
    Option(Area.SCHEME, Fault.PROTO_NOT_SENT, {"proto": Treatment.PASSED}),
    Option(Area.SCHEME, Fault.PROTO_NOT_SENT, {"proto": Treatment.PASSED, "prefix_sent": False}),
    Option(Area.SCHEME, Fault.PROTO_OVERWRITTEN, {"inner": True}),
    Option(Area.SCHEME, Fault.PROTO_LISTED, {"proto": Treatment.DROPPED, "listed": True}),
    Option(Area.HOST, Fault.HOST_WITHOUT_PORT, {"host": Host.WITHOUT_PORT}),
    Option(Area.HOST, Fault.HOST_UPSTREAM, {"host": Host.UPSTREAM}),
    Option(Area.HOST, Fault.HOST_UPSTREAM, {"other_port": True}),  # on the same machine
    Option(Area.HOST, Fault.HOST_OTHER_PORT, {"other_port": True}),
    Option(
        Area.HOST,
        Fault.LOCATION_REWRITTEN,
        {"host": Host.UPSTREAM, "rewrites": True, "proto": Treatment.DROPPED},
    ),
    Option(Area.UPGRADE, Fault.NO_UPGRADE, {"upgrades": Upgrades.NONE}),
    Option(Area.UPGRADE, Fault.ANY_UPGRADE, {"upgrades": Upgrades.ANY}),
    Option(Area.BOUNDARY, Fault.LETTERS, {"boundary": Boundary.LETTERS}),
    Option(Area.BOUNDARY, Fault.OPEN_WITHOUT_PREFIX, {"passes_all": True}),
    Option(Area.SPOOF, Fault.SPOOFABLE_SCHEME, {"proto": Treatment.KEPT}),
    Option(Area.SPOOF, Fault.SPOOFABLE_HOST, {"host_believed": True}),
    Option(Area.SPOOF, Fault.SPOOFABLE_PREFIX, {"prefix_believed": True}),
    Option(Area.APPLICATION, Fault.UNREACHABLE, {"unreachable": True}),
    Option(Area.APPLICATION, Fault.RAISES, {"raises": True}),
    Option(Area.APPLICATION, Fault.NO_SUCH_ROUTE, {"no_route": True}),
    Option(Area.CORS, Fault.CORS_TWICE, {"cors_twice": True}),
)

_NEEDS_PREFIX = {
    Fault.DOCS_FIXED,
    Fault.SERVERS_FIXED,
    Fault.LETTERS,
    Fault.OPEN_WITHOUT_PREFIX,
    Fault.PATH_SLASHES,
    Fault.PREFIX_AGAIN,
}

AREAS: Mapping[Fault, Area] = {
    option.fault: option.area
    for option in (*_WITH_PREFIX, *_WITHOUT_PREFIX, *_ELSE)
    if option.fault
}

OPTIONS: Mapping[Fault, Sequence[Option]] = {
    fault: [option for option in (*_WITH_PREFIX, *_WITHOUT_PREFIX, *_ELSE) if option.fault is fault]
    for fault in AREAS
}
"""The ways in which each fault comes about."""

ORDER: Mapping[Fault, int] = {fault: number for number, fault in enumerate(AREAS)}
"""How likely faults are, as this module lists them: the first of several that fit comes first."""


@dataclass(frozen=True)
class Candidate:
    """A world, the faults in which it departs from a right one, and what it shows."""

    faults: frozenset[Fault]
    world: World
    shows: Mapping[Question, Symbol]


ALL_AREAS = frozenset(Area)


@cache
def candidates(
    setting: Setting, number: int, areas: frozenset[Area] = ALL_AREAS
) -> Sequence[Candidate]:
    """Every world with so many faults, of these areas; the prefix always is one of them.

    Of several that show the same by the same faults, one.
    """
    found: dict[tuple[object, ...], Candidate] = {}
    for options in _combinations(setting, number, areas):
        world = World()
        for option in options:
            world = replace(world, **option.changes)
        faults = frozenset(option.fault for option in options if option.fault)
        shows = shown(world, setting)
        found.setdefault((faults, *sorted(shows.items())), Candidate(faults, world, shows))
    return list(found.values())


def _combinations(
    setting: Setting, number: int, within: frozenset[Area]
) -> Iterator[Sequence[Option]]:
    """One way to make the prefix, and others, of different areas: so many faults together."""
    prefixes = _WITH_PREFIX if setting.prefix else _WITHOUT_PREFIX
    prefixes = [
        option
        for option in prefixes
        if None in {setting.root_path, option.only} or option.only is setting.root_path
    ]
    others = [
        option
        for option in _ELSE
        if option.area in within and (setting.prefix or option.fault not in _NEEDS_PREFIX)
    ]
    for prefix, wrong in product(prefixes, range(number + 1)):
        if wrong + bool(prefix.fault) != number:
            continue
        for more in combinations(others, wrong):
            areas = {option.area for option in more}
            if len(areas) == len(more) and not _overlap(prefix, *more):
                yield (*more, prefix) if prefix.fault else (prefix, *more)


def _overlap(*options: Option) -> bool:
    """Whether two of them decide the same: then they are no two faults."""
    decided = [key for option in options for key in option.changes]
    return len(decided) != len(set(decided))
