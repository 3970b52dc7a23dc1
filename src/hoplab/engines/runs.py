"""A run's folder, and what to do with those whose run was killed.

Everything that a run starts is written down in its folder. A run that ends removes it; what is left
of one that was killed (SIGKILL, power) is stopped and removed by the next.
"""

import json
import secrets
import shutil
from collections.abc import Iterable
from pathlib import Path

import psutil

STOP_SECONDS = 5.0
"""How long a process has to stop by itself after SIGTERM."""


class Run:
    """`folder/NAME/`; the name is the Compose project's as well."""

    def __init__(self, folder: Path, name: str | None = None) -> None:
        self.name = name or f"hoplab-{secrets.token_hex(4)}"
        self.folder = folder / self.name
        self.folder.mkdir(parents=True, exist_ok=True)
        self.record_owner()

    def record_owner(self) -> None:
        """The run ends with this process."""
        self._write("owner.json", [_identity(psutil.Process())])

    def outlive(self) -> None:
        """The run goes on when this process ends: it has no owner any more."""
        (self.folder / "owner.json").unlink(missing_ok=True)

    def record(self, processes: Iterable[psutil.Process]) -> None:
        """Write down what has to be stopped."""
        self._write("processes.json", [_identity(process) for process in processes])

    def processes(self) -> list[psutil.Process]:
        """Those written down that still run; never another process under the same number."""
        return _alive(self.folder / "processes.json")

    def remove(self) -> None:
        """Remove the folder."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def _write(self, name: str, identities: list[list[float]]) -> None:
        (self.folder / name).write_text(json.dumps(identities))


def orphans(folder: Path) -> list[Run]:
    """The runs in `folder` whose owner is gone."""
    found = []
    for owner in folder.glob("*/owner.json"):
        if not _alive(owner):
            name = owner.parent.name
            owner.unlink(missing_ok=True)
            run = Run.__new__(Run)
            run.name, run.folder = name, owner.parent
            found.append(run)
    return found


def stop(processes: Iterable[psutil.Process]) -> None:
    """Stop these and wait until they are gone: SIGTERM, and SIGKILL for what does not listen."""
    waiting = []
    for process in processes:
        try:
            waiting.append(process)
            process.terminate()
        except psutil.NoSuchProcess:
            waiting.pop()
    _, stubborn = psutil.wait_procs(waiting, timeout=STOP_SECONDS)
    for process in stubborn:
        try:
            process.kill()
        except psutil.NoSuchProcess:
            continue
    psutil.wait_procs(stubborn, timeout=STOP_SECONDS)


def alive(process: psutil.Process) -> bool:
    """Whether it runs: a zombie does not."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _identity(process: psutil.Process) -> list[float]:
    return [process.pid, process.create_time()]


def _alive(file: Path) -> list[psutil.Process]:
    try:
        identities = json.loads(file.read_text())
    except (OSError, ValueError):
        return []
    found = []
    for pid, created in identities:
        try:
            process = psutil.Process(int(pid))
            if process.create_time() == created and alive(process):
                found.append(process)
        except psutil.NoSuchProcess:
            continue
    return found
