"""The program: its commands, and how it ends."""

import errno
import os
import sys
from functools import cache
from typing import Annotated, Any

import psutil
import typer

from hoplab import __version__
from hoplab.cli import ask, check, doctor, lab, learn, live, reside
from hoplab.cli.options import OWN_ERROR, BadUsage
from hoplab.errors import BadPrefix, HoplabError
from hoplab.system import interrupts

app = typer.Typer(
    name="hoplab",
    help="What happens to an ASGI application when a reverse proxy stands in front of it.",
    add_completion=False,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
reside.register(app)
live.register(app)
ask.register(app)
check.register(app)
doctor.register(app)
learn.register(app)
lab.register(app)


def _print_version(wanted: bool | None) -> None:  # noqa: FBT001 - as Typer calls it
    if wanted:
        print(f"hoplab {__version__}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool | None,
        typer.Option("--version", help="Print it.", callback=_print_version, is_eager=True),
    ] = None,
) -> None:
    """What happens to an ASGI application when a reverse proxy stands in front of it."""


@app.command()
def version() -> None:
    """Print the version."""
    _print_version(True)  # noqa: FBT003


@cache
def _command() -> Any:
    """Made of all functions and their options: once, however often `main` runs in a process."""
    return typer.main.get_command(app)


def main() -> None:
    """Entry point: one line for a person's mistake, and the exit codes of the documentation."""
    interrupts.install()
    code = 0
    try:
        code = _command()(prog_name="hoplab", standalone_mode=False) or 0
        sys.stdout.flush()
    except (BadUsage, BadPrefix) as error:
        sys.exit(_complain(error, 2))
    except HoplabError as error:
        sys.exit(_complain(error, OWN_ERROR))
    except interrupts.Interrupted:
        _complain("interrupted", 0)
        raise
    except BrokenPipeError:  # `hoplab logs | head` has seen enough
        _drop_output()
    except OSError as error:  # a folder that can't be written, a full disk
        if error.filename is not None:
            sys.exit(_complain(f"{error.filename}: {error.strerror}", OWN_ERROR))
        if error.errno != errno.ENOSPC:
            raise
        _drop_output()
        sys.exit(_complain(error.strerror, OWN_ERROR))
    except psutil.AccessDenied as error:
        message = f"process {error.pid} is somebody else's: ask them to `hoplab down`"
        sys.exit(_complain(message, OWN_ERROR))
    except Exception as error:
        if not hasattr(error, "format_message"):  # Click's, or Typer's own copy of it
            raise
        if not sys.argv[1:]:  # then it is the help
            print(error.format_message(), file=sys.stderr)
            sys.exit(2)
        context = getattr(error, "ctx", None)
        hint = f" See `{context.command_path} --help`." if context else ""
        sys.exit(_complain(error.format_message().rstrip(".") + "." + hint, 2))
    sys.exit(code)


def _drop_output() -> None:
    """What was printed and not yet written would be an error once more, at the very end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _complain(error: object, code: int) -> int:
    print(f"hoplab: {error}", file=sys.stderr)
    return code
