"""What the live page and the command line know of a lab that is up: its words, its abilities."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from hoplab.client.trace import Request, Trace
from hoplab.results import CellResult
from hoplab.topology import Scheme


class State(StrEnum):
    """How a topology is. REFUSED: the proxy refuses the last edit; the last good one runs on."""

    STARTING = "starting"
    UP = "up"
    REFUSED = "refused"
    DOWN = "down"


@dataclass(frozen=True)
class Change:
    """A named wrong configuration: a variation, or another setup (strategy and trust).

    diff: the lines that differ from the recipe, as `difflib.unified_diff` writes them.
    """

    name: str
    about: str
    diff: Sequence[str]


@dataclass(frozen=True)
class TopologyState:
    """A topology at one moment.

    urls: its public base URL by scheme. message: why it is REFUSED or DOWN, in the words of who
    said so. change: what it was changed to; None with its recipe. results: the last findings, a
    cell a scheme. asking: whether these are being asked again. changed_checks: whose finding
    differs from that before the last change. start: grows with every start of its processes.
    revision: grows with every difference.
    """

    topology: str
    state: State
    urls: dict[Scheme, str]
    message: str = ""
    change: Change | None = None
    results: Sequence[CellResult] = ()
    asking: bool = False
    changed_checks: Sequence[str] = ()
    start: int = 0
    revision: int = 0


class LiveLab(Protocol):
    """What the page's server and the command line ask of a lab. Each call may come from any thread.

    Each raises HoplabError with one clear message for a name that does not exist.
    """

    def states(self) -> Sequence[TopologyState]:
        """All topologies, in the order of the catalogue."""
        ...

    def wait(self, revision: int, seconds: float) -> int:
        """Wait until the lab's revision is greater than this one, or the time is over; gives it."""
        ...

    def possible(self, topology: str) -> Sequence[Change]:
        """What this topology can be changed to."""
        ...

    def change(self, topology: str, name: str) -> None:
        """Change it in place, on the same ports. Returns at once; `states` tells the rest."""
        ...

    def fix(self, topology: str) -> None:
        """Give it its recipe again. Returns at once."""
        ...

    def trace(self, topology: str, scheme: Scheme, request: Request) -> Trace:
        """Send one request, and say what came by at each hop."""
        ...
