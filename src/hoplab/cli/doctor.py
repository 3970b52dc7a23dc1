"""`doctor`: the command for a deployment that is public already."""

# ruff: noqa: PLC0415 - what a command needs is imported in it

import re
import sys
from collections.abc import Iterable
from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hoplab.catalogue import load
from hoplab.catalogue.servers import SERVERS
from hoplab.cli.options import BadUsage, OutputOption, known, prefix_of, require_writable, write
from hoplab.doctor import SHORTEST
from hoplab.workspace import current

if TYPE_CHECKING:
    from hoplab.client.polite import PoliteClient
    from hoplab.diagnosis.programs import Kind
    from hoplab.diagnosis.words import Report


class ReportFormat(StrEnum):
    """How the report is written."""

    TEXT = "text"
    JSON = "json"
    JUNIT = "junit"
    HTML = "html"


_TOKEN = re.compile(r"[\x21-\x7e]+")


def register(app: typer.Typer) -> None:
    """Add this command."""
    app.command()(doctor)


def _format(value: str) -> Any:
    return known("format", [value], list(ReportFormat))[0]


def doctor(
    url: Annotated[
        str,
        typer.Argument(metavar="URL", help="The public base, docs page or OpenAPI document."),
    ],
    prefix: Annotated[
        str | None,
        typer.Option("--prefix", help="The public prefix; / is none.", metavar="/PATH"),
    ] = None,
    proxy: Annotated[
        str, typer.Option("--proxy", help="The proxy, if you know it.", metavar="NAME")
    ] = "",
    server: Annotated[
        str, typer.Option("--server", help="The ASGI server, if you know it.", metavar="NAME")
    ] = "",
    spoof: Annotated[  # noqa: FBT002
        bool,
        typer.Option(
            "--spoof", help="Send forged forwarded headers too, to see who believes them."
        ),
    ] = False,
    window_token: Annotated[
        str,
        typer.Option(
            "--window-token",
            help="Of the middleware hoplab.doctor.Window, if the application has it.",
            metavar="TOKEN",
        ),
    ] = "",
    header: Annotated[
        list[str] | None,
        typer.Option("--header", help="Sent with every request. Repeatable.", metavar="'K: V'"),
    ] = None,
    resolve: Annotated[
        list[str] | None,
        typer.Option("--resolve", help="As curl has it.", metavar="HOST:PORT:ADDRESS"),
    ] = None,
    connect_to: Annotated[
        list[str] | None,
        typer.Option("--connect-to", help="As curl has it.", metavar="HOST1:PORT1:HOST2:PORT2"),
    ] = None,
    insecure: Annotated[  # noqa: FBT002
        bool, typer.Option("--insecure", help="Don't verify the certificate.")
    ] = False,
    ca: Annotated[
        Path | None,
        typer.Option("--ca", help="The authorities to trust, if not the system's.", metavar="FILE"),
    ] = None,
    max_requests: Annotated[
        int, typer.Option("--max-requests", help="Send at most so many requests.", min=1)
    ] = 100,
    output_format: Annotated[
        ReportFormat,
        typer.Option("--format", parser=_format, metavar="|".join(ReportFormat)),
    ] = ReportFormat.TEXT,
    output: OutputOption = None,
) -> None:
    """Say what is wrong with a public deployment, and the fix.

    It asks from outside, with GET and WebSocket handshakes. Exit 0: healthy; 1: something
    is wrong; 3: it can't tell.
    """
    from hoplab.client.polite import Interruption
    from hoplab.commands.doctor import examine, with_prescriptions
    from hoplab.diagnosis.programs import Kind
    from hoplab.diagnosis.words import STATUS, Known

    require_writable(output)
    catalogue = load(current())
    proxy = _known("--proxy", proxy, catalogue.proxies, {Kind.PROXY, Kind.PLATFORM})
    server = _known("--server", server, catalogue.servers, {Kind.SERVER})
    _require_token(window_token)
    if ca and not ca.is_file():
        message = f"--ca {ca}: there is no such file"
        raise BadUsage(message)
    client = _client(
        url, max_requests, header, resolve, connect_to, insecure=insecure, authority=ca
    )
    told = Known(proxy=proxy, server=server)
    try:
        found = examine(
            client, prefix=_prefix(prefix), known=told, spoof=spoof, window=window_token
        )
    finally:
        client.close()
    report = found.report
    if output is None and output_format is ReportFormat.TEXT and not found.stop:
        report = _asked_of_a_person(report)
    report = with_prescriptions(report, catalogue, found.recognised)
    write(_rendered(report, output_format).rstrip("\n"), output)
    if isinstance(found.stop, Interruption):
        raise found.stop.signal
    raise typer.Exit(STATUS[report.diagnosis.verdict])


