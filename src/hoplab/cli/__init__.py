"""The command line: it wires, and decides nothing. A module for each group of commands."""

from hoplab.cli.main import app, main

__all__ = ["app", "main"]
