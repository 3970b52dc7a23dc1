"""`up`, `ps` and `down` with Docker: two labs side by side, and what a person starts by hand."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from hoplab.commands import residents
from hoplab.engines.published import variable
from hoplab.system.ports import free_ports
from hoplab.topology import Mode, Scheme, Topology
from hoplab.workspace import Workspace
from tests.commands.clone import Clone
from tests.docker_required import needs_docker

pytestmark = needs_docker

TOPOLOGY = Topology("nginx", "uvicorn", Mode.STRIP)
APP = "uvicorn-strip"


class Lab(Clone):
    """A clone with published ports of its own."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        names = [variable(TOPOLOGY, scheme) for scheme in Scheme]
        self.ports = dict(zip(names, map(str, free_ports(len(names))), strict=True))

    def up(self) -> subprocess.CompletedProcess[str]:
        words = ("up", "strip", "--engine", "docker", "--proxy", "nginx", "--server", "uvicorn")
        return self.hoplab(*words, **self.ports)

    def listed(self) -> list[dict[str, str]]:
        found: list[dict[str, str]] = json.loads(self.hoplab("ps", "--format", "json").stdout)
        return found

    def containers(self) -> list[str]:
        """Of any state."""
        label = f"label=com.docker.compose.project.working_dir={self.folder.resolve()}"
        return docker("ps", "--all", "--quiet", "--filter", label).split()

    def by_hand(self, *services: str) -> None:
        """`docker compose up`; by a name for this clone alone, since a lab may be up."""
        _, project = residents.names(Workspace(self.folder.resolve()))
        words = ["docker", "compose", "--project-name", project]
        words += ["up", "--build", "--detach", "--wait"]
        _, options = self.command(**self.ports, BACKEND_SUBNET="10.213.77.0/24")
        run = subprocess.run(
            [*words, *services], capture_output=True, text=True, check=False, **options
        )
        assert run.returncode == 0, run.stdout + run.stderr


def docker(*words: str) -> str:
    return subprocess.run(["docker", *words], check=True, capture_output=True, text=True).stdout


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    lab = Lab(tmp_path / "one")
    yield lab
    lab.hoplab("down")


@pytest.fixture
def other(tmp_path: Path) -> Iterator[Lab]:
    lab = Lab(tmp_path / "other")
    yield lab
    lab.hoplab("down")


def test_two_labs_side_by_side(lab: Lab, other: Lab) -> None:
    for each in (lab, other):
        up = each.up()
        assert up.returncode == 0, up.stdout + up.stderr
    for each in (lab, other):
        [entry] = each.listed()
        assert entry["state"] == "up"
        assert entry["http"] == f"http://127.0.0.1:{each.ports['NGINX_UVICORN_STRIP_HTTP']}/api/v1"

    assert "Stopped 1 topology." in lab.hoplab("down").stderr

    assert (lab.listed(), lab.containers()) == ([], [])
    assert [entry["state"] for entry in other.listed()] == ["up"]
    assert f"{APP}-1" in other.hoplab("logs").stdout


def test_what_was_started_by_hand(lab: Lab) -> None:
    lab.hoplab("certificates")
    lab.by_hand(TOPOLOGY.name)

    [entry] = lab.listed()
    assert (entry["topology"], entry["engine"], entry["state"]) == (TOPOLOGY.name, "docker", "up")
    assert entry["http"] == f"http://127.0.0.1:{lab.ports['NGINX_UVICORN_STRIP_HTTP']}/api/v1"
    assert entry["ca"] == str(lab.folder.resolve() / "certificates/ca.pem")
    assert "GET /api/v1/app" in lab.hoplab("logs", TOPOLOGY.name).stdout

    label = f"label=com.docker.compose.service={APP}"
    own = docker("ps", "--quiet", "--filter", label).split()
    [application] = set(own) & set(lab.containers())
    docker("kill", application)
    assert [entry["state"] for entry in lab.listed()] == [f"not running: {APP}"]

    assert "Stopped 1 topology." in lab.hoplab("down").stderr
    assert lab.containers() == []


def test_an_application_alone_was_started_by_hand(lab: Lab) -> None:
    lab.hoplab("certificates")
    lab.by_hand(APP)

    assert lab.listed() == []
    assert f"Stopped {APP}." in lab.hoplab("down").stderr
    assert lab.containers() == []
