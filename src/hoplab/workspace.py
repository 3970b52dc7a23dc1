"""Where the files are, and where state goes. No other module asks where it lies itself."""

import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from platformdirs import user_state_path

from hoplab.errors import HoplabError

MARKER = "hoplab-lab.toml"
"""In the folder that `hoplab init` wrote: commands that run there, or below, use its files."""

_FILES = ("app", "variations", "compose.yaml", ".env", ".dockerignore", ".gitignore")
"""Besides the proxies' folders."""

_SKIPPED = "__pycache__"


@dataclass(frozen=True)
class Workspace:
    """A lab: `root` has compose.yaml, app/, variations/ and the proxies' folders.

    state: where certificates and runs go, if not into `root`.
    """

    root: Path
    state: Path | None = None

    @property
    def variations(self) -> Path:
        """A folder for each suite."""
        return self.root / "variations"

    @property
    def certificates(self) -> Path:
        """The proxies' certificate and its authority; in `root` where compose.yaml has it."""
        return (self.state or self.root) / "certificates"

    @property
    def runs(self) -> Path:
        """A folder for each run that starts something."""
        return self._state / "runs"

    @property
    def up(self) -> Path:
        """A folder for what `up` has started; its name is that of the Compose project."""
        return self._state / "up"

    @property
    def reproductions(self) -> Path:
        """A folder for each cell that was made by hand."""
        return self._state / "repro"

    @property
    def demo(self) -> Path:
        """Where the demo that runs is, and the token that it wants."""
        return self._state / "demo.json"

    @property
    def lock(self) -> Path:
        """Held by the one `up` or `down` that is at work."""
        return self._state / "lock"

    @property
    def _state(self) -> Path:
        return self.state or self.root / ".hoplab"

    def files(self) -> Iterator[Path]:
        """The lab's own files, from `root`: what a copy of it needs, and what the wheel packs."""
        proxies = (file.parent.name for file in self.root.glob("*/proxy.toml"))
        for name in sorted((*_FILES, *proxies)):
            path = self.root / name
            for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
                if file.is_file() and _SKIPPED not in file.parts:
                    yield file.relative_to(self.root)


def current() -> Workspace:
    """What a command works with.

    That of `hoplab init` in which the working directory is; else what came with this package.
    """
    try:
        here = Path.cwd()
    except FileNotFoundError:  # it was removed, and so is in no lab
        return own()
    for folder in (here, *here.parents):
        if (folder / MARKER).is_file():
            return Workspace(folder)
    return own()


def own() -> Workspace:
    """What came with this package: in the wheel, or else the clone that it was installed from.

    Raises HoplabError where the package lies alone.
    """
    brought = _package() / "files"
    if brought.is_dir():
        # A folder for each environment, as each clone has one: `down` stops what this one started.
        return Workspace(brought, user_state_path("hoplab") / f"{zlib.crc32(bytes(brought)):08x}")
    return checkout()


def checkout() -> Workspace:
    """The clone that this package was installed from.

    Raises HoplabError where the package lies alone.
    """
    root = _package().parents[1]
    if not (root / "compose.yaml").exists():
        message = f"No compose.yaml in {root}: install hoplab from its wheel or from a clone."
        raise HoplabError(message)
    return Workspace(root)


def _package() -> Path:
    return Path(__file__).resolve().parent
