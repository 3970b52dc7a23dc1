"""A fixture for tests of your own application: it runs behind a proxy, as in `hoplab check`.

pytest imports this module in every project in which hoplab is installed: so it imports nothing else
until a test wants it.
"""

# ruff: noqa: PLC0415 - what a test needs is imported in it

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TypeAlias

import pytest


@dataclass(frozen=True)
class Behind:
    """Where an application answers: its public base URL over http and over https.

    authority: the file with the certificate to trust for the second.
    """

    http: str
    https: str
    authority: Path


Start: TypeAlias = Callable[..., Behind]


@pytest.fixture(scope="session")
def hoplab_behind() -> Iterator[Start]:
    """Start an application behind a proxy: `hoplab_behind("main:app").http` is its URL.

    Besides: proxy, server, mode, prefix, factory and app_dir, as the options of `hoplab check`.
    The same is started once; all is stopped at the end of the session.
    """
    with ExitStack() as stack:

        @cache
        def start(
            application: str,
            *,
            proxy: str | None = None,
            server: str | None = None,
            mode: str = "strip",
            prefix: str = "/api/v1",
            factory: bool = False,
            app_dir: str = ".",
        ) -> Behind:
            return stack.enter_context(
                _behind(application, proxy, server, mode, prefix, Path(app_dir), factory=factory)
            )

        yield start


@contextmanager
def _behind(
    application: str,
    proxy: str | None,
    server: str | None,
    mode: str,
    prefix: str,
    app_dir: Path,
    *,
    factory: bool,
) -> Iterator[Behind]:
    from hoplab.catalogue import load
    from hoplab.cli.check import application_of
    from hoplab.cli.options import prefix_of, select
    from hoplab.commands.hosting import running
    from hoplab.commands.session import Session
    from hoplab.errors import HoplabError
    from hoplab.report.progress import Progress
    from hoplab.topology import Scheme
    from hoplab.workspace import current

    try:
        named = application_of(application, app_dir, None, factory=factory)
        catalogue = load(current(), prefix_of(prefix))
        cells = select(
            catalogue,
            catalogue.recommended_cells(catalogue.all_topologies),
            proxy=[proxy] if proxy else None,
            server=[server] if server else None,
            mode=[mode],
        )
        with (
            Progress() as progress,
            running(Session(catalogue, progress), named, [cells[0].deployment]) as ([endpoint], *_),
        ):
            yield Behind(
                endpoint.base(Scheme.HTTP, endpoint.host),
                endpoint.base(Scheme.HTTPS, endpoint.host),
                endpoint.authority,
            )
    except HoplabError as error:
        pytest.fail(str(error), pytrace=False)
