"""What is wrong with a cell of the lab, by how it is made; and what of that shows outside."""

from collections.abc import Mapping
from dataclasses import replace
from itertools import combinations
from typing import Any

from hoplab.catalogue import Catalogue
from hoplab.catalogue.proxies import changed
from hoplab.commands.doctor import setting_of
from hoplab.diagnosis.candidates import OPTIONS
from hoplab.diagnosis.words import Fault, Known, Question
from hoplab.diagnosis.worlds import Setting, World, shown
from hoplab.predictions.rules import Case, reads_prefix_header
from hoplab.topology import Cell, Mode, Strategy, Trust

OUTSIDE = ("scope", "spoof", "loop", "link-scheme")
WITH_WINDOW = ("spoof", "loop", "link-scheme", "scope-client")
WITH_SPOOF = ("scope", "loop", "link-scheme")
"""How the questions begin that are not asked. Nothing in the lab redirects http to https,
its pages load nothing of their own host, and the doctor's address is the proxy's as well."""

VARIED: Mapping[str, frozenset[Fault]] = {
    name: frozenset(faults)
    for name, faults in {
        "hypercorn-proxy-fix-added": [Fault.RAISES],
        "nginx-bare": [Fault.LOCATION_REWRITTEN, Fault.NO_UPGRADE],
        "nginx-behind-traefik": [Fault.PROTO_OVERWRITTEN],
        "traefik-behind-nginx": [Fault.PROTO_OVERWRITTEN],
        "nginx-header-in-location": [
            Fault.HOST_UPSTREAM,
            Fault.PROTO_NOT_SENT,
            Fault.NO_UPGRADE,
        ],
        "nginx-host-drops-port": [Fault.HOST_WITHOUT_PORT],
        "nginx-no-upgrade": [Fault.NO_UPGRADE],
        "nginx-upgrade-anything": [Fault.ANY_UPGRADE],
        "nginx-proxy-pass-no-slash": [Fault.PREPENDED_PRESERVED],
        "nginx-proxy-pass-variable": [Fault.PATH_FIXED],
        "traefik-no-boundary": [Fault.LETTERS],
        "traefik-trusts-client": [Fault.SPOOFABLE_SCHEME],
        "cors-nginx-too": [Fault.CORS_TWICE],
        "cors-caddy-too": [Fault.CORS_TWICE],
    }.items()
}
"""What is wrong in a variation's cells, besides what its strategy and trust say."""


UNSEEN = {
    "nginx-appends": "what a client writes into X-Forwarded-For arrives; nothing tells its address",
    "nginx-no-body-size": "large bodies are refused; none is sent to a stranger's deployment",
    "nginx-proxy-pass-slash": "an encoded slash arrives decoded; no route tells its path",
    "sub-app-root-path": "a mounted application is a 404; nothing names the mount",
    "cors-both": "which origins its author wants is not public",
    "cors-inner-only": "which origins its author wants is not public",
    "cors-traefik-too": "one Access-Control-Allow-Origin comes, the proxy's",
}
"""Variations that are wrong in what a stranger can't see, or must not try."""


def truth(
    cell: Cell,
    catalogue: Catalogue,
    unasked: tuple[str, ...],
    own: frozenset[Fault] = frozenset(),
) -> tuple[frozenset[Fault], frozenset[Fault]]:
    """The faults of a cell that show outside, and those that don't, by how it is made.

    own: what is wrong in the application itself, wherever it runs.
    """
    variation = catalogue.variation(cell)
    behaviour = catalogue.proxies[cell.topology.proxy].behaviour
    if variation:
        behaviour = changed(behaviour, variation.behaviour)
    acts_as = variation.acts_as.get(cell, cell) if variation else cell
    server = catalogue.servers[cell.topology.server]
    world = World(
        mode=acts_as.topology.mode,
        strategy=acts_as.strategy,
        root_path=server.root_path,
        trusted=acts_as.trust is not Trust.NONE,
        prefix_sent=reads_prefix_header(Case(acts_as, behaviour, server)),
    )
    trusting = replace(acts_as, trust=Trust.PROXY)
    would_read = reads_prefix_header(Case(trusting, behaviour, server))
    faults = {*own, *VARIED.get(cell.variation, ())}
    if not server.h2c:
        faults.discard(Fault.ANY_UPGRADE)  # nothing comes of it
    if cell.variation == "nginx-bare":
        world = replace(world, prefix_sent=False)
        if world.mode is Mode.PRESERVE:
            faults.add(Fault.LETTERS)
    if Fault.PREPENDED_PRESERVED in faults:
        world = replace(
            world,
            mode=Mode.PRESERVE,
            strategy=Strategy.SERVER_OPTION,
            root_path=_PREPENDED.root_path,
        )
    faults |= _of_the_root_path(cell, catalogue)
    right = world
    for fault in faults:
        world = replace(world, **_changes(fault))
    prefix_fault = _of_the_prefix(right)
    if prefix_fault is Fault.FIXED_STRIPPED and (
        (not world.trusted and would_read) or Fault.PROTO_NOT_SENT in faults
    ):
        prefix_fault = None  # it follows from the other
    if prefix_fault and not faults & _SLASHES:
        faults.add(prefix_fault)
    if not world.trusted:
        faults.add(Fault.NOT_TRUSTED)
    setting = setting_of(f"{cell.scheme}://name:1{cell.prefix}", cell.prefix.encoded, Known())
    visible = _visible(faults, world, setting, unasked, would_read)
    if Fault.NOT_TRUSTED in visible:
        visible.discard(Fault.FIXED_STRIPPED)  # nobody's prefix is believed: one explains both
    return frozenset(visible), frozenset(faults - visible)


