"""A plugin of pytest: tries each mutation in a fork, with the tests that reach its function.

    HOPLAB_MUTATIONS=folder MUTMUT=packages pytest -p scripts.mutations.forks tests/unit

mutmut can do this too, but collects the tests again for each mutation: some are reached by
thousands. Here they are collected once. The folder has `asked.json`, the names of the mutations,
and gets `told.jsonl`: what came of each.
"""

import gc
import json
import os
import signal
import sys
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from scripts.mutations import ASKED, ENDLESS, NOTICED, REACHED, SURVIVED, TOLD, UNREACHED

sys.path.append(os.environ["MUTMUT"])  # the last: it brings a pytest of its own

FOLDER = Path(os.environ["HOPLAB_MUTATIONS"])

_FORKS = 2 * (os.cpu_count() or 1)
"""Much of a test is waiting."""

_SECONDS = 3.0
"""How long the tests may take, once alone, that are not named after the mutated module."""

_MOST = 30.0
_POLL = 0.005


class _Reports:
    """What pytest said of the tests of this process. In a fork, the first failure is its end."""

    failed = False
    ends = False


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """A failure of setup or teardown counts too."""
    _Reports.failed |= report.failed
    if report.failed and _Reports.ends:
        os._exit(1)


@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop(session: pytest.Session) -> bool:
    """In place of pytest's own loop."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    _wait(_fork(lambda: _record(session)))
    tests = _Tests(session.items, json.loads((FOLDER / REACHED).read_text()))
    asked = json.loads((FOLDER / ASKED).read_text())
    gc.collect()
    gc.freeze()  # the forks share what is there by now
    with (FOLDER / TOLD).open("a") as told, _Forks() as forks:
        for name, outcome in forks.run(asked, tests):
            told.write(json.dumps({"name": name, "outcome": outcome}) + "\n")
            told.flush()
    return True


def _record(session: pytest.Session) -> None:
    """Run all tests once, and write which functions each reaches, and how long it takes.

    A test that fails among the mutations, since it reads the source, is left out.
    """
    state = import_module("mutmut.state").state()
    reached: defaultdict[str, list[str]] = defaultdict(list)
    took: dict[str, float] = {}
    _choose("stats")
    for item, following in _pairs(session.items):
        state._stats, _Reports.failed = set(), False  # mutmut's functions fill it
        begun = time.monotonic()
        item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
        if _Reports.failed:
            continue
        took[item.nodeid] = time.monotonic() - begun
        for function in state._stats:
            reached[function].append(item.nodeid)
    (FOLDER / REACHED).write_text(json.dumps({"reached": reached, "took": took}))


class _Tests:
    """Which tests a mutation gets."""

    def __init__(self, items: Sequence[pytest.Item], recorded: Mapping[str, Any]) -> None:
        self._items = {item.nodeid: item for item in items}
        self._reached: Mapping[str, Sequence[str]] = recorded["reached"]
        self._took: Mapping[str, float] = recorded["took"]

    def of(self, mutation: str) -> tuple[list[pytest.Item], float]:
        """Those named after its module, then the quickest; and how long they take."""
        function = mutation.rpartition("__mutmut_")[0]
        stem = function.rpartition(".")[0].rpartition(".")[2]
        names = (f"/test_{stem}", *(f"[{stem.replace('_', '-')}{end}" for end in ":-]"))
        chosen, seconds = [], 0.0
        tests = [
            (not any(n in test for n in names), self._took[test], test)
            for test in self._reached.get(function, ())
            if test in self._items
        ]
        for far, took, test in sorted(tests):
            if seconds > _MOST or (far and seconds > _SECONDS):
                break
            chosen.append(self._items[test])
            seconds += took
        return chosen, seconds


@dataclass
class _Forks:
    """Mutations that are being tried, by process: its name, and when it has taken too long."""

    running: dict[int, tuple[str, float]] = field(default_factory=dict)

    def __enter__(self) -> "_Forks":
        return self

    def __exit__(self, *_: object) -> None:
        for process in self.running:
            _kill(process)

    def run(self, mutations: Sequence[str], tests: _Tests) -> Iterator[tuple[str, str]]:
        """What came of each."""
        for name in mutations:
            chosen, seconds = tests.of(name)
            if not chosen:
                yield name, UNREACHED
                continue
            while len(self.running) >= _FORKS:
                yield self._ended()
            process = _fork(lambda: _try(name, chosen))  # noqa: B023 - called before the next
            self.running[process] = name, time.monotonic() + 30 + 6 * seconds
        while self.running:
            yield self._ended()

    def _ended(self) -> tuple[str, str]:
        """The next that has ended, or took too long."""
        while True:
            for process, (name, deadline) in self.running.items():
                ended, status = os.waitpid(process, os.WNOHANG)
                late = time.monotonic() > deadline
                if ended or late:
                    _kill(process)
                    if not ended:
                        os.waitpid(process, 0)
                    del self.running[process]
                    return name, ENDLESS if not ended else NOTICED if status else SURVIVED
            time.sleep(_POLL)


def _try(mutation: str, tests: Sequence[pytest.Item]) -> None:
    null = os.open(os.devnull, os.O_RDWR)
    for number in range(3):
        os.dup2(null, number)
    _Reports.ends = True
    _choose(mutation)
    for item, following in _pairs(tests):
        item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)


def _choose(mutation: str) -> None:
    import_module("mutmut.mutation.trampoline").set_mutant_under_test(mutation)


def _fork(work: Any) -> int:
    """A process, the first of its group: what a test leaves behind is killed with it."""
    process = os.fork()
    if process:
        return process
    os.setsid()
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    try:
        work()
    except BaseException:  # a mutation may raise anything
        os._exit(1)
    os._exit(0)


def _wait(process: int) -> None:
    if os.waitpid(process, 0)[1]:
        message = "the tests could not be run without a mutation"
        raise pytest.UsageError(message)


def _kill(process: int) -> None:
    try:
        os.killpg(process, signal.SIGKILL)
    except ProcessLookupError:
        return


def _pairs(items: Sequence[pytest.Item]) -> Iterator[tuple[pytest.Item, pytest.Item | None]]:
    """Each test with the one that follows: pytest keeps the fixtures that both need."""
    return zip(items, [*items[1:], None], strict=True)
