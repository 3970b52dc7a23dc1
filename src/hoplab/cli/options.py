"""The options that commands share, and what to do with their values."""

import difflib
import os
import sys
from collections.abc import Iterable, Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hoplab.catalogue import Catalogue
from hoplab.errors import HoplabError
from hoplab.prefix import Prefix, parse
from hoplab.topology import Cell, Mode, Scheme, Strategy, Topology, Trust

if TYPE_CHECKING:
    from hoplab.results import Results


class EngineName(StrEnum):
    """What runs the topologies."""

    AUTO = "auto"
    DOCKER = "docker"
    PROCESS = "process"


class Format(StrEnum):
    """How results are written."""

    TABLE = "table"
    JSON = "json"
    JUNIT = "junit"
    HTML = "html"


class CheckFormat(StrEnum):
    """How what `check` found is written: it has lines of a program, as SARIF wants them."""

    TABLE = "table"
    JSON = "json"
    JUNIT = "junit"
    SARIF = "sarif"
    HTML = "html"


class ListFormat(StrEnum):
    """How a list is written."""

    TABLE = "table"
    JSON = "json"


class BadUsage(HoplabError):
    """The call's words are off: exit 2."""


FINDINGS, OWN_ERROR = 1, 3
"""Exit statuses: something asked is wrong; hoplab, or what it starts, failed by itself."""


def status(results: "Results", *, right: bool) -> int:
    """The exit status: 0 if all is right; an error says nothing of what else was found.

    Nor does it tell anything if nothing was judged.
    """
    from hoplab.results import Verdict  # noqa: PLC0415 - imports the HTTP client

    verdicts = {cell.verdict for cell in results.cells}
    if Verdict.ERROR in verdicts or not verdicts & {Verdict.PASS, Verdict.FAIL}:
        return OWN_ERROR
    return 0 if right else FINDINGS


def _one_of(what: str, values: type[StrEnum]) -> dict[str, Any]:
    """Make an unknown value of an option one line that lists the known ones."""

    def parse(value: str) -> Any:
        return known(what, [value], list(values))[0]

    return {"parser": parse, "metavar": "|".join(values)}


def _filter(name: str, values: Iterable[str] = ()) -> Any:
    told = f"{', '.join(values)}. " if values else ""
    return typer.Option(f"--{name}", help=f"{told}Repeatable.", metavar=name.upper())


EngineOption = Annotated[
    EngineName,
    typer.Option(
        "--engine",
        help="auto: Docker if a daemon answers, else processes.",
        **_one_of("engine", EngineName),
    ),
]
FormatOption = Annotated[Format, typer.Option("--format", **_one_of("format", Format))]
CheckFormatOption = Annotated[
    CheckFormat, typer.Option("--format", **_one_of("format", CheckFormat))
]
ListFormatOption = Annotated[ListFormat, typer.Option("--format", **_one_of("format", ListFormat))]
ProxyOption = Annotated[list[str] | None, _filter("proxy")]
ServerOption = Annotated[list[str] | None, _filter("server")]
ModeOption = Annotated[list[str] | None, _filter("mode", Mode)]
StrategyOption = Annotated[list[str] | None, _filter("strategy", Strategy)]
TrustOption = Annotated[list[str] | None, _filter("trust", Trust)]
SchemeOption = Annotated[list[str] | None, _filter("scheme", Scheme)]
VariationOption = Annotated[list[str] | None, _filter("variation", ["a name", "or none"])]
CheckOption = Annotated[list[str] | None, _filter("check", ["see `hoplab list checks`"])]
PrefixOption = Annotated[
    str,
    typer.Option("--prefix", help="The public prefix, as in a URL; / for none.", metavar="/PATH"),
]
VariationsOption = Annotated[
    bool, typer.Option("--variations", help="Show the variations' cells as well.")
]
OutputOption = Annotated[Path | None, typer.Option("-o", "--output", help="Write to this file.")]


def known(what: str, given: Sequence[str] | None, values: Sequence[Any]) -> list[Any]:
    """Those of `values` that were given; all, if none was. Raises BadUsage for an unknown one."""
    for value in given or ():
        if value not in values:
            message = f"{what} {value!r} is unknown; known: {', '.join(values)}"
            raise BadUsage(message)
    return [value for value in values if not given or value in given]


def prefix_of(given: str) -> Prefix:
    """The prefix that was given. Raises BadUsage if it is none."""
    try:
        return parse(given)
    except ValueError as error:
        raise BadUsage(f"--prefix {given}: {error}") from error


