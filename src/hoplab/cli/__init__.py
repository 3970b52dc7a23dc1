"""The command line: it wires, and decides nothing."""

import difflib
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, NoReturn

import psutil
import typer

from hoplab import __version__
from hoplab.catalogue import ROOT, load
from hoplab.cli.options import (
    BadUsage,
    CheckOption,
    CorsCheckOption,
    CorsVariationOption,
    EngineName,
    EngineOption,
    Format,
    FormatOption,
    ModeOption,
    OutputOption,
    ProxyOption,
    SchemeOption,
    ServerOption,
    StrategyOption,
    TrustOption,
    VariationOption,
    find_cell,
    known,
    require_writable,
    select,
    write,
)
from hoplab.commands import recipes
from hoplab.commands.lab import CERTIFICATES, Lab
from hoplab.engines import certificates
from hoplab.errors import HoplabError
from hoplab.predictions import because
from hoplab.report import text
from hoplab.report.explain import cell_text, recipe_text, symptom_text, variation_text
from hoplab.report.matrix import matrix_summary, matrix_tables
from hoplab.report.progress import Progress
from hoplab.results import Results, Verdict
from hoplab.suites import SYMPTOMS
from hoplab.suites.contract.checks import CHECKS
from hoplab.suites.cors.checks import CORS_CHECKS
from hoplab.suites.cors.tables import cors_tables
from hoplab.system import interrupts
from hoplab.topology import Mode

app = typer.Typer(
    name="hoplab",
    help="What happens to an ASGI application when a reverse proxy stands in front of it.",
    add_completion=False,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)


@app.command()
def up(
    mode: Annotated[str | None, typer.Argument(help="strip or preserve; both if left out.")] = None,
    engine: EngineOption = EngineName.AUTO,
) -> None:
    """Start topologies, verify them, and let them run until `hoplab down`."""
    catalogue = load()
    modes = known("mode", [mode] if mode else None, list(Mode))
    chosen = [t for t in catalogue.topologies if t.mode in modes]
    with Progress() as progress:
        endpoints, results = Lab(catalogue, progress).up(engine, chosen)
    print(text.up_table(endpoints, results))
    print(f"\nhttps: trust {CERTIFICATES / 'ca.pem'}, or curl --cacert it. Stop: make down")
    raise typer.Exit(0 if results.passed else 1)


@app.command()
def down() -> None:
    """Stop what `up` started."""
    with Progress() as progress:
        lab = Lab(load(), progress)
        progress.stage("stopping")
        lab.down()


@app.command()
def ps(output_format: FormatOption = Format.TABLE) -> None:
    """List what `up` started: the topologies and where they answer."""
    with Progress() as progress:
        entries = Lab(load(), progress).ps()
    if output_format is Format.JSON:
        print(json.dumps(entries, indent=2))
    elif entries:
        print(text.ps_table(entries))
    else:
        print("Nothing is up. Start it with `make up-strip` or `make up-preserve`.")


@app.command()
def logs(
    topology: Annotated[list[str] | None, typer.Argument(help="All if left out.")] = None,
) -> None:
    """Show what the proxies and applications that are up have written."""
    catalogue = load()
    names = known("topology", topology, [t.name for t in catalogue.topologies])
    with Progress() as progress:
        print(Lab(catalogue, progress).logs(names))


@app.command()
def verify(
    engine: EngineOption = EngineName.AUTO,
    proxy: ProxyOption = None,
    server: ServerOption = None,
    mode: ModeOption = None,
    scheme: SchemeOption = None,
    check: CheckOption = None,
    output_format: FormatOption = Format.TABLE,
    output: OutputOption = None,
) -> None:
    """Ask the whole contract of the recommended topologies; exit 0 only if all pass.

    They are started for it, on free ports, and stopped.
    """
    catalogue = load()
    cells = select(
        catalogue,
        catalogue.recommended_cells(catalogue.topologies),
        proxy=proxy,
        server=server,
        mode=mode,
        scheme=scheme,
    )
    checks = {name: CHECKS[name] for name in known("check", check, list(CHECKS))}
    require_writable(output)
    with Progress() as progress:
        results = Lab(catalogue, progress).verify(engine, cells, checks)
    if output_format is Format.JSON:
        write(json.dumps(results.as_json(), indent=2), output)
    else:
        write(text.results_table(results, plain=output is not None), output)
    raise typer.Exit(0 if results.passed else 1)


