"""How much memory processes have together, looked at while they work."""

import threading
from collections.abc import Sequence
from contextlib import suppress
from types import TracebackType
from typing import Self

import psutil

_SECONDS = 5.0  # to add it up takes a second of work itself, where there are many


class Memory:
    """`peak`: the most bytes that these processes, with their children, and this one have had.

    Proportional set size where the system tells it (Linux): what forks share is counted once.
    Elsewhere the resident set size, which is more.
    """

    def __init__(self, processes: Sequence[psutil.Process]) -> None:
        self.processes = processes
        self.peak = 0
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stopped.set()
        self._thread.join()

    def _watch(self) -> None:
        stopped = False
        while not stopped:
            stopped = self._stopped.wait(_SECONDS)
            self.peak = max(self.peak, sum(map(_size, [*self.processes, psutil.Process()])))


def _size(process: psutil.Process) -> int:
    total = 0
    with suppress(psutil.Error):
        for each in [process, *process.children()]:
            with suppress(psutil.Error):
                memory = each.memory_full_info()
                total += int(getattr(memory, "pss", memory.rss))
    return total
