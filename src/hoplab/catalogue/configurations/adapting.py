"""A person's file of statements, made ready for this machine: what its languages have in common."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from hoplab.catalogue.configurations.configuration import (
    BadConfiguration,
    CannotRun,
    Replacement,
    Source,
)
from hoplab.catalogue.configurations.statements import Statement
from hoplab.topology import Scheme


@dataclass
class Adapting:
    """What has to be other than in the person's file, and what is found on the way.

    words: of proxy.toml. notes: what a person should know. upstream: theirs, in their words.
    """

    source: Source
    whole: Statement
    words: Mapping[str, Any]
    notes: list[str] = field(default_factory=list, init=False)
    upstream: str = field(default="", init=False)

    def at(self, statement: Statement) -> str:
        """Where a statement stands, as a person finds it."""
        return self.source.at(statement.line)

    def kept(self, start: int, end: int, new: str) -> str:
        """On as many lines as before: an error's line is the person's then."""
        return new + "\n" * self.source.text.count("\n", start, end)

    def instead(self, statement: Statement, new: str) -> Replacement:
        """A text in place of a statement."""
        start, end = statement.start, statement.end
        return Replacement(start, end, self.kept(start, end, new))

    def removed(self, statement: Statement) -> Replacement:
        """Nothing in its place."""
        return self.instead(statement, "")

    def schemes_of(
        self, what: str, serving: Iterable[tuple[Statement, Collection[Scheme]]]
    ) -> list[Scheme]:
        """The schemes of what passes on. Raises BadConfiguration if two blocks have the same.

        what: the language's word for these blocks.
        """
        by: dict[Scheme, Statement] = {}
        for block, schemes in serving:
            for scheme in schemes:
                if scheme in by:
                    at = f"{self.at(by[scheme])} and {self.at(block)}"
                    message = f"two {what} pass {scheme} on ({at}): leave one of them in the file"
                    raise BadConfiguration(message)
                by[scheme] = block
        if Scheme.HTTPS not in by:
            self.notes.append("it has no https: asked over http alone")
        elif Scheme.HTTP not in by:
            self.notes.append("it passes nothing on over http: asked over https alone")
        return [scheme for scheme in Scheme if scheme in by]

    def require_one(self, targets: Mapping[str, Statement]) -> None:
        """Raise BadConfiguration if the file passes on to several."""
        if len(targets) > 1:
            told = ", ".join(f"{name} ({self.at(each)})" for name, each in targets.items())
            message = (
                f"it passes on to several: {told}. Leave the one of your application in the file"
            )
            raise BadConfiguration(message)

    def refuse_proxy_protocol(self, statement: Statement) -> None:
        """Raise CannotRun: the lab's client does not speak it."""
        message = (
            f"{self.at(statement)}: it waits for a load balancer's PROXY protocol, which"
            " hoplab does not speak: take proxy_protocol out"
        )
        raise CannotRun(message)
