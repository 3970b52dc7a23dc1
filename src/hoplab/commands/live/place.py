"""One topology of the demo: what runs there, what is wanted, and what it answers.

It has a thread that starts, asks and changes it, and lives as long as the lab: on Linux, a process
ends when the thread ends that has started it.
"""

import shutil
import signal
import threading
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

from hoplab.catalogue import Catalogue
from hoplab.client.probe import Failed
from hoplab.client.trace import Request, Trace, ask
from hoplab.commands.live import files
from hoplab.commands.live.changes import possible
from hoplab.commands.live.model import Change, State, TopologyState
from hoplab.commands.live.runner import Runner
from hoplab.commands.session import Session
from hoplab.commands.targets import jobs, target
from hoplab.endpoint import Endpoint
from hoplab.engines.tap import MARKER, marker
from hoplab.errors import HoplabError
from hoplab.results import CellResult, Finding
from hoplab.suites import SUITES, asking
from hoplab.suites.check import Check, is_slow
from hoplab.system.interrupts import Interrupted
from hoplab.topology import Cell, Deployment, Scheme, Topology

CONTRACT = next(suite for suite in SUITES.values() if suite.product)

_LOOK = 0.5  # seconds between two looks whether the processes still run
_SIGNAL = 128  # what a shell adds to a signal's number
_AT_ONCE = 2
_PATIENCE = 10.0  # seconds for which slow checks wait at most: another topology may not come up

_starting = threading.Semaphore(_AT_ONCE)
"""To start is work for the processors."""


class Lab(Protocol):
    """What a place needs of the lab that it is of."""

    changed: threading.Condition
    """Held by who reads or writes what all threads share; notified when something differs."""

    ended: bool
    """Whether the threads have to end."""

    def next_revision(self) -> int:
        """The number of what has just changed; with the condition held."""
        ...

    def hurried(self) -> bool:
        """Whether first verdicts of any topology are awaited; with the condition held."""
        ...


class _Superseded(HoplabError):
    """It is no longer wanted."""


@dataclass(frozen=True)
class _Wanted:
    """What is to run: a deployment, and the change that it is; with the files as they are now."""

    change: Change | None
    deployment: Deployment


@dataclass(frozen=True)
class _Ran(_Wanted):
    """What has run, and with which files."""

    catalogue: Catalogue


