"""`docker compose` for one project, and whether Docker can be used at all."""

import json
import os
import re
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import IO, Any

from hoplab.engines import hints
from hoplab.errors import HoplabError
from hoplab.system import interrupts
from hoplab.system.calls import call
from hoplab.system.lifeline import die_with_parent

STOP_SECONDS = 20
"""How long an interrupted Compose has to end."""

_POLL_SECONDS = 0.05

_LISTINGS = 20
_GONE = re.compile(r"no such (object|container|network)|network \S+ not found", re.IGNORECASE)

_WATCH_SECONDS = 1.0


def unavailable() -> str | None:
    """Why Docker can't be used here, in one sentence; None if it can."""
    try:
        for command in (
            ["docker", "info", "--format", "{{.ServerVersion}}"],
            ["docker", "compose", "version", "--short"],
        ):
            run = call(command, 20)
            if run.returncode:
                why = (run.stderr.strip() or run.stdout.strip() or "no answer").splitlines()[-1]
                return f"`{' '.join(command[:2])}` says: {why.rstrip('.')}"
    except FileNotFoundError:
        return "there is no `docker` command"
    except subprocess.TimeoutExpired:
        return "the Docker daemon does not answer"
    return None


@dataclass
class Compose:
    """`docker compose` for one project: the command line, its environment and its errors.

    root: the folder of compose.yaml.
    """

    project: str
    root: Path
    environment: Mapping[str, str] = field(default_factory=dict)

    def run(
        self,
        *arguments: str,
        progress: Callable[[str], None] = lambda _: None,
        seconds: float = 60,
        hopeless: Callable[[], bool] | None = None,
    ) -> str:
        """Run and give standard output, telling `progress` each line of standard error.

        It is interrupted as soon as it is `hopeless`, which is asked every second.
        Raises ComposeFailed with what it said; HoplabError if it takes longer.
        """
        command = ["docker", "compose", "--project-name", self.project, "--progress", "plain"]
        said: list[str] = []

        def tell(lines: IO[str]) -> None:
            for line in lines:
                said.append(line)
                progress(line.strip())

        with (
            tempfile.TemporaryFile("w+") as output,
            subprocess.Popen(
                [*command, *arguments],
                cwd=self.root,
                env={**os.environ, **self.environment},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.PIPE,
                text=True,
                start_new_session=True,  # Ctrl-C is for hoplab, which then takes the project down
                preexec_fn=partial(die_with_parent, os.getpid()),  # noqa: PLW1509 - takes no lock
            ) as process,
        ):
            teller = threading.Thread(target=tell, args=(process.stderr,), daemon=True)
            teller.start()
            try:
                _wait(process, seconds, f"docker compose {arguments[0]}", hopeless)
            except BaseException:
                process.send_signal(signal.SIGINT)  # lets it finish what the daemon is doing
                try:
                    process.wait(STOP_SECONDS)
                except subprocess.TimeoutExpired:
                    process.kill()
                raise
            teller.join()
            output.seek(0)
            if process.returncode:  # a build is told on standard output
                raise ComposeFailed(arguments[0], output.read() + "".join(said))
            return output.read()

    def follow(self, *services: str) -> None:
        """Print the logs of services as they grow, until a signal or until they are gone."""
        command = ["docker", "compose", "--project-name", self.project, "logs", "--follow"]
        with subprocess.Popen(
            [*command, *services],
            cwd=self.root,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
            preexec_fn=partial(die_with_parent, os.getpid()),  # noqa: PLW1509 - takes no lock
        ) as process:
            try:
                while process.poll() is None:
                    interrupts.check()
                    time.sleep(_POLL_SECONDS)
            except BaseException:
                process.terminate()
                raise

    def containers(self) -> dict[str, dict[str, Any]]:
        """What Docker knows of the project's containers, by service."""
        label = f"label=com.docker.compose.project={self.project}"
        described = inspected(["ps", "--all", "--quiet", "--filter", label], ["inspect"])
        return {c["Config"]["Labels"]["com.docker.compose.service"]: c for c in described}

    def folder(self) -> Path | None:
        """The folder of the compose.yaml that it was started from; None if nothing is up."""
        for container in self.containers().values():
            labels = container["Config"]["Labels"]
            return Path(labels["com.docker.compose.project.working_dir"]).resolve()
        return None

    def down(self) -> None:
        """Remove the project's containers and networks; nothing if there are none."""
        with interrupts.held():
            self.run("down", "--remove-orphans", "--volumes", "--timeout", "5", seconds=120)


class ComposeFailed(HoplabError):
    """Compose ended with an error; `errors` is all that it said."""

    def __init__(self, command: str, errors: str) -> None:
        super().__init__(f"`docker compose {command}` failed:\n{hints.reason(errors)}")
        self.errors = errors


def docker(*arguments: str) -> str:
    """What a command of Docker prints. Raises HoplabError if it fails."""
    try:
        run = call(["docker", *arguments], 60)
    except OSError as error:
        message = f"`docker` can't be run: {error.strerror}."
        raise HoplabError(message) from error
    except subprocess.TimeoutExpired as error:
        message = f"`docker {arguments[0]}` does not end."
        raise HoplabError(message) from error
    if run.returncode:
        message = f"`docker {arguments[0]}` failed: {run.stderr.strip()}"
        raise HoplabError(message)
    return run.stdout


def inspected(listing: Sequence[str], inspect: Sequence[str]) -> list[dict[str, Any]]:
    """What Docker knows of all that it lists. Raises HoplabError if it can't tell.

    It is listed again if one has gone meanwhile: others end labs and clean up, too.
    """
    for _ in range(_LISTINGS):
        try:
            ids = docker(*listing).split()
            found: list[dict[str, Any]] = json.loads(docker(*inspect, *ids)) if ids else []
        except HoplabError as error:
            if not _GONE.search(str(error)):
                raise
        else:
            return found
    message = f"`docker {listing[0]}` lists what has gone, again and again."
    raise HoplabError(message)


def _wait(
    process: subprocess.Popen[str],
    seconds: float,
    what: str,
    hopeless: Callable[[], bool] | None,
) -> None:
    deadline = time.monotonic() + seconds
    look = time.monotonic() + _WATCH_SECONDS
    while process.poll() is None:
        interrupts.check()
        if time.monotonic() > deadline:
            message = f"`{what}` did not end in {seconds:.0f} s."
            raise HoplabError(message)
        if hopeless and time.monotonic() > look:
            look = time.monotonic() + _WATCH_SECONDS
            if hopeless():
                process.send_signal(signal.SIGINT)
                deadline, hopeless = time.monotonic() + STOP_SECONDS, None
        time.sleep(0.01)
