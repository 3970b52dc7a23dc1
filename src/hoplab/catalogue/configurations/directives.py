"""The language `directives`: statements with blocks of servers and of the locations in them."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from hoplab.catalogue.configurations import directive_edits as edits
from hoplab.catalogue.configurations import statements
from hoplab.catalogue.configurations.adapting import Adapting
from hoplab.catalogue.configurations.configuration import (
    CERTIFICATE,
    KEY,
    LISTEN,
    UPSTREAM,
    BadConfiguration,
    CannotRun,
    Configuration,
    Replacement,
    Source,
    replaced,
)
from hoplab.catalogue.configurations.included import Includes, read_with, with_included
from hoplab.catalogue.configurations.statements import Statement
from hoplab.endpoint import PUBLIC_NAME
from hoplab.topology import Scheme

_FORWARDS = "proxy_pass"
_URL = re.compile(
    r"(?P<scheme>https?)://(?P<host>unix:[^:]+|\[[^]]+\](?::\d+)?|[^/$]*)(?P<rest>.*)"
)
_WRAPPED = {"server": ("events {} http {", "}"), "location": ("events {} http { server {", "} }")}
_TLS_FILES = {"ssl_dhparam", "ssl_trusted_certificate", "ssl_client_certificate", "ssl_crl"}
_NOT_HTTP = ("uwsgi_pass", "fastcgi_pass", "grpc_pass", "scgi_pass")


def understand(
    path: Path, text: str, words: Mapping[str, Any], lab: Mapping[Any, str]
) -> Configuration:
    """The file, with what this machine and the lab need of it. `lab` are the lab's, by mode.

    words: of proxy.toml, what a process of the lab's can't have. Raises BadConfiguration or
    CannotRun.
    """
    source, left_out = with_included(path, text, _INCLUDES, words.get("left_out", ()))
    source = _wrapped(source)
    adapting = _Adapting(source, _read(source), words)
    after = replaced(source.text, adapting.replacements())
    now = _read(replace(source, text=after))
    return Configuration(
        source=source,
        before=source.text,
        after=after,
        schemes=adapting.schemes,
        prefixes=adapting.prefixes(),
        edits=partial(edits.make, after, now, lab, words),
        notes=[*left_out, *adapting.notes],
        named={UPSTREAM: adapting.upstream},
    )


def _read(source: Source) -> Statement:
    return read_with(statements.read, source)


def _first_include(whole: Statement) -> Statement | None:
    return next((each for each in whole.walk() if each.name == "include"), None)


_INCLUDES = Includes(statements.read, _first_include)


def _wrapped(source: Source) -> Source:
    """A file of conf.d or of a server alone becomes a whole one, on the lines that it has."""
    whole = _read(source)
    if whole.of("http"):
        if whole.of("events"):
            return source
        return _around(source, "events {}", "")
    for name, (before, behind) in _WRAPPED.items():
        if whole.of(name) or whole.of("upstream" if name == "server" else _FORWARDS):
            return _around(source, before, behind)
    message = f"{source.path.name} has no server and no location"
    raise BadConfiguration(message)


def _around(source: Source, before: str, behind: str) -> Source:
    lines = [("the line that hoplab puts before it", 0), *source.lines]
    return replace(source, text="\n".join([before, source.text, behind]), lines=lines)


@dataclass
class _Adapting(Adapting):
    def __post_init__(self) -> None:
        self.http = self.whole.of("http")[0]
        self.servers = self.http.of("server")
        self.serving = [server for server in self.servers if list(_forwarding(server))]
        if not self.serving:
            self._refuse_nothing_to_ask()
        self.schemes = self.schemes_of(
            "servers",
            ((each, {s for _, s in _listens(each)} or {Scheme.HTTP}) for each in self.serving),
        )

    def replacements(self) -> list[Replacement]:
        return [
            *self._without(),
            *(each for server in self.servers for each in self._listening(server)),
            *self._certificates(),
            *self._upstreams(),
            *self._names(),
        ]

    def prefixes(self) -> list[str]:
        """The paths of the locations that pass on; one slash alone is no prefix at all."""
        found = [
            edits.path_of(location)
            for server in self.serving
            for location in edits.locations(server)
            if any(each.name == _FORWARDS for each in location.inside or ())
        ]
        return list(dict.fromkeys(path.rstrip("/") or "/" for path in found if path))

    def _refuse_nothing_to_ask(self) -> None:
        other = next((s for s in self.whole.walk() if s.name in _NOT_HTTP), None)
        if other:
            message = f"{self.at(other)}: {other.name} does not speak HTTP, as ASGI servers do"
            raise CannotRun(message)
        message = f"{self.source.path.name} passes nothing on: no server has a {_FORWARDS}"
        raise BadConfiguration(message)

    def _without(self) -> Iterator[Replacement]:
        """What a process of the lab's can't have, or has by itself."""
        for statement in self.whole.walk():
            name = statement.name
            if name in self.words.get("without", {}):
                yield self.removed(statement)
            elif (new := self.words.get("instead", {}).get(name)) is not None:
                yield self.instead(statement, new)
            elif name in _TLS_FILES and not Path(statement.arguments[0]).is_file():
                yield self.removed(statement)
            elif name == "load_module":
                message = f"{self.at(statement)}: the module {statement.arguments[0]} is not here"
                raise CannotRun(message)
        if stream := self.whole.of("stream", "mail"):
            yield self.removed(stream[0])

    def _listening(self, server: Statement) -> Iterator[Replacement]:
        if not server.of("listen"):
            yield Replacement(server.opens, server.opens, f" listen {LISTEN[Scheme.HTTP]};")
        seen: set[Scheme] = set()
        for statement in server.of("listen"):
            flags = statement.arguments[1:]
            if "proxy_protocol" in flags:
                self.refuse_proxy_protocol(statement)
            scheme = Scheme.HTTPS if "ssl" in flags else Scheme.HTTP
            if scheme in seen or "quic" in flags:
                yield self.removed(statement)
                continue
            seen.add(scheme)
            kept = [flag for flag in flags if flag in {"ssl", "http2", "default_server"}]
            new = " ".join(["listen", LISTEN[scheme], *kept]) + ";"
            yield self.instead(statement, new)

    def _certificates(self) -> Iterator[Replacement]:
        for statement in self.whole.walk():
            if statement.name in {"ssl_certificate", "ssl_certificate_key"}:
                token = KEY if statement.name.endswith("key") else CERTIFICATE
                word = statement.words[1]
                yield Replacement(word.start, word.end, f'"{token}"')

    def _upstreams(self) -> Iterator[Replacement]:
        groups = {each.arguments[0]: each for each in self.http.of("upstream")}
        targets: dict[str, Statement] = {}
        for server in self.serving:
            for statement in _forwarding(server):
                url = _URL.fullmatch(statement.arguments[0])
                if url is None or not url["host"]:
                    message = (
                        f"{self.at(statement)}: proxy_pass to {statement.arguments[0]}: only its"
                        " variables tell where that is. Write the address or an upstream's name"
                    )
                    raise CannotRun(message)
                if url["scheme"] == "https":
                    message = (
                        f"{self.at(statement)}: proxy_pass over https: the servers here answer"
                        " over http alone"
                    )
                    raise CannotRun(message)
                targets.setdefault(url["host"].replace("localhost", "127.0.0.1"), statement)
                if url["host"] not in groups:
                    word = statement.words[1]
                    rest = (
                        url["rest"].removeprefix(":")
                        if url["host"].startswith("unix:")
                        else url["rest"]
                    )
                    yield Replacement(word.start, word.end, f"http://{UPSTREAM}{rest}")
        self.require_one(targets)
        for name in targets:
            self.upstream = name
            if name in groups:
                yield from self._members(groups[name])

    def _members(self, group: Statement) -> Iterator[Replacement]:
        first, *others = group.of("server")
        word = first.words[1]
        self.upstream = word.text
        yield Replacement(word.start, word.end, UPSTREAM)
        yield from map(self.removed, others)

    def _names(self) -> Iterator[Replacement]:
        """The name under which the lab asks, in place of theirs."""
        of = [
            name
            for server in self.serving
            for each in server.of("server_name")
            for name in each.arguments
        ]
        if of and not {"_", "", "localhost"} & set(of):
            for statement in (s for server in self.servers for s in server.walk()):
                yield from (
                    Replacement(word.start, word.end, PUBLIC_NAME)
                    for word in statement.words[1:]
                    if word.text in of
                )


def _forwarding(server: Statement) -> Iterator[Statement]:
    return (each for each in server.walk() if each.name == _FORWARDS)


def _listens(server: Statement) -> list[tuple[Statement, Scheme]]:
    return [
        (each, Scheme.HTTPS if "ssl" in each.arguments else Scheme.HTTP)
        for each in server.of("listen")
    ]
