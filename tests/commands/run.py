"""`hoplab …`, in this process or as the program that a person starts."""

import subprocess
import sys
from collections.abc import Mapping
from contextlib import redirect_stderr, redirect_stdout
from io import StringIO
from pathlib import Path

import pytest

from hoplab import cli
from hoplab.cli import ask, check, learn, live, reside
from hoplab.system.interrupts import Interrupted
from hoplab.workspace import Workspace
from tests.catalogue import ROOT
from tests.interruptible import interruptible

HOPLAB = [sys.executable, "-m", "hoplab"]


def hoplab(
    *arguments: str, root: Path = ROOT, environment: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """In this process: to start another and import everything takes most of a second.

    root: the checkout that it works with.
    """
    code: object = 0
    out, err = StringIO(), StringIO()
    with interruptible(), pytest.MonkeyPatch.context() as patch:
        for module in (ask, check, learn, live, reside):
            patch.setattr(module, "current", lambda: Workspace(root))
        for name, value in (environment or {}).items():
            patch.setenv(name, value)
        patch.setattr(sys, "argv", ["hoplab", *arguments])
        with redirect_stdout(out), redirect_stderr(err):
            try:
                cli.main()
            except Interrupted:
                raise
            except SystemExit as ended:
                code = ended.code
    assert isinstance(code, int)
    return subprocess.CompletedProcess(arguments, code, out.getvalue(), err.getvalue())


def program(*arguments: str) -> subprocess.CompletedProcess[str]:
    """As a program, in this project; a Clone has its own."""
    return subprocess.run(
        [*HOPLAB, *arguments], cwd=ROOT, capture_output=True, text=True, timeout=600, check=False
    )
