"""`check`: the command for a person's own application."""

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated

import typer

from hoplab import results_file
from hoplab.catalogue import Catalogue, load
from hoplab.cli.options import (
    OWN_ERROR,
    BadUsage,
    CheckFormat,
    CheckFormatOption,
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
from hoplab.cli.own_configuration import (
    ProxyConfigOption,
    check_theirs,
    prefix_in,
    read_configuration,
)
from hoplab.commands import check as checking
from hoplab.commands import reporting
from hoplab.commands.check import Checked
from hoplab.commands.hosting import Application
from hoplab.commands.own_configuration import Wanted
from hoplab.commands.own_server import NAME, BadCommand, with_own_server
from hoplab.commands.session import Session
from hoplab.commands.showing import fixes_of, symptoms_of
from hoplab.commands.tried import with_fixes
from hoplab.prefix import DEFAULT_PREFIX, Prefix
from hoplab.report import junit
from hoplab.report.progress import Progress
from hoplab.results import Finding, Results, Verdict
from hoplab.suites.own import alerts
from hoplab.suites.own.explore import Wish
from hoplab.suites.own.tables import report
from hoplab.suites.own.tried import tried_of, what_to_change
from hoplab.topology import Cell, Topology
from hoplab.workspace import Workspace, current

_NAME = re.compile(r"[\w.]+:[\w.]+")
_HEADER = re.compile(r"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([\x20-\x7e\x80-\xff\t]+)")

FactoryOption = Annotated[bool, typer.Option("--factory", help="APP is a function that makes it.")]
NoTryOption = Annotated[
    bool, typer.Option("--no-try", help="Don't try fixes that need no change in your code.")
]
UnsafeOption = Annotated[
    bool, typer.Option("--unsafe", help="Ask POST, PUT, PATCH and DELETE as well.")
]


def register(app: typer.Typer) -> None:
    """Add this command."""
    app.command()(check)


def check(
    context: typer.Context,
    application: Annotated[
        str, typer.Argument(metavar="MODULE:APP", help="As ASGI servers take it: main:app.")
    ],
    factory: FactoryOption = False,  # noqa: FBT002
    app_dir: Annotated[
        Path, typer.Option("--app-dir", help="Where MODULE is looked for.", metavar="DIR")
    ] = Path(),
    env_file: Annotated[
        Path | None,
        typer.Option("--env-file", help="Environment for it (python-dotenv).", metavar="FILE"),
    ] = None,
    proxy: ProxyOption = None,
    proxy_config: ProxyConfigOption = None,
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
        typer.Option("--path", help="Start from this path too. Repeatable.", metavar="PATH"),
    ] = None,
    unsafe: UnsafeOption = False,  # noqa: FBT002
    max_requests: Annotated[
        int, typer.Option("--max-requests", help="Ask at most so many paths.", min=1)
    ] = 100,
    start_seconds: Annotated[
        float | None,
        typer.Option("--start-seconds", help="How long it may take to start.", min=1.0),
    ] = None,
    no_try: NoTryOption = False,  # noqa: FBT002
    output_format: CheckFormatOption = CheckFormat.TABLE,
    output: OutputOption = None,
) -> None:
    """Ask whether your own application works behind each proxy.

    hoplab says what to change. It starts the application as it is, in this directory, with this
    interpreter: behind each proxy, under each server, with each topology's recipe. Exit 0: it
    works; 1: it does not; 3: it does not start.
    """
    named = application_of(application, app_dir, env_file, start_seconds, factory=factory)
    public, theirs = prefix_of(prefix), None
    if proxy_config:
        theirs = read_configuration(load(current(), public), proxy_config, proxy)
        proxy = [theirs[0].name]
        if _is_default(context, "prefix"):
            public = prefix_of(prefix_in(theirs[1]))
    catalogue, cells = cells_for(
        public, current(), application, command, proxy, server, mode, scheme
    )
    wish = wish_of(catalogue, skip or (), only or (), path or (), max_requests, unsafe=unsafe)
    headers = headers_of(header or ())
    require_writable(output, output_format)
    with Progress() as progress, checking.trying(Session(catalogue, progress), cells) as session:
        if theirs:
            wanted = Wanted(named, wish, headers, *theirs)
            checked = check_theirs(session, wanted, cells, try_changes=not no_try)
        else:
            checked = checking.check(session, named, cells, wish, headers)
            if not no_try:
                checked = with_fixes(session, named, checked, headers)
    plain = output is not None
    write(_content(catalogue, application, checked, output_format, plain=plain), output)
    raise typer.Exit(_status(checked))


