"""How much memory processes have together."""

from collections.abc import Iterable
from contextlib import suppress

import psutil


def used(processes: Iterable[psutil.Process]) -> int:
    """The bytes that these processes and this one, with all that they started, have now.

    Proportional set size where the system tells it (Linux): what forks share is counted once.
    Elsewhere the resident set size, which is more.
    """
    everybody: set[psutil.Process] = set()
    for process in [*processes, psutil.Process()]:
        with suppress(psutil.Error):
            everybody |= {process, *process.children(recursive=True)}
    return sum(map(_size, everybody))


def _size(process: psutil.Process) -> int:
    with suppress(psutil.Error):
        memory = process.memory_full_info()
        return int(getattr(memory, "pss", memory.rss))
    return 0
