"""What to change, in the words of the person's own proxy, server and platform.

The texts are those of the catalogue, by the symptoms that a fault has; of what is not in it, those
of `programs.toml`.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from hoplab.catalogue import Catalogue
from hoplab.catalogue.proxies import Proxy
from hoplab.catalogue.servers.server import Server
from hoplab.diagnosis.faults import FAULTS
from hoplab.diagnosis.programs import Kind, Program, Recognised, Remedy, find
from hoplab.diagnosis.words import Fault, Known, Prescription
from hoplab.prefix import Prefix
from hoplab.recipe import BIND, PROXIES, shell_line
from hoplab.symptom import Advice
from hoplab.topology import Mode, Topology

_PLACE = "{prefix}"
_LINES = re.compile(r"`([^`]+)`")

_PROXY, _SERVER = frozenset({Kind.PROXY}), frozenset({Kind.SERVER})
_BOTH = _PROXY | _SERVER

WHOSE: Mapping[Fault, tuple[Remedy, frozenset[Kind]]] = {
    Fault.UNTOLD_STRIPPED: (Remedy.PREFIX, _BOTH),
    Fault.UNTOLD_PRESERVED: (Remedy.PREFIX, _BOTH),
    Fault.LABEL_STRIPPED: (Remedy.PREFIX, _BOTH),
    Fault.PREPENDED_PRESERVED: (Remedy.PREFIX, _BOTH),
    Fault.IN_ROUTES_STRIPPED: (Remedy.PREFIX, _BOTH),
    Fault.MOUNTED_STRIPPED: (Remedy.PREFIX, _BOTH),
    Fault.FIXED_STRIPPED: (Remedy.PREFIX, _BOTH),
    Fault.ROOT_PATH_SLASH: (Remedy.PREFIX, _SERVER),
    Fault.ROOT_PATH_ONLY_SLASH: (Remedy.PREFIX, _SERVER),
    Fault.OTHER_ROOT_PATH: (Remedy.PREFIX, _SERVER),
    Fault.PATH_FIXED: (Remedy.PREFIX, _PROXY),
    Fault.PATH_SLASHES: (Remedy.PREFIX, _PROXY),
    Fault.PREFIX_AGAIN: (Remedy.PREFIX, _PROXY),
    Fault.NOT_TRUSTED: (Remedy.TRUST, _SERVER),
    Fault.PROTO_NOT_SENT: (Remedy.PROTO, _PROXY),
    Fault.PROTO_OVERWRITTEN: (Remedy.PROTO, _PROXY),
    Fault.PROTO_LISTED: (Remedy.PROTO, _PROXY),
    Fault.HOST_WITHOUT_PORT: (Remedy.HOST, _PROXY),
    Fault.HOST_OTHER_PORT: (Remedy.HOST, _PROXY),
    Fault.HOST_UPSTREAM: (Remedy.HOST, _PROXY),
    Fault.LOCATION_REWRITTEN: (Remedy.HOST, _PROXY),
    Fault.NO_UPGRADE: (Remedy.UPGRADE, _PROXY),
    Fault.ANY_UPGRADE: (Remedy.UPGRADE, _PROXY),
    Fault.LETTERS: (Remedy.BOUNDARY, _PROXY),
    Fault.OPEN_WITHOUT_PREFIX: (Remedy.BOUNDARY, _PROXY),
    Fault.SPOOFABLE_SCHEME: (Remedy.SPOOF, _BOTH),
    Fault.SPOOFABLE_HOST: (Remedy.SPOOF, _BOTH),
    Fault.SPOOFABLE_PREFIX: (Remedy.SPOOF, _BOTH),
    Fault.UNREACHABLE: (Remedy.REACH, _PROXY),
    Fault.CORS_TWICE: (Remedy.CORS, _BOTH),
}
"""What puts each fault right, and in which of the hops. In a platform everything may."""

STARTED: Mapping[Fault, Mode] = {
    Fault.UNTOLD_STRIPPED: Mode.STRIP,
    Fault.LABEL_STRIPPED: Mode.STRIP,
    Fault.FIXED_STRIPPED: Mode.STRIP,
    Fault.ROOT_PATH_SLASH: Mode.STRIP,
    Fault.ROOT_PATH_ONLY_SLASH: Mode.STRIP,
    Fault.UNTOLD_PRESERVED: Mode.PRESERVE,
    Fault.PREPENDED_PRESERVED: Mode.PRESERVE,
}
"""The faults that another start of the server puts right, and what the proxy does there."""


def prescribe(
    faults: Iterable[Fault],
    known: Known,
    prefix: str,
    catalogue: Catalogue,
    recognised: Sequence[Recognised] = (),
) -> list[Prescription]:
    """What to change for each of these faults, in what is known or was recognised.

    What a person named comes first, and is no guess. Where nothing is known of a proxy or a server,
    the fault's own words are all there is.
    """
    own = _sure_first(known, recognised)
    found: list[Prescription] = []
    for fault in faults:
        for program, guessed in own:
            found += _of_program(fault, program, prefix, catalogue, guessed=guessed)
    return _once(found)


def _once(found: Iterable[Prescription]) -> list[Prescription]:
    """Several faults may need the same change."""
    first: dict[tuple[str, str, tuple[str, ...]], Prescription] = {}
    for each in found:
        first.setdefault((each.of, each.text, tuple(each.lines)), each)
    return list(first.values())


def _sure_first(known: Known, recognised: Sequence[Recognised]) -> list[tuple[Program, bool]]:
    """Each program once, with whether it is only a guess. What a person said excludes guesses."""
    told = {
        Kind.PROXY: known.proxy if not known.why_proxy else "",
        Kind.SERVER: known.server if not known.why_server else "",
    }
    own: list[tuple[Program, bool]] = []
    for kind, name in told.items():
        if name:
            own.append((find(name) or Program(name, kind, ()), False))
    seen = {program.name for program, _ in own}
    strong = {each.program.kind for each in recognised if not each.weak}
    for each in recognised:
        program = each.program
        weaker = each.weak and program.kind in strong
        if not told.get(program.kind) and program.name not in seen and not weaker:
            own.append((program, True))
    return own


def _of_program(
    fault: Fault, program: Program, prefix: str, catalogue: Catalogue, *, guessed: bool
) -> Iterator[Prescription]:
    if fault not in WHOSE:
        return
    remedy, kinds = WHOSE[fault]
    if program.kind is not Kind.PLATFORM and program.kind not in kinds:
        return
    owner: Proxy | Server | None = catalogue.proxies.get(program.name)
    owner = owner or catalogue.servers.get(program.name)
    if owner is None:
        yield from _of_foreign(fault, remedy, program, prefix, guessed=guessed)
        return
    advice = next(filter(None, (owner.advice.get(name) for name in FAULTS[fault].symptoms)), None)
    if advice is not None and _PLACE in advice.fix and not prefix:
        return  # that is about how to have one
    if isinstance(owner, Server) and fault in STARTED and prefix:
        yield _started(fault, owner, advice, prefix, catalogue, guessed=guessed)
    elif advice is not None and advice.fix:
        here = advice.under(prefix)
        both = isinstance(owner, Server) and remedy is Remedy.PREFIX  # with and without the prefix
        lines = () if both else tuple(_LINES.findall(here.fix))
        yield Prescription(fault, owner.name, here.fix, lines, here.references, guessed)


def _of_foreign(
    fault: Fault, remedy: Remedy, program: Program, prefix: str, *, guessed: bool
) -> Iterator[Prescription]:
    fix = program.fixes.get(remedy)
    if fix is None or (not prefix and any(_PLACE in text for text in (fix.advice.fix, *fix.lines))):
        return
    does = f"{program.does} " if program.does else ""
    text = (does + fix.advice.fix).replace(_PLACE, prefix)
    lines = tuple(line.replace(_PLACE, prefix) for line in fix.lines)
    yield Prescription(fault, program.name, text, lines, fix.advice.references, guessed)


def _started(
    fault: Fault,
    server: Server,
    advice: Advice | None,
    prefix: str,
    catalogue: Catalogue,
    *,
    guessed: bool,
) -> Prescription:
    """How the recipe starts this server. Which proxy it is behind makes no difference to that.

    The server's own advice has both cases, so its lines are no lines to copy.
    """
    here = replace(catalogue, prefix=Prefix(prefix))
    mode = STARTED[fault]
    deployment = here.recommended(Topology(next(iter(here.proxies)), server.name, mode))
    environment = here.server_environment(deployment, PROXIES)
    environment.pop("PUBLIC_PREFIX", None)  # for the lab's own modules
    line = shell_line(here.server_command(deployment, BIND, PROXIES), environment)
    does = "removes" if mode is Mode.STRIP else "passes on"
    text = (
        f"Behind a proxy that {does} {prefix}, start it like this, with your application in the"
        f" place of `app.…` and the proxy's address in that of {PROXIES}."
    )
    if advice is not None and advice.fix:
        text = f"{text} {advice.under(prefix).fix}"
    references = advice.references if advice else ()
    return Prescription(fault, server.name, text, (line,), references, guessed)
