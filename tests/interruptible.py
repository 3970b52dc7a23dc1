"""Ctrl-C and SIGTERM while a test runs hoplab in this process."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager

from hoplab.system import interrupts


@contextmanager
def interruptible() -> Iterator[None]:
    """Let hoplab say where it may be interrupted; then Ctrl-C and SIGTERM end the session."""
    before = {each: signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM)}
    interrupts.install()
    try:
        try:
            yield
        finally:  # Ctrl-C at a terminal is for Compose as well, whose end may be seen first
            interrupts.check()
    except interrupts.Interrupted:
        raise KeyboardInterrupt from None
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)
