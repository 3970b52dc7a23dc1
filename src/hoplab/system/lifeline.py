"""A child that ends when its parent does, however that ended."""

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1  # linux/prctl.h
# Not in the child: to load it takes a lock, which a thread of the parent may have held at the fork.
_LIBC = ctypes.CDLL(None) if sys.platform == "linux" else None


def die_with_parent(parent: int) -> None:
    """Get SIGTERM when the parent (this number) dies. Call in the child, after the fork.

    Linux only; elsewhere the run's folder tells the next run what to stop.
    """
    if _LIBC is None:
        return
    _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent:  # it died before we asked
        os._exit(1)
