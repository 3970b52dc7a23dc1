"""Asks the questions of many cells at once."""

import gc
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Generator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, suppress
from dataclasses import replace
from itertools import groupby
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection
from multiprocessing.connection import wait as wait_for_pipes
from multiprocessing.context import SpawnProcess
from queue import Empty, SimpleQueue
from typing import NamedTuple, TypeAlias, cast

from hoplab.client.probe import Answers, Failed, FailedOften, NotApplicable, Probe, Recorded
from hoplab.client.target import Target, needs_of
from hoplab.client.wire import Connections, Exchange
from hoplab.errors import HarnessError, HoplabError
from hoplab.results import CellResult, Finding, Verdict
from hoplab.suites.check import Check, is_last, is_slow
from hoplab.system import interrupts
from hoplab.system.lifeline import die_with_parent
from hoplab.topology import Cell

THREADS = 48
"""They wait more than they work."""

PROCESSES = 2
_WORTH_PROCESSES = 100
"""One Python process uses one core; for fewer cells, it takes longer to start others."""

_OBJECTS = 100_000
"""So many more objects before Python looks for cycles; its own default is 700."""


class Job(NamedTuple):
    """A cell to be asked, where, and the names of the checks; all of them if None."""

    cell: Cell
    target: Target
    recommended: bool
    asked: Sequence[str] | None = None

    def chosen(self, checks: Mapping[str, Check]) -> Mapping[str, Check]:
        """The checks to ask here."""
        return checks if self.asked is None else {name: checks[name] for name in self.asked}


Told: TypeAlias = tuple[int, list[CellResult]]
"""How many questions were answered since the last time, and the cells that are finished."""


def ask(
    jobs: Sequence[Job], checks: Mapping[str, Check], progress: Callable[[int, int], None]
) -> list[CellResult]:
    """Ask every check of every cell; `progress` is told how many of how many are answered.

    Raises Unfinished, with the cells that are answered by then, if a signal came.
    """
    cells = [job.cell for job in jobs]
    # One application's cells after the other: fewer processes are at work at a time.
    jobs = sorted(jobs, key=_application)
    many = len(jobs) >= _WORTH_PROCESSES
    asking = _in_processes(jobs, checks) if many else _in_threads(jobs, checks, THREADS)
    total = sum(len(job.chosen(checks)) for job in jobs)
    answered = 0
    results: dict[Cell, CellResult] = {}
    try:
        with closing(asking):
            for newly_answered, finished in asking:
                answered += newly_answered
                results |= {result.cell: result for result in finished}
                interrupts.check()
                progress(answered, total)
    except interrupts.Interrupted as came:
        raise Unfinished(came, [results[cell] for cell in cells if cell in results]) from came
    return [results[cell] for cell in cells]


def _application(job: Job) -> str:
    return job.target.instance or job.target.base


class Unfinished(Exception):
    """A signal came; `results` are those of the cells of which every question was answered."""

    def __init__(self, signal: interrupts.Interrupted, results: Sequence[CellResult]) -> None:
        super().__init__(f"interrupted with {len(results)} cells finished")
        self.signal = signal
        self.results = results


def _in_processes(jobs: Sequence[Job], checks: Mapping[str, Check]) -> Generator[Told]:
    spawn = multiprocessing.get_context("spawn")  # a fork of a process with threads may hang
    resource_tracker.ensure_running()  # the first start would, and unblock what is blocked below
    workers: dict[Connection, SpawnProcess] = {}
    threshold = gc.get_threshold()
    # Results have no cycles, and to look for some among ever more takes longer than to read them.
    gc.set_threshold(_OBJECTS, *threshold[1:])
    try:
        for part in _parts(jobs):
            ours, theirs = spawn.Pipe(duplex=False)
            worker = spawn.Process(target=_work, args=(os.getpid(), theirs, part, checks))
            # Ctrl-C is for this process, which then ends them: they inherit what is blocked.
            before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
            try:
                worker.start()
            finally:
                signal.pthread_sigmask(signal.SIG_SETMASK, before)
            workers[ours] = worker
            theirs.close()  # so that its end is the pipe's
        left = len(jobs)
        while left:
            ready = cast("list[Connection]", wait_for_pipes(list(workers), timeout=0.1))
            for pipe in ready:
                try:
                    told: Told = pipe.recv()
                except (EOFError, OSError):
                    interrupts.check()  # a signal to the whole group ended it
                    message = f"A client process of the lab ended; {left} cells were left to ask."
                    raise HoplabError(message) from None
                left -= len(told[1])
                yield told
            if not ready:
                yield 0, []
    finally:
        gc.set_threshold(*threshold)
        for worker in workers.values():
            worker.terminate()
        for worker in workers.values():
            worker.join()


def _parts(jobs: Sequence[Job]) -> list[list[Job]]:
    """One for each process; an application's cells are all in one part, for what they share."""
    parts: list[list[Job]] = [[] for _ in range(PROCESSES)]
    for number, (_, group) in enumerate(groupby(jobs, key=_application)):
        parts[number % PROCESSES].extend(group)
    return parts


