"""What an application answers where nothing stands in front of it: the control of an experiment."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Page:
    """A path of the application, with its query, and what it answers there without a proxy.

    kind: its media type, in lower case and without parameters. where: what of the application makes
    the answer, if that is known, or who links to it. links: the application's own paths that the
    answer has as URLs, with their queries. foreign: its URLs of others, as they are written.
    """

    method: str
    path: str
    status: int
    kind: str = ""
    where: str = ""
    links: frozenset[str] = frozenset()
    foreign: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Stream:
    """A stream of events: when its first piece came without a proxy, and its last (seconds)."""

    path: str
    first: float
    last: float
    where: str = ""


@dataclass(frozen=True)
class Explored:
    """All that was asked. unjudged: how many paths were not, by the reason.

    https_only: whether it redirects what comes over http.
    """

    pages: Sequence[Page] = ()
    sockets: Sequence[Page] = ()
    streams: Sequence[Stream] = ()
    docs: Sequence[str] = ()
    unjudged: Mapping[str, int] = field(default_factory=dict)
    https_only: bool = False

    @property
    def is_empty(self) -> bool:
        """Whether nothing of it can be judged."""
        return not (self.pages or self.sockets or self.streams)
