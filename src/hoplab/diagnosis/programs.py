"""Which proxy, server or platform a site shows itself to be: by headers, error pages and names.

`programs.toml` has the signs. What is found is a guess: anybody can write a header.
"""

import re
import tomllib
from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cache
from importlib.resources import files
from typing import Any
from urllib.parse import urlsplit

from hoplab.catalogue.form import ANY, choice, refuse_unknown, require
from hoplab.client.wire import Exchange
from hoplab.diagnosis.site import below
from hoplab.diagnosis.words import Known
from hoplab.printable import printable
from hoplab.symptom import Advice

_READ = 2**16  # bytes of a body
_SHOWN = 80  # characters of a header's value
_ERRORS = range(400, 600)


class Kind(StrEnum):
    """What a program is. OTHER: a server of something that is no ASGI application."""

    PROXY = "proxy"
    SERVER = "server"
    PLATFORM = "platform"
    OTHER = "other"


class Remedy(StrEnum):
    """What has to be put right; the keys of a program's fixes."""

    PREFIX = "prefix"
    TRUST = "trust"
    PROTO = "proto"
    HOST = "host"
    UPGRADE = "upgrade"
    BOUNDARY = "boundary"
    SPOOF = "spoof"
    REACH = "reach"
    CORS = "cors"


@dataclass(frozen=True)
class Sign:
    """One thing by which a program is recognised: one of the patterns, all others are None.

    statuses: of the answers whose bodies are searched. weak: other programs show the same.
    """

    header: re.Pattern[str] | None = None
    value: re.Pattern[str] | None = None
    cookie: re.Pattern[str] | None = None
    host: re.Pattern[str] | None = None
    path: re.Pattern[str] | None = None
    body: re.Pattern[str] | None = None
    statuses: Sequence[int] = _ERRORS
    weak: bool = False


@dataclass(frozen=True)
class Fix:
    """What to change in a program, and the lines."""

    advice: Advice
    lines: Sequence[str] = ()


@dataclass(frozen=True)
class Program:
    """name: as in the catalogue, or as people call it. does: what it does to a request.

    passed_on: a header that it adds to what comes from behind it, and to no answer of its own.
    """

    name: str
    kind: Kind
    signs: Sequence[Sign]
    aliases: Sequence[str] = ()
    does: str = ""
    passed_on: str = ""
    fixes: Mapping[Remedy, Fix] = field(default_factory=dict)


@dataclass(frozen=True)
class Recognised:
    """A program, and what shows it. weak: it may well be another one."""

    program: Program
    why: str
    weak: bool = False


@cache
def programs() -> Sequence[Program]:
    """All that are known, as `programs.toml` has them."""
    text = files("hoplab.diagnosis").joinpath("programs.toml").read_text("utf-8")
    return read(tomllib.loads(text))


_SIGN = {
    **dict.fromkeys(("header", "value", "cookie", "host", "path", "body"), re.Pattern),
    "status": [int],
    "weak": bool,
}
_FIX = {"text": str, "lines": [str], "references": [str]}
_PROGRAM: dict[str, Any] = {
    **dict.fromkeys(("name", "kind", "does", "passed_on"), str),
    "aliases": [str],
    "signs": [_SIGN],
    "fixes": {ANY: _FIX},
}


def read(table: Mapping[str, Any]) -> Sequence[Program]:
    """The programs of a table. Raises ValueError or KeyError, naming what is wrong."""
    require({"program": [_PROGRAM]}, table, "programs.toml")
    return [_program(each) for each in table["program"]]


def _program(table: Mapping[str, Any]) -> Program:
    name = table["name"]
    refuse_unknown(name, table, set(_PROGRAM))
    return Program(
        name,
        choice(Kind, table["kind"], f"{name}.kind"),
        [_sign(name, each) for each in table["signs"]],
        tuple(table.get("aliases", [])),
        table.get("does", ""),
        table.get("passed_on", ""),
        {
            choice(Remedy, key, f"{name}.fixes"): _fix(f"{name}.fixes.{key}", fix)
            for key, fix in table.get("fixes", {}).items()
        },
    )


