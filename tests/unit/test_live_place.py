"""A topology of the demo whose runner fails."""

import threading
from pathlib import Path
from typing import cast

import pytest

from hoplab.commands.live.model import State
from hoplab.commands.live.place import Place
from hoplab.commands.live.runner import Runner
from hoplab.commands.session import Session
from hoplab.endpoint import Endpoint
from hoplab.errors import HoplabError
from hoplab.report.progress import Progress
from hoplab.system import runs
from hoplab.topology import Scheme
from tests.catalogue import CATALOGUE

TOPOLOGY = CATALOGUE.topologies[0]


class FakeLab:
    changed = threading.Condition(threading.RLock())
    ended = False

    def next_revision(self) -> int:
        return 1


class Gone:
    """Its daemon can't be asked any more."""

    def can_run(self, _: object) -> bool:
        return True

    def died(self) -> str:
        raise HoplabError("`docker ps` failed: Cannot connect to the Docker daemon")

    def stop(self) -> None:
        raise HoplabError("`docker compose down` failed")


def test_a_daemon_that_is_gone_is_told_and_the_topology_can_be_fixed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(Session, "new_run", lambda _: runs.new(tmp_path))
    session = Session(CATALOGUE, cast("Progress", None))
    ports = {Scheme.HTTP: 1, Scheme.HTTPS: 2}
    place = Place(FakeLab(), session, cast("Runner", Gone()), TOPOLOGY, ports)
    recipe = CATALOGUE.recommended(TOPOLOGY)
    place._wanted = None
    place._endpoint = Endpoint(recipe, ports, tmp_path, "")

    place._turn(None)

    assert place.state.state is State.DOWN
    assert place.state.message == "`docker ps` failed: Cannot connect to the Docker daemon"
