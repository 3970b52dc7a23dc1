"""Takes Compose projects down if the process that brought them up is killed.

Local processes die with their parent; containers run on, as the daemon is theirs.
`python -m hoplab.engines.guardian ROOT PROJECT …` waits for the end of its standard input, which
ends with its parent, however that ends. A word before means that nothing is up any more.
"""

import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path

from hoplab.engines.compose import Compose
from hoplab.errors import HoplabError

_DONE = b"done"
_SECONDS = 10.0
_PAUSE = 0.2


@contextmanager
def guarded(root: Path, projects: Sequence[str]) -> Iterator[None]:
    """Take them down if this process ends before the block does. `root` has compose.yaml."""
    with subprocess.Popen(
        [sys.executable, "-m", "hoplab.engines.guardian", str(root), *projects],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,  # it outlives a terminal that is closed
    ) as guardian:
        yield
        guardian.communicate(_DONE)


def main() -> None:
    """Wait, and take them down."""
    root, *projects = sys.argv[1:]
    if sys.stdin.buffer.read() == _DONE:
        return
    with ThreadPoolExecutor() as threads:
        for name in projects:
            threads.submit(_take_down, Compose(name, Path(root)))


def _take_down(project: Compose) -> None:
    """Again while there are containers: what Docker was doing just now may make some more."""
    deadline = time.monotonic() + _SECONDS
    while time.monotonic() < deadline:
        with suppress(HoplabError):
            project.down()
            if not project.containers():
                return
        time.sleep(_PAUSE)


if __name__ == "__main__":
    main()
