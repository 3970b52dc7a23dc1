"""Packs what the lab runs and a checkout has at its top: `hoplab/files` in the wheel.

An editable install reads these files where they are.
"""

from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

NAMES = ("app", "variations", "compose.yaml", ".env", ".dockerignore", ".gitignore")
"""And each proxy's folder. A test compares the wheel with `Workspace.files`."""


class WheelFiles(BuildHookInterface[Any]):
    """Called by hatchling, from pyproject.toml."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Say where in the wheel each file goes."""
        if version == "editable":
            return
        proxies = sorted(file.parent.name for file in Path(self.root).glob("*/proxy.toml"))
        for name in (*NAMES, *proxies):
            build_data["force_include"][name] = f"hoplab/files/{name}"
