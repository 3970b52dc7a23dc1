"""How a person's application is told, and what is made of its reports."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import cast

import psutil
import pytest

from hoplab.commands.hosting import Application, DoesNotStart, Hosting, running
from hoplab.commands.own_server import MODULE, NAME, BadCommand, with_own_server
from hoplab.commands.session import Session
from hoplab.engines.process import Hosted
from hoplab.engines.started import Started, TooLate, wait_until
from hoplab.errors import HoplabError
from hoplab.report.progress import Progress
from hoplab.system import runs
from hoplab.topology import Deployment, Mode, Setup, Strategy, Topology, Trust
from tests.catalogue import CATALOGUE, ROOT


@pytest.fixture
def hosting(tmp_path: Path) -> Hosting:
    application = Application("main:app", tmp_path, tmp_path)
    return Hosting(application, tmp_path, tmp_path, ROOT, sys.executable)


def tell(hosting: Hosting, **told: str) -> None:
    (hosting.reports / "nonce.json").write_text(json.dumps(told))


def test_what_it_is_told(hosting: Hosting, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("APPLICATION", "mine")
    monkeypatch.setenv("UVICORN_RELOAD", "1")

    hosted = hosting.hosted()

    told = json.loads(hosted.environment["HOPLAB_OWN"])
    assert (told["application"], told["app_dir"]) == ("main:app", str(hosting.reports))
    assert told["environment"]["APPLICATION"] == "mine"
    assert told["environment"]["UVICORN_RELOAD"] == "1"
    assert hosted.environment["PYTHONPATH"].split(os.pathsep)[0] == str(hosting.reports)
    assert (hosting.reports / f"{MODULE}.py").is_file()


def test_what_cannot_be_told_leaves_no_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: Hosting) -> Hosted:
        raise OSError("no space")

    monkeypatch.setattr(Hosting, "hosted", refuse)
    monkeypatch.setattr(Session, "clean_up", lambda _: None)
    monkeypatch.setattr(Session, "certificates", lambda _: None)
    monkeypatch.setattr(Session, "new_run", lambda _: runs.new(tmp_path / "runs"))
    session = Session(CATALOGUE, cast("Progress", None))
    application = Application("main:app", tmp_path, tmp_path)

    with pytest.raises(OSError, match="no space"), running(session, application, []):
        pass

    assert [*(tmp_path / "runs").iterdir()] == []


@pytest.mark.parametrize("told", [{}, {"state": "imported"}, {"state": "started"}])
def test_while_nothing_is_wrong_it_is_waited_for(hosting: Hosting, told: dict[str, str]) -> None:
    tell(hosting, **told)
    (hosting.reports / "broken.json").write_text("{")

    hosting.watch()


def test_what_failed_is_said_at_once(hosting: Hosting) -> None:
    tell(hosting, state="failed", kind="ValueError", error="ValueError: 1")

    with pytest.raises(DoesNotStart, match=r"^main:app can't be imported:\nValueError: 1$"):
        hosting.watch()


def test_a_log_that_grows_begins_again(hosting: Hosting, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hoplab.commands.hosting._LOG", 100)
    long, short = hosting.logs / "a.log", hosting.logs / "b.log"
    long.write_text("x" * 101)
    short.write_text("x" * 99)

    hosting.watch()

    assert (long.stat().st_size, short.stat().st_size) == (0, 99)


@pytest.mark.parametrize(
    ("state", "words"),
    [
        ("importing", "its module does not come to an end"),
        ("starting", "has not finished its startup (lifespan)"),
    ],
)
def test_how_far_it_has_come(hosting: Hosting, state: str, words: str) -> None:
    tell(hosting, state=state)
    late, other = TooLate("it did not answer"), HoplabError("no proxy")

    assert words in str(hosting.explained(late))
    assert str(late) in str(hosting.explained(late))
    assert hosting.explained(other) is other


def test_one_that_has_started_is_no_reason(hosting: Hosting) -> None:
    tell(hosting, state="started")
    late = TooLate("it did not answer")

    assert hosting.explained(late) is late


def test_the_reason_is_asked_for_once_more_when_it_has_ended(
    hosting: Hosting, tmp_path: Path
) -> None:
    ended = subprocess.Popen(["true"])
    process = psutil.Process(ended.pid)  # a zombie, until somebody waits for it
    started = Started("nginx-uvicorn-strip", process, "127.0.0.1", 1, tmp_path / "log")

    def tells_and_ends(_: Started) -> bool:
        """The report comes between this question and that whether the process runs."""
        hosting.watch()
        ended.wait()
        tell(hosting, state="failed", kind="ValueError", error="ValueError: 1")
        return False

    with pytest.raises(DoesNotStart):
        wait_until(started, tells_and_ends, 60)


# --- a command of one's own ---


def test_a_command_is_a_server() -> None:
    command = "serve 'main:app' --bind {host}:{port} --root {prefix} --name 'a b'"
    catalogue = with_own_server(CATALOGUE, command, "main:app")

    own = Deployment(Topology("nginx", NAME, Mode.STRIP), Setup(Strategy.NONE, Trust.PROXY))
    assert catalogue.server_command(own, "127.0.0.1:9", "127.0.0.1") == [
        *("serve", f"{MODULE}:app", "--bind", "127.0.0.1:9"),
        *("--root", "/api/v1", "--name", "a b"),
    ]
    assert NAME not in CATALOGUE.servers


@pytest.mark.parametrize("command", ["serve main:app", "serve {port}", "serve x.main:app {port}"])
def test_a_command_that_can_not_be_used(command: str) -> None:
    with pytest.raises(BadCommand):
        with_own_server(CATALOGUE, command, "main:app")
