"""The program as a person starts it."""

import subprocess
import sys

from tests.catalogue import ROOT

HOPLAB = [sys.executable, "-m", "hoplab"]


def hoplab(*arguments: str) -> subprocess.CompletedProcess[str]:
    """In this project; a Clone has its own."""
    return subprocess.run(
        [*HOPLAB, *arguments], cwd=ROOT, capture_output=True, text=True, timeout=300, check=False
    )