def _rendered(report: "Report", output_format: ReportFormat) -> str:
    from hoplab.diagnosis import as_json, junit, page, text

    match output_format:
        case ReportFormat.TEXT:
            return text.render(report)
        case ReportFormat.JSON:
            return as_json.render(report)
        case ReportFormat.JUNIT:
            return junit.render(report)
        case ReportFormat.HTML:
            return page.render(report)


def _client(
    url: str,
    most: int,
    headers: list[str] | None,
    resolve: list[str] | None,
    connect_to: list[str] | None,
    *,
    insecure: bool,
    authority: Path | None,
) -> "PoliteClient":
    from hoplab.client import given
    from hoplab.client.guard import BadAuthority
    from hoplab.client.manners import Manners
    from hoplab.client.polite import PoliteClient

    try:
        return PoliteClient(
            given.read(url),
            Manners(requests=most),
            headers=[given.header(each) for each in headers or ()],
            resolve=[given.resolve(each) for each in resolve or ()],
            connect_to=[given.connect_to(each) for each in connect_to or ()],
            insecure=insecure,
            authority=authority,
        )
    except (given.BadGiven, BadAuthority) as error:
        raise BadUsage(str(error)) from error


def _known(option: str, told: str, of_catalogue: Iterable[str], kinds: "set[Kind]") -> str:
    """The name of what a person calls so. One of another kind would be passed over in silence."""
    from hoplab.diagnosis import programs
    from hoplab.diagnosis.programs import Kind

    if not told or told in of_catalogue:
        return told
    found = programs.find(told)
    if found is None or found.kind not in kinds:
        every = ", ".join(sorted({*of_catalogue, *programs.names(kinds)}, key=str.lower))
        other = f" is a {found.kind}" if found and found.kind is not Kind.OTHER else " is not known"
        message = f"{option} {told!r}{other}; give one of: {every}"
        raise BadUsage(message)
    return found.name


def _require_token(token: str) -> None:
    """Never quoted: it is a secret."""
    if token and not (_TOKEN.fullmatch(token) and len(token) >= SHORTEST):
        message = f"--window-token is no token: {SHORTEST} characters or more, ASCII, no spaces"
        raise BadUsage(message)


def _prefix(prefix: str | None) -> str | None:
    """The public prefix as in a URL; `/` is none."""
    if prefix in {None, "/"}:
        return None if prefix is None else ""
    return prefix_of(str(prefix)).encoded


def _asked_of_a_person(report: "Report") -> "Report":
    """In a terminal: which server it is, if that settles something. Enter leaves it open."""
    from hoplab.commands.doctor import diagnosed_again

    groups = report.diagnosis.groups
    told = report.known.server and not report.known.why_server
    open_still = any(group.settles == "--server" for group in groups) and not told
    if not (open_still and sys.stdin.isatty() and sys.stdout.isatty()):
        return report
    names = ", ".join(SERVERS)
    server = typer.prompt(f"Which server is it ({names}; Enter if unknown)?", default="")
    if server not in SERVERS:
        return report
    return diagnosed_again(report, replace(report.known, server=server, why_server=""))
