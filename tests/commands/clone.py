"""A copy of the project, in which a test may break something."""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.catalogue import CATALOGUE, ROOT
from tests.commands.run import hoplab

IMAGE = {"APP_IMAGE": f"hoplab-app:test-{os.environ.get('PYTEST_XDIST_WORKER', 'alone')}"}
"""One for all clones of a process of pytest's, for images stay. Not for those of another process,
which may have a broken application just now."""


class Clone:
    """A copy of the project, to break something in."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for name in ("app", *CATALOGUE.proxies, "variations", "src"):
            # Compiled modules come along: they hold for the copy as well.
            shutil.copytree(ROOT / name, folder / name)
        for name in ("compose.yaml", ".env", ".dockerignore"):
            shutil.copy(ROOT / name, folder / name)

    def hoplab(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """In this process, with the clone's files in place of the project's."""
        return hoplab(*arguments, root=self.folder, environment={**IMAGE, **environment})

    def program(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """The clone's own program."""
        command, options = self.command(*arguments, **environment)
        return subprocess.run(
            command, capture_output=True, text=True, timeout=180, check=False, **options
        )

    def command(self, *arguments: str, **environment: str) -> tuple[list[str], dict[str, Any]]:
        """What starts the clone's program, and the options of `subprocess` for it."""
        return [sys.executable, "-m", "hoplab", *arguments], {
            "cwd": self.folder,
            "env": {
                **os.environ,
                "PYTHONPATH": str(self.folder / "src"),
                **IMAGE,
                **environment,
            },
        }

    def edit(self, name: str, old: str, new: str) -> None:
        file = self.folder / name
        text = file.read_text()
        assert old in text
        file.write_text(text.replace(old, new))

    def runs(self) -> list[Path]:
        return list((self.folder / ".hoplab").glob("*/*"))
