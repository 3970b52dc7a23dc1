"""What runs one topology of the demo: local processes; `containers.py` has the other kind."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from typing import Protocol

from hoplab.catalogue import Catalogue
from hoplab.client.trace import Hop
from hoplab.commands.session import Session
from hoplab.endpoint import Endpoint
from hoplab.engines.certificates import Certificates
from hoplab.engines.launching import Launcher
from hoplab.engines.process import Hosted, ProcessEngine
from hoplab.engines.tap import Taps
from hoplab.topology import Deployment, Scheme, Topology

ENVIRONMENT = {
    "DOCS_OFFLINE": "1",  # a room may have no network
    # Two edits within a second may have the same date and size: a compiled module would be stale.
    "PYTHONDONTWRITEBYTECODE": "1",
}
"""What the applications of the demo are told besides."""


class Runner(Protocol):
    """One topology, on its own ports. All but `hops` is called by one thread at a time.

    listens: whether somebody listens behind the proxies.
    """

    listens: bool

    def can_run(self, deployment: Deployment) -> bool:
        """Whether it has all that this deployment needs."""
        ...

    def run(self, deployment: Deployment, used: Catalogue, watch: Callable[[], None]) -> Endpoint:
        """Run this in place of what runs, from the files of this catalogue.

        watch: called meanwhile; raises HoplabError if that is no longer wanted. Raises HoplabError
        or OSError if it does not start: then nothing, or a part of it, runs.
        """
        ...

    def died(self) -> str:
        """The part that has ended by itself, with the end of its log; "" if all of it runs.

        What is left of it is stopped, unless the part may come back.
        """
        ...

    def returned(self) -> Endpoint | None:
        """Where it answers again, if what `died` has told of was started again by others."""
        ...

    def hops(self, mark: str) -> Sequence[Hop]:
        """What came by behind the proxies of the request with this mark."""
        ...

    def stop(self) -> None:
        """Stop what runs. It may be called twice, or before anything runs."""
        ...


class Processes:
    """Local processes; each topology has an engine of its own, and taps."""

    listens = True

    def __init__(
        self,
        session: Session,
        certificates: Certificates,
        launcher: Launcher,
        topology: Topology,
        ports: Mapping[Scheme, int],
    ) -> None:
        self._session = session
        self._certificates = certificates
        self._launcher = launcher
        self._ports = {topology: ports}
        self._engine: ProcessEngine | None = None
        self._runs: Deployment | None = None
        self._taps = Taps()

    def can_run(self, deployment: Deployment) -> bool:  # noqa: ARG002
        """All of them."""
        return True

    def run(self, deployment: Deployment, used: Catalogue, watch: Callable[[], None]) -> Endpoint:
        """The proxy stays if it would do the same with these files: half of the work is saved."""
        # The page shows requests, and the end of a log when something ended: its own last words.
        hosted = Hosted(used.workspace.root, ENVIRONMENT, watch, log_requests=False)
        engine = self._engine
        if engine and deployment == self._runs and engine.proxies_run_with(used):
            (endpoint,) = engine.restart_applications(used, hosted)
            return endpoint
        self.stop()
        self._runs = deployment
        engine = self._engine = ProcessEngine(
            used,
            [deployment],
            self._session.new_run(),
            self._certificates,
            ports=self._ports,
            tap=self._taps.before,
            hosted=hosted,
            launcher=self._launcher,
        )
        (endpoint,) = engine.start()
        return endpoint

    def died(self) -> str:
        """The first process that has ended. What is left would answer now and then: it ends."""
        died = next(iter(self._engine.died().values()), "") if self._engine else ""
        if died:
            self.stop()
        return died

    def returned(self) -> Endpoint | None:
        """Never: nobody else starts such a process."""
        return None

    def hops(self, mark: str) -> Sequence[Hop]:
        """Heads, as the taps have seen them."""
        return [Hop(each.request, each.answer) for each in self._taps.heads(mark)]

    def stop(self) -> None:
        """The engine, and the taps."""
        engine, self._engine = self._engine, None
        taps, self._taps = self._taps, Taps()
        with ExitStack() as left:
            left.callback(taps.close)
            if engine:
                left.callback(engine.stop)
