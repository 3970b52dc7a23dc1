"""`python activate.py DESCRIPTOR,… NAME:… COMMAND …`: become COMMAND with listening sockets.

They are handed over as systemd does (sd_listen_fds(3)): from descriptor 3 on, with LISTEN_PID the
number of the very process, so that nobody but itself can set it. Runs as a script of its own, with
the standard library alone, to be gone in a few milliseconds.
"""

import fcntl
import os
import sys

FIRST = 3


def main() -> None:
    """Move the descriptors to their place, set the environment, and exec."""
    # First out of the way: a descriptor may stand where another one has to go.
    away = [fcntl.fcntl(int(fd), fcntl.F_DUPFD, 100) for fd in sys.argv[1].split(",")]
    for number, descriptor in enumerate(away):
        os.dup2(descriptor, FIRST + number)
        os.close(descriptor)
    os.environ["LISTEN_PID"] = str(os.getpid())
    os.environ["LISTEN_FDS"] = str(len(away))
    os.environ["LISTEN_FDNAMES"] = sys.argv[2]
    os.execvp(sys.argv[3], sys.argv[3:])  # noqa: S606 - the command is the lab's own


if __name__ == "__main__":
    main()
