"""`up`, `down`, `ps` and `logs`: topologies that run until they are stopped."""

import fcntl
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from hoplab.catalogue.variations import Variation
from hoplab.commands import residents
from hoplab.commands.ask import CONTRACT, ask_all, judged
from hoplab.commands.live import demo_file, remote
from hoplab.commands.live.demo_file import NoDemo
from hoplab.commands.session import Session, now
from hoplab.endpoint import Endpoint
from hoplab.engines import compose, docker, published
from hoplab.engines.versions import require_binary, require_package
from hoplab.errors import HoplabError
from hoplab.results import Results
from hoplab.suites import SUITES
from hoplab.system import interrupts, runs
from hoplab.system.ports import require_free
from hoplab.topology import Cell, Scheme, Topology

_FOLLOW_SECONDS = 0.1

DEMO = "demo"
"""What `ps` says in place of an engine."""


def up(
    session: Session,
    wanted: str,
    topologies: Sequence[Topology],
    variation: Variation | None = None,
) -> tuple[list[Endpoint], Results]:
    """Start topologies on their published ports, beside those that are up; ask; let them run.

    All have one prefix and one application, the variation's if there is one: those that are up are
    started again with it. Raises HoplabError if the variation is measured in none of them.
    """
    if variation:
        topologies = _varied(variation, topologies)
    session.require_possible(CONTRACT, map(session.catalogue.recommended, topologies))
    with _alone(session):
        return _up(session, session.choose_engine(wanted), topologies, variation)


def _varied(variation: Variation, topologies: Sequence[Topology]) -> list[Topology]:
    """Those in which it is measured."""
    measured = {cell.topology for cell in variation.symptoms}
    found = [topology for topology in topologies if topology in measured]
    if not found:
        message = f"{variation.name} is measured in none of these topologies: hoplab list cells"
        raise HoplabError(message)
    return found


def _up(
    session: Session, name: str, topologies: Sequence[Topology], variation: Variation | None
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
        prefix = catalogue.prefix.decoded
        below = f", all with the prefix {prefix}" if prefix else ", all without a prefix"
        session.progress.notice(f"Restarting the {len(running)} topologies that are up{below}.")
    _down(session)
    require_free(wanted)
    project = residents.free_project(workspace) if name == "docker" else residents.PROJECT
    run = runs.Run(workspace.up / project)
    run.folder.mkdir(parents=True)
    run.record_owner()  # until it is verified, it ends with this process
    began, started = time.monotonic(), now()
    suite = SUITES[variation.suite] if variation else CONTRACT
    changed = variation.name if variation else ""
    recommended = catalogue.recommended_cells(topologies)
    cells = [replace(cell, variation=changed) for cell in recommended]
    deployments = list(dict.fromkeys(cell.deployment for cell in cells))
    engine = session.engine(name, deployments, run, ports)
    try:
        endpoints = session.start(engine)
        found = ask_all(session, suite, _measured(cells, variation), endpoints, suite.checks)
        versions = engine.versions()
    except BaseException:
        engine.stop()
        if running:
            session.progress.notice("What was up is stopped as well.")
        raise
    run.disown()
    residents.write(run, engine, endpoints, catalogue.prefix)
    if variation:
        found = [judged(catalogue, suite.checks, each.cell, each) for each in found]
    return endpoints, Results(name, started, time.monotonic() - began, versions, found)


def _measured(cells: Sequence[Cell], variation: Variation | None) -> list[Cell]:
    """The cells of which it is known what must show: of what was up before, not all."""
    return [cell for cell in cells if variation is None or cell in variation.symptoms]


def ps(session: Session) -> list[dict[str, Any]]:
    """What is up: started by `up`, by a person from compose.yaml, or by `demo`."""
    up = [resident.told() for resident in residents.residents(session.catalogue)]
    return [*up, *_of_demo(session)]


def _of_demo(session: Session) -> list[dict[str, Any]]:
    """What the demo runs; where its page is, is told besides."""
    workspace = session.catalogue.workspace
    try:
        site = demo_file.read(workspace)
        states = remote.states(site)
    except NoDemo:
        return []
    except HoplabError as error:  # it starts, or hangs: all else is listed
        session.progress.notice(str(error))
        return []
    session.progress.notice(f"A demo is running: its page is {site.url}")
    return [
        {
            "topology": each["topology"],
            "engine": DEMO,
            "prefix": urlsplit(each["urls"][Scheme.HTTP]).path,
            "http": each["urls"][Scheme.HTTP],
            "https": each["urls"][Scheme.HTTPS],
            "ca": str(workspace.certificates / "ca.pem"),
            "state": each["state"],
        }
        for each in states
    ]


def down(session: Session) -> None:
    """Stop everything that `up` started, or that a person started from compose.yaml.

    What `repro` has written stays: a person may be using it.
    """
    demo = remote.end(session.catalogue.workspace)
    if demo:
        session.progress.notice("Ended the demo.")
    with _alone(session):
        session.clean_up()
        count = len(ps(session))
        others = _down(session)
    stopped = f"Stopped {count} " + ("topology." if count == 1 else "topologies.")
    if not count and not others and demo:
        return
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
