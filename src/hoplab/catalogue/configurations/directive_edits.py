"""The lab's lines for a file of `directives`: what of theirs each stands in the place of."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from hoplab.catalogue.configurations import statements
from hoplab.catalogue.configurations.configuration import Edit, Replacement
from hoplab.catalogue.configurations.statements import Statement
from hoplab.prefix import Prefix
from hoplab.topology import Mode

_HEADER, _PASS = "proxy_set_header", "proxy_pass"
_VARIABLE = re.compile(r"\$(\w+)")
_LITERAL = re.compile(r"\^?(?:\\Q)?(/[\w./~-]*)")
_NOT_COPIED = {
    *("listen", "ssl_certificate", "ssl_certificate_key", "location", "server_name"),
    *(_PASS, "if"),
}
_OUTSIDE_LOCATIONS = {"large_client_header_buffers"}


def locations(block: Statement) -> Iterator[Statement]:
    """All below, nested ones too."""
    return (each for each in block.walk() if each.name == "location")


def path_of(location: Statement) -> str:
    """The path that a location is for, as far as letters tell it; nothing if there is none."""
    *modifier, path = location.arguments or [""]
    if modifier and modifier[0].startswith("~"):
        found = _LITERAL.match(path)
        return found[1] if found else ""
    return path if path.startswith("/") else ""


def make(
    text: str,
    whole: Statement,
    lab: Mapping[Mode, str],
    words: Mapping[str, Any],
    mode: Mode,
    prefix: Prefix,
) -> list[Edit]:
    """Every line of the lab's file that theirs has otherwise or not at all, and the other way."""
    return list(_Making(text, whole, statements.read(lab[mode]), lab[mode], words, prefix).edits())


