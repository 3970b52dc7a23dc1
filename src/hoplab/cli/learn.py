"""`list`, `recipe`, `explain`, `repro`: what exists, what it means, and what to copy."""

# ruff: noqa: PLC0415 - what a command needs is imported in it

import difflib
import shutil
from typing import Annotated

import typer

from hoplab.catalogue import load
from hoplab.cli.options import (
    BadUsage,
    PrefixOption,
    find_cell,
    known,
    prefix_of,
    select,
    status,
)
from hoplab.prefix import DEFAULT_PREFIX
from hoplab.workspace import current


def register(app: typer.Typer) -> None:
    """Add these commands."""
    app.command("list")(list_what_exists)
    app.command("recipe")(print_recipe)
    app.command()(explain)
    app.command()(repro)


def list_what_exists(
    what: Annotated[
        list[str] | None, typer.Argument(help="proxies, servers, … All if left out.")
    ] = None,
) -> None:
    """List what exists: proxies, servers, checks, symptoms, cells.

    Also strategies, suites and variations.
    """
    from hoplab.commands import showing
    from hoplab.commands.listing import listing
    from hoplab.suites import SUITES

    catalogue = load(current())
    cells = {name: showing.cells_of(catalogue, suite) for name, suite in SUITES.items()}
    found = listing(catalogue, SUITES, cells)
    chosen = known("list", what, list(found))
    whole = len(chosen) == 1
    for name in chosen:
        section = found[name]
        print(section.text(whole=whole) if whole else f"{name}\n{section.text(whole=False)}\n")


def print_recipe(
    proxy: str, server: str, mode: str, prefix: PrefixOption = DEFAULT_PREFIX.encoded
) -> None:
    """Print what to copy for a proxy, a server and a mode.

    The proxy's file, the server's command and the application's lines. The topology is started and
    asked the whole contract first.
    """
    from hoplab import recipe
    from hoplab.commands import ask
    from hoplab.commands.session import Session
    from hoplab.report.explain import recipe_text
    from hoplab.report.progress import Progress

    catalogue = load(current(), prefix_of(prefix))
    cells = select(
        catalogue,
        catalogue.recommended_cells(catalogue.all_topologies),
        proxy=[proxy],
        server=[server],
        mode=[mode],
    )
    with Progress() as progress:
        results, signal = ask.matrix(Session(catalogue, progress), cells)
    if signal:
        raise signal
    made = recipe.recipe(catalogue, cells[-1].deployment)
    root = catalogue.workspace.root
    files = {
        str(path): (root / path).read_text(errors="replace")
        for path in (*made.proxy, *made.application)
    }
    print(recipe_text(made, files, results, cells[-1].id))
    raise typer.Exit(status(results, right=results.as_predicted))


def explain(
    what: Annotated[str, typer.Argument(metavar="SYMPTOM|CELL|VARIATION")],
    prefix: PrefixOption = DEFAULT_PREFIX.encoded,
) -> None:
    """Say what a symptom means, or follow a request hop by hop."""
    from hoplab.commands import ask, fixes, showing
    from hoplab.commands.session import Session
    from hoplab.predictions import because
    from hoplab.report.explain import Explained, cell_text, symptom_text, variation_text
    from hoplab.report.progress import Progress
    from hoplab.results import Verdict
    from hoplab.suites import SYMPTOMS

    catalogue = load(current(), prefix_of(prefix))
    if what in SYMPTOMS:
        symptom = SYMPTOMS[what].under(catalogue.prefix.encoded)
        cells = showing.shown_by(catalogue, what)
        print(symptom_text(symptom, catalogue.advice_on(what), cells))
        return
    if what in catalogue.variations:
        variation = catalogue.variations[what]
        deployment = next(iter(variation.symptoms)).deployment
        print(variation_text(variation, catalogue, fixes.changed_lines(catalogue, deployment)))
        return
    if "." not in what and what not in {topology.name for topology in catalogue.all_topologies}:
        names = [*SYMPTOMS, *catalogue.variations]
        near = difflib.get_close_matches(what, names, n=3, cutoff=0.4)
        told = f"near: {', '.join(near)}" if near else f"known: {', '.join(names)}"
        message = f"symptom {what!r} is unknown, and no cell or variation; {told}"
        raise BadUsage(message)
    cell = find_cell(catalogue, showing.every_cell(catalogue), what)
    suite = showing.suite_of(catalogue, cell)
    with Progress() as progress:
        session = Session(catalogue, progress)
        results, signal = ask.matrix(session, [cell], suite)
        if signal:
            raise signal
        (result,) = results.cells
        request, shown = showing.questions_of(catalogue, result)[0]
        traced = None if result.verdict is Verdict.ERROR else showing.trace(session, cell, request)
    explained = Explained(
        result,
        traced,
        shown,
        symptoms={name: SYMPTOMS[name].under(cell.prefix.encoded) for name in result.symptoms},
        advice=catalogue.advice_for(cell, result.symptoms),
        rules=[] if cell.variation else because(cell, catalogue),
        variation=catalogue.variation(cell),
        changes=fixes.changed_lines(catalogue, cell.deployment),
        fix=fixes.fix_lines(catalogue, cell, result.symptoms) if result.symptoms else [],
    )
    print(cell_text(explained))
    raise typer.Exit(status(results, right=results.as_predicted))


def repro(
    cell_id: Annotated[str, typer.Argument(metavar="CELL")],
    run: Annotated[bool, typer.Option("--run", help="Run them, on free ports.")] = False,  # noqa: FBT002
    prefix: PrefixOption = DEFAULT_PREFIX.encoded,
) -> None:
    """Print, or run, the commands that reproduce a cell by hand.

    They start server and proxy, and ask with curl. The lab asks everything first, so that each curl
    says what is expected and what came.
    """
    from hoplab.commands import ask, showing
    from hoplab.commands.reproduction import reproduction
    from hoplab.commands.session import Session
    from hoplab.report.progress import Progress
    from hoplab.system.ports import taken

    catalogue = load(current(), prefix_of(prefix))
    cell = find_cell(catalogue, showing.every_cell(catalogue), cell_id)
    with Progress() as progress:
        session = Session(catalogue, progress)
        results, signal = ask.matrix(session, [cell], showing.suite_of(catalogue, cell))
        if signal:
            raise signal
        folder = catalogue.workspace.reproductions / (f"{cell.id}.run" if run else cell.id)
        (result,) = results.cells
        made = reproduction(catalogue, result, folder, session.certificates(), free_ports=run)
        print(made.script())
        if run:
            progress.stage("running")
            try:
                print(f"\n{made.run()}")
            finally:
                shutil.rmtree(folder, ignore_errors=True)
        elif held := taken(made.ports):
            told = ", ".join(f"{port}{holder}" for port, holder in held.items())
            what = "Stop that first (what is up: `hoplab down`), or change the port in all lines."
            progress.notice(f"Taken now: port {told}. {what}")
