"""The README and docs/usage.md show real output: their commands are run, and print that."""

import json
import re
from itertools import takewhile
from pathlib import Path

from hoplab.engines import published
from hoplab.suites.contract.checks import CHECKS
from hoplab.system.ports import free_ports
from hoplab.topology import Mode
from tests.catalogue import CATALOGUE, ROOT, WORKSPACE
from tests.commands.clone import Clone
from tests.commands.run import hoplab, program

SHOWN = (ROOT / "README.md").read_text() + (ROOT / "docs/usage.md").read_text()


def shown(command: str) -> list[str]:
    """The lines that stand below a command."""
    after = SHOWN.split(f"$ {command}\n")[1].splitlines()
    return list(takewhile(lambda line: line != "```" and not line.startswith("$ "), after))


def comparable(line: str) -> str:
    """Without what differs from run to run: the engine and the seconds."""
    return re.sub(r"\((docker|process) engine, \d+\.\d s\)", "(… engine, … s)", line)


def test_verify() -> None:
    done = program("verify", "--engine", "process")

    assert done.returncode == 0, done.stdout + done.stderr
    assert [comparable(line) for line in done.stdout.splitlines()] == [
        comparable(line) for line in shown("make verify")
    ]


def test_up_stays_and_down_ends_it(tmp_path: Path) -> None:
    """The table, on other ports than the usual ones; the summary is that of Docker."""
    strip = [topology for topology in CATALOGUE.topologies if topology.mode is Mode.STRIP]
    usual = published.by_variable(published.ports(WORKSPACE, strip))
    own = dict(zip(usual, free_ports(len(usual)), strict=True))
    clone = Clone(tmp_path)
    given = {name: str(port) for name, port in own.items()}
    try:
        up = clone.program("up", "strip", "--engine", "process", **given)
        assert up.returncode == 0, up.stdout + up.stderr
        listed = json.loads(clone.hoplab("ps", "--format", "json").stdout)
        assert [entry["topology"] for entry in listed] == [topology.name for topology in strip]
        assert set(listed[0]) == {*("topology", "engine", "prefix", "http", "https", "ca", "state")}
        port = own["NGINX_UVICORN_STRIP_HTTP"]
        (nginx,) = [entry for entry in listed if entry["topology"] == "nginx-uvicorn-strip"]
        assert nginx["http"] == f"http://127.0.0.1:{port}/api/v1"
        assert nginx["prefix"] == "/api/v1"
        assert "GET /api/v1/app" in clone.hoplab("logs", "nginx-uvicorn-strip").stdout
    finally:
        down = clone.program("down")
    assert down.returncode == 0
    assert json.loads(clone.hoplab("ps", "--format", "json").stdout) == []
    assert not clone.runs()
    told = up.stdout
    for name, port in own.items():
        told = told.replace(f"127.0.0.1:{port}/", f"127.0.0.1:{usual[name]}/")
    assert table(told.splitlines()) == table(shown("make up-strip"))
    assert f"{len(CHECKS) * 2 * len(strip)} findings: " in SHOWN


def table(lines: list[str]) -> list[str]:
    """Up to the summary; a port has four digits, or five."""
    return [" ".join(line.split()) for line in takewhile(bool, lines)]


def test_the_experiment(tmp_path: Path) -> None:
    """Nothing stripped behind Uvicorn's --root-path, as docs/usage.md tells it."""
    clone = Clone(tmp_path)
    routes = "traefik/strip/routes.toml"
    right = '["drop-forwarded", "api-stripprefix", "forwarded-prefix"]'
    clone.edit(routes, right, '["drop-forwarded", "forwarded-prefix"]')
    [command] = re.findall(r"^\$ \.venv/bin/hoplab (verify .* --check reach)$", SHOWN, re.MULTILINE)

    done = clone.hoplab(*command.split())

    assert done.returncode == 1
    told = [re.sub(r":\d{4,5}/", ":…/", line) for line in done.stdout.splitlines()]
    expected = shown(f".venv/bin/hoplab {command}")[:-1]
    assert told[: len(expected)] == [re.sub(r":\d{4,5}/", ":…/", line) for line in expected]


def test_the_matrix() -> None:
    command = ".venv/bin/hoplab matrix --proxy nginx --mode strip --trust proxy --variation none"
    *table, more = shown(command)
    assert more == "…"

    done = hoplab(*command.split()[1:])

    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.splitlines()[: len(table)] == table


def test_explain() -> None:
    (command,) = re.findall(r"^\$ (\.venv/bin/hoplab explain .*)$", SHOWN, re.MULTILINE)
    first, *hops, last = shown(command)
    assert (first, last) == ("…", "…")

    done = hoplab(*command.split()[1:])

    assert done.returncode == 0, done.stderr
    assert "\n".join(map(without_port, hops)) in without_port(done.stdout)


def without_port(text: str) -> str:
    return re.sub(r":\d{4,5}\b", ":…", text)
