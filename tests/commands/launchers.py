"""One launcher for all commands that these tests run in one process of pytest's.

To import the servers takes longer than most of what these commands ask. A launcher of all servers
is kept for the same prefix and environment: one that has imported the project's application, and
for clones one that has not. What a command has started is stopped at its end, as its own launcher
would stop it.
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
from hoplab.engines.launching import (
    APPLICATION,
    FRAMEWORK,
    Launcher,
    lab_environment,
    launcher_of,
)
from hoplab.system import runs
from tests.catalogue import CATALOGUE, ROOT

Key: TypeAlias = tuple[str, tuple[str, ...], frozenset[tuple[str, str]]]
"""The prefix, what was imported besides the servers, and the environment."""


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
def kept() -> Iterator[None]:
    """Keep what launchers are started in this block, and end them with it."""
    try:
        yield
    finally:
        while _kept:
            _kept.popitem()[1].stop()


@contextmanager
def lent(folder: Path) -> Iterator[None]:
    """In this block, commands have kept launchers; folder: for what these write.

    Those of another prefix than the usual one are of no use afterwards, and of 60 MB each.
    """
    with pytest.MonkeyPatch.context() as patch:
        for module in (hosting, process):
            patch.setattr(module, launcher_of.__name__, partial(_lent, folder))
        yield
    for key in [key for key in _kept if key[0] != CATALOGUE.prefix.encoded]:
        _kept.pop(key).stop()


def kept_processes() -> set[int]:
    """The numbers of the kept launchers' own processes."""
    return {each._process.popen.pid for each in _kept.values()}


def _lent(
    folder: Path, catalogue: Catalogue, servers: Sequence[Server], log: Path, *, stay: bool = False
) -> Launcher | Lent:
    if stay:
        return launcher_of(catalogue, servers, log, stay=stay)
    preload = FRAMEWORK if catalogue.workspace.root != ROOT else (*FRAMEWORK, *APPLICATION)
    told = frozenset((k, v) for k, v in os.environ.items() if k != "PYTEST_CURRENT_TEST")
    key = (catalogue.prefix.encoded, preload, told)
    if key not in _kept:
        every = [*catalogue.servers.values()]
        own = folder / f"{len(list(folder.iterdir()))}.log"
        _kept[key] = Launcher(every, preload, ROOT, own, lab_environment(catalogue))
    return Lent(_kept[key])


def left_behind(before: Iterable[int]) -> list[psutil.Process]:
    """What this process has started, and what that has, but for kept launchers themselves.

    before: the numbers of those that were there already.
    """
    own = {*before, *kept_processes()}
    every = psutil.Process().children(recursive=True)
    return [each for each in every if each.pid not in own and runs.alive(each)]
