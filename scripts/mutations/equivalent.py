"""Mutations that change nothing that anybody could see: equivalent.toml has them and why."""

import re
import tomllib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from scripts.mutations.mutated import Change

FILE = Path(__file__).with_name("equivalent.toml")


@dataclass(frozen=True)
class Rule:
    """Two texts are equivalent if they differ only where the pattern matches: `ignored` says how.

    `case`: in the letters' case; `text`: in anything.
    """

    pattern: re.Pattern[str]
    ignored: str
    why: str

    def covers(self, change: Change) -> bool:
        """Whether nothing else is changed."""
        word: Callable[[re.Match[str]], str] = {
            "case": lambda match: match[0].lower(),
            "text": lambda _: "",
        }[self.ignored]
        return self.pattern.sub(word, change.was) == self.pattern.sub(word, change.now)


@dataclass(frozen=True)
class Equivalents:
    """Single mutations, and rules for what comes up everywhere."""

    single: dict[Change, str]
    rules: Sequence[Rule]

    def why(self, change: Change) -> str | None:
        """The reason why a mutation changes nothing; None if it does."""
        if change in self.single:
            return self.single[change]
        return next((rule.why for rule in self.rules if rule.covers(change)), None)


def load(path: Path = FILE) -> Equivalents:
    """From the file."""
    told = tomllib.loads(path.read_text(encoding="utf-8"))
    return Equivalents(
        {Change(each["was"], each["now"]): each["why"] for each in told["mutation"]},
        [
            Rule(re.compile(each["differs_in"]), each["ignored"], each["why"])
            for each in told["rule"]
        ],
    )
