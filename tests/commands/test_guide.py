"""docs/guide.md: its commands are run, step by step, and print what the page shows.

A block of the page is a terminal: what ends with `&` is a server, which ends with the block.
"""

import re
import shlex
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from hoplab.system.ports import LOOPBACK, free_ports
from tests.catalogue import ROOT

PAGE = (ROOT / "docs/guide.md").read_text()
PROGRAMS = Path(sys.executable).parent
VERDICTS = ("holds", "no longer holds", "never did")
DEADLINE = 60
"""Seconds, for a server to listen and for a command to end."""


@dataclass(frozen=True)
class Block:
    """Commands of one terminal, each with the lines that stand below it."""

    step: str
    commands: list[tuple[str, list[str]]]


def sections() -> list[str]:
    return PAGE.split("\n## ")[1:]


def blocks() -> Iterator[Block]:
    for section in sections():
        texts = re.findall(r"^```console\n(.*?)^```", section, re.DOTALL | re.MULTILINE)
        for number, text in enumerate(texts, 1):
            entries = [each.splitlines() for each in re.split(r"^\$ ", text, flags=re.M)[1:]]
            step = f"{section.partition('.')[0]}-{number}"
            yield Block(step, [(command, below) for command, *below in entries])


@pytest.mark.skipif(not shutil.which("curl"), reason="no curl")
@pytest.mark.parametrize("block", list(blocks()), ids=lambda block: block.step)
def test_a_block_prints_what_the_page_shows(block: Block) -> None:
    (port,) = free_ports(1)
    with ExitStack() as servers:
        for command, shown in block.commands:
            if ".venv/bin/pytest" in command:
                continue  # see test_the_tests_that_the_page_names_exist
            if "--interface" in command and sys.platform != "linux":
                pytest.skip("only Linux has a second loopback address")
            here = command.replace(".venv/bin/", f"{PROGRAMS}/").replace("8000", str(port))
            if here.endswith(" &"):
                servers.enter_context(running(here.removesuffix(" &"), port))
                continue
            done = subprocess.run(
                ["bash", "-c", here],
                cwd=ROOT,
                capture_output=True,
                text=True,
                timeout=5 * DEADLINE,
                check=False,
            )
            assert matches(shown, done.stdout), f"{command}\n{done.stdout}{done.stderr}"


def test_the_tests_that_the_page_names_exist() -> None:
    """They belong to this suite: what is held here is how many of them the command chooses."""
    commands = {c: shown for b in blocks() for c, shown in b.commands if ".venv/bin/pytest" in c}
    assert commands
    for command, shown in commands.items():
        _, *arguments = shlex.split(command)
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "--collect-only", *arguments],
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=DEADLINE,
            check=False,
        )
        (passed,) = re.findall(r"^(\d+) passed", "\n".join(shown), re.MULTILINE)
        assert re.search(rf"^{passed}/\d+ tests? collected", done.stdout, re.MULTILINE), done.stdout


@contextmanager
def running(command: str, port: int) -> Iterator[None]:
    with subprocess.Popen(
        ["bash", "-c", f"exec {command}"],
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as server:
        try:
            deadline = time.monotonic() + DEADLINE
            while not listens(port):
                assert server.poll() is None, f"{command}: ended with {server.returncode}"
                assert time.monotonic() < deadline, f"{command}: does not listen"
                time.sleep(0.02)
            yield
        finally:
            server.terminate()


def listens(port: int) -> bool:
    with socket.socket() as client:
        return client.connect_ex((LOOPBACK, port)) == 0


def matches(shown: list[str], printed: str) -> bool:
    """Whether these lines were printed, in this order; `…` is any text, ports may differ."""
    parts = [re.escape(part) for part in without_ports("\n".join(shown)).split("…")]
    return bool(re.fullmatch(".*".join(parts), without_ports(printed).rstrip("\n"), re.DOTALL))


def without_ports(text: str) -> str:
    return re.sub(r"(: ?|--port )\d{4,5}\b", r"\1PORT", text)


@pytest.mark.parametrize(
    ("shown", "printed", "same"),
    [
        (["a", "b"], "a\nb\n", True),
        (["a", "…"], "a\nb\nc\n", True),
        (["a", "…", "c"], "a\nb\nc\n", True),
        (["http://x:8000/", "…"], "http://x:12345/\nmore\n", True),
        (["a"], "a\nb\n", False),
        (["404"], "200\n", False),
        (["a", "…", "b", "…"], "b\na\n", False),
        (["location: https://x/"], "location: http://x/\n", False),
        (["404"], "", False),
    ],
)
def test_another_output_is_noticed(shown: list[str], printed: str, *, same: bool) -> None:
    assert matches(shown, printed) == same


def test_every_step_has_a_command_that_shows_something_and_a_verdict() -> None:
    rows = re.findall(r"^\| \[(\d+)\]\(#\S+\) \| (.*) \| (.*) \|$", PAGE, re.MULTILINE)
    steps = [section.partition(".")[0] for section in sections()]

    assert [number for number, _, _ in rows] == steps
    shows = {each.step.partition("-")[0] for each in blocks() if any(s for _, s in each.commands)}
    assert shows == set(steps)
    for section, (_, _, verdict) in zip(sections(), rows, strict=True):
        assert section.count("**Verdict: ") == 1, section.splitlines()[0]
        assert any(word in verdict for word in VERDICTS), verdict
        assert "https://" in section or "](findings.md" in section, "the verdict has no reference"