class Place:
    """A topology, on ports of its own."""

    def __init__(
        self,
        lab: Lab,
        session: Session,
        runner: Runner,
        topology: Topology,
        ports: Mapping[Scheme, int],
    ) -> None:
        self.topology = topology
        self.possible = {
            name: (change, deployment)
            for name, (change, deployment) in possible(session.catalogue, topology).items()
            if runner.can_run(deployment)
        }
        base = session.catalogue.prefix.encoded
        urls = {scheme: f"{scheme}://127.0.0.1:{port}{base}" for scheme, port in ports.items()}
        self.state = TopologyState(topology.name, State.STARTING, urls)
        self.thread = threading.Thread(target=self._live, name=topology.name, daemon=True)
        self._lab = lab
        self._session = session
        self._catalogue = session.catalogue
        self._runner = runner
        self._recipe = _Wanted(None, self._catalogue.recommended(topology))
        self._wanted: _Wanted | None = self._recipe
        self._last = self._recipe
        self._good: _Ran | None = None
        self._copies = session.new_run()
        self._copy = 0
        self._endpoint: Endpoint | None = None
        self._lost: TopologyState | None = None
        """As it was before a part of it died."""
        self.hurried = True
        """Whether its first verdicts are awaited: it starts, or is being asked its fast checks."""

    def want(self, change: Change | None) -> None:
        """Let it be this one, or its recipe; with the files as they are now."""
        if change:
            self._want(_Wanted(change, self.possible[change.name][1]))
        else:
            self._want(self._recipe)

    def edited(self, paths: Collection[Path]) -> None:
        """These files have changed: if it runs with one of them, start it again."""
        with self._lab.changed:
            wanted = self._wanted or self._last
            if files.concerns(self._catalogue, wanted.deployment, paths):
                self._want(wanted)

    def stop(self) -> None:
        """Wait for its thread, which ends with the lab, and stop what runs here, for good."""
        with ExitStack() as left:
            left.callback(self._copies.remove)
            left.callback(self._stop)
            if self.thread.ident:
                self.thread.join()

    def trace(self, scheme: Scheme, request: Request) -> Trace:
        """Send a request, and say what came by. Others may be asked meanwhile: it has a marker.

        Raises HoplabError if it is not up, or does not answer.
        """
        with self._lab.changed:
            endpoint, state = self._endpoint, self.state
        if endpoint is None:
            told = state.message or "Wait until it is up."
            raise HoplabError(f"{self.topology.name} is {state.state}. {told}")
        asked = target(self._catalogue, CONTRACT, endpoint.deployment.cell(scheme), endpoint)
        mark = marker()
        listens = self._runner.listens  # and takes the marker out again
        marked = replace(request, headers=(*request.headers, (MARKER, mark)))
        try:
            exchange = ask(asked, marked if listens else request)
        except Failed as failed:
            raise HoplabError(failed.detail) from None
        # It is not the person's: it is neither sent to the application nor shown.
        exchange.sent = [each for each in exchange.sent if each != (MARKER, mark)]
        hops = self._runner.hops(mark) if listens else ()
        return Trace(exchange, hops, listened=listens)

    def _want(self, wanted: _Wanted) -> None:
        with self._lab.changed:
            self._wanted, self.hurried = wanted, True
            self._told(state=State.STARTING, change=wanted.change, asking=False, message="")
            self._lab.changed.notify_all()

    def _told(self, **changed: Any) -> None:
        with self._lab.changed:
            self.state = replace(self.state, **changed, revision=self._lab.next_revision())

    def _told_unless_superseded(self, **changed: Any) -> None:
        with self._lab.changed:
            if not self._superseded:
                self._told(**changed)

    @property
    def _superseded(self) -> bool:
        """Whether something else is wanted by now."""
        return self._wanted is not None or self._lab.ended

    def _live(self) -> None:
        try:
            while not self._lab.ended:
                with self._lab.changed:
                    self._lab.changed.wait_for(lambda: self._superseded, _LOOK)
                    wanted, self._wanted = self._wanted, None
                    self._last = wanted or self._last
                if self._lab.ended:
                    return
                self._turn(wanted)
        except (Interrupted, asking.Unfinished) as came:
            # It is for the main thread, which ends the lab.
            interrupted = came.signal if isinstance(came, asking.Unfinished) else came
            signal.raise_signal(int(interrupted.code or 0) - _SIGNAL)
        finally:
            with suppress(HoplabError, OSError):  # `stop` tries again, and tells
                self._stop()  # here, since all threads do at the same time

    def _turn(self, wanted: _Wanted | None) -> None:
        """One thing after the other; an error of the lab's own ends this topology, not the demo."""
        try:
            if wanted:
                self._become(wanted)
            else:
                self._look()
        except (Interrupted, asking.Unfinished):
            raise
        except Exception as bug:  # it is told, and `fix` starts again
            with suppress(HoplabError):  # Docker may be gone: whatever is left, `fix` replaces it
                self._stop()
            known = isinstance(bug, HoplabError)
            message = str(bug) if known else f"{type(bug).__name__}: {bug}"
            self._told_unless_superseded(state=State.DOWN, asking=False, message=message)
        finally:
            self._calm()

    def _calm(self) -> None:
        """Its first verdicts are there, or won't come: others need not wait for them."""
        with self._lab.changed:
            if self.hurried and self._wanted is None:
                self.hurried = False
                self._lab.changed.notify_all()

    def _become(self, wanted: _Wanted) -> None:
        before = self.state.results
        state, message = State.UP, ""
        try:
            self._run(wanted, self._copied)
        except _Superseded:
            return
        except (HoplabError, OSError) as refused:
            good = self._good
            state, message = State.DOWN, self._as_edited(str(refused))
            try:
                if good is None:
                    raise
                self._run(good, lambda: good.catalogue)
                state, self._last = State.REFUSED, good
            except _Superseded:
                return
            except (HoplabError, OSError) as again:
                if good is not None:
                    message += f"\nThe last good files don't start again either: {again}"
                self._told_unless_superseded(state=state, message=message)
                return
        self._told_unless_superseded(
            state=state, message=message, change=self._last.change, asking=True
        )
        self._ask(before)

    def _copied(self) -> Catalogue:
        """The files as they are now."""
        self._copy += 1
        return files.copied(self._catalogue, self._copies.folder / str(self._copy))

    def _as_edited(self, message: str) -> str:
        """With the names of a person's files in place of their copies'."""
        copy = self._copies.folder / str(self._copy)
        return files.told(self._catalogue, copy, message)

    def _run(self, wanted: _Wanted, catalogue: Callable[[], Catalogue]) -> None:
        """Run this, in place of what runs. Raises HoplabError or OSError if it does not start."""
        with _starting:
            if self._superseded:
                raise _Superseded(self.topology.name)
            used = catalogue()
            with self._lab.changed:  # from here on, nobody is told what ran before
                self._endpoint = None
                self._told(start=self.state.start + 1)
            try:
                self._endpoint = self._runner.run(wanted.deployment, used, self._watch)
            except BaseException:
                self._stop()
                raise
            self._good = _Ran(wanted.change, wanted.deployment, used)
            self._forget_copies(used.workspace.root)

    def _forget_copies(self, good: Path) -> None:
        for copy in self._copies.folder.iterdir():
            if copy.is_dir() and copy != good:
                shutil.rmtree(copy, ignore_errors=True)

    def _watch(self) -> None:
        if self._superseded:
            raise _Superseded(self.topology.name)

    def _stop(self) -> None:
        self._endpoint = None
        self._runner.stop()

    def _ask(self, before: Sequence[CellResult]) -> None:
        """The fast checks first, whose findings are told at once; then the others.

        These wait for the first verdicts of all topologies, which need the processors.
        """
        endpoint = self._endpoint
        if endpoint is None:
            return
        cells = [endpoint.deployment.cell(scheme) for scheme in Scheme]
        asked_of = jobs(self._catalogue, CONTRACT, cells, [endpoint])
        findings: dict[Cell, dict[str, list[Finding]]] = {cell: {} for cell in cells}
        steps = _steps(CONTRACT.checks)
        for checks in steps:
            if self._superseded:
                return
            for result in asking.ask(asked_of, checks, lambda _done, _of: None):
                for finding in result.findings:
                    findings[result.cell].setdefault(finding.check, []).append(finding)
            self._tell_findings(findings, before, asking=checks is not steps[-1])
            if checks is not steps[-1]:
                self._let_others_first()

    def _let_others_first(self) -> None:
        """Wait for the first verdicts of all topologies, unless something else is wanted here."""
        self._calm()
        with self._lab.changed:
            self._lab.changed.wait_for(
                lambda: self._superseded or not self._lab.hurried(), _PATIENCE
            )

    def _tell_findings(
        self,
        found: Mapping[Cell, Mapping[str, Sequence[Finding]]],
        before: Sequence[CellResult],
        *,
        asking: bool,
    ) -> None:
        results = [
            CellResult(
                cell,
                self._catalogue.is_recommended(cell),
                [each for name in CONTRACT.checks for each in of_check.get(name, ())],
            )
            for cell, of_check in found.items()
        ]
        self._told_unless_superseded(
            asking=asking, results=results, changed_checks=differing(before, results)
        )

    def _look(self) -> None:
        if self.state.state is State.DOWN:
            if endpoint := self._runner.returned():
                self._recover(endpoint)
        elif self._endpoint is not None and (died := self._runner.died()):
            self._endpoint = None
            self._lost = self.state
            self._told_unless_superseded(state=State.DOWN, message=self._as_edited(died))

    def _recover(self, endpoint: Endpoint) -> None:
        """What had died is back: it is asked again, and is what it was before."""
        with self._lab.changed:
            if self._superseded:
                return
            self._endpoint = endpoint
            was, self._lost = self._lost, None
            state, message = (was.state, was.message) if was else (State.UP, "")
            start = self.state.start + 1
            self._told(state=state, message=message, start=start, asking=True)
        self._ask(self.state.results)


def _steps(checks: Mapping[str, Check]) -> Sequence[Mapping[str, Check]]:
    """What is asked at once, and then told: something newer that is wanted waits for one."""
    fast = {name: check for name, check in checks.items() if not is_slow(check)}
    slow = {name: check for name, check in checks.items() if is_slow(check)}
    return [fast, slow]


def differing(before: Sequence[CellResult], now: Sequence[CellResult]) -> list[str]:
    """The checks that find another thing than before; none at the start."""
    if not before:
        return []
    had, has = (
        {(r.cell.scheme, f.check): (f.verdict, f.symptom) for r in each for f in r.findings}
        for each in (before, now)
    )
    return list(dict.fromkeys(check for (s, check) in has if has[s, check] != had.get((s, check))))
