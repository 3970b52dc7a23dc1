"""What to copy: the files and the command line of a deployment."""

import shlex
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from hoplab.catalogue import Catalogue
from hoplab.topology import Deployment

BIND = "127.0.0.1:8000"
PROXIES = "PROXY"
"""In a printed command: the address or network that the proxy comes from."""

_SHARED = {"shared", "instance"}


@dataclass(frozen=True)
class Recipe:
    """Files below the project's folder, and the line that starts the server.

    proxy: the proxy's configuration. application: the module that the server runs, first, and those
    which it needs of ours.
    """

    deployment: Deployment
    proxy: Sequence[Path]
    server: str
    application: Sequence[Path]


def recipe(catalogue: Catalogue, deployment: Deployment) -> Recipe:
    """How this deployment is made."""
    root = catalogue.workspace.root
    proxy = catalogue.proxies[deployment.topology.proxy]
    command = catalogue.server_command(deployment, BIND, PROXIES)
    return Recipe(
        deployment,
        [file.relative_to(root) for file in proxy.sources(deployment.topology.mode)],
        server_line(catalogue, deployment, BIND, PROXIES),
        _modules(root, command),
    )


def server_line(catalogue: Catalogue, deployment: Deployment, bind: str, proxies: str) -> str:
    """What a person types to start the application."""
    return shell_line(
        catalogue.server_command(deployment, bind, proxies),
        catalogue.server_environment(deployment, proxies),
    )


def shell_line(command: Sequence[str], environment: Mapping[str, str] | None = None) -> str:
    """A command line, quoted for the shell, with the variables that are set for it."""
    variables = [f"{k}={shlex.quote(v)}" for k, v in (environment or {}).items() if v]
    return " ".join([*variables, shlex.join(command)])


def script(root: Path, name: str) -> str:
    """A console script of this virtual environment, as called from the project's folder.

    The whole path if the environment is elsewhere: it need not be activated.
    """
    path = Path(sys.executable).with_name(name)
    return str(path.relative_to(root) if path.is_relative_to(root) else path)


def _modules(root: Path, command: Sequence[str]) -> list[Path]:
    """The application's module, and what it imports of ours but for the shared routes."""
    module = next(a.partition(":")[0] for a in command if a.startswith("app.") and ":" in a)
    files = [_file(module)]
    for file in files:  # grows meanwhile
        for line in (root / file).read_text(errors="replace").splitlines():
            if line.startswith("from app import "):
                needed = [f"app.{name.strip()}" for name in line.split(" import ")[1].split(",")]
            elif line.startswith("from app."):
                needed = [line.split()[1]]
            else:
                continue
            found = [_file(name) for name in needed]
            files += [f for f in found if f.stem not in _SHARED and f not in files]
    return files


def _file(module: str) -> Path:
    return Path(*module.split(".")).with_suffix(".py")
