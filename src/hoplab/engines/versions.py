"""The versions of everything that takes part, for the results file."""

import json
import platform
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from hoplab.catalogue import Catalogue
from hoplab.topology import Topology

PACKAGES = ("fastapi", "starlette", "uvicorn", "hypercorn", "h11", "websockets")
_NUMBER = re.compile(r"\d+\.\d+(?:\.\d+)?")


def local_versions(catalogue: Catalogue) -> dict[str, str]:
    """Those of this Python environment and of the proxies' binaries in it."""
    versions = {"python": platform.python_version()}
    versions |= {package: version(package) for package in PACKAGES}
    for proxy in catalogue.proxies.values():
        command = [str(Path(sys.executable).with_name(proxy.version[0])), *proxy.version[1:]]
        try:
            run = subprocess.run(command, capture_output=True, text=True, timeout=10, check=False)
        except (OSError, subprocess.TimeoutExpired):
            continue
        if number := _NUMBER.search(run.stdout + run.stderr):
            versions[proxy.name] = number[0]
    return versions


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
