"""The language `sites`: blocks with an address, a statement on each line, and snippets."""

import json
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from hoplab.catalogue.configurations import lines, site_edits
from hoplab.catalogue.configurations.adapting import Adapting
from hoplab.catalogue.configurations.configuration import (
    CERTIFICATE,
    HOST,
    KEY,
    PORTS,
    UPSTREAM,
    BadConfiguration,
    CannotRun,
    Configuration,
    Replacement,
    replaced,
)
from hoplab.catalogue.configurations.included import Includes, read_with, with_included
from hoplab.catalogue.configurations.passing import (
    FORWARDS,
    Passing,
    passings,
    sites,
    snippets,
    with_arguments,
)
from hoplab.catalogue.configurations.statements import Statement
from hoplab.endpoint import PUBLIC_NAME
from hoplab.topology import Mode, Scheme

_ADDRESS = re.compile(
    r"(?:(?P<scheme>https?)://)?(?P<host>\[[^]]*\]|[^:/]*)(?::(?P<port>\d+))?(?P<path>/.*)?"
)
_VARIABLE = re.compile(r"\{\$(\w+)(?::([^}]*))?\}")
_USUAL = {"80": Scheme.HTTP, "443": Scheme.HTTPS}
_ELSEWHERE = {"forward_auth", "php_fastcgi"}
_CERTIFICATE_SITE = "certificate.invalid"
"""A site may answer over http as well, and may not have a certificate then: it has a site alone."""


def understand(
    path: Path, text: str, words: Mapping[str, Any], lab: Mapping[Mode, str]
) -> Configuration:
    """The file, with what this machine and the lab need of it. `lab` are the lab's, by mode.

    words: of proxy.toml. Raises BadConfiguration or CannotRun.
    """
    if _is_json(text):
        message = f"{path.name} is JSON: hoplab takes the file that it is adapted from"
        raise BadConfiguration(message)
    source, notes = with_included(path, text, _INCLUDES, ())
    adapting = _Adapting(source, read_with(lines.read, source), words, lines.read(lab[Mode.STRIP]))
    changes = adapting.replacements(lab[Mode.STRIP])
    after = replaced(source.text, changes)
    now = lines.read(after)
    return Configuration(
        source=source.with_lines_of(changes),
        before=source.text,
        after=after,
        schemes=adapting.schemes,
        prefixes=list(dict.fromkeys(each.path for each in adapting.passings)),
        edits=partial(site_edits.make, after, now, lab, words),
        notes=[*notes, *adapting.notes],
        named={**adapting.named, UPSTREAM: adapting.upstream},
    )


def _is_json(text: str) -> bool:
    try:
        return isinstance(json.loads(text), dict)
    except ValueError:
        return False


def _first_import(whole: Statement) -> Statement | None:
    """The first that names a file, and not a snippet."""
    known = snippets(whole)
    found = (each for each in whole.walk() if each.name == "import" and each.arguments)
    return next((each for each in found if each.arguments[0] not in known), None)


def _filled(text: str, include: Statement) -> str:
    return with_arguments(text, tuple(include.arguments[1:]))


_INCLUDES = Includes(lines.read, _first_import, _filled)


@dataclass(frozen=True)
class _Address:
    """An address as it is written, with variables filled in."""

    scheme: Scheme
    host: str
    path: str

    def at(self, name: str) -> str:
        """With the lab's port, and this name."""
        return f"{self.scheme}://{name}:{PORTS[self.scheme]}{self.path}"


