"""The lab's lines for a file of `sites`: what of theirs each stands in the place of."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from hoplab.catalogue.configurations import lines
from hoplab.catalogue.configurations.configuration import Edit, Replacement
from hoplab.catalogue.configurations.passing import (
    FORWARDS,
    STRIPS,
    Passing,
    is_matcher,
    passings,
    sites,
    snippets,
)
from hoplab.catalogue.configurations.statements import Statement
from hoplab.prefix import Prefix
from hoplab.topology import Mode

_STEPS = {"handle", "handle_path", "route"}
_OPEN, _INNER, _CLOSE = range(3)


def written(statement: Statement, text: str) -> list[str]:
    """A statement's lines without comments, and with the indent of its first line taken away."""
    indent = _indent(text, statement.start)
    found = text[statement.start : statement.end].split("\n")
    plain = [re.sub(r"(^|\s+)#.*$", "", line.removeprefix(indent)) for line in found]
    return [line for line in plain if line.strip()]


def make(
    text: str,
    whole: Statement,
    lab: Mapping[Mode, str],
    words: Mapping[str, Any],
    mode: Mode,
    prefix: Prefix,
) -> list[Edit]:
    """Every line of the lab's file that theirs has otherwise or not at all, and the other way."""
    making = _Making(text, whole, lab[mode], lines.read(lab[mode]), words, prefix)
    return [edit for edit in making.edits() if edit.replacements]


def _indent(text: str, at: int) -> str:
    row = text.rfind("\n", 0, at) + 1
    found = re.match(r"[ \t]*", text[row:])
    return found[0] if found else ""


def _key(statement: Statement) -> str:
    """What a block has once: a header by its name, a matcher by its own, anything else by that."""
    if statement.name == "header_up" and statement.arguments:
        return f"header_up {statement.arguments[0]}".lower()
    return statement.name


def _shown(statement: Statement) -> str:
    return " ".join([statement.name, *statement.arguments])


