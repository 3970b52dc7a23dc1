"""How a person's application is told, and what is made of its reports."""

import json
import os
import sys
from pathlib import Path

import pytest

from hoplab.commands.hosting import Application, DoesNotStart, Hosting
from hoplab.commands.own_server import MODULE, NAME, BadCommand, with_own_server
from hoplab.engines.started import TooLate
from hoplab.errors import HoplabError
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
