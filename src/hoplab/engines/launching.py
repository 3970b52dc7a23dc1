"""A process that has imported the ASGI servers, and forks for each application."""

import json
import os
import select
import subprocess
import sys
import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import psutil

from hoplab.catalogue import Catalogue
from hoplab.catalogue.servers.server import Launch, Server
from hoplab.engines.programs import with_own_scripts
from hoplab.engines.started import START_SECONDS
from hoplab.errors import HoplabError
from hoplab.system import interrupts, runs
from hoplab.system.lifeline import die_with_parent

FRAMEWORK = ("fastapi", "fastapi.staticfiles", "pydantic.v1")
"""What is the same in every application under test, and takes most of their imports' time.

FastAPI imports the last one with an application's first route.
"""

APPLICATION = ("app.shared",)
"""The application's own part of that: imported once, whatever is edited afterwards."""


class Launcher:
    """Runs until `stop`, or until the thread ends that made it (Linux).

    folder: from where Python imports. log: where it writes. With `stay`, it and what it starts
    outlive this process. Any thread may start applications; seconds: how long it waits for each.
    A launcher process that has ended, or does not answer, is replaced by the next `launch`, whose
    thread has then made it.
    """

    def __init__(
        self,
        servers: Sequence[Server],
        preload: Sequence[str],
        folder: Path,
        log: Path,
        environment: Mapping[str, str],
        *,
        stay: bool = False,
        seconds: float = START_SECONDS,
    ) -> None:
        self._folder = folder
        self._log = log
        self._environment = environment
        self._stay = stay
        self.seconds = seconds
        self._lock = threading.Lock()
        modules = [module for server in servers for module in server.preload]
        names = [server.name for server in servers if server.launch is Launch.FORK]
        self._arguments = [" ".join([*preload, *modules]), *names]
        self._replaced: list[_Process] = []
        self._process = self._begin()

    def launch(self, deployment: Mapping[str, Any]) -> int:
        """Start an application, told as `launcher` reads it; gives the process's number.

        `log` is a file that no other one has. Raises HoplabError if the launcher has ended, or does
        not answer in time.
        """
        with self._lock:
            if self._process.hopeless:
                self._replaced.append(self._process)
                self._process = self._begin()
            return self._process.launch(deployment, self.seconds)

    def stop_started(self) -> None:
        """Stop all that it started and has left behind. It starts more afterwards."""
        runs.stop(
            process for each in [*self._replaced, self._process] for process in each.started()
        )

    def end(self) -> None:
        """Let it end by itself, when all are started that outlive it."""
        self._process.close()
        self._process.wait()

    def stop(self, others: Iterable[psutil.Process] = ()) -> None:
        """Stop it, with all that it started and has left behind, and at the same time others."""
        launchers = [*self._replaced, self._process]
        for each in launchers:
            each.close()
        own = [process for each in launchers for process in [*each.started(), *each.itself()]]
        runs.stop([*others, *own])
        for each in launchers:
            each.wait()

    def _begin(self) -> "_Process":
        with self._log.open("a") as errors:
            popen = subprocess.Popen(
                [sys.executable, "-m", "hoplab.engines.launcher", *self._arguments],
                cwd=self._folder,
                env={**os.environ, **self._environment},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                # Ctrl-C is for hoplab, which then stops its processes in order.
                start_new_session=True,
                preexec_fn=None if self._stay else partial(die_with_parent, os.getpid()),  # noqa: PLW1509 - no lock
            )
        return _Process(popen, self._log)


def launcher_of(
    catalogue: Catalogue, servers: Sequence[Server], log: Path, *, stay: bool = False
) -> Launcher:
    """One that has imported what is the same in all applications of this catalogue."""
    return Launcher(
        servers,
        (*FRAMEWORK, *APPLICATION),
        catalogue.workspace.root,
        log,
        lab_environment(catalogue),
        stay=stay,
    )


def lab_environment(catalogue: Catalogue) -> dict[str, str]:
    """What launchers and proxies are told. What is preloaded reads it when it is imported."""
    return {**with_own_scripts(), "PUBLIC_PREFIX": catalogue.prefix.encoded}


class _Process:
    """One launcher process: its questions and answers. Calls come one after the other."""

    def __init__(self, popen: subprocess.Popen[bytes], log: Path) -> None:
        self.popen = popen
        self._log = log
        self._read = b""
        self._late = False

    @property
    def hopeless(self) -> bool:
        """Whether it has ended, or did not answer in time: what it has started may still run."""
        return self._late or self.popen.poll() is not None

    def launch(self, deployment: Mapping[str, Any], seconds: float) -> int:
        """Ask it, and wait for the answer to this question; so long at most."""
        assert self.popen.stdin  # noqa: S101 - a pipe
        deadline = time.monotonic() + seconds
        with suppress(OSError):  # it has died: no answer will come
            self.popen.stdin.write(json.dumps(deployment).encode() + b"\n")
            self.popen.stdin.flush()
        while True:
            answer = self._answer(deadline)
            if answer["log"] == deployment["log"]:
                return int(answer["pid"])
            # Nobody waited for that one, and nobody will ask it anything.
            with suppress(psutil.NoSuchProcess):
                runs.stop([psutil.Process(answer["pid"])])

    def close(self) -> None:
        """No more questions."""
        if self.popen.stdin:
            with suppress(OSError):  # it may have died
                self.popen.stdin.close()

    def itself(self) -> list[psutil.Process]:
        """Its process, if there is one."""
        with suppress(psutil.NoSuchProcess):
            return [psutil.Process(self.popen.pid)]
        return []

    def started(self) -> list[psutil.Process]:
        """All that it has started and that runs in its session."""
        session = runs.of_session(self.popen.pid)
        return [process for process in session if process.pid != self.popen.pid]

    def wait(self) -> None:
        """Until it has ended."""
        self.popen.wait()
        if self.popen.stdout:
            self.popen.stdout.close()

    def _answer(self, deadline: float) -> Mapping[str, Any]:
        """The next one. Raises HoplabError if none comes."""
        assert self.popen.stdout  # noqa: S101 - a pipe
        while b"\n" not in self._read:
            interrupts.check()
            if time.monotonic() > deadline:
                self._late = True
                raise HoplabError(self._without("did not answer in time"))
            if select.select([self.popen.stdout], [], [], 0.1)[0]:
                piece = os.read(self.popen.stdout.fileno(), 2**16)
                if not piece:
                    self._late = True
                    raise HoplabError(self._without("ended"))
                self._read += piece
        line, _, self._read = self._read.partition(b"\n")
        answer: Mapping[str, Any] = json.loads(line)
        return answer

    def _without(self, reason: str) -> str:
        return f"The launcher of the ASGI servers {reason}:\n{self._log.read_text()}"