@dataclass(frozen=True)
class _Making:
    text: str
    whole: Statement
    lab_text: str
    lab: Statement
    words: Mapping[str, Any]
    prefix: Prefix

    @cached_property
    def mains(self) -> list[Passing]:
        """Of each site, the one that is for the prefix, or for most."""
        known = snippets(self.whole)
        of = [found for site in sites(self.whole) if (found := passings(site, known))]
        return [min(found, key=self._rank) for found in of]

    def _rank(self, passing: Passing) -> tuple[bool, int]:
        return (passing.path.rstrip("/") != self.prefix.decoded, len(passing.path))

    @cached_property
    def lab_blocks(self) -> tuple[Statement, Statement, Statement]:
        """The lab's: the snippet, what is below the prefix, how it is passed on."""
        (snippet,) = snippets(self.lab).values()
        (handle,) = snippet.of("handle")
        (passing,) = handle.of(FORWARDS)
        return snippet, handle, passing

    def edits(self) -> Iterator[Edit]:
        _, handle, passing = self.lab_blocks
        groups: dict[str, list[Statement]] = {}
        for line in handle.inside or ():
            if line.name not in {FORWARDS, *STRIPS}:
                groups.setdefault(self._group(line), []).append(line)
        for told, of in groups.items():
            new = [line for each in of for line in self._written(each)]
            yield Edit(told, self._each(lambda main, new=new: [self._before(main, new)]))
        for line in passing.inside or ():
            yield Edit(_key(line), self._each(lambda main, line=line: self._set(main, line)))
        yield from self._choosing()
        yield from self._removed()

    def _each(self, change: Any) -> tuple[Replacement, ...]:
        return tuple(dict.fromkeys(one for main in self.mains for one in change(main)))

    def _group(self, line: Statement) -> str:
        """Lines that mean something only together are one matter."""
        key = _key(line)
        return next((told for told, of in self.words.get("together", {}).items() if key in of), key)

    def _written(self, statement: Statement, indent: str = "") -> list[str]:
        """The lab's lines, with other names for its matchers that they have as well."""
        text = "\n".join(indent + line for line in written(statement, self.lab_text))
        taken = {each.name for each in self.whole.walk() if each.name.startswith("@")}
        for name in sorted(taken):
            text = re.sub(rf"(?<!\S){re.escape(name)}(?!\S)", f"@lab_{name[1:]}", text)
        return text.split("\n")

    def _before(self, main: Passing, new: Sequence[str], order: int = _INNER) -> Replacement:
        """On lines of their own, in front of where it passes on."""
        return self._in_front(main.statement, new, order)

    def _in_front(
        self, statement: Statement, new: Sequence[str], order: int = _INNER
    ) -> Replacement:
        indent = _indent(self.text, statement.start)
        text = "".join(f"{line}\n{indent}" for line in new)
        return Replacement(statement.start, statement.start, text, order)

    def _set(self, main: Passing, line: Statement) -> Iterator[Replacement]:
        """Inside of their `reverse_proxy`, in place of theirs or beside it."""
        block, new = main.statement, self._written(line)
        theirs = [each for each in block.inside or () if _key(each) == _key(line)]
        if not theirs:
            yield from self._inside(block, new)
        elif line.inside is None:
            shown = (main.resolved(_shown(each)) for each in theirs)
            if [self._filled(each) for each in shown] != [self._filled(_shown(line))]:
                yield Replacement(theirs[0].start, theirs[0].end, new[0])
                yield from (Replacement(each.start, each.end, "") for each in theirs[1:])
        else:
            for each in line.inside:
                same = theirs[0].of(each.name)
                if not same:
                    yield from self._inside(theirs[0], self._written(each))
                elif same[0].arguments != each.arguments:
                    yield Replacement(same[0].start, same[0].end, self._written(each)[0])

    def _filled(self, line: str) -> str:
        return line.replace("${PUBLIC_PREFIX}", self.prefix.encoded)

    def _inside(self, block: Statement, new: Sequence[str]) -> Iterator[Replacement]:
        """At the beginning of its block; it gets one if it has none."""
        indent = _indent(self.text, block.start)
        text = "".join(f"\n{indent}\t{line}" for line in new)
        if block.inside is not None:
            yield Replacement(block.opens, block.opens, text, _INNER)
            return
        yield Replacement(block.end, block.end, " {", _OPEN)
        yield Replacement(block.end, block.end, text, _INNER)
        yield Replacement(block.end, block.end, f"\n{indent}}}", _CLOSE)

    def _choosing(self) -> Iterator[Edit]:
        """How the prefix is compared, and how it is taken away."""
        snippet, handle, _ = self.lab_blocks
        matcher = handle.arguments[0]
        (definition,) = snippet.of(matcher)
        strips = handle.of(*STRIPS)
        compared: list[Replacement] = []
        stripped: list[Replacement] = []
        for main in self.mains:
            step = main.chosen_by()
            outside = self._outer_strips(main, step)
            if strips and outside:
                compared += self._wrapped(main, outside, definition, strips[0])
                continue
            compared += self._compared(main, step, definition, matcher, strips)
            stripped += self._stripped(main, step, strips)
        yield Edit("matcher", tuple(dict.fromkeys(compared)))
        yield Edit("uri", tuple(dict.fromkeys(stripped)))

    def _compared(
        self,
        main: Passing,
        step: Statement | None,
        definition: Statement,
        matcher: str,
        strips: Sequence[Statement],
    ) -> Iterator[Replacement]:
        name = self._written_word(matcher)
        if step is None:  # whatever comes is passed on
            word = main.statement.words[0]
            chosen = main.statement.arguments[:1] == ["*"]
            end = main.statement.words[1].end if chosen else word.end
            yield Replacement(word.start, end, f"{FORWARDS} {name}", _INNER + 1)
            yield self._before(main, self._written(definition))
            return
        first = step.words[1]
        theirs = main.definition(first.text) if first.text.startswith("@") else None
        if theirs is not None:
            new = self._written(definition)
            new[0] = new[0].replace(name, first.text, 1)
            indent = _indent(self.text, theirs.start)
            if self._lines_of(theirs) != [self._filled(line) for line in new]:
                yield Replacement(theirs.start, theirs.end, f"\n{indent}".join(new))
            return
        yield self._in_front(step, self._written(definition))
        if step.name != "handle_path":
            yield Replacement(first.start, first.end, name)
            return
        yield Replacement(step.start, first.end, f"handle {name}", _INNER + 1)
        yield from self._inside(step, [line for each in strips for line in self._written(each)])

    def _written_word(self, word: str) -> str:
        taken = {each.name for each in self.whole.walk()}
        return f"@lab_{word[1:]}" if word in taken else word

    def _lines_of(self, statement: Statement) -> list[str]:
        return [self._filled(line) for line in written(statement, self.text)]

    def _outer_strips(self, main: Passing, step: Statement | None) -> list[Statement]:
        """Theirs that strip before anything is compared by the lab's matcher."""
        inner = {each.start for each in self._within(main, step)}
        return [
            each for block in main.blocks if block.start not in inner for each in block.of(*STRIPS)
        ]

    def _within(self, main: Passing, step: Statement | None) -> list[Statement]:
        """The blocks from this step inwards."""
        if step is None:
            return []
        return [block for block in main.blocks[1:] if block.start >= step.start]

    def _stripped(
        self, main: Passing, step: Statement | None, strips: Sequence[Statement]
    ) -> Iterator[Replacement]:
        theirs = [each for block in self._within(main, step) for each in block.of(*STRIPS)]
        new = [line for each in strips for line in self._written(each)]
        if theirs and new and [self._filled(_shown(theirs[0]))] != [self._filled(new[0])]:
            yield Replacement(theirs[0].start, theirs[0].end, new[0])
            yield from (Replacement(each.start, each.end, "") for each in theirs[1:])

    def _wrapped(
        self, main: Passing, outside: Sequence[Statement], definition: Statement, strip: Statement
    ) -> Iterator[Replacement]:
        """What passes on gets a block of its own, in which the prefix is taken away."""
        statement = main.statement
        indent = _indent(self.text, statement.start)
        name = self._written_word(definition.name)
        opening = [*self._written(definition), f"handle {name} {{", *self._written(strip, "\t")]
        yield self._before(main, opening, _OPEN)
        own = statement.words[1:2]
        if own and is_matcher(own[0].text):
            yield Replacement(own[0].start, own[0].end, "")
        yield Replacement(statement.end, statement.end, f"\n{indent}}}", _CLOSE + 1)
        yield from (Replacement(each.start, each.end, "") for each in outside)

    def _removed(self) -> Iterator[Edit]:
        """Their lines of which the lab's file has none of the kind."""
        kept = {*self.words.get("never_tried", ()), FORWARDS, "import", *STRIPS}
        mine = {_key(each) for each in self.lab.walk()}
        found: dict[int, Statement] = {}
        for main in self.mains:
            on_the_way = {each.start for each in main.steps}
            for block in (*main.blocks, main.statement):
                for each in block.inside or ():
                    if each.start not in on_the_way and each.name[:1] != "@":
                        found[each.start] = each
        options = next((each for each in self.whole.inside or () if not each.name), None)
        for servers in options.of("servers") if options else ():
            found |= {each.start: each for each in servers.inside or ()}
        for each in found.values():
            key = _key(each)
            needed = key in mine and each.name not in _STEPS
            if each.name not in kept and not needed:
                yield Edit(f"without {_shown(each)}", (Replacement(each.start, each.end, ""),))
