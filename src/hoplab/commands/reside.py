"""`up`, `down`, `ps` and `logs`: topologies that run until they are stopped."""

import fcntl
import json
import shutil
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from hoplab.commands.ask import CONTRACT, ask_all
from hoplab.commands.session import Session, now
from hoplab.endpoint import Endpoint
from hoplab.engines import Engine, compose, docker, published
from hoplab.engines.versions import require_binary, require_package
from hoplab.errors import HoplabError
from hoplab.prefix import Prefix
from hoplab.results import Results
from hoplab.system import interrupts, runs
from hoplab.system.ports import require_free
from hoplab.topology import Scheme, Topology

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
    running = {entry["topology"] for entry in ps(session)}
    topologies = [t for t in catalogue.composed if t in topologies or t.name in running]
    session.require_possible(CONTRACT, map(catalogue.recommended, topologies))
    ports = published.ports(workspace, topologies)
    require_free(published.by_variable({t: ports[t] for t in topologies if t.name not in running}))
    if name == "process":  # before what is up is stopped
        for topology in topologies:
            require_binary(catalogue.proxies[topology.proxy])
            require_package(catalogue.servers[topology.server])
    if running:
        below = f", all with the prefix {catalogue.prefix.decoded}"
        session.progress.notice(f"Restarting the {len(running)} topologies that are up{below}.")
    _down(session)
    require_free(published.by_variable(ports))
    project = compose.Compose(workspace.up.name, workspace.root)
    if name == "docker" and (elsewhere := project.folder()):
        message = f"Another lab is up: run `make down` in {elsewhere} first."
        raise HoplabError(message)
    workspace.up.mkdir(parents=True)
    run = runs.Run(workspace.up)
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
    entries = [_entry(engine, endpoint, catalogue.prefix) for endpoint in endpoints]
    (workspace.up / "up.json").write_text(json.dumps(entries))
    return endpoints, Results(name, started, time.monotonic() - began, versions, found)


def ps(session: Session) -> list[dict[str, Any]]:
    """What `up` started and still runs."""
    return [{k: v for k, v in entry.items() if k != "logs"} for entry in _running(session)]


def _running(session: Session) -> list[dict[str, Any]]:
    workspace = session.catalogue.workspace
    try:
        entries: list[dict[str, Any]] = json.loads((workspace.up / "up.json").read_text())
    except OSError:
        return []
    if entries and entries[0]["engine"] == "process":
        return entries if runs.Run(workspace.up).processes() else []
    states = compose.Compose(workspace.up.name, workspace.root).containers()
    return [
        entry
        for entry in entries
        if states.get(entry["topology"], {}).get("State", {}).get("Running")
    ]


def down(session: Session) -> None:
    """Stop everything that `up` started, or that a person started from compose.yaml."""
    with _alone(session):
        session.clean_up()
        count = len(ps(session))
        _down(session)
        shutil.rmtree(session.catalogue.workspace.reproductions, ignore_errors=True)
    session.progress.notice(
        f"Stopped {count} " + ("topology." if count == 1 else "topologies.")
        if count
        else "Nothing was up."
    )


def _down(session: Session) -> None:
    workspace = session.catalogue.workspace
    runs.stop(runs.Run(workspace.up).processes())
    if compose.unavailable() is None:
        project = compose.Compose(workspace.up.name, workspace.root)
        if project.folder() == str(workspace.root):
            project.down()
    runs.Run(workspace.up).remove()


def logs(session: Session, names: Sequence[str], *, follow: bool = False) -> str:
    """The logs of what is up. With `follow`, they are printed as they grow, until a signal."""
    running = _running(session)
    entries = [entry for entry in running if not names or entry["topology"] in names]
    if not entries:
        message = "Nothing is up. Start it with `make up-strip` or `make up-preserve`."
        if running:
            others = ", ".join(entry["topology"] for entry in running)
            message = f"{', '.join(names)} is not up; up: {others}"
        raise HoplabError(message)
    if entries[0]["engine"] == "docker":
        chosen = {entry["topology"] for entry in entries}
        services = dict.fromkeys(
            service
            for topology in session.catalogue.composed
            if topology.name in chosen
            for service in (topology.name, docker.app_service(topology))
        )
        workspace = session.catalogue.workspace
        project = compose.Compose(workspace.up.name, workspace.root)
        if follow:
            project.follow(*services)
            return ""
        return project.run("logs", "--no-color", *services)
    files = [Path(file) for file in dict.fromkeys(f for e in entries for f in e["logs"])]
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


def _entry(engine: Engine, endpoint: Endpoint, prefix: Prefix) -> dict[str, Any]:
    return {
        "topology": endpoint.topology.name,
        "engine": engine.name,
        "prefix": prefix.encoded,
        "logs": [str(file) for file in engine.log_files(endpoint.deployment)],
        "http": endpoint.base(Scheme.HTTP, endpoint.host),
        "https": endpoint.base(Scheme.HTTPS, endpoint.host),
        "ca": str(endpoint.authority),
    }


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
