"""Packages of the package index, installed for one test or measurement alone."""

import subprocess
import sys
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

SOURCES = Path(__file__).parent / "sources"
SHARED = ("fastapi", "starlette", "uvicorn")
SECONDS = 900
"""How long an installation may take."""


def install(requirements: Sequence[str], target: Path, folder: Path) -> None:
    """With the lab's own server and frameworks: its packages come before the lab's."""
    constraints = folder / "constraints.txt"
    constraints.write_text("\n".join(f"{name}=={version(name)}" for name in SHARED))
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--target", target]
    done = subprocess.run(
        [*map(str, command), "--constraint", str(constraints), *requirements],
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stderr
