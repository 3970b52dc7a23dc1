"""`verify`, a command for each suite; `show` and `report` of what they wrote."""

# ruff: noqa: PLC0415 - what a command needs is imported in it

import inspect
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from hoplab.catalogue import Catalogue, load
from hoplab.cli.options import (
    BadUsage,
    CheckOption,
    EngineName,
    EngineOption,
    Format,
    FormatOption,
    ModeOption,
    OutputOption,
    PrefixOption,
    ProxyOption,
    SchemeOption,
    ServerOption,
    StrategyOption,
    TrustOption,
    VariationOption,
    VariationsOption,
    known,
    narrowed,
    prefix_of,
    require_writable,
    select,
    status,
    write,
)
from hoplab.errors import HoplabError
from hoplab.prefix import DEFAULT_PREFIX
from hoplab.system.interrupts import Interrupted
from hoplab.workspace import current

if TYPE_CHECKING:
    from hoplab.commands.reporting import Run
    from hoplab.results import Results
    from hoplab.suites.suite import Suite


@dataclass(frozen=True)
class _Command:
    """What the command line says of a suite, as its SUITE does.

    Here once more, because every call of hoplab registers the commands, and to import the suites
    takes longer than all else. A test holds them together.
    """

    suite: str
    name: str
    about: str
    product: bool


SUITE_COMMANDS = (
    _Command(
        suite="contract",
        name="matrix",
        about="Ask every combination, right and wrong, the whole contract.",
        product=True,
    ),
    _Command(
        suite="cors",
        name="cors",
        about="Ask which origins may read what, for each CORS variant.",
        product=False,
    ),
)


def register(app: typer.Typer) -> None:
    """Add these commands."""
    app.command()(verify)
    for command in SUITE_COMMANDS:
        _register_suite(app, command)
    app.command()(show)
    app.command()(report)


def verify(
    engine: EngineOption = EngineName.AUTO,
    proxy: ProxyOption = None,
    server: ServerOption = None,
    mode: ModeOption = None,
    scheme: SchemeOption = None,
    check: CheckOption = None,
    prefix: PrefixOption = DEFAULT_PREFIX.encoded,
    output_format: FormatOption = Format.TABLE,
    output: OutputOption = None,
) -> None:
    """Ask the whole contract of every topology with its recipe.

    It starts the topologies of the main profiles on free ports, and stops them; with --proxy or
    --server, any of compose.yaml. Exit 0 only if all pass.
    """
    from hoplab.commands import ask
    from hoplab.commands.session import Session
    from hoplab.report import text
    from hoplab.report.progress import Progress

    catalogue = load(current(), prefix_of(prefix))
    cells = select(
        catalogue,
        catalogue.recommended_cells(narrowed(catalogue, proxy, server)),
        proxy=proxy,
        server=server,
        mode=mode,
        scheme=scheme,
    )
    every = ask.CONTRACT.checks
    checks = {name: every[name] for name in known("check", check, list(every))}
    require_writable(output, output_format)
    with Progress() as progress:
        results = ask.verify(Session(catalogue, progress), engine, cells, checks)
    table = text.results_table(results, plain=output is not None)
    write(_content(catalogue, "hoplab verify", results, table, output_format), output)
    raise typer.Exit(status(results, right=results.passed))


def _register_suite(app: typer.Typer, of: _Command) -> None:
    def command(
        proxy: ProxyOption = None,
        server: ServerOption = None,
        mode: ModeOption = None,
        strategy: StrategyOption = None,
        trust: TrustOption = None,
        scheme: SchemeOption = None,
        variation: VariationOption = None,
        variations: VariationsOption = False,  # noqa: FBT002
        check: CheckOption = None,
        prefix: PrefixOption = DEFAULT_PREFIX.encoded,
        output_format: FormatOption = Format.TABLE,
        output: OutputOption = None,
    ) -> None:
        from hoplab.commands import ask
        from hoplab.commands.session import Session
        from hoplab.commands.showing import cells_of
        from hoplab.report.progress import Progress
        from hoplab.suites import SUITES

        suite = SUITES[of.suite]
        catalogue = load(current(), prefix_of(prefix))
        cells = select(
            catalogue,
            cells_of(catalogue, suite),
            proxy=proxy,
            server=server,
            mode=mode,
            strategy=strategy,
            trust=trust,
            scheme=scheme,
            variation=_whole_names(catalogue, suite, variation),
        )
        checks = {name: suite.checks[name] for name in known("check", check, list(suite.checks))}
        require_writable(output, output_format)
        with Progress() as progress:
            results, signal = ask.matrix(Session(catalogue, progress), cells, suite, checks)
        table = suite.tables(
            results, catalogue.right, plain=output is not None, variations=variations
        )
        name = f"hoplab {of.name}"
        _write(catalogue, name, results, table, signal, output_format, output)

    command.__doc__ = (
        f"{of.about} Exit 0 only if all is as predicted.\n\n"
        "As processes, on free ports. After Ctrl-C, it still writes the finished cells to -o."
    )
    if not of.product:  # its tables are the variations'
        signature = inspect.signature(command)
        own = [p for p in signature.parameters.values() if p.name != "variations"]
        command.__signature__ = signature.replace(parameters=own)  # type: ignore[attr-defined]
    app.command(of.name)(command)


