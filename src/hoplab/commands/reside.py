"""`up`, `down`, `ps` and `logs`: topologies that run until they are stopped."""

import fcntl
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from hoplab.commands import residents
from hoplab.commands.ask import CONTRACT, ask_all
from hoplab.commands.session import Session, now
from hoplab.endpoint import Endpoint
from hoplab.engines import compose, docker, published
from hoplab.engines.versions import require_binary, require_package
from hoplab.errors import HoplabError
from hoplab.results import Results
from hoplab.system import interrupts, runs
from hoplab.system.ports import require_free
from hoplab.topology import Topology

_FOLLOW_SECONDS = 0.1


def up(
    session: Session, wanted: str, topologies: Sequence[Topology]
) -> tuple[list[Endpoint], Results]:
    """Start topologies on their published ports, beside those that are up; ask; let them run.

    All have one prefix: with another than before, those that are up are started again with it.
    """
    session.require_possible(CONTRACT, map(session.catalogue.recommended, topologies))
    with _alone(session):
        return _up(session, session.choose_engine(wanted), topologies)


def _up(
    session: Session, name: str, topologies: Sequence[Topology]
) -> tuple[list[Endpoint], Results]:
    catalogue, workspace = session.catalogue, session.catalogue.workspace
    session.clean_up()
    up = residents.residents(catalogue)
    running = {entry.topology for entry in up}
    topologies = [t for t in catalogue.composed if t in topologies or t.name in running]
    session.require_possible(CONTRACT, map(catalogue.recommended, topologies))
    ports = published.ports(workspace, topologies)
    # Before what is up is stopped: what has to be there for the new one.
    held = {urlsplit(url).port for entry in up for url in (entry.http, entry.https)}
    wanted = published.by_variable(ports)
    require_free({key: port for key, port in wanted.items() if port not in held})
    if name == "docker":
        docker.require_settings(workspace.root)
    else:
        for topology in topologies:
            require_binary(catalogue.proxies[topology.proxy])
            require_package(catalogue.servers[topology.server])
    if running:
        below = f", all with the prefix {catalogue.prefix.decoded}"
        session.progress.notice(f"Restarting the {len(running)} topologies that are up{below}.")
    _down(session)
    require_free(wanted)
    project = residents.free_project(workspace) if name == "docker" else residents.PROJECT
    run = runs.Run(workspace.up / project)
    run.folder.mkdir(parents=True)
    run.record_owner()  # until it is verified, it ends with this process
    began, started = time.monotonic(), now()
    deployments = [catalogue.recommended(topology) for topology in topologies]
    engine = session.engine(name, deployments, run, ports)
    try:
        endpoints = session.start(engine)
        cells = catalogue.recommended_cells(topologies)
        found = ask_all(session, CONTRACT, cells, endpoints, CONTRACT.checks)
        versions = engine.versions()
    except BaseException:
        engine.stop()
        if running:
            session.progress.notice("What was up is stopped as well.")
        raise
    run.disown()
    residents.write(run, engine, endpoints, catalogue.prefix)
    return endpoints, Results(name, started, time.monotonic() - began, versions, found)


def ps(session: Session) -> list[dict[str, Any]]:
    """What is up, whether `up` started it or a person from compose.yaml."""
    return [resident.told() for resident in residents.residents(session.catalogue)]


def down(session: Session) -> None:
    """Stop everything that `up` started, or that a person started from compose.yaml.

    What `repro` has written stays: a person may be using it.
    """
    with _alone(session):
        session.clean_up()
        count = len(ps(session))
        others = _down(session)
    stopped = f"Stopped {count} " + ("topology." if count == 1 else "topologies.")
    if not count:
        stopped = f"Stopped {', '.join(others)}." if others else "Nothing was up."
    session.progress.notice(stopped)


def _down(session: Session) -> list[str]:
    """Stop it; gives the names of the containers' services."""
    workspace = session.catalogue.workspace
    started = residents.runs_of(workspace)
    services = []
    for run in started:
        runs.stop(run.processes())
    for project in residents.projects(workspace):
        services += list(project.containers())
        project.down()
    for run in started:
        run.remove()
    return services


def logs(session: Session, names: Sequence[str], *, follow: bool = False) -> str:
    """The logs of what is up. With `follow`, they are printed as they grow, until a signal."""
    running = residents.residents(session.catalogue)
    entries = [entry for entry in running if not names or entry.topology in names]
    if not entries:
        message = "Nothing is up. Start it with `hoplab up strip` or `hoplab up preserve`."
        if running:
            others = ", ".join(entry.topology for entry in running)
            message = f"{', '.join(names)} is not up; up: {others}"
        raise HoplabError(message)
    files = [Path(file) for file in dict.fromkeys(f for e in entries for f in e.logs)]
    if not files:
        project = compose.Compose(entries[0].project, session.catalogue.workspace.root)
        services = dict.fromkeys(part for entry in entries for part in reversed(entry.parts))
        if follow:
            project.follow(*services)
            return ""
        return project.run("logs", "--no-color", *services)
    if follow:
        _follow(files)
        return ""
    return "\n".join(f"--- {file.stem}\n{file.read_text(errors='replace')}" for file in files)


def _follow(files: Sequence[Path]) -> None:
    """Print new lines of these files, each with the name of its file, until they are removed."""
    with ExitStack() as stack:
        opened = {file: stack.enter_context(file.open(errors="replace")) for file in files}
        parts = dict.fromkeys(files, "")
        while files[0].exists():
            grown = False
            for file, lines in opened.items():
                while line := lines.readline():
                    grown, parts[file] = True, parts[file] + line
                    if line.endswith("\n"):
                        print(f"{file.stem} | {parts[file]}", end="")
                        parts[file] = ""
            sys.stdout.flush()
            interrupts.check()
            if not grown:
                time.sleep(_FOLLOW_SECONDS)


@contextmanager
def _alone(session: Session) -> Iterator[None]:
    """Wait until no other `up` or `down` is at work in this clone."""
    file = session.catalogue.workspace.lock
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("w") as lock:
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                interrupts.check()
                time.sleep(0.05)
        yield