@dataclass(frozen=True)
class _Making:
    text: str
    whole: Statement
    lab: Statement
    lab_text: str
    words: Mapping[str, Any]
    prefix: Prefix

    def edits(self) -> Iterator[Edit]:
        http, lab_http = self.whole.of("http")[0], self.lab.of("http")[0]
        (lab_server,) = lab_http.of("server")
        lab_location = next(each for each in lab_server.of("location") if each.of(_PASS))
        serving = [s for s in http.of("server") if any(w.name == _PASS for w in s.walk())]
        mains = [(server, self._main(server)) for server in serving]
        lines = (*(lab_server.inside or ()), *(lab_location.inside or ()))
        copied = [line for line in lines if line.name not in _NOT_COPIED]
        groups: dict[str, list[Statement]] = {}
        for each in copied:
            groups.setdefault(self._group(each), []).append(each)
        for told, of in groups.items():
            found = [
                one
                for line in of
                for server, main in mains
                for one in self._set(line, [main, server, http], server)
            ]
            if found:
                yield Edit(told, tuple(dict.fromkeys([*found, *self._defined(of, http)])))
        yield from self._passing(mains, lab_location, http)
        yield from self._removed(mains, groups)

    def _group(self, statement: Statement) -> str:
        """The headers that only mean something together are one matter."""
        key = _key(statement)
        return next((told for told, of in self.words.get("together", {}).items() if key in of), key)

    def _main(self, server: Statement) -> Statement:
        """The location that is for the prefix, or for most."""
        passing = [each for each in locations(server) if each.of(_PASS)]
        mine = [e for e in passing if path_of(e).rstrip("/") == self.prefix.decoded]
        return min(mine or passing, key=lambda each: len(path_of(each)), default=server)

    def _set(
        self, line: Statement, scopes: list[Statement], server: Statement
    ) -> Iterator[Replacement]:
        """In the block where it is in force, in place of theirs or after it."""
        key, new = _key(line), self._written(line)
        if line.name in _OUTSIDE_LOCATIONS:
            scopes = scopes[1:]
        # A single header in a block undoes all those outside of it.
        inherits = _HEADER if line.name in {_HEADER, "include"} else line.name
        scope = next((each for each in scopes if each.of(inherits)), scopes[0])
        if line.name in {_HEADER, "include"} and not scope.of(_HEADER):
            scope = server
        theirs = [each for each in scope.inside or () if _key(each) == key]
        if any(_same(each, line) for each in theirs):
            return
        if theirs:
            yield Replacement(theirs[0].start, theirs[0].end, new)
            yield from (Replacement(each.start, each.end, "") for each in theirs[1:])
        else:
            yield self._inserted(scope, new)

    def _inserted(self, scope: Statement, *lines: str) -> Replacement:
        at = scope.opens
        row = self.text.rfind("\n", 0, scope.start) + 1
        indent = re.match(r"[ \t]*", self.text[row:])
        space = "\n" + (indent[0] if indent else "") + "    "
        return Replacement(at, at, "".join(space + line for line in lines))

    def _written(self, line: Statement) -> str:
        return self._renamed(" ".join(self.lab_text[line.start : line.end].split()))

    def _renamed(self, text: str) -> str:
        """With other names for the lab's variables that they have as well."""
        for name in self._taken():
            text = re.sub(rf"\${name}\b", f"$lab_{name}", text)
        return text

    def _taken(self) -> list[str]:
        theirs = {_defines(each) for each in self.whole.of("http")[0].inside or ()}
        lab = {_defines(each) for each in self.lab.of("http")[0].inside or ()}
        return sorted((theirs & lab) - {""})

    def _defined(self, lines: list[Statement], http: Statement) -> list[Replacement]:
        """What defines the variables of these lines, and theirs in turn."""
        known = {_defines(each): each for each in self.lab.of("http")[0].inside or ()}
        wanted = [name for line in lines for name in _variables(line) if name in known]
        found: list[Statement] = []
        while wanted:
            definition = known[wanted.pop()]
            if definition not in found:
                found.append(definition)
                wanted += [n for n in _variables(definition) if n in known]
        ordered = [each for each in known.values() if each in found]
        return [self._inserted(http, self._definition(each)) for each in ordered]

    def _definition(self, statement: Statement) -> str:
        lines = self.lab_text[statement.start : statement.end].split("\n")
        return self._renamed("\n".join(re.sub(r"\s+#.*$", "", line) for line in lines))

    def _passing(
        self, mains: list[tuple[Statement, Statement]], lab: Statement, http: Statement
    ) -> Iterator[Edit]:
        """How the prefix is compared, and how the path is passed on."""
        (lab_pass,) = lab.of(_PASS)
        guards = lab.of("if")
        path = lab_pass.arguments[0].partition("://")[2].lstrip("abcdefghijklmnopqrstuvwxyz")
        passing: list[Replacement] = []
        comparing: list[Replacement] = []
        for _, main in mains:
            for theirs in main.of(_PASS):
                authority = re.match(r"[^/]*//(\$\{\w+\}|[^/$]*)", theirs.arguments[0])
                new = f"{_PASS} http://{authority[1] if authority else ''}{path};"
                if " ".join(self.text[theirs.start : theirs.end].split()) != new:
                    passing.append(Replacement(theirs.start, theirs.end, self._renamed(new)))
            passing.append(self._inserted(main, *(self._written(each) for each in guards)))
        used = [lab_pass, *guards]
        if passing:
            yield Edit(_PASS, (*dict.fromkeys([*passing, *self._defined(used, http)]),))
        for _, main in mains:
            if main.name == "location" and main.arguments != lab.arguments:
                first, last = main.words[1], main.words[-1]
                new = self.lab_text[lab.words[1].start : lab.words[-1].end]
                comparing.append(Replacement(first.start, last.end, new))
        if comparing:
            yield Edit("location", tuple(comparing))

    def _removed(
        self, mains: list[tuple[Statement, Statement]], groups: Mapping[str, list[Statement]]
    ) -> Iterator[Edit]:
        """Their lines of which the lab's file has none of the kind."""
        kept = {*self.words.get("never_tried", ()), _PASS, "listen", "server_name", "include"}
        keys = {_key(line) for lines in groups.values() for line in lines}
        for server, main in mains:
            for scope in dict.fromkeys([main, server]):
                for each in scope.inside or ():
                    if (
                        each is main
                        or main in each.walk()
                        or each.name in kept
                        or _key(each) in keys
                    ):
                        continue
                    shown = " ".join([each.name, *each.arguments])
                    told = f"without {shown}"
                    yield Edit(told, (Replacement(each.start, each.end, ""),))


def _key(statement: Statement) -> str:
    """What a block has once: a header by its name, anything else by its own."""
    if statement.name == _HEADER and statement.arguments:
        return f"{_HEADER} {statement.arguments[0]}".lower()
    return statement.name


def _same(one: Statement, other: Statement) -> bool:
    return [w.text for w in one.words[-1:]] == [w.text for w in other.words[-1:]] and (
        len(one.words) == len(other.words)
    )


def _defines(statement: Statement) -> str:
    """The variable that a block of `http` defines, without its dollar."""
    if statement.inside is None or not statement.arguments:
        return ""
    last = statement.arguments[-1]
    return last[1:] if last.startswith("$") else ""


def _variables(statement: Statement) -> list[str]:
    """Those that it reads, but not the one that it defines."""
    words = [word.text for word in statement.words]
    words += [word.text for each in statement.walk() for word in each.words]
    found = [name for word in words for name in _VARIABLE.findall(word)]
    return [name for name in dict.fromkeys(found) if name != _defines(statement)]
