"""Ctrl-C and SIGTERM, taken note of at once and obeyed at the next safe point.

An exception raised by the handler itself would hit any line: between starting a process and writing
it down, or in a callback where Python drops it. So the handler only remembers, and whatever waits
calls `check`.
"""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

_received: list[int] = []
_held: list[None] = []


class Interrupted(SystemExit):
    """Ends the program in order, with the exit code of a program that the signal killed."""


def install() -> None:
    """Take SIGINT and SIGTERM from now on. Call in the main thread."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _remember)


def check() -> None:
    """Raise Interrupted, in one thread, once, if a signal came."""
    if _received and not _held:
        try:
            number = _received.pop()
        except IndexError:  # another thread was faster
            return
        _received.clear()
        raise Interrupted(128 + number)


@contextmanager
def held() -> Iterator[None]:
    """Let nothing interrupt this: stopping what was started. The next check comes after it."""
    _held.append(None)
    try:
        yield
    finally:
        _held.pop()


def _remember(number: int, _frame: FrameType | None) -> None:
    _received.append(number)