def _visible(
    faults: set[Fault],
    world: World,
    setting: Setting,
    unasked: tuple[str, ...],
    would_read: bool,  # noqa: FBT001
) -> set[Fault]:
    """Of the faults that this world has, those without which it would show something else."""
    if not setting.https:
        unasked = (*unasked, Question.SCOPE_PROTO_HEADER)  # none is needed, and none is missed

    def shows_without(*made_right: Fault) -> dict[Question, str]:
        changed = world
        for fault in made_right:
            changed = _without(fault, changed, would_read)
        return _asked(shown(changed, setting), unasked)

    seen = shows_without()
    found = {fault for fault in faults if shows_without(fault) != seen}
    for pair in combinations(faults - found, 2):  # the same shows by either of them
        if shows_without(*pair) != seen:
            found |= {*pair}
    return found


def _of_the_root_path(cell: Cell, catalogue: Catalogue) -> set[Fault]:
    """What a variation's own command line makes wrong, if the server takes it as it is."""
    variation = catalogue.variation(cell)
    server = catalogue.servers[cell.topology.server]
    if not variation or server.name not in variation.commands:
        return set()
    fault = {
        "root-path-slash": Fault.ROOT_PATH_ONLY_SLASH,
        "root-path-trailing-slash": Fault.ROOT_PATH_SLASH,
    }.get(cell.variation)
    return {fault} if fault and server.root_path is _PREPENDED.root_path else set()


_PREPENDED = World(**OPTIONS[Fault.PREPENDED_PRESERVED][0].changes)


_SLASHES = {Fault.ROOT_PATH_ONLY_SLASH, Fault.ROOT_PATH_SLASH}


_RIGHT: Mapping[Mode, Mapping[str, Any]] = {
    Mode.STRIP: {
        "strategy": Strategy.SERVER_OPTION,
        "root_path": _PREPENDED.root_path,
        "root": None,
    },
    Mode.PRESERVE: {"strategy": Strategy.APP_ARGUMENT, "root": None},
}


def _of_the_prefix(world: World) -> Fault | None:
    for fault, options in OPTIONS.items():
        for option in options:
            made = {key: value for key, value in option.changes.items() if key != "trusted"}
            same = all(getattr(world, key) == value for key, value in made.items())
            if option.area == "prefix" and same and "root" not in made:
                return fault
    return None


def _changes(fault: Fault) -> Mapping[str, Any]:
    """The most that goes with it: a proxy that sends no header says nothing of the prefix."""
    return OPTIONS[fault][-1].changes


def _without(fault: Fault, world: World, would_read: bool) -> World:  # noqa: FBT001
    """The same deployment with this one thing made right.

    would_read: whether a trusted proxy would be believed about the prefix as well.
    """
    if fault is Fault.NOT_TRUSTED:
        return replace(world, trusted=True, prefix_sent=would_read)
    if OPTIONS[fault][0].area == "prefix":
        return replace(world, prefix_sent=True, **_RIGHT[world.mode])
    right = World()
    return replace(world, **{key: getattr(right, key) for key in _changes(fault)})


def _asked(symbols: Mapping[Question, str], unasked: tuple[str, ...]) -> dict[Question, str]:
    return {q: symbol for q, symbol in symbols.items() if not q.startswith(unasked)}
