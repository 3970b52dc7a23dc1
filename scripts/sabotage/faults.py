"""The faults: what a person changed in a deployment's files, and what a user would notice."""

import tomllib
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from hoplab.errors import HoplabError

FOLDER = Path(__file__).parent / "faults"


@dataclass(frozen=True)
class Fault:
    """One way in which a deployment is broken.

    what: what a person did, and what a user notices. edits: each text of the file with the text to
    put in its place, wherever it stands. topologies: those of which the whole contract is asked.
    """

    name: str
    kind: str
    what: str
    file: str
    edits: tuple[tuple[str, str], ...]
    topologies: tuple[str, ...]

    def applied(self, text: str) -> str:
        """The file's text with the fault in it. Raises HoplabError if a text is not there."""
        for old, new in self.edits:
            if old not in text:
                message = f"{self.name}: {self.file} no longer has {old!r}; change the fault."
                raise HoplabError(message)
            text = text.replace(old, new)
        return text


def load(pattern: str = "*", folder: Path = FOLDER) -> list[Fault]:
    """The faults whose name, FILE/NAME, matches a pattern; `nginx/* caddy/mirror` are two."""
    found = []
    patterns = pattern.split()
    for file in sorted(folder.glob("*.toml")):
        for told in tomllib.loads(file.read_text(encoding="utf-8"))["fault"]:
            fault = Fault(
                name=f"{file.stem}/{told['name']}",
                kind=told["kind"],
                what=told["what"],
                file=told["file"],
                edits=tuple((old, new) for old, new in told["edits"]),
                topologies=tuple(told["topologies"]),
            )
            if any(fnmatchcase(fault.name, each) for each in patterns):
                found.append(fault)
    if not found:
        message = f"no fault is named {pattern}; they are in {folder}"
        raise HoplabError(message)
    return found
