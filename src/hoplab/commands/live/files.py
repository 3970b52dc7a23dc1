"""The files that people edit while the lab runs: copies of them, and whom an edit concerns.

A topology runs from a copy. So what runs is never half of one edit and half of the next, and the
last good files are still there when an edit is refused.
"""

import re
import shutil
from collections.abc import Collection
from dataclasses import replace
from pathlib import Path

from hoplab.catalogue import Catalogue
from hoplab.commands.live.imports import imported
from hoplab.recipe import BIND, PROXIES
from hoplab.topology import Deployment
from hoplab.workspace import Workspace

APP = "app"

_CODE = ".py"
_STATIC = "static"
_OF_EDITORS = shutil.ignore_patterns(".#*", "*~", ".*.sw?")
"""What editors keep beside a file: Emacs a link to nowhere while it has unsaved changes."""

_FRAME = re.compile(r'\s*File "[^"]*", line \d+')


def folders(catalogue: Catalogue) -> list[Path]:
    """Those whose edits are applied: the application's, and each proxy's."""
    root = catalogue.workspace.root
    return [root / APP, *(proxy.folder for proxy in catalogue.proxies.values())]


def copied(catalogue: Catalogue, target: Path) -> Catalogue:
    """The same catalogue, with a copy of these folders below `target`, as they are now.

    Raises OSError if a file can't be read.
    """
    for folder in folders(catalogue):
        # With the compiled modules, which hold for the copy as well: it has the files' dates.
        shutil.copytree(
            folder,
            target / folder.name,
            dirs_exist_ok=True,
            ignore=_OF_EDITORS,
            ignore_dangling_symlinks=True,
        )
    return replace(
        catalogue,
        workspace=Workspace(target, catalogue.workspace.state or catalogue.workspace.root),
        proxies={
            name: replace(proxy, folder=target / proxy.folder.name)
            for name, proxy in catalogue.proxies.items()
        },
    )


def concerns(catalogue: Catalogue, deployment: Deployment, paths: Collection[Path]) -> bool:
    """Whether a change of these files changes what such a deployment does.

    It may say so of one that it does not, never the other way round.
    """
    app = catalogue.workspace.root / APP
    code = {path for path in paths if path.suffix == _CODE and path.is_relative_to(app)}
    others = [path for path in paths if path not in code]
    return any(_concerns(catalogue, deployment, path) for path in others) or (
        bool(code) and _imports(catalogue, deployment, code)
    )


def told(catalogue: Catalogue, copy: Path, message: str) -> str:
    """What was said of a copy, as a person knows it: with the original's names.

    Of a traceback, the lines of other people's modules are left out.
    """
    kept: list[str] = []
    others: int | None = None  # how deep the frame is indented that is left out
    for line in message.splitlines():
        depth = len(line) - len(line.lstrip())
        if _FRAME.match(line):
            others = None if str(copy) in line else depth
        elif others is not None and depth <= others:
            others = None
        cut = not line.strip(" ^~") and not any(map(_FRAME.match, kept))  # its frame is missing
        if others is None and not cut:
            kept.append(line)
    return "\n".join(kept).replace(str(copy), str(catalogue.workspace.root))


def _concerns(catalogue: Catalogue, deployment: Deployment, path: Path) -> bool:
    app = catalogue.workspace.root / APP
    if path.is_relative_to(app):
        below = path.relative_to(app).parts
        if not below:  # the folder itself: it was replaced
            return True
        return below[0] == _STATIC
    variation = catalogue.variation(deployment)
    outer = variation.outer if variation else None
    for name in {deployment.topology.proxy, outer} - {None}:
        proxy = catalogue.proxies[str(name)]
        if not path.is_relative_to(proxy.folder):
            continue
        sources = {mode: set(proxy.sources(mode)) for mode in type(deployment.topology.mode)}
        # One that is no source by itself may be read by one that is.
        known = set[Path]().union(*sources.values())
        mine = known if name == outer else sources[deployment.topology.mode]
        if path in mine or (path not in known and path.name not in DESCRIPTIONS):
            return True
    return False


def _imports(catalogue: Catalogue, deployment: Deployment, code: Collection[Path]) -> bool:
    """Whether its application imports one of them, or may have: one may be gone."""
    command = catalogue.server_command(deployment, BIND, PROXIES)
    variables = catalogue.server_environment(deployment, PROXIES)
    found = imported(catalogue.workspace.root / APP, [*command, *variables.values()])
    return found is None or any(path in found or not path.exists() for path in code)


DESCRIPTIONS = ("proxy.toml", "symptoms.toml")
"""Of a proxy's folder: what hoplab knows of the proxy, read when the lab starts."""
