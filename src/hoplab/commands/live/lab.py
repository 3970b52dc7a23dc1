"""The topologies of the demo: each has a runner of its own, for local processes or containers.

A change or an edit restarts a topology, on the same ports; the others run on undisturbed.
"""

import random
import threading
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from hoplab.client.trace import Request, Trace
from hoplab.commands.live import files
from hoplab.commands.live.containers import Containers
from hoplab.commands.live.model import Change, TopologyState
from hoplab.commands.live.place import Place
from hoplab.commands.live.runner import Processes, Runner
from hoplab.commands.live.watching import watching
from hoplab.commands.session import Session
from hoplab.engines import published
from hoplab.engines.docker import SUBNETS, free_subnets
from hoplab.engines.guardian import guarded
from hoplab.engines.launching import FRAMEWORK, Launcher
from hoplab.engines.programs import with_own_scripts
from hoplab.errors import HoplabError
from hoplab.system.ports import require_free
from hoplab.system.runs import Run
from hoplab.topology import Scheme, Topology


class RunningLab:
    """A LiveLab on the ports that `up` has. engine: `docker` or `process`."""

    def __init__(
        self, session: Session, topologies: Sequence[Topology], engine: str = "process"
    ) -> None:
        ports = published.ports(session.catalogue.workspace, topologies)
        require_free(published.by_variable(ports))
        self.changed = threading.Condition()
        self.ended = False
        self._session = session
        self._revision = 0
        self._places: dict[str, Place] = {}
        with ExitStack() as made:
            self._make(engine, topologies, ports, made)
            self._made = made.pop_all()

    def _make(
        self,
        engine: str,
        topologies: Sequence[Topology],
        ports: Mapping[Topology, Mapping[Scheme, int]],
        made: ExitStack,
    ) -> None:
        """Whatever fails, here or later, `made` ends all that is there: the last first."""
        runners = self._containers if engine == "docker" else self._processes
        for topology, runner in zip(topologies, runners(topologies, ports, made), strict=True):
            place = Place(self, self._session, runner, topology, ports[topology])
            self._places[topology.name] = place
            made.callback(place.stop)

    def _processes(
        self,
        topologies: Sequence[Topology],
        ports: Mapping[Topology, Mapping[Scheme, int]],
        made: ExitStack,
    ) -> Sequence[Runner]:
        session, certificates = self._session, self._session.certificates()
        own = session.new_run()
        made.callback(own.remove)
        launcher = _launcher(session, topologies, own)
        made.callback(launcher.stop)
        return [Processes(session, certificates, launcher, t, ports[t]) for t in topologies]

    def _containers(
        self,
        topologies: Sequence[Topology],
        _ports: Mapping[Topology, Mapping[Scheme, int]],
        made: ExitStack,
    ) -> Sequence[Runner]:
        session, certificates = self._session, self._session.certificates()
        free = free_subnets()
        if len(free) < len(topologies):
            message = (
                f"The demo needs {len(topologies)} subnets of {SUBNETS}, and {len(free)} are free:"
                " `docker network prune` removes networks that nothing uses."
            )
            raise HoplabError(message)
        subnets = random.sample(free, len(topologies))
        found = []
        for topology, subnet in zip(topologies, subnets, strict=True):
            runner = Containers(session, certificates, topology, subnet)
            made.callback(runner.run_of.remove)
            found.append(runner)
        root = session.catalogue.workspace.root
        made.enter_context(guarded(root, [each.run_of.name for each in found]))
        session.progress.stage("building the application (docker)")
        found[0].build()
        return found

    def begin(self) -> None:
        """Start all topologies: each tells by its state how far it is."""
        for place in self._places.values():
            place.thread.start()

    def end(self) -> None:
        """Stop everything, and wait for that."""
        with self.changed:
            self.ended = True
            self.changed.notify_all()
        # One that fails to end is told after the others have ended.
        self._made.close()

    def states(self) -> Sequence[TopologyState]:
        """All topologies, in the order in which they were named."""
        with self.changed:
            return [place.state for place in self._places.values()]

    def wait(self, revision: int, seconds: float) -> int:
        """Wait until the revision is greater, or the lab has ended, or the time is over."""
        with self.changed:
            self.changed.wait_for(lambda: self._revision > revision or self.ended, seconds)
            return self._revision

    def possible(self, topology: str) -> Sequence[Change]:
        """What this topology can be changed to."""
        return [change for change, _ in self._place(topology).possible.values()]

    def change(self, topology: str, name: str) -> None:
        """Change it in place, on the same ports."""
        place = self._place(topology)
        if name not in place.possible:
            known = ", ".join(place.possible)
            raise HoplabError(f"{topology} can't be changed to {name[:80]!r}. To one of: {known}.")
        place.want(place.possible[name][0])

    def fix(self, topology: str) -> None:
        """Give it its recipe again."""
        self._place(topology).want(None)

    def trace(self, topology: str, scheme: Scheme, request: Request) -> Trace:
        """Send one request, and say what came by at each hop."""
        return self._place(topology).trace(scheme, request)

    def edited(self, paths: Collection[Path]) -> None:
        """These files have changed."""
        for path in paths:
            if path.name in files.DESCRIPTIONS:
                told = f"{path} has changed: it is read when the demo starts. Start it again."
                self._session.progress.notice(told)
        for place in self._places.values():
            place.edited(paths)

    def unwatched(self, reason: str) -> None:
        """The files can't be watched: everything else goes on."""
        told = f"Edits are not applied, as the files can't be watched: {reason}"
        self._session.progress.notice(told)

    def next_revision(self) -> int:
        """The number of what has just changed; with the condition held."""
        self._revision += 1
        self.changed.notify_all()
        return self._revision

    def hurried(self) -> bool:
        """Whether first verdicts of any topology are awaited; with the condition held."""
        return any(place.hurried for place in self._places.values())

    def _place(self, name: str) -> Place:
        if name not in self._places:
            known = ", ".join(self._places)
            raise HoplabError(f"{name[:80]!r} is not a topology of this lab ({known}).")
        return self._places[name]


def _launcher(session: Session, topologies: Sequence[Topology], run: Run) -> Launcher:
    """One for all, which has imported nothing that a person may edit.

    For each start of a topology, to import the servers would take most of the time.
    """
    catalogue = session.catalogue
    servers = [catalogue.servers[name] for name in dict.fromkeys(t.server for t in topologies)]
    environment = {**with_own_scripts(), "PUBLIC_PREFIX": catalogue.prefix.encoded}
    return Launcher(servers, FRAMEWORK, run.folder, run.folder / "launcher.log", environment)


@contextmanager
def running(
    session: Session, topologies: Sequence[Topology], engine: str = "process"
) -> Iterator[RunningLab]:
    """Start them, apply edits, and stop them after the block. They come up meanwhile."""
    session.clean_up()
    lab = RunningLab(session, topologies, engine)
    try:
        with watching(files.folders(session.catalogue), lab.edited, lab.unwatched):
            lab.begin()
            yield lab
    finally:
        session.progress.stage("stopping")
        lab.end()
