"""Where a file of sites passes requests on: the blocks on the way there, with its snippets."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from hoplab.catalogue.configurations.statements import Statement, Word

FORWARDS = "reverse_proxy"
STRIPS = {"uri", "rewrite"}
_ARGUMENT = re.compile(r"\{args(?:\[(\d+)\]|\.(\d+))\}")
_ASIDE = {"handle_errors"}
_REGEX = re.compile(r"\^?(?:\\Q)?(/[\w./~-]*)")


@dataclass(frozen=True)
class Passing:
    """A `reverse_proxy` that a site leads to. blocks: from the site's own to the one it is in.

    arguments: those of the snippet that it stands in.
    """

    statement: Statement
    blocks: tuple[Statement, ...]
    arguments: tuple[str, ...]

    @property
    def site(self) -> Statement:
        """The outermost block."""
        return self.blocks[0]

    @property
    def steps(self) -> tuple[Statement, ...]:
        """What chooses the requests, from outside to inside."""
        return (*self.blocks[1:], self.statement)

    @property
    def upstreams_here(self) -> tuple[Word, ...]:
        """The words in its own line that say where requests go."""
        own = self.statement.words[1:]
        return own[1:] if own and is_matcher(own[0].text) else own

    @property
    def upstreams(self) -> list[Word]:
        """All words that say where requests go."""
        more = (word for each in self.statement.of("to") for word in each.words[1:])
        return [*self.upstreams_here, *more]

    def resolved(self, word: str) -> str:
        """A word with the arguments of its snippet in it."""
        return with_arguments(word, self.arguments)

    def definition(self, name: str) -> Statement | None:
        """What a named matcher is, such as `@api path /api/*`."""
        return next((each for block in self.blocks[::-1] for each in block.of(name)), None)

    def path_of(self, step: Statement) -> str:
        """The path that this step is for, as far as letters tell it; nothing if there is none."""
        word = step.words[1].text if len(step.words) > 1 else ""
        if not word.startswith("@"):
            return _bare(self.resolved(word))
        definition = self.definition(word)
        if definition is None:
            return ""
        lines = [definition.arguments, *([s.name, *s.arguments] for s in definition.inside or ())]
        for line in lines:
            if line and line[0] in {"path", "path_regexp", "vars_regexp"}:
                found = [_bare(self.resolved(each)) for each in line[1:]]
                if paths := [each for each in found if each]:
                    return min(paths, key=len)
        return ""

    @cached_property
    def path(self) -> str:
        """The path for which requests come here, or that is taken away; else one slash."""
        strips = [each for block in self.blocks for each in block.of(*STRIPS)]
        stripped = (
            _bare(self.resolved(each.arguments[-1]))
            for each in strips
            if each.arguments[-2:-1] == ["strip_prefix"]
        )
        chosen = (self.path_of(step) for step in self.steps)
        return next((path for path in (*chosen, *stripped) if path), "/")

    def chosen_by(self) -> Statement | None:
        """The step that has the path."""
        return next((step for step in self.steps if self.path_of(step)), None)


def with_arguments(text: str, arguments: tuple[str, ...]) -> str:
    """A text with `{args[0]}` filled in; what is not given stays."""

    def given(found: re.Match[str]) -> str:
        number = int(found[1] or found[2])
        return arguments[number] if number < len(arguments) else found[0]

    return _ARGUMENT.sub(given, text)


def is_matcher(word: str) -> bool:
    """Whether a first argument says which requests are meant."""
    return word == "*" or word.startswith(("/", "@"))


def snippets(whole: Statement) -> dict[str, Statement]:
    """By name, without its parentheses."""
    return {
        each.name[1:-1]: each
        for each in whole.inside or ()
        if each.inside is not None and re.fullmatch(r"\(.+\)", each.name)
    }


def sites(whole: Statement) -> list[Statement]:
    """The blocks with an address."""
    return [
        each
        for each in whole.inside or ()
        if each.inside is not None and each.name and not each.name.startswith("(")
    ]


def passings(site: Statement, known: Mapping[str, Statement]) -> list[Passing]:
    """All of a site, in its blocks and in the snippets that it imports."""
    return list(_below(site, (site,), (), known))


def _below(
    block: Statement,
    blocks: tuple[Statement, ...],
    arguments: tuple[str, ...],
    known: Mapping[str, Statement],
) -> Iterator[Passing]:
    for each in block.inside or ():
        if each.name == "import" and each.arguments and each.arguments[0] in known:
            snippet = known[each.arguments[0]]
            if snippet not in blocks:
                given = tuple(with_arguments(word, arguments) for word in each.arguments[1:])
                yield from _below(snippet, (*blocks, snippet), given, known)
        elif each.name == FORWARDS:
            yield Passing(each, blocks, arguments)
        elif each.inside is not None and each.name not in _ASIDE and each.name[:1] != "@":
            yield from _below(each, (*blocks, each), arguments, known)


def _bare(word: str) -> str:
    """`/api` of `/api/*`, and of an expression that begins so."""
    if word.startswith("^"):
        found = _REGEX.match(word)
        return found[1].rstrip("/") if found else ""
    return word.rstrip("*").rstrip("/") if word.startswith("/") else ""