@app.command("matrix")
def ask_matrix(
    proxy: ProxyOption = None,
    server: ServerOption = None,
    mode: ModeOption = None,
    strategy: StrategyOption = None,
    trust: TrustOption = None,
    scheme: SchemeOption = None,
    variation: VariationOption = None,
    check: CheckOption = None,
    output_format: FormatOption = Format.TABLE,
    output: OutputOption = None,
) -> None:
    """Ask every cell, right and wrong; exit 0 only if all is as predicted.

    As processes, on free ports. After Ctrl-C, the finished cells are still written to -o.
    """
    catalogue = load()
    cells = select(
        catalogue,
        catalogue.cells,
        proxy=proxy,
        server=server,
        mode=mode,
        strategy=strategy,
        trust=trust,
        scheme=scheme,
        variation=variation,
    )
    checks = {name: CHECKS[name] for name in known("check", check, list(CHECKS))}
    require_writable(output)
    with Progress() as progress:
        results, signal = Lab(catalogue, progress).matrix(cells, checks)
    _write_matrix(results, signal, matrix_tables, output_format, output)


@app.command("cors")
def ask_cors(
    proxy: ProxyOption = None,
    server: ServerOption = None,
    mode: ModeOption = None,
    scheme: SchemeOption = None,
    variation: CorsVariationOption = None,
    check: CorsCheckOption = None,
    output_format: FormatOption = Format.TABLE,
    output: OutputOption = None,
) -> None:
    """Ask the CORS variants who gets in where; exit 0 only if all is as predicted.

    As processes, on free ports.
    """
    catalogue = load()
    names = [name if name in catalogue.cors else f"cors-{name}" for name in variation or ()]
    known("variation", names, list(catalogue.cors))
    cells = select(
        catalogue,
        catalogue.cors_cells,
        proxy=proxy,
        server=server,
        mode=mode,
        scheme=scheme,
        variation=names,
    )
    checks = {name: CORS_CHECKS[name] for name in known("check", check, list(CORS_CHECKS))}
    require_writable(output)
    with Progress() as progress:
        results, signal = Lab(catalogue, progress).matrix(cells, checks)
    _write_matrix(results, signal, cors_tables, output_format, output)


def _write_matrix(
    results: Results,
    signal: interrupts.Interrupted | None,
    tables: Callable[..., str],
    output_format: Format,
    output: Path | None,
) -> NoReturn:
    """What is there is written, even if a signal came; but no half a table to a terminal."""
    if signal is None or output is not None:
        if output_format is Format.JSON:
            write(json.dumps(results.as_json(), indent=1), output)
        else:
            write(tables(results, plain=output is not None), output)
    if signal or output is not None or output_format is Format.JSON:
        print(matrix_summary(results), file=sys.stderr)
    if signal:
        raise signal
    raise typer.Exit(0 if results.as_predicted else 1)


@app.command()
def recipe(proxy: str, server: str, mode: str) -> None:
    """Print what to copy: the proxy's file, the server's command, the application's lines.

    It is started and asked the whole contract first.
    """
    catalogue = load()
    cells = select(
        catalogue,
        catalogue.recommended_cells(catalogue.all_topologies),
        proxy=[proxy],
        server=[server],
        mode=[mode],
    )
    with Progress() as progress:
        results, signal = Lab(catalogue, progress).matrix(cells)
    if signal:
        raise signal
    made = recipes.recipe(catalogue, cells[-1].deployment)
    files = {str(path): (ROOT / path).read_text() for path in (*made.proxy, *made.application)}
    print(recipe_text(made, files, results, cells[-1].id))
    raise typer.Exit(0 if results.as_predicted else 1)