def _work(parent: int, pipe: Connection, jobs: Sequence[Job], checks: Mapping[str, Check]) -> None:
    """What a process does, until its parent ends it."""
    die_with_parent(parent)
    for told in _in_threads(jobs, checks, THREADS // PROCESSES):
        pipe.send(told)
    if mine := multiprocessing.parent_process():
        mine.join()  # until then it counts as part of the lab


def _in_threads(jobs: Sequence[Job], checks: Mapping[str, Check], threads: int) -> Generator[Told]:
    pool = ThreadPoolExecutor(threads)
    directly: Answers = {}
    answered: list[None] = []  # one for each finding; threads append to it
    told = 0
    # Not `wait`, which looks at every cell that is left whenever one is finished.
    finished: SimpleQueue[CellResult | BaseException] = SimpleQueue()

    def failed(part: Future[None]) -> None:
        if not part.cancelled() and (bug := part.exception()):
            finished.put(bug)

    try:
        for job in jobs:
            cell = _CellInParts(job, job.chosen(checks), directly, answered, finished.put)
            for part in cell.parts():
                pool.submit(cell.ask, part).add_done_callback(failed)
        left = len(jobs)
        while left:
            done = []
            with suppress(Empty):
                result = finished.get(timeout=0.1)
                if isinstance(result, BaseException):
                    raise result
                done.append(result)
            left -= len(done)
            newly, told = len(answered) - told, len(answered)
            yield newly, done
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


class _CellInParts:
    """A cell, whose slow checks are asked at the same time as its other ones, and one kind last.

    `answered` gets an item for each finding, `finish` the result.
    """

    def __init__(
        self,
        job: Job,
        checks: Mapping[str, Check],
        directly: Answers,
        answered: list[None],
        finish: Callable[[CellResult], None],
    ) -> None:
        self._job = job
        self._checks = checks
        self._directly = directly
        self._answered = answered
        self._finish = finish
        self._asked: Answers = {}
        self._findings: dict[str, list[Finding]] = {}
        self._last = [name for name, check in checks.items() if is_last(check)]
        self._left = len(checks) - len(self._last)
        self._lock = threading.Lock()

    def parts(self) -> list[list[str]]:
        """The checks' names: each slow one alone, since it mostly waits; the others together."""
        first = [name for name in self._checks if name not in self._last]
        slow = [[name] for name in first if is_slow(self._checks[name])]
        together = [name for name in first if [name] not in slow]
        return [part for part in [*slow, together] if part] or [[]]

    def ask(self, names: Sequence[str]) -> None:
        """One check after the other: they share connections, whose handshakes cost the most."""
        self._ask(names)
        with self._lock:
            self._left -= len(names)
            finished = not self._left
        if finished:
            self._ask(
                self._last, [e for each in self._findings.values() for e in each[0].exchanges]
            )
            findings = [finding for name in self._checks for finding in self._findings[name]]
            self._finish(CellResult(self._job.cell, self._job.recommended, findings))

    def _ask(self, names: Sequence[str], met: Sequence[Exchange] = ()) -> None:
        connections: Connections = {}
        for name in names:
            probe = Probe(self._job.target, connections, self._asked, self._directly, met)
            found = _ask(name, self._checks[name], probe)
            exchanges = [exchange.shortened() for exchange in probe.client.exchanges]
            self._findings[name] = [replace(finding, exchanges=exchanges) for finding in found]
            self._answered.append(None)
        for connection in connections.values():
            connection.close()


def ask_one(name: str, check: Check, target: Target) -> Finding:
    """Put one question to one target, over connections of its own: the first finding."""
    return ask_all_of(name, check, target)[0]


def ask_all_of(name: str, check: Check, target: Target) -> list[Finding]:
    """The same with every finding: a check may say no in several ways."""
    probe = Probe(target)
    try:
        return _ask(name, check, probe)
    finally:
        probe.client.close()


def _ask(name: str, check: Check, probe: Probe) -> list[Finding]:
    """Whatever the check raises that is no answer is an error of the lab.

    It says nothing about the cell.
    """
    if missing := probe.target.lacks(needs_of(check)):
        return [Finding(name, Verdict.NOT_APPLICABLE, None, f"not known here: {missing.value}")]
    symptom = None
    try:
        verdict, detail = Verdict.PASS, check(probe)
    except Failed as failed:
        verdict, symptom, detail = Verdict.FAIL, failed.symptom, failed.detail
    except FailedOften as often:
        exchanges = probe.client.exchanges
        return [Finding(name, Verdict.FAIL, f.symptom, f.detail, exchanges) for f in often.failures]
    except NotApplicable as reason:
        verdict, detail = Verdict.NOT_APPLICABLE, str(reason)
    except Recorded as answer:
        verdict, detail = Verdict.RECORDED, str(answer)
    except HarnessError as error:
        verdict, detail = Verdict.ERROR, str(error)
    except Exception as bug:
        verdict, detail = Verdict.ERROR, f"{type(bug).__name__}: {bug}"
    return [Finding(name, verdict, symptom, detail, probe.client.exchanges)]
