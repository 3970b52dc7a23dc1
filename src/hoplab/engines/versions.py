"""The versions of everything that takes part, for the results file."""

import json
import platform
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from hoplab.catalogue import Catalogue, Proxy
from hoplab.catalogue.servers import Server
from hoplab.errors import HoplabError
from hoplab.topology import Topology

PACKAGES = ("fastapi", "starlette", "uvicorn", "hypercorn", "h11", "websockets")
_NUMBER = re.compile(r"\d+\.\d+(?:\.\d+)?")


def local_versions(catalogue: Catalogue) -> dict[str, str]:
    """Those of this Python environment and of the proxies' binaries in it."""
    versions = {"python": platform.python_version()}
    packages = (*PACKAGES, "fastapi-cli")  # no container has that: it is in no compose service
    versions |= {package: version(package) for package in packages if _installed(package)}
    for proxy in catalogue.proxies.values():
        if number := _binary_version(proxy):
            versions[proxy.name] = number
    return versions


def require_package(server: Server) -> None:
    """Raise HoplabError if a server is not installed, or too old for what the lab says of it."""
    _require(server.name, _installed(server.package), server.minimum)


def require_binary(proxy: Proxy) -> None:
    """Raise HoplabError if a proxy's binary is missing, or too old for its configuration."""
    _require(proxy.name, _binary_version(proxy), proxy.minimum)


def _require(name: str, found: str | None, minimum: str) -> None:
    if found is None:
        message = f"{name} is missing. Run `make setup`, which installs it."
        raise HoplabError(message)
    if _numbers(found) < _numbers(minimum):
        message = f"{name} {found} is too old: {minimum} or later is needed. Run `make setup`."
        raise HoplabError(message)


def _numbers(text: str) -> list[int]:
    return [int(number) for number in re.findall(r"\d+", text)[:3]]


def _installed(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _binary_version(proxy: Proxy) -> str | None:
    name, *arguments = proxy.version
    return _version_told(str(Path(sys.executable).with_name(name)), *arguments)


@cache
def _version_told(*command: str) -> str | None:
    try:
        run = subprocess.run(command, capture_output=True, text=True, timeout=10, check=False)
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
        "import importlib.metadata as m, json, platform; print(json.dumps({'python': "
        f"platform.python_version(), **{{p: m.version(p) for p in {PACKAGES!r}}}}}))"
    )
    first = topologies[0]
    app = containers[f"{first.server}-{first.mode}"]["Id"]
    versions: dict[str, str] = json.loads(_exec(app, "python", "-c", script) or "{}")
    for topology in topologies:
        proxy = catalogue.proxies[topology.proxy]
        if proxy.name not in versions:
            command = [proxy.name, *proxy.version[1:]]
            if number := _NUMBER.search(_exec(containers[topology.name]["Id"], *command)):
                versions[proxy.name] = number[0]
    return versions


def _exec(container: str, *command: str) -> str:
    run = subprocess.run(
        ["docker", "exec", container, *command],
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )
    return run.stdout + run.stderr