def _is_default(context: typer.Context, name: str) -> bool:
    """Whether an option was left out."""
    source = context.get_parameter_source(name)
    return source is not None and source.name == "DEFAULT"


def _content(
    catalogue: Catalogue, name: str, checked: Checked, output_format: CheckFormat, *, plain: bool
) -> str:
    results, explored = checked.results, checked.explored
    told = symptoms_of(catalogue)
    command = f"hoplab check {name}"
    match output_format:
        case CheckFormat.JSON:
            return results_file.dump(results)
        case CheckFormat.JUNIT:
            own = results.configuration
            change = "\n".join(what_to_change(own)) if own else ""
            return junit.of_results(command, results, _help_of(catalogue, results), change)
        case CheckFormat.SARIF:
            return alerts.as_sarif(results, explored, told)
        case CheckFormat.HTML:
            return reporting.page(catalogue, [reporting.Run(command, results)])
        case CheckFormat.TABLE:
            return report(results, explored, told, plain=plain)


def _help_of(catalogue: Catalogue, results: Results) -> Callable[[Finding], list[str]]:
    """What to do about a finding, and what was tried."""
    fixes, tried = fixes_of(catalogue), tried_of(results)
    return lambda finding: [*fixes(finding), *tried(finding)]


def _status(checked: Checked) -> int:
    """Where no path was judged, nothing is known to work."""
    found = any(cell.verdict is Verdict.FAIL for cell in checked.results.cells)
    if checked.explored.is_empty and not found:
        return OWN_ERROR
    return status(checked.results, right=not found)


def cells_for(
    prefix: Prefix,
    workspace: Workspace,
    application: str,
    command: str | None,
    proxy: list[str] | None,
    server: list[str] | None,
    mode: list[str] | None,
    scheme: list[str] | None,
) -> tuple[Catalogue, list[Cell]]:
    """What to start, with these options. Raises BadUsage if one of them can't be used."""
    catalogue = load(workspace, prefix)
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
    return catalogue, cells


def wish_of(
    catalogue: Catalogue,
    skip: Sequence[str],
    only: Sequence[str],
    paths: Sequence[str],
    most: int,
    *,
    unsafe: bool,
) -> Wish:
    """What to ask. Raises BadUsage if one of these can't be used."""
    if most < 1:
        message = f"--max-requests {most}: at least 1"
        raise BadUsage(message)
    start = tuple(map(_path, paths))
    return Wish(tuple(skip), tuple(only), unsafe, most, catalogue.prefix.encoded, start)


def headers_of(given: Sequence[str]) -> list[tuple[str, str]]:
    """Names and values. Raises BadUsage for what is no header."""
    return [header_of(each) for each in given]


def application_of(
    name: str,
    app_dir: Path,
    env_file: Path | None,
    start_seconds: float | None = None,
    *,
    factory: bool,
) -> Application:
    """What was named, to be started from here. Raises BadUsage if it can't be that."""
    if not _NAME.fullmatch(name):
        message = f"{name!r} is not MODULE:APP, such as main:app"
        raise BadUsage(message)
    if not app_dir.is_dir():
        message = f"--app-dir {app_dir}: there is no such folder"
        raise BadUsage(message)
    if env_file and not env_file.is_file():
        message = f"--env-file {env_file}: there is no such file"
        raise BadUsage(message)
    whole = env_file.resolve() if env_file else None
    return Application(name, Path.cwd(), app_dir.resolve(), factory, whole, start_seconds)


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


def header_of(given: str) -> tuple[str, str]:
    """The name and value that a person wrote. Raises BadUsage if it is no header."""
    if not (match := _HEADER.fullmatch(given)):
        message = f"--header {given!r} is not a header, such as 'Authorization: Bearer TOKEN'"
        raise BadUsage(message)
    return match[1], match[2].strip()


def _path(given: str) -> str:
    if not given.startswith("/"):
        message = f"--path {given}: a path begins with a slash, and stands below the prefix"
        raise BadUsage(message)
    return given
