"""The README shows real output: its commands are run, and print what it says they print."""

import re
import subprocess
import sys
from itertools import takewhile

from hoplab.catalogue import ROOT

README = (ROOT / "README.md").read_text()


def shown(command: str) -> list[str]:
    """The lines that the README shows below a command."""
    after = README.split(f"$ {command}\n")[1].splitlines()
    return list(takewhile(lambda line: line != "```" and not line.startswith("$ "), after))


def comparable(line: str) -> str:
    """Without what differs from run to run: the engine and the seconds."""
    return re.sub(r"\((docker|process) engine, \d+\.\d s\)", "(… engine, … s)", line)


def test_verify() -> None:
    command = [sys.executable, "-m", "hoplab.cli", "verify", "--engine", "process"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)

    assert done.returncode == 0, done.stdout + done.stderr
    assert [comparable(line) for line in done.stdout.splitlines()] == [
        comparable(line) for line in shown("make verify")
    ]
