"""`check`: the command for a person's own application."""

import re
from pathlib import Path
from typing import Annotated

import typer

from hoplab import results_file
from hoplab.catalogue import Catalogue, load
from hoplab.cli.options import (
    BadUsage,
    ListFormat,
    ListFormatOption,
    ModeOption,
    OutputOption,
    PrefixOption,
    ProxyOption,
    SchemeOption,
    ServerOption,
    known,
    prefix_of,
    require_writable,
    select,
    status,
    write,
)
from hoplab.commands import check as checking
from hoplab.commands.check import Checked
from hoplab.commands.hosting import Application
from hoplab.commands.own_server import NAME, BadCommand, with_own_server
from hoplab.commands.session import Session
from hoplab.prefix import DEFAULT_PREFIX
from hoplab.report.progress import Progress
from hoplab.results import Verdict
from hoplab.suites import SYMPTOMS
from hoplab.suites.own.explore import Wish
from hoplab.suites.own.tables import report
from hoplab.topology import Topology
from hoplab.workspace import current

_NAME = re.compile(r"[\w.]+:[\w.]+")
_HEADER = re.compile(r"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([\x20-\x7e\x80-\xff\t]+)")

FactoryOption = Annotated[bool, typer.Option("--factory", help="APP is a function that makes it.")]
UnsafeOption = Annotated[
    bool, typer.Option("--unsafe", help="Ask POST, PUT, PATCH and DELETE as well.")
]


def register(app: typer.Typer) -> None:
    """Add this command."""
    app.command()(check)


def check(
    application: Annotated[
        str, typer.Argument(metavar="MODULE:APP", help="As ASGI servers take it: main:app.")
    ],
    factory: FactoryOption = False,  # noqa: FBT002
    app_dir: Annotated[
        Path, typer.Option("--app-dir", help="Where MODULE is looked for.", metavar="DIR")
    ] = Path(),
    env_file: Annotated[
        Path | None,
        typer.Option("--env-file", help="Its variables (python-dotenv).", metavar="FILE"),
    ] = None,
    proxy: ProxyOption = None,
    server: ServerOption = None,
    command: Annotated[
        str | None,
        typer.Option(
            "--command",
            help="Your own server, with MODULE:APP, {host}, {port} and, if you like, {prefix}.",
            metavar="TEXT",
        ),
    ] = None,
    mode: ModeOption = None,
    scheme: SchemeOption = None,
    prefix: PrefixOption = DEFAULT_PREFIX.encoded,
    header: Annotated[
        list[str] | None,
        typer.Option("--header", help="Sent with every request. Repeatable.", metavar="'K: V'"),
    ] = None,
    skip: Annotated[
        list[str] | None,
        typer.Option("--skip", help="Paths to leave out: '/admin/*'. Repeatable.", metavar="PATH"),
    ] = None,
    only: Annotated[
        list[str] | None,
        typer.Option("--only", help="Ask these paths alone. Repeatable.", metavar="PATH"),
    ] = None,
    path: Annotated[
        list[str] | None,
        typer.Option("--path", help="Begin here as well. Repeatable.", metavar="PATH"),
    ] = None,
    unsafe: UnsafeOption = False,  # noqa: FBT002
    max_requests: Annotated[
        int, typer.Option("--max-requests", help="So many paths at most.", min=1)
    ] = 100,
    output_format: ListFormatOption = ListFormat.TABLE,
    output: OutputOption = None,
) -> None:
    """Ask whether your own ASGI application works behind each proxy, and say what to change.

    It is started as it is, in this directory, with this interpreter: behind each proxy, under each
    server, with each topology's recipe. Exit 0: it works; 1: it does not; 3: it does not start.
    """
    named = application_of(application, app_dir, env_file, factory=factory)
    catalogue = load(current(), prefix_of(prefix))
    if command:
        catalogue, server = _with_command(catalogue, command, application, server), [NAME]
    cells = select(
        catalogue,
        catalogue.recommended_cells(_topologies(catalogue, proxy, server)),
        proxy=proxy,
        server=server,
        mode=mode,
        scheme=scheme,
    )
    wish = Wish(
        tuple(skip or ()),
        tuple(only or ()),
        unsafe,
        max_requests,
        catalogue.prefix.encoded,
        tuple(map(_path, path or ())),
    )
    headers = [_header(each) for each in header or ()]
    require_writable(output)
    with Progress() as progress:
        checked = checking.check(Session(catalogue, progress), named, cells, wish, headers)
    if output_format is ListFormat.JSON:
        write(results_file.dump(checked.results), output)
    else:
        told = {name: each.under(catalogue.prefix.encoded) for name, each in SYMPTOMS.items()}
        text = report(checked.results, checked.explored, told, plain=output is not None)
        write(text, output)
    raise typer.Exit(_status(checked))


def _status(checked: Checked) -> int:
    """Where no path was judged, nothing is known to work."""
    found = any(cell.verdict is Verdict.FAIL for cell in checked.results.cells)
    return status(checked.results, right=not found and not checked.explored.is_empty)


def application_of(
    name: str, app_dir: Path, env_file: Path | None, *, factory: bool
) -> Application:
    """What was named, to be started from here. Raises BadUsage if it can't be that."""
    if not _NAME.fullmatch(name):
        message = f"{name!r} is no MODULE:APP, such as main:app"
        raise BadUsage(message)
    if not app_dir.is_dir():
        message = f"--app-dir {app_dir}: there is no such folder"
        raise BadUsage(message)
    if env_file and not env_file.is_file():
        message = f"--env-file {env_file}: there is no such file"
        raise BadUsage(message)
    whole = env_file.resolve() if env_file else None
    return Application(name, Path.cwd(), app_dir.resolve(), factory, whole)


def _with_command(
    catalogue: Catalogue, command: str, application: str, server: list[str] | None
) -> Catalogue:
    if server:
        message = "--command is a server of its own: leave out --server"
        raise BadUsage(message)
    try:
        return with_own_server(catalogue, command, application)
    except BadCommand as error:
        message = f"--command {command!r}: {error}"
        raise BadUsage(message) from error


def _topologies(
    catalogue: Catalogue, proxy: list[str] | None, server: list[str] | None
) -> list[Topology]:
    """The eight of the main profiles; with a proxy or a server, any that has these."""
    proxies = known("proxy", proxy, list(catalogue.proxies))
    servers = known("server", server, list(catalogue.servers))
    if not (proxy or server):
        return catalogue.topologies
    main = {name for t in catalogue.topologies for name in (t.proxy, t.server)}
    return [
        topology
        for topology in catalogue.all_topologies
        if topology.proxy in proxies
        and topology.server in servers
        and (proxy or topology.proxy in main)
        and (server or topology.server in main)
    ]


def _header(given: str) -> tuple[str, str]:
    if not (match := _HEADER.fullmatch(given)):
        message = f"--header {given!r} is no header, such as 'Authorization: Bearer TOKEN'"
        raise BadUsage(message)
    return match[1], match[2].strip()


def _path(given: str) -> str:
    if not given.startswith("/"):
        message = f"--path {given}: a path begins with a slash, and stands below the prefix"
        raise BadUsage(message)
    return given
