"""The demo: a lab that is up, its page, and the file that says where it is."""

import os
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from hoplab.commands.live import demo_file, lab
from hoplab.commands.live.demo_file import Site
from hoplab.commands.live.server import serving
from hoplab.commands.session import Session
from hoplab.suites import SUITES
from hoplab.system import interrupts
from hoplab.topology import Topology

_PAUSE = 0.1
_SUITE = next(suite for suite in SUITES.values() if suite.product)


@dataclass(frozen=True)
class Demo:
    """One that runs."""

    site: Site
    lab: lab.RunningLab
    ended: threading.Event

    def wait(self) -> None:
        """Until somebody ends it: by a signal, which raises Interrupted, or by `hoplab down`."""
        while not self.ended.wait(_PAUSE):
            interrupts.check()


@contextmanager
def running(
    session: Session, topologies: Sequence[Topology], port: int, engine: str = "process"
) -> Iterator[Demo]:
    """Run it for as long as the block does. The topologies come up meanwhile.

    Raises HoplabError where another demo runs, or a port is taken.
    """
    catalogue = session.catalogue
    session.require_possible(_SUITE, map(catalogue.recommended, topologies))
    ended = threading.Event()
    with (
        demo_file.claimed(catalogue.workspace) as file,
        lab.running(session, topologies, engine) as made,
        serving(made, catalogue, port, ended.set) as site,
    ):
        demo_file.write(file, site)
        yield Demo(site, made, ended)


def has_desktop() -> bool:
    """Whether a page that is opened can be seen by somebody."""
    if not sys.stdout.isatty():
        return False
    return sys.platform == "darwin" or any(
        os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY")
    )
