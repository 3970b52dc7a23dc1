"""What a topology of the demo can be changed to in containers, and who takes it down."""

import time
from pathlib import Path
from typing import cast

import pytest

from hoplab.commands.live import containers, lab
from hoplab.commands.live.changes import possible
from hoplab.commands.live.containers import Containers
from hoplab.commands.live.lab import RunningLab
from hoplab.commands.session import Session
from hoplab.engines import guardian
from hoplab.engines.certificates import Certificates
from hoplab.engines.compose import Compose
from hoplab.errors import HoplabError
from hoplab.report.progress import Progress
from hoplab.system import runs
from tests.catalogue import CATALOGUE

TOPOLOGY = next(each for each in CATALOGUE.topologies if each.name == "nginx-uvicorn-strip")


@pytest.mark.parametrize(
    ("change", "can"),
    [
        ("nginx-bare", True),
        ("none.proxy", True),
        pytest.param("nginx-behind-traefik", False, id="two proxies"),
        pytest.param("no-forwarded-allow-ips", False, id="from a loopback address"),
        pytest.param("server-option.any", False, id="a stranger alone would notice"),
    ],
)
def test_what_containers_can_show(
    change: str, *, can: bool, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(Session, "new_run", lambda _: runs.new(tmp_path))
    monkeypatch.setattr(containers, "environment", lambda *_, **__: {})
    session = Session(CATALOGUE, cast("Progress", None))
    runner = Containers(session, cast("Certificates", None), TOPOLOGY, "172.31.7.0/24")

    _, deployment = possible(CATALOGUE, TOPOLOGY)[change]

    assert runner.can_run(deployment) is can


def test_too_few_subnets_are_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lab, "require_free", lambda _: None)
    monkeypatch.setattr(lab, "free_subnets", lambda: ["172.31.7.0/24"])
    monkeypatch.setattr(Session, "certificates", lambda _: None)
    session = Session(CATALOGUE, cast("Progress", None))
    two = CATALOGUE.topologies[:2]

    with pytest.raises(HoplabError, match=r"^The demo needs 2 subnets of .*, and 1 are free: "):
        RunningLab(session, two, "docker")


def test_a_daemon_that_is_gone_is_asked_a_few_times_a_second(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    now, asked = 0.0, []

    def fails(project: Compose) -> None:
        asked.append(project.project)
        assert len(asked) < 100
        raise HoplabError("no daemon")

    def sleep(seconds: float) -> None:
        nonlocal now
        now += seconds

    monkeypatch.setattr(Compose, "down", fails)
    monkeypatch.setattr(time, "sleep", sleep)
    monkeypatch.setattr(time, "monotonic", lambda: now)

    guardian._take_down(Compose("hoplab-x", tmp_path))

    assert len(asked) > 10
