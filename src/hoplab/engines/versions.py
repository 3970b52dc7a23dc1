"""The versions of everything that takes part, for the results file."""

import platform
import re
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

from hoplab.catalogue import Catalogue

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
