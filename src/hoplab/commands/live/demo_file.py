"""Where the demo of this workspace is: its address and its token, for the command line.

Who runs the demo holds a lock on the file: it ends with the process, however that ends, so a file
that was left behind is known as one. Only its owner may read the file, as it has the token.
"""

import fcntl
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from hoplab.errors import HoplabError
from hoplab.workspace import Workspace

PORT = 9900
VARIABLE = "HOPLAB_DEMO_PORT"
"""Where the page is served if nothing else was chosen, and what chooses."""

TOKEN_HEADER = "X-Hoplab-Token"  # noqa: S105 - its name
"""Of a request that changes something. Here, as most commands import no web framework."""

_OWNER_ONLY = 0o600
_SECONDS = 1.0  # who only reads holds the lock for a moment
_PAUSE = 0.01


class NoDemo(HoplabError):
    """None runs."""


class Starting(HoplabError):
    """It does not serve its page yet."""


@dataclass(frozen=True)
class Site:
    """Where the page is, and what allows to change something there."""

    url: str
    token: str


@contextmanager
def claimed(workspace: Workspace) -> Iterator[Path]:
    """Be the demo of this workspace until the block ends; gives the file for `write`.

    Raises HoplabError that says where the other one is, if there is one.
    """
    file = workspace.demo
    file.parent.mkdir(parents=True, exist_ok=True)
    while True:
        handle = os.open(file, os.O_RDWR | os.O_CREAT, _OWNER_ONLY)
        try:
            if not _locked(handle):
                raise HoplabError(_where(file))
            if not _is(handle, file):
                continue  # its owner has removed it just now
            os.ftruncate(handle, 0)
            os.fchmod(handle, _OWNER_ONLY)
            try:
                yield file
            finally:
                with suppress(FileNotFoundError):
                    file.unlink()
            return
        finally:
            os.close(handle)


def write(file: Path, site: Site) -> None:
    """Say where it is."""
    file.write_text(json.dumps(asdict(site)))


def read(workspace: Workspace) -> Site:
    """The demo that runs. Raises NoDemo or Starting, with the next step."""
    none = "No demo is running: start one with `hoplab demo`."
    try:
        handle = os.open(workspace.demo, os.O_RDONLY)
    except FileNotFoundError:
        raise NoDemo(none) from None
    try:
        with suppress(BlockingIOError):
            fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
            raise NoDemo(none)  # nobody holds it: it was left behind
        site = _site(workspace.demo)
    finally:
        os.close(handle)
    if site is None:
        raise Starting("The demo is still starting: try again when it has printed its address.")
    return site


def _locked(handle: int) -> bool:
    deadline = time.monotonic() + _SECONDS
    while True:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > deadline:
                return False
            time.sleep(_PAUSE)
        else:
            return True


def _is(handle: int, file: Path) -> bool:
    """Whether the file of that name is still this one."""
    try:
        return os.path.samestat(os.fstat(handle), file.stat())
    except FileNotFoundError:
        return False


def _where(file: Path) -> str:
    site = _site(file)
    where = f"is running at {site.url}" if site else "is just being started"
    return f"A demo {where}. End it with `hoplab down`, or with Ctrl-C where it runs."


def _site(file: Path) -> Site | None:
    try:
        return Site(**json.loads(file.read_text()))
    except (OSError, ValueError, TypeError):
        return None
