"""`up`, `ps`, `logs --follow` and `down`, of processes in a clone of their own."""

import json
import signal
import ssl
import subprocess
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager

import psutil
import pytest

from hoplab.engines.published import variable
from hoplab.system.ports import free_ports
from hoplab.topology import Mode, Scheme, Topology
from tests.commands.clone import Clone

TOPOLOGY = Topology("nginx", "uvicorn", Mode.STRIP)
OTHER = Topology("nginx", "uvicorn", Mode.PRESERVE)
PREFIX = "/caf%C3%A9"
DEADLINE = 60.0


@pytest.fixture(scope="module")
def ports() -> dict[str, str]:
    names = [variable(topology, scheme) for topology in (TOPOLOGY, OTHER) for scheme in Scheme]
    return {name: str(port) for name, port in zip(names, free_ports(len(names)), strict=True)}


@pytest.fixture(scope="module")
def up(tmp_path_factory: pytest.TempPathFactory, ports: dict[str, str]) -> Iterator[Clone]:
    """A clone in which one topology is up, below another prefix."""
    clone = Clone(tmp_path_factory.mktemp("up"))
    words = ["up", "strip", "--engine", "process", "--proxy", "nginx", "--server", "uvicorn"]
    run = clone.program(*words, "--prefix", "/café", **ports)
    assert run.returncode == 0, run.stdout + run.stderr
    assert f"/{PREFIX[1:]}/app" in run.stdout
    yield clone
    clone.hoplab("down")


@contextmanager
def following(clone: Clone, *names: str) -> Iterator["subprocess.Popen[str]"]:
    command, options = clone.command("logs", "--follow", *names)
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def get(clone: Clone, path: str) -> str:
    """From the topology that is up."""
    [entry] = listed(clone)
    tls = ssl.create_default_context(cafile=entry["ca"])
    url = entry["https"] + path
    with urllib.request.urlopen(url, timeout=10, context=tls) as answer:  # noqa: S310 - our own
        return str(answer.read().decode())


def listed(clone: Clone) -> list[dict[str, str]]:
    found: list[dict[str, str]] = json.loads(clone.hoplab("ps", "--format", "json").stdout)
    return found


def until(process: "subprocess.Popen[str]", words: str) -> list[str]:
    """The lines up to the first with these words."""
    lines: list[str] = []
    assert process.stdout
    for line in process.stdout:
        lines.append(line)
        if words in line:
            return lines
    raise AssertionError(lines)


def test_ps_shows_the_prefix(up: Clone, ports: dict[str, str]) -> None:
    [entry] = listed(up)

    assert (entry["topology"], entry["engine"]) == (TOPOLOGY.name, "process")
    assert entry["prefix"] == PREFIX
    assert entry["http"] == f"http://127.0.0.1:{ports['NGINX_UVICORN_STRIP_HTTP']}{PREFIX}"
    assert entry["https"] == f"https://127.0.0.1:{ports['NGINX_UVICORN_STRIP_HTTPS']}{PREFIX}"
    assert f"{entry['http']}/app" in up.hoplab("ps").stdout
    assert json.loads(get(up, "/app"))["root_path"] == PREFIX


def test_logs_are_followed_until_ctrl_c(up: Clone) -> None:
    with following(up, TOPOLOGY.name) as process:
        until(process, "Uvicorn running on")
        for number in (1, 2):
            get(up, f"/app?followed={number}")
            lines = until(process, f"/app?followed={number}")
            assert lines[-1].startswith(("nginx | ", "uvicorn-server-option-proxy | "))
            assert all(" | " in line for line in lines)

        started = psutil.Process(process.pid).children(recursive=True)
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=DEADLINE)

        assert process.returncode == 130
        assert errors == "hoplab: interrupted\n"
    assert {e["topology"] for e in listed(up)} == {TOPOLOGY.name}, "what is up stays up"
    assert not [child for child in started if child.is_running()]


def test_logs_of_what_is_not_up_are_not_followed(up: Clone) -> None:
    run = up.hoplab("logs", "--follow", OTHER.name)

    assert (run.returncode, run.stdout) == (3, "")
    assert run.stderr == f"hoplab: {OTHER.name} is not up; up: {TOPOLOGY.name}\n"


def test_ps_shows_a_dead_upstream(up: Clone) -> None:
    assert [entry["state"] for entry in listed(up)] == ["up"]
    [file] = up.folder.glob(".hoplab/up/*/processes.json")
    [number] = [n for n, _, name in json.loads(file.read_text()) if name.startswith("uvicorn")]

    process = psutil.Process(number)
    process.kill()
    psutil.wait_procs([process], timeout=DEADLINE)

    state = "not running: uvicorn-server-option-proxy"
    assert [entry["state"] for entry in listed(up)] == [state]
    assert f"{TOPOLOGY.name}: {state}" in up.hoplab("ps").stdout


def test_logs_end_when_what_is_followed_is_stopped(up: Clone) -> None:
    with following(up) as process:
        until(process, "Uvicorn running on")

        down = up.hoplab("down")
        _, errors = process.communicate(timeout=DEADLINE)

        assert (process.returncode, errors) == (0, "")
    assert down.returncode == 0
    assert "Stopped 1 topology." in down.stderr
    assert listed(up) == []
    assert not up.runs()
