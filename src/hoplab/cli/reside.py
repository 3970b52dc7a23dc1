"""`up`, `down`, `ps`, `logs`, `certificates`: topologies that stay up."""

# ruff: noqa: PLC0415 - what a command needs is imported in it

import json
from typing import Annotated

import typer

from hoplab.catalogue import load
from hoplab.cli.options import (
    BadUsage,
    EngineName,
    EngineOption,
    ListFormat,
    ListFormatOption,
    PrefixOption,
    ProxyOption,
    ServerOption,
    known,
    narrowed,
    prefix_of,
    status,
)
from hoplab.prefix import DEFAULT_PREFIX
from hoplab.topology import Mode
from hoplab.workspace import current


def register(app: typer.Typer) -> None:
    """Add these commands."""
    for command in (up, down, ps, logs):
        app.command()(command)
    app.command("certificates")(make_certificates)


def up(
    mode: Annotated[str | None, typer.Argument(help="strip or preserve; both if left out.")] = None,
    engine: EngineOption = EngineName.AUTO,
    proxy: ProxyOption = None,
    server: ServerOption = None,
    prefix: PrefixOption = DEFAULT_PREFIX.encoded,
    variation: Annotated[
        str | None,
        typer.Option(
            help="Run its application in the place of the lab's: cors-both.", metavar="NAME"
        ),
    ] = None,
) -> None:
    """Start topologies, verify them, and let them run.

    `hoplab down` stops them.

    Exit 0 if all pass; with --variation, if all is as predicted.
    """
    from hoplab.commands import reside
    from hoplab.commands.session import Session
    from hoplab.report import text
    from hoplab.report.progress import Progress

    catalogue = load(current(), prefix_of(prefix))
    modes = known("mode", [mode] if mode else None, list(Mode))
    topologies = narrowed(catalogue, proxy, server)
    chosen = [topology for topology in topologies if topology.mode in modes]
    if not chosen:  # without a prefix, the catalogue has no topology that strips one
        message = f"there is no prefix to strip: `hoplab up preserve --prefix {prefix}`"
        raise BadUsage(message)
    varied = None
    if variation:
        possible = {n: v for n, v in catalogue.variations.items() if v.changes_application_alone}
        [name] = known("variation", [variation], list(possible))
        varied = possible[name]
    with Progress() as progress:
        session = Session(catalogue, progress)
        endpoints, results = reside.up(session, engine, chosen, varied)
    pages = ["/app", "/docs", *([varied.path] if varied and varied.path else [])]
    print(text.up_table(endpoints, results, pages))
    authority = catalogue.workspace.certificates / "ca.pem"
    print(f"\nhttps: trust {authority}, or curl --cacert it. Stop: hoplab down")
    right = results.as_predicted if varied else results.passed
    raise typer.Exit(status(results, right=right))


def down() -> None:
    """Stop what `up`, `demo` or `docker compose up` started here."""
    from hoplab.commands import reside
    from hoplab.commands.session import Session
    from hoplab.report.progress import Progress

    with Progress() as progress:
        session = Session(load(current()), progress)
        progress.stage("stopping")
        reside.down(session)


def ps(output_format: ListFormatOption = ListFormat.TABLE) -> None:
    """List what is up, where it answers, and what does not run."""
    from hoplab.commands import reside
    from hoplab.commands.session import Session
    from hoplab.report import text
    from hoplab.report.progress import Progress

    with Progress() as progress:
        entries = reside.ps(Session(load(current()), progress))
    if output_format is ListFormat.JSON:
        print(json.dumps(entries, indent=2))
    elif entries:
        print(text.ps_table(entries))
    else:
        print("Nothing is up. Start it with `hoplab up strip` or `hoplab up preserve`.")


def logs(
    topology: Annotated[list[str] | None, typer.Argument(help="All if left out.")] = None,
    follow: Annotated[  # noqa: FBT002
        bool, typer.Option("--follow", "-f", help="Print new lines as they come, until Ctrl-C.")
    ] = False,
) -> None:
    """Show the logs of the proxies and applications that are up."""
    from hoplab.commands import reside
    from hoplab.commands.session import Session
    from hoplab.report.progress import Progress

    catalogue = load(current())
    names = known("topology", topology, [t.name for t in catalogue.composed])
    with Progress() as progress:
        written = reside.logs(Session(catalogue, progress), names, follow=follow)
    if not follow:
        print(written)


def make_certificates() -> None:
    """Make the proxies' certificate, and print where its CA is."""
    from hoplab.engines import certificates

    print(certificates.ensure(current().certificates).authority)
