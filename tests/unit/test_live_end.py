"""The lab behind the live page ends wholly, whatever part of it fails."""

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, ClassVar, cast

import pytest

from hoplab.commands.live import lab as live_lab
from hoplab.commands.live.lab import RunningLab
from hoplab.commands.session import Session
from hoplab.report.progress import Progress
from hoplab.system import runs
from hoplab.topology import Topology
from tests.catalogue import CATALOGUE

FIRST, SECOND, THIRD = CATALOGUE.topologies[:3]


class FakePlace:
    """A topology that can't begin, or can't end."""

    stopped: ClassVar[list[str]] = []
    impossible: Topology | None = None
    unending: Topology | None = None

    def __init__(self, *given: Any) -> None:
        self.topology = given[3]
        if self.topology == self.impossible:
            raise OSError("no place")

    def stop(self) -> None:
        self.stopped.append(self.topology.name)
        if self.topology == self.unending:
            raise OSError("it does not end")


@pytest.fixture
def session(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Session]:
    """One whose runs are below `tmp_path`."""
    FakePlace.stopped.clear()
    launcher = SimpleNamespace(stop=lambda: FakePlace.stopped.append("launcher"))
    monkeypatch.setattr(live_lab, "_launcher", lambda *_: launcher)
    monkeypatch.setattr(live_lab, "require_free", lambda _: None)
    monkeypatch.setattr(live_lab, "Place", FakePlace)
    monkeypatch.setattr(Session, "certificates", lambda _: None)
    monkeypatch.setattr(Session, "new_run", lambda _: runs.new(tmp_path))
    yield Session(CATALOGUE, cast("Progress", None))
    assert [*tmp_path.iterdir()] == []


def test_one_topology_that_does_not_end_keeps_nothing_else_up(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(FakePlace, "unending", THIRD)
    lab = RunningLab(session, [FIRST, SECOND, THIRD])

    with pytest.raises(OSError, match="it does not end"):
        lab.end()

    assert FakePlace.stopped == [THIRD.name, SECOND.name, FIRST.name, "launcher"]


def test_one_that_cannot_be_made_leaves_nothing(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(FakePlace, "impossible", SECOND)

    with pytest.raises(OSError, match="no place"):
        RunningLab(session, [FIRST, SECOND])

    assert FakePlace.stopped == [FIRST.name, "launcher"]