@app.command()
def explain(what: Annotated[str, typer.Argument(metavar="SYMPTOM|CELL|VARIATION")]) -> None:
    """Tell what a symptom means; or follow a request through a cell, from hop to hop."""
    catalogue = load()
    if what in SYMPTOMS:
        print(symptom_text(SYMPTOMS[what], recipes.shown_by(catalogue, what)))
        return
    if what in catalogue.every_variation:
        variation = catalogue.every_variation[what]
        deployment = next(iter(variation.symptoms)).deployment
        print(variation_text(variation, recipes.changed_lines(catalogue, deployment)))
        return
    if "." not in what:
        names = [*SYMPTOMS, *catalogue.every_variation]
        near = difflib.get_close_matches(what, names, n=3, cutoff=0.4)
        told = f"near: {', '.join(near)}" if near else f"known: {', '.join(names)}"
        message = f"symptom {what!r} is unknown, and no cell or variation; {told}"
        raise BadUsage(message)
    cell = find_cell(catalogue, what)
    with Progress() as progress:
        lab = Lab(catalogue, progress)
        checks = CORS_CHECKS if cell.variation in catalogue.cors else CHECKS
        results, signal = lab.matrix([cell], checks)
        if signal:
            raise signal
        (result,) = results.cells
        shown = recipes.request_of(catalogue, cell, result.symptoms)
        traced = None if result.verdict is Verdict.ERROR else lab.trace(cell, shown)
    print(
        cell_text(
            result,
            traced,
            [SYMPTOMS[symptom] for symptom in result.symptoms],
            [] if cell.variation else because(cell),
            catalogue.every_variation.get(cell.variation),
            recipes.changed_lines(catalogue, cell.deployment),
            recipes.mend(catalogue, cell) if result.symptoms else [],
        )
    )
    raise typer.Exit(0 if results.as_predicted else 1)


@app.command()
def repro(
    cell_id: Annotated[str, typer.Argument(metavar="CELL")],
    run: Annotated[bool, typer.Option("--run", help="Run them, on free ports.")] = False,  # noqa: FBT002
) -> None:
    """Print, or run, the commands that reproduce a cell by hand: server, proxy, curl."""
    catalogue = load()
    cell = find_cell(catalogue, cell_id)
    with Progress() as progress:
        made = Lab(catalogue, progress).reproduction(cell, free_ports=run)
        print(made.script())
        if run:
            progress.stage("running")
            print(f"\n{made.run()}")


@app.command("certificates")
def make_certificates() -> None:
    """Make the proxies' certificate if there is none, and say where its authority is."""
    print(certificates.ensure(CERTIFICATES).authority)


@app.command()
def version() -> None:
    """Print the version."""
    print(f"hoplab {__version__}")


def main() -> None:
    """Entry point: one line for a person's mistake, and the exit codes of the documentation."""
    interrupts.install()
    try:
        code = app(prog_name="hoplab", standalone_mode=False)
    except BadUsage as error:
        sys.exit(_complain(error, 2))
    except HoplabError as error:
        sys.exit(_complain(error, 1))
    except interrupts.Interrupted:
        _complain("interrupted", 0)
        raise
    except BrokenPipeError:  # `hoplab logs | head` has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    except PermissionError as error:
        sys.exit(_complain(f"{error.filename}: {error.strerror}", 1))
    except psutil.AccessDenied as error:
        sys.exit(_complain(f"process {error.pid} is somebody else's: ask them to `make down`", 1))
    except Exception as error:
        if not hasattr(error, "format_message"):  # Click's, or Typer's own copy of it
            raise
        if not sys.argv[1:]:  # then it is the help
            print(error.format_message(), file=sys.stderr)
            sys.exit(2)
        context = getattr(error, "ctx", None)
        hint = f" See `{context.command_path} --help`." if context else ""
        sys.exit(_complain(error.format_message().rstrip(".") + "." + hint, 2))
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    sys.exit(code or 0)


def _complain(error: object, code: int) -> int:
    print(f"hoplab: {error}", file=sys.stderr)
    return code


if __name__ == "__main__":
    main()
