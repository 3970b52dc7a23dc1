"""What was judged in runs that did not come to their end: those faults are not asked again."""

import hashlib
import json
import threading
from collections.abc import Iterable
from dataclasses import astuple
from pathlib import Path

from scripts.sabotage.faults import Fault
from scripts.sabotage.judging import Judgement, Outcome


def of_lab(folders: Iterable[Path]) -> str:
    """A word for what a lab's files say; another one after any change of them."""
    told = hashlib.sha256()
    for folder in folders:
        for file in sorted(path for path in folder.rglob("*") if "__pycache__" not in path.parts):
            if file.is_file():
                told.update(f"{file.relative_to(folder)}\0".encode() + file.read_bytes())
    return told.hexdigest()


class Judged:
    """A file with a line for each judgement. Those of another lab, or fault, do not count."""

    def __init__(self, file: Path | None, lab: str) -> None:
        """Without a file, nothing is kept."""
        self._file = file
        self._lab = lab
        self._lock = threading.Lock()
        self._found = {}
        lines = file.read_text(encoding="utf-8").splitlines() if file and file.exists() else []
        for line in lines:
            told = json.loads(line)
            self._found[told["of"]] = told

    def get(self, fault: Fault) -> Judgement | None:
        """What came of it, if that is known."""
        told = self._found.get(self._key(fault))
        return Judgement(fault, Outcome(told["outcome"]), tuple(told["by"])) if told else None

    def add(self, judgement: Judgement) -> None:
        """Keep it; one that did not start may be the machine's fault, and is asked again."""
        if not self._file or judgement.outcome is Outcome.NOT_STARTED:
            return
        told = {"of": self._key(judgement.fault), "name": judgement.fault.name}
        line = json.dumps({**told, "outcome": judgement.outcome, "by": judgement.by})
        with self._lock, self._file.open("a", encoding="utf-8") as file:
            file.write(f"{line}\n")

    def forget(self) -> None:
        """The run came to its end: the next one asks all of it."""
        if self._file:
            self._file.unlink(missing_ok=True)

    def _key(self, fault: Fault) -> str:
        return hashlib.sha256(repr((self._lab, astuple(fault))).encode()).hexdigest()
