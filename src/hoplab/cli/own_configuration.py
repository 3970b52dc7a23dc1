"""`check --proxy-config`: what is read from the command line for it."""

# ruff: noqa: PLC0415 - what a command needs is imported in it

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hoplab.catalogue import Catalogue
from hoplab.catalogue.proxies import Proxy
from hoplab.cli.options import BadUsage
from hoplab.topology import Cell

if TYPE_CHECKING:
    from hoplab.catalogue.configurations import Configuration
    from hoplab.commands.check import Checked
    from hoplab.commands.own_configuration import Wanted
    from hoplab.commands.session import Session

ProxyConfigOption = Annotated[
    Path | None,
    typer.Option(
        "--proxy-config", help="Your proxy's own file, in place of the lab's.", metavar="FILE"
    ),
]


def read_configuration(
    catalogue: Catalogue, path: Path, proxy: Sequence[str] | None
) -> "tuple[Proxy, Configuration]":
    """A person's file and whose it is. Raises BadUsage if it can't be taken."""
    from hoplab.catalogue.configurations import BadConfiguration, recognised, text_of, understand

    if len(proxy or ()) > 1:
        message = "--proxy-config is the file of one proxy: name it once with --proxy"
        raise BadUsage(message)
    if not path.is_file():
        message = f"--proxy-config {path}: there is no such file"
        raise BadUsage(message)
    able = {name: each for name, each in catalogue.proxies.items() if each.own}
    if proxy and proxy[0] in catalogue.proxies and proxy[0] not in able:
        message = f"hoplab can't run a file of {proxy[0]}, only of {' or '.join(able)}"
        raise BadUsage(f"--proxy-config {path}: {message}")
    try:
        text = text_of(path)
        found = recognised(able, text)
        named = able.get(proxy[0]) if proxy else None
        if named and found and named not in found:
            others = " or ".join(each.name for each in found)
            message = f"it looks like a file of {others}, and --proxy {named.name} was given"
            raise BadUsage(f"--proxy-config {path}: {message}")
        if not named and len(found) != 1:
            message = f"it does not say which proxy it is for: add --proxy ({', '.join(able)})"
            raise BadUsage(f"--proxy-config {path}: {message}")
        chosen = named or found[0]
        return chosen, understand(chosen, path, text)
    except BadConfiguration as error:
        raise BadUsage(f"--proxy-config {path}: {error}") from error


def prefix_in(configuration: "Configuration") -> str:
    """The one that the file has. Raises BadUsage if it has none, or several."""
    prefixes = configuration.prefixes
    if len(prefixes) == 1:
        return prefixes[0]
    name = configuration.source.path.name
    told = (
        f"it has {', '.join(prefixes)}"
        if prefixes
        else "it has no path in front of the application"
    )
    message = f"{name}: which prefix is your application's? {told}: add --prefix /PATH"
    raise BadUsage(message)


def check_theirs(
    session: "Session", wanted: "Wanted", cells: Sequence[Cell], *, try_changes: bool
) -> "Checked":
    """Ask behind their file.

    Raises BadUsage if nothing of the application can be asked behind it, with these options.
    """
    from hoplab.catalogue.configurations import BadConfiguration
    from hoplab.commands.own_configuration import check_configuration

    configuration = wanted.configuration
    able = [cell for cell in cells if cell.scheme in configuration.schemes]
    if not able:
        message = f"{configuration.source.path.name} has no {cells[0].scheme}: leave out --scheme"
        raise BadUsage(message)
    modes = list(dict.fromkeys(cell.topology.mode for cell in able))
    try:
        return check_configuration(session, wanted, able, modes, try_changes=try_changes)
    except BadConfiguration as error:
        raise BadUsage(str(error)) from error
