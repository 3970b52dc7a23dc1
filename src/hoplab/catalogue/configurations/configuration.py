"""A person's own configuration of a proxy: what the lab needs of it, whatever its language."""

import difflib
import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from hoplab.errors import HoplabError
from hoplab.prefix import Prefix
from hoplab.topology import Mode, Scheme

UPSTREAM, CERTIFICATE, KEY = "${UPSTREAM}", "${TLS_CERTIFICATE}", "${TLS_KEY}"
HOST = "${LISTEN_HOST}"
LISTEN = {scheme: f"${{LISTEN_{scheme.upper()}}}" for scheme in Scheme}
PORTS = {scheme: f"${{{scheme.upper()}_PORT}}" for scheme in Scheme}
PREFIX, PREFIX_DECODED = "${PUBLIC_PREFIX}", "${PUBLIC_PREFIX_DECODED}"

FILLED = {
    UPSTREAM: "@upstream@",
    CERTIFICATE: "@certificate@",
    KEY: "@key@",
    HOST: "@host@",
    **{LISTEN[scheme]: f"@{scheme}@" for scheme in Scheme},
    **{PORTS[scheme]: f"@{scheme}_port@" for scheme in Scheme},
    PREFIX_DECODED: "@prefix_decoded@",
    PREFIX: "@prefix@",
}
"""What the engine fills in where these stand, as the lab's own files have them."""


class BadConfiguration(HoplabError):
    """The file can't be taken at all: empty, binary, of another proxy, not understood."""


class CannotRun(HoplabError):
    """It is understood, and something that it needs is not here."""


@dataclass(frozen=True)
class Replacement:
    """Text from `start` to `end`, and what stands there instead.

    order: among those at the same place; what several have in common, as a brace, is written once.
    """

    start: int
    end: int
    text: str
    order: int = 0


@dataclass(frozen=True)
class Edit:
    """The lab's lines in the place of theirs, of one matter: `told` names it, in a few words."""

    told: str
    replacements: tuple[Replacement, ...]


@dataclass(frozen=True)
class Source:
    """A file as the person wrote it. `lines` are, by line of `text`, the file and the line there.

    With what it includes in it, `text` has more lines than the file.
    """

    path: Path
    text: str
    lines: Sequence[tuple[str, int]] = ()

    def at(self, line: int) -> str:
        """For example `site.conf:12`."""
        name, number = self.lines[line - 1] if line <= len(self.lines) else (self.path.name, line)
        return f"{name}:{number}"

    def with_lines_of(self, replacements: Collection["Replacement"]) -> "Source":
        """The same, with the lines of the text that has these: an added one is that before it."""
        at = {0: 1}
        for index, letter in enumerate(self.text):
            at[index + 1] = at[index] + (letter == "\n")
        lines, end = [self.lines[0]], 0
        for each in [*_in_order(replacements), Replacement(len(self.text), len(self.text), "")]:
            kept = [i for i in range(end, each.start) if self.text[i] == "\n"]
            lines += [self.lines[at[i + 1] - 1] for i in kept]
            lines += [self.lines[at[each.start] - 1]] * each.text.count("\n")
            end = each.end
        return replace(self, lines=lines)


@dataclass(frozen=True)
class Configuration:
    """A person's file, with the listening addresses, certificates and upstream of the lab.

    before, after: the text without and with what was changed for that, to be shown as a diff.
    named: what stands in their file where `after` has the lab's words, as far as edits contain it.
    notes: what else has to be said. prefixes: those that the file has. schemes: over which it
    passes requests on. edits: the lab's
    lines, for a mode and a prefix.
    """

    source: Source
    before: str
    after: str
    schemes: Sequence[Scheme]
    prefixes: Sequence[str]
    edits: Callable[[Mode, Prefix], Sequence[Edit]]
    notes: Sequence[str] = ()
    named: Mapping[str, str] = field(default_factory=dict)

    def text(self, edits: Collection[Edit] = ()) -> str:
        """The file to run, with some of the lab's lines."""
        return replaced(self.after, [each for edit in edits for each in edit.replacements])

    def change(self, edits: Collection[Edit], prefix: Prefix) -> list[str]:
        """A diff from their file to the one with these edits, with their own words in it."""
        texts = (self._inside(text) for text in (self.after, self.text(edits)))
        before, after = (self.worded(text, prefix) for text in texts)
        return diff(before, after)

    def worded(self, text: str, prefix: Prefix) -> str:
        """A text with their own words in the place of the lab's."""
        words = {**self.named, PREFIX: prefix.encoded, PREFIX_DECODED: prefix.decoded}
        for token, word in words.items():
            text = text.replace(token, word)
        return text

    def adapted(self) -> list[str]:
        """A diff from their file to the one that runs."""
        return diff(self._inside(self.before), self._inside(self.after), context=0)

    def _inside(self, text: str) -> str:
        """Without what the lab has put around a part of a file."""
        around = bool(self.source.lines) and self.source.lines[0][1] == 0
        return "\n".join(text.split("\n")[1:-1]) if around else text

    def located(self, message: str, written: str) -> str:
        """A message of the proxy's about the file that it was given, with the person's lines."""
        pattern = re.compile(rf"[^\s'\"]*{re.escape(written)}(?:\"|')?:(\d+)")
        return pattern.sub(lambda found: self.source.at(int(found[1])), message)


def replaced(text: str, replacements: Collection[Replacement]) -> str:
    """The text with all of these; those inside of a larger one are left out, equal ones are one."""
    parts, at = [], 0
    for each in _in_order(replacements):
        parts += [text[at : each.start], each.text]
        at = each.end
    return "".join([*parts, text[at:]])


def _in_order(replacements: Collection[Replacement]) -> Iterator[Replacement]:
    """As they stand in the text, without those inside of a larger one; first what is put before."""
    at = 0
    different = dict.fromkeys(replacements)

    def place(each: Replacement) -> tuple[int, bool, int, int]:
        return (each.start, each.end > each.start, -each.end, each.order)

    for each in sorted(different, key=place):
        if each.start >= at:
            yield each
            at = each.end


def diff(before: str, after: str, context: int = 1) -> list[str]:
    """A unified diff without its file names, and without lines that are only blank."""
    lines = difflib.unified_diff(before.splitlines(), after.splitlines(), lineterm="", n=context)
    return [line.rstrip() for line in list(lines)[2:] if line[1:].strip()]