def _sign(name: str, table: Mapping[str, Any]) -> Sign:
    refuse_unknown(f"{name}.signs", table, set(_SIGN))
    found = {
        key: re.compile(pattern, re.IGNORECASE)
        for key, pattern in table.items()
        if _SIGN[key] is re.Pattern
    }
    return Sign(**found, statuses=table.get("status", _ERRORS), weak=table.get("weak", False))


def _fix(where: str, table: Mapping[str, Any]) -> Fix:
    refuse_unknown(where, table, set(_FIX))
    advice = Advice(table["text"], references=tuple(table.get("references", [])))
    return Fix(advice, tuple(table.get("lines", [])))


def passed_on() -> list[str]:
    """The headers by which proxies mark what they pass on."""
    return [each.passed_on for each in programs() if each.passed_on]


def find(name: str) -> Program | None:
    """The program that a person calls so; None if it is not known."""
    told = name.strip().lower()
    return next((each for each in programs() if told in {each.name.lower(), *each.aliases}), None)


def names(kinds: Container[Kind] = frozenset(Kind)) -> list[str]:
    """What `find` knows of these kinds, by the shortest name of each."""
    every = (each for each in programs() if each.kind in kinds)
    return sorted({min((each.name, *each.aliases), key=len) for each in every})


def recognise(url: str, exchanges: Sequence[Exchange], prefix: str = "") -> list[Recognised]:
    """What this site shows itself to be, surest first; the same kind in the order of the file.

    prefix: of the site, as in a URL. Outside it another application may answer: only the answers
    inside it tell what this one runs in.
    """
    found = []
    inside = [each for each in exchanges if below(each.url, prefix)]
    for program in programs():
        where = inside if program.kind in {Kind.SERVER, Kind.OTHER} else exchanges
        shown = [(why, sign.weak) for sign in program.signs for why in _shown(sign, url, where)]
        if shown:
            why, weak = min(shown, key=lambda each: each[1])
            found.append(Recognised(program, why, weak))
    return sorted(found, key=lambda each: each.weak)


def _shown(sign: Sign, url: str, exchanges: Sequence[Exchange]) -> Iterator[str]:
    parts = urlsplit(url)
    host = parts.hostname or ""
    if sign.host and sign.host.search(host):
        yield f"the host's name is {host}"
    if sign.path and (match := sign.path.search(parts.path)):
        yield f"the path has {printable(match[0], _SHOWN)}"
    for exchange in exchanges:
        if why := _in_answer(sign, exchange):
            yield why
            return


def _in_answer(sign: Sign, exchange: Exchange) -> str:
    for name, value in exchange.headers:
        shown = f"{name}: {printable(value, _SHOWN)}"
        if sign.header and sign.value and sign.header.fullmatch(name):
            if sign.value.fullmatch(value[:1000].strip()):
                return f"{shown}, of {exchange.url}"
        elif sign.cookie and name.lower() == "set-cookie":
            cookie = value.partition("=")[0].strip()
            if sign.cookie.fullmatch(cookie[:200]):
                return f"the cookie {printable(cookie, _SHOWN)}, of {exchange.url}"
    if sign.body and exchange.status in sign.statuses:
        match = sign.body.search(exchange.body[:_READ].decode("utf-8", "replace"))
        if match:
            said = printable(" ".join(match[0].split()), _SHOWN)
            return f"the {exchange.status} of {exchange.url} says {said!r}"
    return ""


def guess(known: Known, recognised: Sequence[Recognised]) -> Known:
    """What a person said, and where they did not, the surest of what was recognised."""
    names = {Kind.PROXY: known.proxy, Kind.SERVER: known.server}
    whys = {Kind.PROXY: known.why_proxy, Kind.SERVER: known.why_server}
    for kind, name in names.items():
        of_kind = [each for each in recognised if each.program.kind is kind]
        if not name and of_kind:
            names[kind], whys[kind] = of_kind[0].program.name, of_kind[0].why
    return Known(names[Kind.PROXY], names[Kind.SERVER], whys[Kind.PROXY], whys[Kind.SERVER])


def no_asgi(recognised: Sequence[Recognised]) -> str:
    """Why this is no ASGI application, if something says so; to be asked where none was found."""
    if any(each.program.kind is Kind.SERVER for each in recognised):
        return ""
    for each in recognised:
        if each.program.kind is Kind.OTHER and not each.weak:
            return f"{each.why}: no ASGI application. {each.program.does}"
    return ""
