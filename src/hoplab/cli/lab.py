"""`init`: a lab of one's own."""

import shlex
from pathlib import Path
from typing import Annotated

import typer

from hoplab.cli.options import BadUsage
from hoplab.commands import lab
from hoplab.workspace import own


def register(app: typer.Typer) -> None:
    """Add this command."""
    app.command()(init)


def init(folder: Annotated[Path, typer.Argument(metavar="DIR", help="New, or empty.")]) -> None:
    """Write the lab's files into a folder, to change them.

    The proxies' files, the applications, the variations and compose.yaml. Commands that run in that
    folder, or below it, use them.
    """
    wrong = None
    if folder.is_dir():
        wrong = "is not empty" if any(folder.iterdir()) else None
    elif folder.exists():
        wrong = "is a file"
    if wrong:
        message = f"{folder} {wrong}: name a new folder, or an empty one"
        raise BadUsage(message)
    lab.write(own(), folder)
    print(f"Wrote the lab's files into {folder}. hoplab uses them in there:")
    print(f"  cd {shlex.quote(str(folder))} && hoplab verify")
