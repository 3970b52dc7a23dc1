"""The doctor at deployments that run for it: it is told nothing but the URL."""

import secrets
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from hoplab.catalogue import Catalogue
from hoplab.catalogue.servers import SERVERS
from hoplab.client.given import ConnectTo, read
from hoplab.client.polite import PoliteClient
from hoplab.commands.doctor import examine, with_prescriptions
from hoplab.commands.hosting import running
from hoplab.commands.session import Session, deployments_of
from hoplab.diagnosis.words import Fault, Report, Verdict
from hoplab.doctor import VARIABLE
from hoplab.endpoint import Endpoint
from hoplab.engines.launching import APPLICATION, FRAMEWORK, Launcher
from hoplab.engines.process import Hosted, ProcessEngine
from hoplab.engines.programs import with_own_scripts
from hoplab.topology import Cell
from scripts.bench_doctor.strangers import Stranger, ready
from scripts.bench_doctor.truth import OUTSIDE, WITH_SPOOF, WITH_WINDOW, truth

_WINDOWED = "tests.doctor.windowed_lab"
"""Imported into the lab's own applications, it opens the window in each of them."""

_AT_ONCE = 4

OUTCOMES = (
    "healthy, and said so",
    "healthy, called sick",
    "first",
    "among three",
    "wrong",
    "sick, called healthy",
    "cannot tell",
)
"""How good a diagnosis can be."""


@dataclass(frozen=True)
class _How:
    """How the doctor asks, and what is known of all the deployments.

    unasked: how the questions begin that are not asked. window: the token of the second eye. own:
    what is wrong in the application. ending: what stands behind the prefix in the URL.
    """

    unasked: tuple[str, ...]
    window: str = ""
    spoof: bool = False
    own: frozenset[Fault] = frozenset()
    ending: str = ""


@dataclass(frozen=True)
class Examined:
    """A cell, what is wrong with it, what of that shows outside, and what the doctor said."""

    cell: Cell
    visible: frozenset[Fault]
    hidden: frozenset[Fault]
    report: Report

    @property
    def groups(self) -> list[frozenset[Fault]]:
        """What the doctor named, in its order."""
        diagnosis = self.report.diagnosis
        return [frozenset(g.faults) for g in (*diagnosis.groups, *diagnosis.notes)]

    @property
    def outcome(self) -> str:
        """How good the diagnosis is, in the words of the published matrix."""
        if not self.visible:
            if self.report.diagnosis.verdict is Verdict.UNCLEAR:
                return "cannot tell"
            return "healthy, and said so" if not self.groups else "healthy, called sick"
        if not self.groups:
            unclear = self.report.diagnosis.verdict is Verdict.UNCLEAR
            return "cannot tell" if unclear else "sick, called healthy"
        first = self.groups[: len(self.visible)]
        every = [*self.groups, *_others(self.report)]
        if self._named(first) and len(self.groups) <= len(self.visible):
            return "first"
        return "among three" if self._named(every[: len(self.visible) + 2]) else "wrong"

    def _named(self, groups: Sequence[frozenset[Fault]]) -> bool:
        return all(any(fault in group for group in groups) for fault in self.visible)


def _others(report: Report) -> list[frozenset[Fault]]:
    return [frozenset(g.faults) for other in report.diagnosis.other for g in other]


def of_the_lab(session: Session, cells: Sequence[Cell], *, spoof: bool = False) -> list[Examined]:
    """These cells, as processes; with forged headers too, if that is said."""
    session.clean_up()
    engine = ProcessEngine(
        session.catalogue,
        deployments_of(cells),
        session.new_run(),
        session.certificates(),
        partial=True,
    )
    with session.running(engine) as endpoints:
        how = _How(WITH_SPOOF if spoof else OUTSIDE, spoof=spoof)
        return _examined(session.catalogue, cells, endpoints, how)


def with_second_eye(session: Session, cells: Sequence[Cell]) -> list[Examined]:
    """The same cells of the lab, whose applications have the window open."""
    session.clean_up()
    token = secrets.token_hex(16)
    run = session.new_run()
    root = session.catalogue.workspace.root
    environment = {**with_own_scripts(), "PUBLIC_PREFIX": session.catalogue.prefix.encoded}
    preload = (*FRAMEWORK, *APPLICATION, _WINDOWED)
    launcher = Launcher(
        list(SERVERS.values()), preload, root, run.folder / "launcher.log", environment
    )
    try:
        engine = ProcessEngine(
            session.catalogue,
            deployments_of(cells),
            run,
            session.certificates(),
            partial=True,
            hosted=Hosted(root, {VARIABLE: token}),
            launcher=launcher,
        )
        with session.running(engine) as endpoints:
            how = _How(WITH_WINDOW, window=token)
            return _examined(session.catalogue, cells, endpoints, how)
    finally:
        launcher.stop()


def of_a_stranger(session: Session, cells: Sequence[Cell], stranger: Stranger) -> list[Examined]:
    """Deployments of an application that the doctor has never seen."""
    deployments = deployments_of(cells)
    with (
        ready(stranger) as application,
        running(session, application, deployments) as (endpoints, _, _),
    ):
        unasked = (*OUTSIDE, *stranger.unasked)
        how = _How(unasked, own=stranger.faults, ending=stranger.ending)
        return _examined(session.catalogue, cells, endpoints, how)


def _examined(
    catalogue: Catalogue, cells: Sequence[Cell], endpoints: Sequence[Endpoint], how: _How
) -> list[Examined]:
    where = {endpoint.deployment: endpoint for endpoint in endpoints}

    def one(cell: Cell) -> Examined:
        report = _report(cell, catalogue, where[cell.deployment], how)
        visible, hidden = truth(cell, catalogue, how.unasked, how.own)
        return Examined(cell, visible, hidden, report)

    with ThreadPoolExecutor(_AT_ONCE) as pool:
        return list(pool.map(one, [cell for cell in cells if cell.deployment in where]))


def _report(cell: Cell, catalogue: Catalogue, endpoint: Endpoint, how: _How) -> Report:
    there = ConnectTo("", None, endpoint.host, endpoint.ports[cell.scheme])
    given = read(endpoint.base(cell.scheme) + how.ending)
    client = PoliteClient(given, connect_to=[there], authority=endpoint.authority)
    try:
        found = examine(client, window=how.window, spoof=how.spoof)
        return with_prescriptions(found.report, catalogue, found.recognised)
    finally:
        client.close()
