"""A shell script that starts processes as a person would, for a benchmark to compare with."""

import shlex
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from hoplab.workspace import checkout

BIN = Path(sys.executable).parent


def script(
    processes: Iterable[tuple[Sequence[str], Mapping[str, str]]], ports: Iterable[int]
) -> str:
    """Start these commands, each with its environment; end them when all ports have answered."""
    lines = [f"cd {checkout().root}", f"PATH={BIN}:$PATH", "trap 'kill $pids; wait' EXIT", "pids="]
    for command, environment in processes:
        settings = " ".join(f"{name}={shlex.quote(value)}" for name, value in environment.items())
        lines.append(f"({settings} exec {shlex.join(command)}) >/dev/null 2>&1 &")
        lines.append('pids="$pids $!"')
    for port in ports:
        url = f"http://127.0.0.1:{port}/api/v1/app"
        lines.append(f"until curl -sf -o /dev/null {url}; do sleep 0.02; done")
    return "\n".join(lines) + "\n"
