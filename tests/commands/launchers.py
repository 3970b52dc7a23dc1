"""One launcher for all commands that a file's tests run in this process.

To import the servers takes longer than most of what these commands ask. A launcher is kept for the
same servers, prefix and environment, where the applications are the project's own, or a copy; what
a command has started is stopped at its end, as its own launcher would stop it.
"""

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias

import psutil
import pytest

from hoplab.catalogue import Catalogue
from hoplab.catalogue.servers.server import Server
from hoplab.commands import hosting
from hoplab.engines import process
from hoplab.engines.launching import Launcher, launcher_of
from hoplab.system import runs
from tests.catalogue import ROOT

Key: TypeAlias = tuple[str, frozenset[str], frozenset[tuple[str, str]]]


class Lent:
    """A kept launcher as a command has it: it goes on when that stops it."""

    def __init__(self, launcher: Launcher) -> None:
        self._launcher = launcher

    def launch(self, deployment: Mapping[str, Any]) -> int:
        return self._launcher.launch(deployment)

    def stop_started(self) -> None:
        self._launcher.stop_started()

    def stop(self, others: Iterable[psutil.Process] = ()) -> None:
        runs.stop(others)
        self.stop_started()


_kept: dict[Key, Launcher] = {}


@contextmanager
def kept(folder: Path) -> Iterator[None]:
    """Keep launchers in this block; folder: for what they write."""
    lend = partial(_lent, folder)
    with pytest.MonkeyPatch.context() as patch:
        for module in (hosting, process):
            patch.setattr(module, launcher_of.__name__, lend)
        try:
            yield
        finally:
            while _kept:
                _kept.popitem()[1].stop()


def _lent(
    folder: Path, catalogue: Catalogue, servers: Sequence[Server], log: Path, *, stay: bool = False
) -> Launcher | Lent:
    if stay or _applications(catalogue.workspace.root) != _applications(ROOT):
        return launcher_of(catalogue, servers, log, stay=stay)
    environment = frozenset((k, v) for k, v in os.environ.items() if k != "PYTEST_CURRENT_TEST")
    key = (catalogue.prefix.encoded, frozenset(server.name for server in servers), environment)
    if key not in _kept:
        _kept[key] = launcher_of(catalogue, servers, folder / f"{len(_kept)}.log")
    return Lent(_kept[key])


def _applications(root: Path) -> Mapping[Path, bytes]:
    """The files that a launcher imports, or what it starts."""
    folder = root / "app"
    files = (each for each in folder.rglob("*") if each.is_file() and each.suffix != ".pyc")
    return {each.relative_to(folder): each.read_bytes() for each in files}


def left_behind(before: Iterable[int]) -> list[psutil.Process]:
    """What this process has started, and what that has, but for kept launchers themselves.

    before: the numbers of those that were there already.
    """
    own = {*before, *(each._process.popen.pid for each in _kept.values())}
    every = psutil.Process().children(recursive=True)
    return [each for each in every if each.pid not in own and runs.alive(each)]
