"""Where the files are, and where state goes. No other module asks where it lies itself."""

from dataclasses import dataclass
from pathlib import Path

from hoplab.errors import HoplabError


@dataclass(frozen=True)
class Workspace:
    """A checkout: `root` has compose.yaml, app/, variations/ and the proxies' folders."""

    root: Path

    @property
    def variations(self) -> Path:
        """A folder for each suite."""
        return self.root / "variations"

    @property
    def certificates(self) -> Path:
        """The proxies' certificate and its authority."""
        return self.root / "certificates"

    @property
    def runs(self) -> Path:
        """A folder for each run that starts something."""
        return self.root / ".hoplab" / "runs"

    @property
    def up(self) -> Path:
        """A folder for what `up` has started; its name is that of the Compose project."""
        return self.root / ".hoplab" / "up"

    @property
    def reproductions(self) -> Path:
        """A folder for each cell that was made by hand."""
        return self.root / ".hoplab" / "repro"

    @property
    def lock(self) -> Path:
        """Held by the one `up` or `down` that is at work."""
        return self.root / ".hoplab" / "lock"


def checkout() -> Workspace:
    """The clone that this package was installed from.

    Raises HoplabError where the package lies alone.
    """
    root = Path(__file__).resolve().parents[2]
    if not (root / "compose.yaml").exists():
        message = f"No compose.yaml in {root}: hoplab runs in a clone of its repository."
        raise HoplabError(message)
    return Workspace(root)
