"""A copy of the lab in which something may be broken."""

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hoplab import results_file
from hoplab.catalogue import Catalogue, load
from hoplab.errors import HoplabError
from hoplab.results import Results
from hoplab.topology import Topology
from hoplab.workspace import checkout
from scripts.sabotage.faults import Fault

VERIFY_SECONDS = 240.0
"""A fault may make every answer wait for its time-out."""


class NotStarted(Exception):
    """`hoplab verify` gave no results; the argument is what it said."""


class Ended(Exception):
    """Ctrl-C came while this lab was asked."""


def copied(catalogue: Catalogue) -> list[Path]:
    """The folders on which an answer depends."""
    root = catalogue.workspace.root
    return [root / name for name in ("app", *catalogue.proxies, "variations", "src")]


class Lab:
    """The copy. `hoplab` of the copy is asked as a person would, until `ended`."""

    def __init__(self, folder: Path, ended: threading.Event) -> None:
        source = checkout()
        self.folder = folder
        self._ended = ended
        catalogue = load(source)
        self._topologies = {topology.name: topology for topology in catalogue.composed}
        for path in copied(catalogue):
            ignored = shutil.ignore_patterns("__pycache__", "*.egg-info")
            shutil.copytree(path, folder / path.name, ignore=ignored)
        for name in ("compose.yaml", ".env"):
            shutil.copy(source.root / name, folder / name)

    @contextmanager
    def broken(self, fault: Fault) -> Iterator[None]:
        """The fault is in its file, until the end."""
        file = self.folder / fault.file
        right = file.read_text(encoding="utf-8")
        file.write_text(fault.applied(right), encoding="utf-8")
        try:
            yield
        finally:
            file.write_text(right, encoding="utf-8")

    def topology(self, name: str) -> Topology:
        """The topology of this name. Raises HoplabError if compose.yaml has none."""
        if name not in self._topologies:
            message = f"{name} is no topology of compose.yaml: {', '.join(self._topologies)}"
            raise HoplabError(message)
        return self._topologies[name]

    def check(self) -> None:
        """Raise Ended if Ctrl-C came: the main thread alone is told. What waits calls this."""
        if self._ended.is_set():
            raise Ended

    def verify(self, name: str) -> Results:
        """What `hoplab verify` finds in this topology. Raises NotStarted if it finds nothing."""
        topology = self.topology(name)
        output = self.folder / "results.json"
        output.unlink(missing_ok=True)
        command = [sys.executable, "-m", "hoplab", "verify", "--engine", "process"]
        command += ["--proxy", topology.proxy, "--server", topology.server]
        command += ["--mode", topology.mode, "--format", "json", "-o", str(output)]
        said = self._run(command)
        if not output.exists():
            raise NotStarted(said)
        return results_file.load(output)

    def _run(self, command: list[str]) -> str:
        self.check()
        log = self.folder / "verify.log"
        with log.open("w") as said:
            process = subprocess.Popen(
                command,
                cwd=self.folder,
                env={**os.environ, "PYTHONPATH": str(self.folder / "src")},
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # Ctrl-C is for this program, which then ends it in order
            )
            deadline = time.monotonic() + VERIFY_SECONDS
            try:
                while process.poll() is None and time.monotonic() < deadline:
                    self.check()
                    time.sleep(0.05)
            finally:
                if process.poll() is None:
                    process.send_signal(signal.SIGINT)
                    process.wait()
        return log.read_text(errors="replace")
