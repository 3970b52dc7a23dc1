"""A topology of the demo whose runner fails."""

import threading
from collections.abc import Mapping
from pathlib import Path
from typing import cast

import pytest

from hoplab.commands.live.model import State
from hoplab.commands.live.place import CONTRACT, Place
from hoplab.commands.live.runner import Runner
from hoplab.commands.session import Session
from hoplab.endpoint import Endpoint
from hoplab.errors import HoplabError
from hoplab.report.progress import Progress
from hoplab.results import CellResult
from hoplab.suites import asking
from hoplab.suites.check import Check, is_slow
from hoplab.system import runs
from hoplab.topology import Scheme
from tests.catalogue import CATALOGUE

TOPOLOGY = CATALOGUE.topologies[0]
DEADLINE = 20.0


class FakeLab:
    def __init__(self) -> None:
        self.changed = threading.Condition()
        self.ended = False
        self.others_hurried = False
        self.looked = threading.Event()

    def next_revision(self) -> int:
        return 1

    def hurried(self) -> bool:
        self.looked.set()
        return self.others_hurried


class Gone:
    """Its daemon can't be asked any more."""

    def can_run(self, _: object) -> bool:
        return True

    def died(self) -> str:
        raise HoplabError("`docker ps` failed: Cannot connect to the Docker daemon")

    def returned(self) -> Endpoint | None:
        return None

    def stop(self) -> None:
        raise HoplabError("`docker compose down` failed")


class Killed(Gone):
    """A container of it was killed; `back` is where it answers again."""

    back: Endpoint | None = None

    def died(self) -> str:
        return "nginx died"

    def returned(self) -> Endpoint | None:
        return self.back


def a_place(
    lab: FakeLab, monkeypatch: pytest.MonkeyPatch, folder: Path, runner: Gone | None = None
) -> Place:
    """One that is up."""
    monkeypatch.setattr(Session, "new_run", lambda _: runs.new(folder))
    session = Session(CATALOGUE, cast("Progress", None))
    ports = {Scheme.HTTP: 1, Scheme.HTTPS: 2}
    place = Place(lab, session, cast("Runner", runner or Gone()), TOPOLOGY, ports)
    place._wanted = None
    place._endpoint = Endpoint(CATALOGUE.recommended(TOPOLOGY), ports, folder, "")
    return place


def note_asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the checks that will be asked, in this order."""
    asked: list[str] = []

    def ask(_jobs: object, checks: Mapping[str, Check], _progress: object) -> list[CellResult]:
        asked.extend(checks)
        return []

    monkeypatch.setattr(asking, "ask", ask)
    return asked


def test_a_daemon_that_is_gone_is_told_and_the_topology_can_be_fixed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    place = a_place(FakeLab(), monkeypatch, tmp_path)

    place._turn(None)

    assert place.state.state is State.DOWN
    assert place.state.message == "`docker ps` failed: Cannot connect to the Docker daemon"


def test_slow_checks_wait_for_the_first_verdicts_of_others(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    lab = FakeLab()
    lab.others_hurried = True
    place = a_place(lab, monkeypatch, tmp_path)
    asked = note_asked(monkeypatch)
    thread = threading.Thread(target=place._ask, args=([],))
    thread.start()
    assert lab.looked.wait(DEADLINE)
    with lab.changed:  # not held while it waits
        assert not any(is_slow(CONTRACT.checks[name]) for name in asked)
        assert not place.hurried
        assert place.state.asking
        lab.others_hurried = False
        lab.changed.notify_all()
    thread.join(DEADLINE)

    assert sorted(asked) == sorted(CONTRACT.checks)
    assert not place.state.asking


def test_one_that_is_changed_is_hurried_until_it_is_asked_or_down(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    place = a_place(FakeLab(), monkeypatch, tmp_path)
    place._calm()
    assert not place.hurried

    place.want(None)
    place._calm()
    assert place.hurried

    place._wanted = None
    place._turn(None)
    assert not place.hurried


@pytest.mark.parametrize(("state", "message"), [(State.UP, ""), (State.REFUSED, "no such word")])
def test_what_comes_back_is_asked_again_and_is_what_it_was(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, state: State, message: str
) -> None:
    killed = Killed()
    place = a_place(FakeLab(), monkeypatch, tmp_path, killed)
    place._told(state=state, message=message)
    asked = note_asked(monkeypatch)

    endpoint = place._endpoint
    place._turn(None)
    place._turn(None)
    assert (place.state.state, place.state.message) == (State.DOWN, "nginx died")
    assert (place._endpoint, asked) == (None, [])

    start = place.state.start
    killed.back = endpoint
    place._turn(None)
    assert (place.state.state, place.state.message) == (state, message)
    assert place._endpoint is endpoint
    assert place.state.start > start
    assert sorted(asked) == sorted(CONTRACT.checks)
