"""`demo`, `break`, `fix`: the live lab, on a page and from a terminal."""

# ruff: noqa: PLC0415 - what a command needs is imported in it

import sys
import webbrowser
from typing import Annotated

import typer

from hoplab.catalogue import load
from hoplab.cli.options import (
    EngineName,
    EngineOption,
    PrefixOption,
    ProxyOption,
    ServerOption,
    known,
    narrowed,
    prefix_of,
)
from hoplab.commands.live.demo_file import PORT, VARIABLE
from hoplab.prefix import DEFAULT_PREFIX
from hoplab.workspace import current

TopologyArgument = Annotated[str, typer.Argument(help="As the page names it.", metavar="TOPOLOGY")]


def register(app: typer.Typer) -> None:
    """Add these commands."""
    app.command("demo")(run_demo)
    app.command("break")(break_topology)
    app.command("fix")(fix_topology)


def run_demo(
    port: Annotated[
        int, typer.Option("--port", envvar=VARIABLE, min=1, max=65535, help="The page's port.")
    ] = PORT,
    open_page: Annotated[  # noqa: FBT002
        bool, typer.Option("--open/--no-open", help="Open the page where there is a desktop.")
    ] = True,
    proxy: ProxyOption = None,
    server: ServerOption = None,
    engine: EngineOption = EngineName.PROCESS,
    prefix: PrefixOption = DEFAULT_PREFIX.encoded,
) -> None:
    """Start topologies, and serve a live page of them."""
    from hoplab.commands.live import demo
    from hoplab.commands.session import Session
    from hoplab.report.progress import Progress

    catalogue = load(current(), prefix_of(prefix))
    topologies = narrowed(catalogue, proxy, server)
    with Progress() as progress:
        session = Session(catalogue, progress)
        chosen = session.choose_engine(engine)
        with demo.running(session, topologies, port, chosen) as demonstration:
            progress.stage("serving the page; Ctrl-C ends it")
            print(f"{demonstration.site.url}  Ctrl-C, or `hoplab down`, ends it.")
            sys.stdout.flush()
            if open_page and demo.has_desktop():
                webbrowser.open(demonstration.site.url)
            demonstration.wait()


def break_topology(
    topology: TopologyArgument,
    change: Annotated[
        str | None, typer.Argument(help="A variation or STRATEGY.TRUST; lists them if left out.")
    ] = None,
) -> None:
    """Give a topology of the running demo a wrong configuration."""
    from hoplab.commands.live import remote

    workspace = current()
    possible = remote.possible(workspace, topology)
    if change is None:
        for each in possible:
            print(f"{each.name}: {each.about}")
        return
    known("change", [change], [each.name for each in possible])
    remote.change(workspace, topology, change)
    chosen = next(each for each in possible if each.name == change)
    print("\n".join([chosen.about, *(f"  {line}" for line in chosen.diff)]))
    print(f"\nThe page shows what fails. Undo it: hoplab fix {topology}")


def fix_topology(topology: TopologyArgument) -> None:
    """Give a topology of the running demo its recipe again."""
    from hoplab.commands.live import remote

    remote.fix(current(), topology)
    print(f"{topology} gets its recipe again.")
