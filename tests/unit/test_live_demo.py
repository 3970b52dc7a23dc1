"""The file that says where the demo is, and the command line's way to it."""

import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from hoplab.commands import reside, residents
from hoplab.commands.live import demo_file, remote
from hoplab.commands.live.demo_file import Site
from hoplab.commands.live.model import State
from hoplab.commands.live.server import serving
from hoplab.commands.session import Session
from hoplab.errors import HoplabError
from hoplab.report.progress import Progress
from hoplab.topology import Scheme
from hoplab.workspace import Workspace
from tests.catalogue import CATALOGUE
from tests.live import PREFIX, FakeLab, served

DEADLINE = 20.0
NGINX = "nginx-uvicorn-strip"
SITE = Site("http://127.0.0.1:1/", "secret")


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return Workspace(tmp_path)


@contextmanager
def demo(workspace: Workspace, site: Site = SITE) -> Iterator[None]:
    with demo_file.claimed(workspace) as file:
        demo_file.write(file, site)
        yield


def test_it_is_there_while_the_demo_runs_and_for_its_owner_only(workspace: Workspace) -> None:
    with demo(workspace):
        assert workspace.demo.stat().st_mode & 0o777 == 0o600
        assert demo_file.read(workspace) == SITE

    assert not workspace.demo.exists()


def test_one_that_others_could_read_is_so_no_longer(workspace: Workspace) -> None:
    workspace.demo.parent.mkdir()
    workspace.demo.touch(0o644)
    workspace.demo.chmod(0o644)

    with demo(workspace):
        assert workspace.demo.stat().st_mode & 0o777 == 0o600


def test_a_second_demo_is_told_where_the_first_one_is(workspace: Workspace) -> None:
    with demo(workspace):
        second = demo(workspace)
        with (
            pytest.raises(HoplabError, match=r"running at http://127\.0\.0\.1:1/") as raised,
            second,
        ):
            pass
        assert "hoplab down" in str(raised.value)
        assert demo_file.read(workspace) == SITE


def test_one_that_is_starting_is_no_error_without_a_next_step(workspace: Workspace) -> None:
    with demo_file.claimed(workspace):
        with pytest.raises(HoplabError, match="just being started"), demo(workspace):
            pass
        with pytest.raises(HoplabError, match="still starting"):
            demo_file.read(workspace)


def test_what_a_killed_demo_left_behind_is_no_demo(workspace: Workspace) -> None:
    script = (
        "import sys, time; from pathlib import Path; from hoplab.workspace import Workspace\n"
        "from hoplab.commands.live import demo_file\n"
        "with demo_file.claimed(Workspace(Path(sys.argv[1]))) as file:\n"
        "    demo_file.write(file, demo_file.Site('http://127.0.0.1:1/', 'secret'))\n"
        "    print('up', flush=True); time.sleep(60)\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", script, str(workspace.root)], stdout=subprocess.PIPE
    )
    with process:
        assert process.stdout
        assert process.stdout.readline() == b"up\n"
        assert demo_file.read(workspace) == SITE
        process.send_signal(signal.SIGKILL)
        process.wait()

    assert workspace.demo.exists()
    with pytest.raises(HoplabError, match="No demo is running: start one with `hoplab demo`"):
        demo_file.read(workspace)
    with demo(workspace):
        assert demo_file.read(workspace) == SITE


def test_without_a_demo_nothing_can_be_broken(workspace: Workspace) -> None:
    with pytest.raises(HoplabError, match="No demo is running"):
        remote.change(workspace, NGINX, "nginx-bare")


def test_the_command_line_breaks_and_fixes(workspace: Workspace) -> None:
    lab = FakeLab()
    with served(lab) as site, demo(workspace, site):
        remote.change(workspace, NGINX, "nginx-bare")
        remote.fix(workspace, NGINX)
        with pytest.raises(HoplabError, match="'nowhere' is not a topology of this lab"):
            remote.fix(workspace, "nowhere")

    assert lab.called == [("change", NGINX, "nginx-bare"), ("fix", NGINX)]


def test_ps_lists_it_and_says_where_its_page_is(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(residents, "residents", lambda _: [])
    session = Session(replace(CATALOGUE, workspace=workspace), Progress())
    lab = FakeLab()
    lab.alter(NGINX, state=State.DOWN)
    assert reside.ps(session) == []

    with served(lab) as site, demo(workspace, site):
        listed = {each["topology"]: each for each in reside.ps(session)}

    assert [*listed] == [topology.name for topology in CATALOGUE.topologies]
    assert (listed[NGINX]["engine"], listed[NGINX]["state"]) == ("demo", "down")
    assert listed[NGINX]["http"] == lab.all[NGINX].urls[Scheme.HTTP]
    assert listed[NGINX]["prefix"] == PREFIX
    assert site.url in capsys.readouterr().err


def test_one_that_starts_or_hangs_keeps_ps_from_nothing(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(residents, "residents", lambda _: [])
    session = Session(replace(CATALOGUE, workspace=workspace), Progress())

    with demo_file.claimed(workspace):
        assert reside.ps(session) == []
    with demo(workspace):
        assert reside.ps(session) == []

    told = capsys.readouterr().err
    assert "still starting" in told
    assert "does not answer" in told


def test_one_that_is_starting_is_waited_for_to_end_it(workspace: Workspace) -> None:
    """It would else be up a moment after `down` has said that nothing is."""
    ended = threading.Event()
    ending: list[bool] = []
    thread = threading.Thread(target=lambda: ending.append(remote.end(workspace)))
    with serving(FakeLab(), CATALOGUE, 0, ended.set) as site, demo_file.claimed(workspace) as file:
        thread.start()
        assert not ended.wait(0.2)
        demo_file.write(file, site)
        assert ended.wait(DEADLINE)
    thread.join()

    assert ending == [True]


def test_a_token_that_is_no_longer_right_is_said(workspace: Workspace) -> None:
    wrong = pytest.raises(HoplabError, match="The demo refused it: X-Hoplab-Token is missing")
    with served(FakeLab()) as site, demo(workspace, Site(site.url, "old")), wrong:
        remote.fix(workspace, NGINX)


def test_a_demo_that_does_not_answer_is_said(workspace: Workspace) -> None:
    with demo(workspace), pytest.raises(HoplabError, match=r"at http://127\.0\.0\.1:1/ does not"):
        remote.fix(workspace, NGINX)
