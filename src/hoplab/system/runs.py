"""A run's folder, and what to do with those whose run was killed.

Everything that a run starts is written down in its folder. A run that ends removes it; what is left
of one that was killed (SIGKILL, power) is stopped and removed by the next.
"""

import json
import os
import secrets
import shutil
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import psutil

CLOCK_STEP_SECONDS = 5.0
"""A process's start is told by the system's clock, which may have been set since. Numbers of
processes are not used again that soon."""

STOP_SECONDS = 5.0
"""How long a process has to stop by itself after SIGTERM."""


@dataclass(frozen=True)
class Run:
    """A folder; its name is the Compose project's as well. The nonce tells its instances apart."""

    folder: Path
    nonce: str = field(default_factory=lambda: secrets.token_hex(8))

    @property
    def name(self) -> str:
        """For example `hoplab-1f2e3d4c`."""
        return self.folder.name

    def record_owner(self) -> None:
        """The run ends with this process."""
        self._write("owner.json", [_identity(psutil.Process())])

    def disown(self) -> None:
        """Let the run go on when this process ends."""
        (self.folder / "owner.json").unlink()

    def record(self, processes: Mapping[str, psutil.Process]) -> None:
        """Write down what has to be stopped, by name."""
        told: list[list[float | str]] = [
            [*_identity(process), name] for name, process in processes.items()
        ]
        self._write("processes.json", told)

    def processes(self) -> list[psutil.Process]:
        """Those written down that still run; never another process under the same number."""
        return list(_alive(self.folder / "processes.json").values())

    def running(self) -> set[str]:
        """Their names."""
        return set(_alive(self.folder / "processes.json"))

    def remove(self) -> None:
        """Remove the folder."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def _write(self, name: str, identities: Sequence[Sequence[float | str]]) -> None:
        # At once: a half-written owner.json would look like that of a killed run.
        new = self.folder / f".{name}"
        new.write_text(json.dumps(identities))
        new.replace(self.folder / name)


def new(folder: Path) -> Run:
    """A run that ends with this process."""
    run = Run(folder / f"hoplab-{secrets.token_hex(4)}")
    run.folder.mkdir(parents=True)
    run.record_owner()
    return run


def orphans(folder: Path) -> list[Run]:
    """The runs in `folder` whose owner is gone."""
    return [Run(owner.parent) for owner in folder.glob("*/owner.json") if not _alive(owner)]


def stop(processes: Iterable[psutil.Process]) -> None:
    """Stop these and wait until they are gone: SIGTERM, and SIGKILL for what does not listen."""
    left = list(processes)
    for send in (psutil.Process.terminate, psutil.Process.kill):
        for process in left:
            with suppress(psutil.NoSuchProcess):
                send(process)
        deadline = time.monotonic() + STOP_SECONDS
        while (left := [p for p in left if alive(p)]) and time.monotonic() < deadline:
            time.sleep(0.01)


def of_session(leader: int) -> list[psutil.Process]:
    """The processes of the session of this number, also those that outlived their parent."""
    found = []
    for process in psutil.process_iter():
        with suppress(OSError, psutil.NoSuchProcess):
            if os.getsid(process.pid) == leader:
                found.append(process)
    return found


def alive(process: psutil.Process) -> bool:
    """Whether it runs: a zombie does not."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _identity(process: psutil.Process) -> list[float]:
    return [process.pid, process.create_time()]


def _alive(file: Path) -> dict[str, psutil.Process]:
    try:
        identities = json.loads(file.read_text())
    except (OSError, ValueError):
        return {}
    found = {}
    for pid, created, *name in identities:
        try:
            process = psutil.Process(int(pid))
            if abs(process.create_time() - created) < CLOCK_STEP_SECONDS and alive(process):
                found["".join(name) or str(pid)] = process
        except psutil.NoSuchProcess:
            continue
    return found
