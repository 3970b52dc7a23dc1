"""The README shows real output: its commands are run, and print what it says they print."""

import re
import subprocess
import sys
from itertools import takewhile
from pathlib import Path

from tests.catalogue import ROOT
from tests.commands.clone import Clone

README = (ROOT / "README.md").read_text()


def shown(command: str) -> list[str]:
    """The lines that the README shows below a command."""
    after = README.split(f"$ {command}\n")[1].splitlines()
    return list(takewhile(lambda line: line != "```" and not line.startswith("$ "), after))


def comparable(line: str) -> str:
    """Without what differs from run to run: the engine and the seconds."""
    return re.sub(r"\((docker|process) engine, \d+\.\d s\)", "(… engine, … s)", line)


def test_verify() -> None:
    command = [sys.executable, "-m", "hoplab", "verify", "--engine", "process"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)

    assert done.returncode == 0, done.stdout + done.stderr
    assert [comparable(line) for line in done.stdout.splitlines()] == [
        comparable(line) for line in shown("make verify")
    ]


def test_the_experiment(tmp_path: Path) -> None:
    """Nothing stripped behind Uvicorn's --root-path, as the README tells it."""
    clone = Clone(tmp_path)
    routes = "traefik/strip/routes.toml"
    clone.edit(routes, '"api-stripprefix", ', "")
    [command] = re.findall(
        r"^\$ \.venv/bin/hoplab (verify .* --check reach)$", README, re.MULTILINE
    )

    done = clone.hoplab(*command.split())

    assert done.returncode == 1
    told = [re.sub(r":\d{4,5}/", ":…/", line) for line in done.stdout.splitlines()]
    expected = shown(f".venv/bin/hoplab {command}")[:-1]
    assert told[: len(expected)] == [re.sub(r":\d{4,5}/", ":…/", line) for line in expected]


def test_the_matrix() -> None:
    command = ".venv/bin/hoplab matrix --proxy nginx --mode strip --trust proxy --variation none"
    *table, more = shown(command)
    assert more == "…"

    done = run_hoplab(command)

    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.splitlines()[: len(table)] == table


def test_explain() -> None:
    (command,) = re.findall(r"^\$ (\.venv/bin/hoplab explain .*)$", README, re.MULTILINE)
    first, *hops, last = shown(command)
    assert (first, last) == ("…", "…")

    done = run_hoplab(command)

    assert done.returncode == 0, done.stderr
    assert "\n".join(map(without_port, hops)) in without_port(done.stdout)


def run_hoplab(command: str) -> subprocess.CompletedProcess[str]:
    arguments = command.split()[1:]
    return subprocess.run(
        [sys.executable, "-m", "hoplab", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def without_port(text: str) -> str:
    return re.sub(r":\d{4,5}\b", ":…", text)