@dataclass
class _Adapting(Adapting):
    lab: Statement

    def __post_init__(self) -> None:
        self.named: dict[str, str] = {}
        self._snippets = snippets(self.whole)
        self._sites = sites(self.whole)
        self._passings = {
            site.start: found for site in self._sites if (found := passings(site, self._snippets))
        }
        self.passings = [each for found in self._passings.values() for each in found]
        self._refuse()
        self._addresses = {site.start: self._read_addresses(site) for site in self._sites}
        self.schemes = self.schemes_of(
            "sites",
            ((s, {each.scheme for each in self._addresses[s.start]}) for s in self._serving()),
        )

    def replacements(self, lab_text: str) -> list[Replacement]:
        """All changes. Raises BadConfiguration or CannotRun."""
        return [
            *self._options(lab_text),
            *self._listening(),
            *self._without(),
            *self._upstreams(),
            *self._names(),
            *self._certificate(),
        ]

    def _refuse(self) -> None:
        """What leads to servers that are not here."""
        for each in self.whole.walk():
            if each.name in _ELSEWHERE:
                message = f"{self.at(each)}: {each.name} asks a server that is not here"
                raise CannotRun(message)
            if each.name == "proxy_protocol":
                self.refuse_proxy_protocol(each)
        if not self._sites:
            message = f"{self.source.path.name} has no site"
            raise BadConfiguration(message)
        if not self._passings:
            message = f"{self.source.path.name} passes nothing on: no site has a {FORWARDS}"
            raise BadConfiguration(message)

    def _read_addresses(self, site: Statement) -> list[_Address]:
        secure = bool(site.of("tls")) or any(
            self._snippets[each.arguments[0]].of("tls")
            for each in site.of("import")
            if each.arguments  # what is no snippet is a file, which is in the text by now
        )
        words = " ".join(word.text for word in site.words)
        return [
            self._address(each, site, secure=secure)
            for each in re.split(r"[,\s]+", _VARIABLE.sub(self._value, words))
            if each
        ]

    def _value(self, variable: re.Match[str]) -> str:
        """Of a variable: the proxy fills it in before it looks for addresses."""
        value = os.environ.get(variable[1]) or variable[2] or ""
        if not value:
            self.notes.append(f"{variable[0]} is not set: taken as a name")
        return value or f"{variable[1].lower().replace('_', '-')}.invalid"

    def _address(self, written: str, site: Statement, *, secure: bool) -> _Address:
        found = _ADDRESS.fullmatch(written)
        if found is None:
            message = f"{self.at(site)}: {written} is no address of a site"
            raise BadConfiguration(message)
        scheme = found["scheme"] and Scheme(found["scheme"])
        if not scheme:
            scheme = _USUAL.get(found["port"] or "")
        if not scheme:  # a name has a certificate by itself, at whatever port
            scheme = Scheme.HTTPS if secure or found["host"] else Scheme.HTTP
        return _Address(scheme, found["host"], found["path"] or "")

    def _serving(self) -> list[Statement]:
        return [site for site in self._sites if site.start in self._passings]

    def _options(self, lab_text: str) -> Iterator[Replacement]:
        """The lab's own global options in place of theirs."""
        (lab,) = (each for each in self.lab.inside or () if not each.name)
        theirs = next((each for each in self.whole.inside or () if not each.name), None)
        needed = {each.name: site_edits.written(each, lab_text) for each in lab.inside or ()}
        needed["default_bind"] = [f"default_bind {HOST}"]
        for each in (theirs.inside or ()) if theirs else ():
            if each.name == "servers":
                yield from self._server_options(each, lab, lab_text)
                needed.pop("servers", None)
            elif each.name in needed or each.name in self.words.get("without", {}):
                yield self.removed(each)
        added = [line for each in needed.values() for line in each]
        if theirs:
            yield self._added(theirs.opens, "".join(f"\n\t{line}" for line in added))
        else:
            yield self._added(0, "".join(["{\n", *(f"\t{line}\n" for line in added), "}\n"]))

    def _added(self, at: int, text: str) -> Replacement:
        """Lines that are no part of a change to their file."""
        self.named[text] = ""
        return Replacement(at, at, text)

    def _server_options(
        self, theirs: Statement, lab: Statement, lab_text: str
    ) -> Iterator[Replacement]:
        """Those of the listening address: it is the lab's."""
        for word in theirs.words[1:]:
            scheme = _USUAL.get(word.text.rpartition(":")[2])
            if scheme:
                yield Replacement(word.start, word.end, f"{HOST}:{PORTS[scheme]}")
        yield from map(self.removed, theirs.of("protocols"))
        (own,) = lab.of("servers")
        new = [line for each in own.inside or () for line in site_edits.written(each, lab_text)]
        yield self._added(theirs.opens, "".join(f"\n\t\t{line}" for line in new))

    def _listening(self) -> Iterator[Replacement]:
        """The lab's ports, and the name under which the lab asks."""
        serving = self._serving()
        taken: set[str] = set()
        for site in sorted(self._sites, key=lambda each: each not in serving):
            new = [
                each.at(PUBLIC_NAME if each.host and site in serving else each.host)
                for each in self._addresses[site.start]
            ]
            if taken & set(new):
                self.notes.append(f"the site of {self.at(site)} is left out: its port is the same")
                yield self.removed(site)
                continue
            taken |= set(new)
            bare = lines.is_bare(site, self.source.text)
            first, last = site.start, site.words[-1].end
            text = ", ".join(dict.fromkeys(new))
            text += " {" if bare else ""
            self.named[text] = self.source.text[first:last]
            yield Replacement(first, last, self.kept(first, last, text))
            if bare:
                yield Replacement(site.end, site.end, "\n}\n")

    def _without(self) -> Iterator[Replacement]:
        """What a process of the lab's can't have, or has by itself."""
        for block in [*self._sites, *self._snippets.values()]:
            names = self.words.get("without", {})
            yield from (self.removed(each) for each in block.inside or () if each.name in names)

    def _upstreams(self) -> Iterator[Replacement]:
        targets: dict[str, Statement] = {}
        for each in self.passings:
            self._refuse_upstream(each)
            named = sorted(_plain(each.resolved(word.text)) for word in each.upstreams)
            targets.setdefault(" ".join(dict.fromkeys(named)), each.statement)
            yield from self._upstream(each)
        self.require_one(targets)

    def _upstream(self, passing: Passing) -> Iterator[Replacement]:
        """The lab's in place of all of theirs."""
        of = [passing.upstreams_here, *(to.words[1:] for to in passing.statement.of("to"))]
        first, *others = [words for words in of if words]
        start, end = first[0].start, first[-1].end
        self.upstream = self.source.text[start:end]
        yield Replacement(start, end, UPSTREAM)
        for each in passing.statement.of("to"):
            if each.words[1:] in others:
                yield self.removed(each)

    def _refuse_upstream(self, passing: Passing) -> None:
        at, statement = self.at(passing.statement), passing.statement
        if dynamic := statement.of("dynamic"):
            message = f"{self.at(dynamic[0])}: only a lookup tells where that is. Write the address"
            raise CannotRun(message)
        if not passing.upstreams:
            message = f"{at}: {FORWARDS} without an address"
            raise BadConfiguration(message)
        for transport in statement.of("transport"):
            if transport.arguments != ["http"]:
                told = " ".join(transport.arguments)
                message = f"{self.at(transport)}: {told} is not what ASGI servers speak"
                raise CannotRun(message)
        over_tls = any(
            each.of("tls", "tls_insecure_skip_verify", "tls_server_name", "tls_client_auth")
            for each in statement.of("transport")
        )
        for word in passing.upstreams:
            upstream = passing.resolved(word.text)
            if over_tls or upstream.startswith("https://"):
                message = f"{at}: {FORWARDS} over https: the servers here answer over http alone"
                raise CannotRun(message)
            if "{" in _VARIABLE.sub("", upstream):
                message = (
                    f"{at}: {FORWARDS} to {upstream}: only its placeholders tell where that is."
                    " Write the address"
                )
                raise CannotRun(message)

    def _names(self) -> Iterator[Replacement]:
        """The name under which the lab asks, where requests are chosen by their host."""
        for passing in self.passings:
            for step in passing.steps:
                name = step.arguments[0] if step.arguments else ""
                definition = passing.definition(name) if name.startswith("@") else None
                if definition is None:
                    continue
                hosts = list(definition.words[2:]) if definition.arguments[:1] == ["host"] else []
                hosts += [word for each in definition.of("host") for word in each.words[1:]]
                for word in hosts:
                    yield Replacement(word.start, word.end, PUBLIC_NAME)

    def _certificate(self) -> Iterator[Replacement]:
        addresses = [each for site in self._sites for each in self._addresses[site.start]]
        if any(each.scheme is Scheme.HTTPS for each in addresses):
            site = _Address(Scheme.HTTPS, "", "").at(_CERTIFICATE_SITE)
            end = len(self.source.text)
            yield Replacement(end, end, f'\n{site} {{\n\ttls "{CERTIFICATE}" "{KEY}"\n}}\n')


def _plain(upstream: str) -> str:
    """The same address in the same words."""
    bare = re.sub(r"^(http|h2c)://", "", upstream).replace("localhost", "127.0.0.1")
    return f"127.0.0.1{bare}" if bare.startswith(":") else bare
