"""What every command that starts something needs: an engine, and nothing left behind."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from hoplab.catalogue import Catalogue
from hoplab.endpoint import Endpoint
from hoplab.engines import Engine, certificates, compose, docker, hints
from hoplab.engines.certificates import Certificates
from hoplab.engines.launching import Launcher
from hoplab.engines.process import ProcessEngine
from hoplab.errors import BadPrefix, HoplabError
from hoplab.report.progress import Progress
from hoplab.suites.suite import Suite
from hoplab.system import runs
from hoplab.topology import Cell, Deployment, Scheme, Topology
from hoplab.workspace import Workspace


@dataclass(frozen=True)
class Session:
    """One command's work, reported on `progress`.

    launcher: what starts a person's application, each time that it is; without one, each engine
    makes its own.
    """

    catalogue: Catalogue
    progress: Progress
    launcher: Launcher | None = None

    def choose_engine(self, wanted: str) -> str:
        """`docker` or `process`; for `auto`, Docker if a daemon answers. Says which and why."""
        if wanted == "process":
            return wanted
        if not self.catalogue.prefix.encoded:
            if wanted == "docker":
                message = "compose.yaml has a prefix everywhere. Without one: --engine process"
                raise BadPrefix(message)
            self.progress.notice("compose.yaml has a prefix everywhere: using local processes.")
            return "process"
        reason = compose.unavailable()
        if reason is None:
            return "docker"
        if wanted == "docker":
            message = f"Docker can't be used: {reason}\n{hints.WITHOUT_DOCKER}"
            raise HoplabError(message)
        self.progress.notice(f"No Docker ({reason}): using local processes.")
        return "process"

    def engine(
        self,
        name: str,
        deployments: Sequence[Deployment],
        run: runs.Run,
        published: Mapping[Topology, Mapping[Scheme, int]] | None = None,
    ) -> Engine:
        """The engine of this name; with `published`, on these ports, and what it starts stays."""
        if name == "docker":
            return docker.DockerEngine(
                self.catalogue,
                deployments,
                run,
                self.certificates(),
                published=published is not None,
                progress=self.progress.line,
            )
        return ProcessEngine(
            self.catalogue,
            deployments,
            run,
            self.certificates(),
            ports=published,
            stay=published is not None,
        )

    def new_run(self) -> runs.Run:
        """A run that ends with this process."""
        return runs.new(self.catalogue.workspace.runs)

    def certificates(self) -> Certificates:
        """The proxies' certificate, made if there is none."""
        return certificates.ensure(self.catalogue.workspace.certificates)

    def clean_up(self) -> None:
        """Stop what a killed run has left behind."""
        workspace = self.catalogue.workspace
        for run in [*runs.orphans(workspace.runs), *runs.orphans(workspace.up)]:
            self.progress.notice(f"Cleaning up after {run.name}, which was killed.")
            runs.stop(run.processes())
            project = compose.Compose(run.name, workspace.root)
            # `up` of processes has a name that another clone's project may have.
            if compose.unavailable() is None and _of(workspace, project.folder()):
                project.down()
            run.remove()

    @contextmanager
    def running(self, engine: Engine) -> Iterator[list[Endpoint]]:
        """Start an engine and stop it, whatever happens in between."""
        try:
            yield self.start(engine)
        finally:
            self.progress.stage("stopping")
            engine.stop()

    def start(self, engine: Engine) -> list[Endpoint]:
        """Start an engine, and say so."""
        self.progress.stage(f"starting ({engine.name})")
        return engine.start()

    def require_possible(self, suite: Suite | None, deployments: Iterable[Deployment]) -> None:
        """Raise HoplabError if one of these can't have the prefix, with the reason.

        Without a suite, whose application has paths of its own, every prefix is as good.
        """
        prefix = self.catalogue.prefix
        if suite and suite.refuses and re.search(suite.refuses, prefix.encoded):
            message = (
                f"The application under test has a route {prefix.decoded} of its own: its answer"
                " could not be told from that of the prefix. Choose another prefix."
            )
            raise BadPrefix(message)
        refusals = (self.catalogue.refusal(deployment) for deployment in deployments)
        if reasons := list(dict.fromkeys(filter(None, refusals))):
            message = "\n".join([*reasons, "Choose another prefix, or leave these out."])
            raise BadPrefix(message)


def _of(workspace: Workspace, folder: Path | None) -> bool:
    """Whether a Compose project's folder is this workspace's, or a copy of it; None is nobody's."""
    return folder is None or folder == workspace.root or folder.is_relative_to(workspace.runs)


def deployments_of(cells: Iterable[Cell]) -> list[Deployment]:
    """What has to run for these cells."""
    return list(dict.fromkeys(cell.deployment for cell in cells))


def now() -> str:
    """UTC in ISO 8601, with a Z."""
    return datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
