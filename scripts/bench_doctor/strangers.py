"""Applications that the doctor has never seen: the tests' own, and three of the package index."""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from hoplab.commands.hosting import Application
from hoplab.diagnosis.words import Fault
from hoplab.workspace import checkout
from tests.applications.installing import SOURCES, install


@dataclass(frozen=True)
class Stranger:
    """An application and the prefix under which it is public.

    requirements: what to install for it from the package index; none if it is one of the tests'
    own. unasked: how the questions begin that it can't be asked, whatever is wrong. faults: what is
    wrong in it, wherever it runs. ending: what people write behind the prefix.
    """

    name: str
    prefix: str
    requirements: Sequence[str] = ()
    unasked: tuple[str, ...] = ()
    faults: frozenset[Fault] = frozenset()
    ending: str = ""

    @property
    def title(self) -> str:
        """What the published page calls it."""
        return self.requirements[0].replace("==", " ") if self.requirements else f"`{self.name}.py`"


OWN = (
    Stranger("plain", "/shop"),
    Stranger("elsewhere", "/lab"),
    Stranger("login", "/books/ledger"),
    Stranger("mounts", "/many"),
    Stranger("segments", "/team/rooms", ending="/"),
)
"""In tests/doctor/applications."""

INSTALLED = (
    # It redirects to no slash; its docs page has the document in it, which names no root path.
    Stranger(
        "litestar",
        "/pet/store",
        ["litestar==2.25.0"],
        unasked=("redirect", "docs-link"),
        faults=frozenset({Fault.SERVERS_FIXED}),
    ),
    Stranger("sqladmin", "/back-office", ["sqladmin==0.32.0"]),
    Stranger("starlette_admin", "/staff", ["starlette-admin==1.0.3", "sqlalchemy==2.1.9"]),
)
"""In tests/applications/sources."""


@contextmanager
def ready(stranger: Stranger) -> Iterator[Application]:
    """The application as it can be started, with what it needs; which is removed afterwards."""
    if not stranger.requirements:
        root = checkout().root
        yield Application(f"tests.doctor.applications.{stranger.name}:app", root, root)
        return
    with TemporaryDirectory(prefix="hoplab-stranger-") as folder:
        project, packages = Path(folder, "project"), Path(folder, "packages")
        project.mkdir()
        source = (SOURCES / f"{stranger.name}.py").read_text()
        (project / "main.py").write_text(source)
        install(stranger.requirements, packages, Path(folder))
        with _imported_from(packages):
            yield Application("main:app", project, project)


@contextmanager
def _imported_from(packages: Path) -> Iterator[None]:
    before = dict(os.environ)
    os.environ["PYTHONPATH"] = os.pathsep.join(
        filter(None, [str(packages), before.get("PYTHONPATH")])
    )
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)
