"""A person's own application as a process of the lab's: how it is told, and what it reports."""

import errno
import json
import os
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from hoplab.catalogue.servers import without_settings
from hoplab.catalogue.servers.server import Server
from hoplab.commands import own_server
from hoplab.commands.session import Session
from hoplab.endpoint import Endpoint
from hoplab.engines.launching import launcher_of
from hoplab.engines.process import Hosted, ProcessEngine
from hoplab.engines.started import TooLate
from hoplab.errors import HoplabError
from hoplab.system.runs import Run
from hoplab.topology import Deployment

MODULE = "app.own"
"""What the lab serves in the place of its own application."""

_LOG = 8 * 2**20
"""Bytes of a log, after which it begins again: an application may print without end."""


_TAIL, _LINES = 8 * 2**10, 40
"""Bytes and lines of a log that are shown."""


class DoesNotStart(HoplabError):
    """The application itself has said why it can't be started."""


_NO_MODULE = {"ModuleNotFoundError", "ImportError"}


@dataclass(frozen=True)
class Application:
    """What a person names, as on an ASGI server's command line, and from which directory.

    start_seconds: how long it may take to start; None is as long as anything may.
    """

    name: str
    directory: Path
    app_dir: Path
    factory: bool = False
    env_file: Path | None = None
    start_seconds: float | None = None


@dataclass(frozen=True)
class Hosting:
    """An application, the folder for its reports, that of the logs, and the lab's own."""

    application: Application
    reports: Path
    logs: Path
    root: Path
    interpreter: str

    def hosted(self) -> Hosted:
        """How the engine starts it."""
        kept = without_settings(os.environ)
        told = {
            "application": self.application.name,
            "factory": self.application.factory,
            "app_dir": str(self.application.app_dir),
            "env_file": str(self.application.env_file or ""),
            "reports": str(self.reports),
            # What the lab keeps from the servers is not for them alone.
            "environment": {k: v for k, v in os.environ.items() if k not in kept},
        }
        own_server.write_module(self.reports, self.root)
        path = [str(self.reports), *filter(None, [os.environ.get("PYTHONPATH")])]
        environment = {
            "APPLICATION": MODULE,
            "HOPLAB_OWN": json.dumps(told),
            "PYTHONPATH": os.pathsep.join(path),
        }
        seconds = self.application.start_seconds
        return Hosted(self.application.directory, environment, self.watch, seconds)

    def watch(self) -> None:
        """Raise DoesNotStart if the application says that it can't start; keep the logs short."""
        for log in self.logs.glob("*.log"):
            if log.stat().st_size > _LOG:
                os.truncate(log, 0)  # its writers append
        for told in self._reports():
            if told.get("state") == "failed":
                raise DoesNotStart(self._failed(told))

    def tails(self) -> dict[str, str]:
        """The end of what each server and proxy has written, by its name; not of those silent."""
        found = {log.stem: tail(log) for log in sorted(self.logs.glob("*.log"))}
        return {name: told for name, told in found.items() if told}

    def explained(self, error: HoplabError) -> HoplabError:
        """The same error, with how far the application has come if it did not start in time."""
        if not isinstance(error, TooLate):
            return error
        states = {told.get("state") for told in self._reports()}
        name = self.application.name
        if "importing" in states:
            reason = (
                f"{name} is not imported yet: its module does not come to an end. Does it start a"
                ' server or a loop itself, outside `if __name__ == "__main__":`?'
            )
        elif "starting" in states:
            reason = (
                f"{name} has not finished its startup (lifespan): does it wait for something that"
                " is not there, such as a database?"
            )
        else:
            return error
        more = "If it only takes long, give it more time with --start-seconds."
        return HoplabError(f"{reason}\n{more}\n{error}")

    def report(self, nonce: str) -> Mapping[str, Any]:
        """What the process of this nonce has said last."""
        return _read(self.reports / f"{nonce}.json")

    def _reports(self) -> list[Mapping[str, Any]]:
        return [_read(file) for file in self.reports.glob("*.json")]

    def _failed(self, told: Mapping[str, Any]) -> str:
        name, kind, error = self.application.name, told.get("kind"), told.get("error", "")
        if kind == "its lifespan":
            return f"{name} does not start, its startup (lifespan) fails:\n{error}"
        hint = ""
        if kind in _NO_MODULE:
            hint = (
                f"\nhoplab imports it with its own interpreter, {self.interpreter}, from"
                f" {self.application.app_dir}: install hoplab where the application's packages are,"
                " or name another folder with --app-dir."
            )
        elif kind == "OSError" and os.strerror(errno.EADDRINUSE) in error:
            hint = (
                "\nhoplab runs it several times at once: it can't bind a port of its own when it is"
                " imported."
            )
        elif kind == "SystemExit":
            hint = "\nIts module ends the program when it is imported."
        return f"{name} can't be imported:\n{error}{hint}"


def tail(log: Path, begin: int = 0) -> str:
    """The last lines of a log; begin: of what was written after so many bytes."""
    try:
        with log.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(begin if begin <= size else 0, size - _TAIL))
            lines = file.read().decode(errors="replace").splitlines()
    except OSError:  # it is not there any more
        return ""
    return "\n".join(lines[-_LINES:])


def _read(file: Path) -> Mapping[str, Any]:
    try:
        told = json.loads(file.read_text())
    except (OSError, ValueError):
        return {}
    return told if isinstance(told, dict) else {}


@contextmanager
def with_launcher(session: Session, servers: Iterable[Server]) -> Iterator[Session]:
    """The session with one launcher for all that it starts in the block; then it is stopped.

    A launcher of their own for each trial would take longer than what is asked in it.
    """
    with ExitStack() as stack:
        run = _removed(stack, session.new_run())
        log = run.folder / "launcher.log"
        launcher = launcher_of(session.catalogue, list(servers), log)
        stack.callback(launcher.stop)
        yield replace(session, launcher=launcher)


@contextmanager
def running(
    session: Session,
    application: Application,
    deployments: Sequence[Deployment],
    *,
    partial: bool = False,
) -> Iterator[tuple[Sequence[Endpoint], Hosting, ProcessEngine]]:
    """Run an application in these deployments: where they answer, and what can be asked of it.

    Raises HoplabError if it can't be imported or does not start, with what it says. Whatever
    happens, all is stopped. With `partial`, a deployment that does not start is one of the
    engine's failures, and the others run.
    """
    session.require_possible(None, deployments)
    session.clean_up()
    with ExitStack() as stack:
        run, reports = (_removed(stack, session.new_run()) for _ in range(2))
        if session.launcher:  # what one trial leaves behind must not meet the next
            stack.callback(session.launcher.stop_started)
        root = session.catalogue.workspace.root
        hosting = Hosting(application, reports.folder, run.folder, root, sys.executable)
        engine = ProcessEngine(
            session.catalogue,
            deployments,
            run,
            session.certificates(),
            hosted=hosting.hosted(),
            partial=partial,
            launcher=session.launcher,
        )
        try:
            with session.running(engine) as endpoints:
                yield endpoints, hosting, engine
        except HoplabError as error:
            raise hosting.explained(error) from error


def _removed(stack: ExitStack, run: Run) -> Run:
    """Whatever happens afterwards, its folder is removed."""
    stack.callback(run.remove)
    return run
