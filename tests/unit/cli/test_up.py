"""`hoplab ps`, `logs` and `down`; which engine a command takes."""

import json
from pathlib import Path

import pytest

from hoplab.commands.session import Session
from hoplab.engines import compose, hints
from hoplab.report.progress import Progress
from hoplab.system import runs
from tests.catalogue import CATALOGUE
from tests.unit.cli.said import Call, Said

# --- what is up ---


def test_nothing_is_up(call: Call) -> None:
    assert call("ps") == Said(
        0, "Nothing is up. Start it with `hoplab up strip` or `hoplab up preserve`.\n", ""
    )
    assert call("ps", "--format", "json") == Said(0, "[]\n", "")
    assert call("logs") == Said(
        3, "", "hoplab: Nothing is up. Start it with `hoplab up strip` or `hoplab up preserve`.\n"
    )


ENTRY = {
    "topology": "nginx-uvicorn-strip",
    "engine": "process",
    "prefix": "/api/v1",
    "http": "http://127.0.0.1:9997/api/v1",
    "https": "https://127.0.0.1:9497/api/v1",
    "ca": "/x/ca.pem",
}


PARTS = ["uvicorn-server-option-proxy", "nginx"]


@pytest.fixture
def up(state: Path, monkeypatch: pytest.MonkeyPatch) -> runs.Run:
    """As `up` leaves it; what runs there is only said to."""
    folder = state / "up" / "hoplab"
    folder.mkdir(parents=True)
    application, proxy = folder / "uvicorn-server-option-proxy.log", folder / "nginx.log"
    proxy.write_text("from the proxy\n")
    application.write_bytes(b"from the server: \xff\n")
    entry = {**ENTRY, "logs": [str(application), str(proxy)], "parts": PARTS, "project": "hoplab"}
    (folder / "up.json").write_text(json.dumps([entry]))
    monkeypatch.setattr(runs.Run, "running", lambda _: set(PARTS))
    return runs.Run(folder)


def test_ps_lists_what_is_up(call: Call, up: runs.Run) -> None:
    assert up.name == "hoplab"
    said = call("ps")

    assert said.code == 0
    assert said.out.splitlines()[1].split() == [
        "nginx-uvicorn-strip",
        "process",
        "http://127.0.0.1:9997/api/v1/app",
    ]
    [entry] = json.loads(call("ps", "--format", "json").out)
    assert entry == {**ENTRY, "state": "up"}


def test_ps_of_what_was_killed_is_empty(
    call: Call, up: runs.Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert up.folder.exists()
    monkeypatch.setattr(runs.Run, "running", lambda _: set())

    assert call("ps", "--format", "json").out == "[]\n"


@pytest.mark.parametrize("part", PARTS)
def test_ps_says_what_does_not_run(
    call: Call, up: runs.Run, monkeypatch: pytest.MonkeyPatch, part: str
) -> None:
    assert up.folder.exists()
    monkeypatch.setattr(runs.Run, "running", lambda _: set(PARTS) - {part})

    [entry] = json.loads(call("ps", "--format", "json").out)
    assert entry["state"] == f"not running: {part}"
    assert call("ps").out.splitlines()[-1] == f"nginx-uvicorn-strip: not running: {part}"


@pytest.mark.parametrize("content", ["", "{", '[{"topology": "x"}]', '["x"]'])
def test_ps_of_what_it_does_not_understand(call: Call, up: runs.Run, content: str) -> None:
    (up.folder / "up.json").write_text(content)

    assert call("ps", "--format", "json") == Said(0, "[]\n", "")


def test_down_keeps_what_a_person_was_told_to_use(call: Call, state: Path) -> None:
    kept = state / "repro/cell/nginx.conf"
    kept.parent.mkdir(parents=True)
    kept.touch()

    call("down")

    assert kept.exists()


def test_logs(call: Call, up: runs.Run) -> None:
    assert up.folder.exists()
    said = call("logs", "nginx-uvicorn-strip")

    assert (said.code, said.err) == (0, "")
    assert said.out.splitlines() == [
        "--- uvicorn-server-option-proxy",
        "from the server: \ufffd",
        "",
        "--- nginx",
        "from the proxy",
        "",
    ]


def test_log_that_topologies_share_is_shown_once(call: Call, up: runs.Run) -> None:
    """One proxy process serves all of them."""
    file = up.folder / "up.json"
    [entry] = json.loads(file.read_text())
    other = {**entry, "topology": "nginx-uvicorn-preserve", "logs": entry["logs"][1:]}
    file.write_text(json.dumps([entry, other]))

    assert call("logs").out.count("from the proxy") == 1
    assert "from the server" not in call("logs", "nginx-uvicorn-preserve").out


def test_logs_of_a_topology_that_is_not_up(call: Call, up: runs.Run) -> None:
    assert up.folder.exists()
    said = call("logs", "traefik-uvicorn-strip")

    assert (said.code, said.out) == (3, "")
    assert said.err == "hoplab: traefik-uvicorn-strip is not up; up: nginx-uvicorn-strip\n"


def test_down_without_anything_up_is_no_error(call: Call) -> None:
    assert call("down") == Said(0, "", "hoplab: stopping\nhoplab: Nothing was up.\n")


# --- engines ---


def test_docker_that_is_wanted_and_not_there(program: Call) -> None:
    said = program("verify", "--engine", "docker")

    assert (said.code, said.out) == (3, "")
    assert said.err.startswith("hoplab: Docker can't be used: ")
    assert hints.WITHOUT_DOCKER in said.err
    assert "Traceback" not in said.err
    assert len(said.err.splitlines()) == 2


class Spy(Progress):
    """Hears the notices."""

    def __init__(self) -> None:
        super().__init__()
        self.notices: list[str] = []

    def notice(self, text: str) -> None:
        self.notices.append(text)


@pytest.mark.parametrize(
    ("wanted", "reason", "engine", "notices"),
    [
        ("auto", None, "docker", []),
        ("docker", None, "docker", []),
        ("process", None, "process", []),
        ("process", "no daemon", "process", []),
        ("auto", "no daemon", "process", ["No Docker (no daemon): using local processes."]),
    ],
)
def test_auto_takes_docker_if_a_daemon_answers_and_says_if_not(
    monkeypatch: pytest.MonkeyPatch,
    wanted: str,
    reason: str | None,
    engine: str,
    notices: list[str],
) -> None:
    monkeypatch.setattr(compose, "unavailable", lambda: reason)
    spy = Spy()

    assert Session(CATALOGUE, spy).choose_engine(wanted) == engine
    assert spy.notices == notices
