"""A person's own server command, in the place of the lab's: `--command`."""

import shlex
from dataclasses import replace
from pathlib import Path

from hoplab.catalogue import Catalogue
from hoplab.catalogue.servers.server import Address, ForwardedHeaders, Launch, RootPath, Server

NAME = "own"
"""Of the server, and so in the topologies' names."""

MODULE = "hoplab_application"
"""What the command serves in the place of the application: no module of anybody's has this name."""

_FIELDS = {"{host}": "@host@", "{port}": "@port@", "{prefix}": "@prefix@"}


class BadCommand(ValueError):
    """The command can't be used; the argument says why."""


def with_own_server(catalogue: Catalogue, command: str, application: str) -> Catalogue:
    """The catalogue with this command as a server more; raises BadCommand if it can't be one."""
    return replace(catalogue, servers={**catalogue.servers, NAME: _server(command, application)})


def _server(command: str, application: str) -> Server:
    try:
        words = shlex.split(command)
    except ValueError as error:
        raise BadCommand(str(error)) from error
    if not any("{port}" in word for word in words):
        message = "it has to listen at {host} and {port}, which the lab fills in"
        raise BadCommand(message)
    if application not in words:
        message = f"it has to name {application}, as a word of its own"
        raise BadCommand(message)
    served = [f"{MODULE}:app" if word == application else word for word in words]
    for field, placeholder in _FIELDS.items():
        served = [word.replace(field, placeholder) for word in served]
    return Server(
        name=NAME,
        package="",
        minimum="",
        command=served,
        trusts={},
        root_path_option=[],
        environment={},
        # What it does is for the questions to find out: nothing is predicted.
        root_path=RootPath.PREPENDED,
        forwarded_headers=ForwardedHeaders.BUILT_IN,
        sees=Address.CLIENT,
        launch=Launch.EXEC,
    )


def write_module(folder: Path, root: Path) -> None:
    """The module that the command serves: it finds the lab's wrapper below `root`.

    And another one, with ForwardedPrefixMiddleware around it.
    """
    text = f"import sys\n\nsys.path.insert(0, {str(root)!r})\nfrom app.own import app\n"
    (folder / f"{MODULE}.py").write_text(text)
    prefixed = text.replace("app.own", "app.forwarded_prefix")
    (folder / f"{MODULE}_prefixed.py").write_text(prefixed)
