"""The command line: it wires, and decides nothing."""

import json
import os
import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import psutil
import typer

from hoplab import __version__, interrupts
from hoplab.catalogue import Catalogue, load
from hoplab.checks import CHECKS
from hoplab.engines import certificates
from hoplab.errors import HoplabError
from hoplab.lab import CERTIFICATES, Lab
from hoplab.report import text
from hoplab.report.progress import Progress
from hoplab.topology import Mode, Scheme, Topology

app = typer.Typer(
    name="hoplab",
    help="What happens to an ASGI application when a reverse proxy stands in front of it.",
    add_completion=False,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)


class EngineName(StrEnum):
    """What runs the topologies."""

    AUTO = "auto"
    DOCKER = "docker"
    PROCESS = "process"


class Format(StrEnum):
    """How results are written."""

    TABLE = "table"
    JSON = "json"


class BadUsage(HoplabError):
    """The call's words are off: exit 2."""


def _one_of(what: str, known: type[StrEnum]) -> dict[str, Any]:
    """Make an unknown value of an option one line that lists the known ones."""

    def parse(value: str) -> Any:
        return _known(what, [value], list(known))[0]

    return {"parser": parse, "metavar": "|".join(known)}


EngineOption = Annotated[
    EngineName,
    typer.Option(
        "--engine",
        help="auto: Docker if a daemon answers, else processes.",
        **_one_of("engine", EngineName),
    ),
]
FormatOption = Annotated[Format, typer.Option("--format", **_one_of("format", Format))]
ProxyOption = Annotated[list[str] | None, typer.Option("--proxy", help="Repeatable.")]
ServerOption = Annotated[list[str] | None, typer.Option("--server", help="Repeatable.")]
ModeOption = Annotated[list[str] | None, typer.Option("--mode", help="Repeatable.")]
SchemeOption = Annotated[list[str] | None, typer.Option("--scheme", help="Repeatable.")]
CheckOption = Annotated[list[str] | None, typer.Option("--check", help="Repeatable.")]
OutputOption = Annotated[Path | None, typer.Option("-o", "--output", help="Write to this file.")]


@app.command()
def up(
    mode: Annotated[str | None, typer.Argument(help="strip or preserve; both if left out.")] = None,
    engine: EngineOption = EngineName.AUTO,
) -> None:
    """Start topologies, verify them, and let them run until `hoplab down`."""
    catalogue = load()
    modes = _known("mode", [mode] if mode else None, list(Mode))
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
    names = _known("topology", topology, [t.name for t in catalogue.topologies])
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
    topologies = _choose(catalogue, proxy, server, mode)
    schemes = _known("scheme", scheme, list(Scheme))
    checks = {name: CHECKS[name] for name in _known("check", check, list(CHECKS))}
    cells = [c for c in catalogue.recommended_cells(topologies) if c.scheme in schemes]
    _require_writable(output)
    with Progress() as progress:
        results = Lab(catalogue, progress).verify(engine, cells, checks)
    if output_format is Format.JSON:
        _write(json.dumps(results.as_json(), indent=2), output)
    else:
        _write(text.results_table(results, plain=output is not None), output)
    raise typer.Exit(0 if results.passed else 1)


@app.command("certificates")
def make_certificates() -> None:
    """Make the proxies' certificate if there is none, and say where its authority is."""
    print(certificates.ensure(CERTIFICATES).authority)


@app.command()
def version() -> None:
    """Print the version."""
    print(f"hoplab {__version__}")


def _choose(
    catalogue: Catalogue,
    proxies: list[str] | None,
    servers: list[str] | None,
    modes: list[str] | None,
) -> list[Topology]:
    wanted = (
        _known("proxy", proxies, list(catalogue.proxies)),
        _known("server", servers, list(catalogue.servers)),
        _known("mode", modes, list(Mode)),
    )
    return [
        topology
        for topology in catalogue.topologies
        if all(
            value in values
            for value, values in zip(
                (topology.proxy, topology.server, topology.mode), wanted, strict=True
            )
        )
    ]


def _known(what: str, given: list[str] | None, known: list[Any]) -> list[Any]:
    """Those of `known` that were given; all, if none was."""
    for value in given or ():
        if value not in known:
            message = f"{what} {value!r} is unknown; known: {', '.join(known)}"
            raise BadUsage(message)
    return [value for value in known if not given or value in given]


def _require_writable(output: Path | None) -> None:
    """Before the run, not after it."""
    if output is None:
        return
    there = output if output.exists() else output.parent
    if output.is_dir() or not os.access(there, os.W_OK):
        message = f"can't write {output}: no such folder, no file, or no permission"
        raise BadUsage(message)


def _write(content: str, output: Path | None) -> None:
    if output is None:
        print(content)
        return
    try:
        output.write_text(content + "\n")
    except OSError as error:
        message = f"Can't write {output}: {error.strerror}"
        raise HoplabError(message) from error


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
