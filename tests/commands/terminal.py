"""Blocks of a page that are terminals: run, and compared with what stands below each command.

What ends with `&` is a server, which ends with the block. `…` is any text; ports may differ.
"""

import re
import shlex
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
from tests.commands.run import hoplab

PROGRAMS = Path(sys.executable).parent
DEADLINE = 60
"""Seconds, for a server to listen and for a command to end."""


@dataclass(frozen=True)
class Block:
    """Commands of one terminal, each with the lines that stand below it."""

    step: str
    commands: list[tuple[str, list[str]]]


def blocks(section: str, step: str) -> Iterator[Block]:
    """Those of a part of a page."""
    texts = re.findall(r"^```console\n(.*?)^```", section, re.DOTALL | re.MULTILINE)
    for number, text in enumerate(texts, 1):
        entries = [each.splitlines() for each in re.split(r"^\$ ", text, flags=re.M)[1:]]
        yield Block(f"{step}-{number}", [(command, below) for command, *below in entries])


def require_same(block: Block) -> None:
    """Run it on a free port in the place of 8000."""
    (port,) = free_ports(1)
    with ExitStack() as servers:
        for command, shown in block.commands:
            if ".venv/bin/pytest" in command:
                continue  # of this suite
            if "--interface" in command and sys.platform != "linux":
                pytest.skip("only Linux has a second loopback address")
            here = command.replace(".venv/bin/", f"{PROGRAMS}/").replace("8000", str(port))
            if here.endswith(" &"):
                servers.enter_context(running(here.removesuffix(" &"), port))
                continue
            done = printed(here)
            assert matches(shown, done.stdout + done.stderr * (not done.stdout)), (
                f"{command}\n{done.stdout}{done.stderr}"
            )


def printed(command: str) -> subprocess.CompletedProcess[str]:
    """What a line prints. hoplab at its beginning runs in this process, which has it imported."""
    first, _, filters = command.partition(" | ")
    name, *arguments = shlex.split(first)
    if name != f"{PROGRAMS}/hoplab":
        return bash(command)
    done = hoplab(*arguments)
    return bash(filters, done.stdout) if filters else done


def bash(command: str, given: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["bash", "-c", command],
        input=given,
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=5 * DEADLINE,
        check=False,
    )


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