def show(
    file: Annotated[Path, typer.Argument(help="Of --format json, schema 1, 2 or 3.")],
    variations: VariationsOption = False,  # noqa: FBT002
) -> None:
    """Print the tables of a results file."""
    from hoplab import results_file
    from hoplab.commands import ask
    from hoplab.commands.showing import suite_of, symptoms_of
    from hoplab.report import text
    from hoplab.suites import SUITES
    from hoplab.suites.own import is_own
    from hoplab.suites.own import tables as own_tables

    try:
        results = results_file.load(file)
    except HoplabError as error:
        raise BadUsage(str(error)) from error
    if results.cells and all(is_own(result) for result in results.cells):
        catalogue = load(current(), results.cells[0].cell.prefix)
        print(own_tables.report(results, None, symptoms_of(catalogue)))
        return
    if results.cells and all(result.prediction is None for result in results.cells):
        print(text.results_table(results))
        return
    catalogue = load(current())
    of = {suite_of(catalogue, result.cell).name for result in results.cells}
    suite = SUITES[of.pop()] if len(of) == 1 else ask.CONTRACT
    print(suite.tables(results, catalogue.right, plain=False, variations=variations))


def report(
    files: Annotated[
        list[Path], typer.Argument(help="Of --format json, schema 1, 2 or 3.", metavar="RESULTS…")
    ],
    output: OutputOption = None,
) -> None:
    """Write results files as one HTML page that needs no network.

    The page has grids, evidence and fixes. Files about different cells are combined. If a cell is
    in several files, the page shows the last result, and what changed since the file before.
    """
    from hoplab.commands import reporting
    from hoplab.report.progress import Progress

    require_writable(output, Format.HTML)
    try:
        runs = [_run(file) for file in files]
        prefix = reporting.prefix_of(runs)
    except HoplabError as error:
        raise BadUsage(str(error)) from error
    catalogue = load(current(), prefix_of(prefix))
    with Progress() as progress:
        progress.stage("writing")
        page = reporting.page(catalogue, runs)
        write(page, output)
        if output is not None:
            size = len(page.encode()) / 1e6
            progress.notice(f"{output} ({size:.1f} MB): open it in a browser.")


def _run(file: Path) -> "Run":
    from hoplab import results_file
    from hoplab.commands import reporting

    content = results_file.read(file)
    return reporting.Run(file.name, results_file.load(content, str(file)), content)


def _whole_names(catalogue: Catalogue, suite: "Suite", given: list[str] | None) -> list[str] | None:
    """Variations by their names, which may lack the suite's at the beginning; `none` is none."""
    if given is None:
        return None
    own = [name for name, each in catalogue.variations.items() if each.suite == suite.name]
    names = [name if name in own else f"{suite.name}-{name}" for name in given]
    found = [new if new in own else old for new, old in zip(names, given, strict=True)]
    known("variation", found, [*(["none"] if suite.product else []), *own])
    return found


def _write(
    catalogue: Catalogue,
    name: str,
    results: "Results",
    table: str,
    signal: Interrupted | None,
    output_format: Format,
    output: Path | None,
) -> NoReturn:
    """What is there is written, even if a signal came; but no half a table to a terminal."""
    from hoplab.report.summary import summary_text

    nothing = output_format is Format.HTML and not results.cells  # a page needs a cell
    if not nothing and (signal is None or output is not None):
        write(_content(catalogue, name, results, table, output_format), output)
    if signal or output is not None or output_format is not Format.TABLE:
        print(summary_text(results), file=sys.stderr)
    if signal:
        raise signal
    raise typer.Exit(status(results, right=results.as_predicted))


def _content(
    catalogue: Catalogue, name: str, results: "Results", table: str, output_format: Format
) -> str:
    from hoplab import results_file
    from hoplab.commands import reporting
    from hoplab.commands.showing import fixes_of
    from hoplab.report import junit

    match output_format:
        case Format.JSON:
            return results_file.dump(results)
        case Format.JUNIT:
            return junit.of_results(name, results, fixes_of(catalogue))
        case Format.HTML:
            return reporting.page(catalogue, [reporting.Run(name, results)])
        case Format.TABLE:
            return table
