"""Short calls of other programs that Ctrl-C must not hit."""

import subprocess
import time
from collections.abc import Sequence

from hoplab.system import interrupts

_POLL_SECONDS = 0.05


def call(command: Sequence[str], seconds: float) -> subprocess.CompletedProcess[str]:
    """Run a program to its end, at most so long, and give its exit code and what it wrote.

    Ctrl-C at a terminal is for every program in the foreground. A program that it ended would look
    like one that does not work, so this one has a session of its own, and we stop it.
    Raises OSError if there is no such program, and subprocess.TimeoutExpired.
    """
    deadline = time.monotonic() + seconds
    with subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
        start_new_session=True,
    ) as process:
        try:
            while True:
                interrupts.check()
                try:
                    output, errors = process.communicate(timeout=_POLL_SECONDS)
                    break
                except subprocess.TimeoutExpired:
                    if time.monotonic() > deadline:
                        raise
        except BaseException:
            process.kill()
            raise
    return subprocess.CompletedProcess(command, process.returncode, output, errors)
