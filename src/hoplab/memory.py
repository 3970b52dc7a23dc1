"""How much memory processes have together."""

import os
from collections.abc import Iterable
from contextlib import suppress

import psutil


def used(processes: Iterable[psutil.Process]) -> int:
    """The bytes that these processes, with their children, and this one have now.

    Proportional set size where the system tells it (Linux): what forks share is counted once.
    Elsewhere the resident set size, which is more.
    """
    return sum(map(_size, [*processes, psutil.Process()]))


def _size(process: psutil.Process) -> int:
    """Itself and, unless it is this one, its children: nginx's workers."""
    total = 0
    with suppress(psutil.Error):
        children = process.children() if process.pid != os.getpid() else []
        for each in [process, *children]:
            with suppress(psutil.Error):
                memory = each.memory_full_info()
                total += int(getattr(memory, "pss", memory.rss))
    return total