def narrowed(
    catalogue: Catalogue, proxy: Sequence[str] | None, server: Sequence[str] | None
) -> list[Topology]:
    """Those of compose.yaml's main profiles; with a proxy or server, all of it that has these."""
    proxies = known("proxy", proxy, list(catalogue.proxies))
    servers = known("server", server, list(catalogue.servers))
    if not proxy and not server:
        return catalogue.topologies
    found = [t for t in catalogue.composed if t.proxy in proxies and t.server in servers]
    if not found:
        has = {name for t in catalogue.composed for name in (t.proxy, t.server)}
        lacks = [name for name in (*(proxy or ()), *(server or ())) if name not in has]
        message = f"compose.yaml does not have {', '.join(lacks)}; use `hoplab matrix`"
        raise BadUsage(message)
    return found


def select(
    catalogue: Catalogue,
    cells: Sequence[Cell],
    *,
    proxy: Sequence[str] | None = None,
    server: Sequence[str] | None = None,
    mode: Sequence[str] | None = None,
    strategy: Sequence[str] | None = None,
    trust: Sequence[str] | None = None,
    scheme: Sequence[str] | None = None,
    variation: Sequence[str] | None = None,
) -> list[Cell]:
    """The cells with these values. Raises BadUsage, with what is near, if there is none."""
    wanted = {
        "proxy": known("proxy", proxy, list(catalogue.proxies)),
        "server": known("server", server, list(catalogue.servers)),
        "mode": known("mode", mode, list(Mode)),
        "strategy": known("strategy", strategy, list(Strategy)),
        "trust": known("trust", trust, list(Trust)),
        "scheme": known("scheme", scheme, list(Scheme)),
        "variation": known("variation", variation, ["none", *catalogue.variations]),
    }

    def missed(cell: Cell) -> list[str]:
        has = {
            "proxy": cell.topology.proxy,
            "server": cell.topology.server,
            "mode": cell.topology.mode,
            "strategy": cell.strategy,
            "trust": cell.trust,
            "scheme": cell.scheme,
            "variation": cell.variation or "none",
        }
        return [what for what, value in has.items() if value not in wanted[what]]

    chosen = [cell for cell in cells if not missed(cell)]
    if not cells:
        message = "there is nothing to ask without a prefix: choose one with --prefix"
        raise BadUsage(message)
    if not chosen:
        near = sorted(cells, key=lambda cell: len(missed(cell)))[:3]
        message = f"no cell has all of that; near: {', '.join(cell.id for cell in near)}"
        raise BadUsage(message)
    return chosen


def find_cell(catalogue: Catalogue, every: Sequence[Cell], given: str) -> Cell:
    """The cell of this id. Raises BadUsage with ids like it."""
    cells = {cell.id: cell for cell in every}
    if given in cells:
        return cells[given]
    if given in catalogue.variations:
        of = [cell.id for cell in catalogue.variations[given].symptoms]
        message = f"{given} is a variation; its cells: {', '.join(of[:3])}, …"
        raise BadUsage(message)
    if has := [cell for cell in every if cell.topology.name == given]:
        recipe = ", ".join(cell.id for cell in has if catalogue.is_recommended(cell))
        message = f"{given} is a topology; its recipe's cells: {recipe} (all: `hoplab list cells`)"
        raise BadUsage(message)
    near = difflib.get_close_matches(given, cells, n=3, cutoff=0.5) or list(cells)[:3]
    message = f"cell {given!r} is unknown; near: {', '.join(near)}"
    raise BadUsage(message)


def require_writable(output: Path | None, output_format: StrEnum = Format.TABLE) -> None:
    """Before the run, not after it."""
    if output is None:
        if output_format.value == Format.HTML and sys.stdout.isatty():
            message = "a page is for a browser, not for a terminal: add -o FILE.html"
            raise BadUsage(message)
        return
    wrong = None
    if output.is_dir():
        wrong = "it is a folder"
    elif not output.parent.is_dir():
        wrong = f"there is no folder {output.parent}"
    elif not os.access(output if output.exists() else output.parent, os.W_OK):
        wrong = "permission denied"
    if wrong:
        message = f"-o {output}: {wrong}"
        raise BadUsage(message)


def write(content: str, output: Path | None) -> None:
    """To the file, or to standard output."""
    if output is None:
        print(content)
        return
    try:
        output.write_text(content + "\n", encoding="utf-8")
    except OSError as error:
        message = f"-o {output}: {error.strerror}"
        raise HoplabError(message) from error
