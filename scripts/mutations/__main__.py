"""Break the lab's code, one expression at a time, and print what the unit tests do not notice.

    python -m scripts.mutations [MODULE …] [--resume FILE] [-o docs/mutations.md]

A module is named as `client.wire` or `app.shared`, a package as `suites.cors`; without any, it is
all that decides verdicts. mutmut has to be importable: `make sabotage-code` installs it.

With --resume, what was noticed is kept in a file and not tried again, until that module changes. So
the next run tries what had not been noticed, and what an interrupted run had not come to.
"""

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

from hoplab.errors import HoplabError
from hoplab.report.progress import Progress
from hoplab.system import interrupts
from hoplab.workspace import checkout
from scripts.mutations import ASKED, ENDLESS, NOTICED, TOLD, equivalent, mutated, report
from scripts.mutations.mutated import Module
from scripts.sabotage.report import publish

_NOTICED = {NOTICED, ENDLESS}
_POLL = 0.5


class Kept:
    """Which mutations were noticed in earlier runs: a line each."""

    def __init__(self, file: Path | None) -> None:
        """Without a file, nothing is kept."""
        self._file = file
        lines = file.read_text(encoding="utf-8").splitlines() if file and file.exists() else []
        self.noticed = set(lines)

    def add(self, digest: str, names: Sequence[str]) -> None:
        """Keep these, of a module with that source."""
        new = [line for name in names if (line := f"{digest} {name}") not in self.noticed]
        if self._file and new:
            with self._file.open("a", encoding="utf-8") as file:
                file.write("".join(f"{line}\n" for line in new))


def main() -> int:
    """The command line. Exit 0 whatever was noticed: that is the result, and no failure."""
    parser = argparse.ArgumentParser(prog="python -m scripts.mutations", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("modules", nargs="*", default=mutated.VERDICTS, metavar="MODULE")
    parser.add_argument("--resume", type=Path, metavar="FILE", help="keep what was noticed")
    parser.add_argument("-o", "--output", type=Path, help="write the tables here, after the mark")
    given = parser.parse_args()
    interrupts.install()
    try:
        if find_spec("mutmut") is None:
            message = "mutmut is not installed: `make sabotage-code` does it"
            raise HoplabError(message)
        modules = mutated.find(given.modules, checkout().root)
        with (
            tempfile.TemporaryDirectory(prefix="hoplab-mutations-") as name,
            Progress() as progress,
        ):
            counted = _counted(modules, Path(name), Kept(given.resume), progress)
    except HoplabError as error:
        print(f"mutations: {error}", file=sys.stderr)
        return 1
    told = report.tables(counted)
    if given.output:
        publish(told, given.output, report.MARK)
    print(told)
    return 0


def _counted(
    modules: Sequence[Module], folder: Path, kept: Kept, progress: Progress
) -> dict[str, report.Counted]:
    """Of each module what was noticed. Raises HoplabError if the tests can't be run."""
    root, copy = checkout().root, folder / "copy"
    mutated.copy(root, copy)
    progress.stage("Mutating")
    names: dict[Module, list[str]] = {}
    for module in modules:
        interrupts.check()
        progress.line(module.short)
        if found := mutated.mutate(copy, module):
            names[module] = found
    digests = {module: mutated.digest(root, module) for module in names}
    asked = [
        name
        for module, found in names.items()
        for name in (_control(found), *found)
        if f"{digests[module]} {name}" not in kept.noticed
    ]
    try:
        _try(asked, copy, folder, progress)
    finally:
        outcomes = _told(folder)
        for module, found in names.items():
            noticed = [name for name in found if outcomes.get(name) in _NOTICED]
            kept.add(digests[module], noticed)
    for found in names.values():
        if outcomes[_control(found)] in _NOTICED:
            message = f"a test fails, although nothing is changed: {_control(found)}"
            raise HoplabError(message)
    alive = {name for name, outcome in outcomes.items() if outcome not in _NOTICED}
    return {
        module.short: _count(copy / module.path, module, found, alive)
        for module, found in names.items()
    }


def _control(names: Sequence[str]) -> str:
    """A mutation of this function that changes nothing: it has to survive."""
    return f"{names[0].rpartition('__mutmut_')[0]}__mutmut_0"


def _try(asked: Sequence[str], copy: Path, folder: Path, progress: Progress) -> None:
    """Run the unit tests of the copy. Raises HoplabError if pytest can't, with what it said."""
    (folder / ASKED).write_text(json.dumps(asked))
    mutmut = Path(str(import_module("mutmut").__file__)).parent
    command = [sys.executable, "-m", "pytest", "-p", "scripts.mutations.forks", "tests/unit"]
    # A server in a test's thread may see its client go, which is no failure.
    command += ["-q", "-p", "no:cacheprovider"]
    command += ["-W", "ignore::pytest.PytestUnhandledThreadExceptionWarning"]
    log = folder / "log"
    progress.stage("Trying")
    with log.open("w") as output:
        process = subprocess.Popen(
            command,
            cwd=copy,
            env={
                **os.environ,
                "PYTHONPATH": os.pathsep.join([str(copy / "src"), str(copy)]),
                "MUTMUT": str(mutmut.parent),
                "HOPLAB_MUTATIONS": str(folder),
            },
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # Ctrl-C is for this program, which then ends it
        )
        try:
            while process.poll() is None:
                interrupts.check()
                progress.count(len(_lines(folder)), len(asked))
                time.sleep(_POLL)
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
                process.wait()
    if len(_lines(folder)) < len(asked):
        end = "\n".join(log.read_text(errors="replace").splitlines()[-15:])
        message = f"pytest failed:\n{end}"
        raise HoplabError(message)


def _told(folder: Path) -> Mapping[str, str]:
    """What came of each mutation, so far."""
    told = map(json.loads, _lines(folder))
    return {each["name"]: each["outcome"] for each in told}


def _lines(folder: Path) -> list[str]:
    """Those that are whole: a run may have been ended while it wrote."""
    file = folder / TOLD
    lines = file.read_text().splitlines() if file.exists() else []
    return [line for line in lines if line.endswith("}")]


def _count(file: Path, module: Module, names: Sequence[str], alive: set[str]) -> report.Counted:
    known = equivalent.load()
    changes = dict(mutated.changes(file))
    counted = report.Counted(len(names))
    for name in alive.intersection(names):
        change = changes[name.removeprefix(f"{module.name}.")]
        if known.why(change):
            counted.equivalent += 1
        else:
            counted.alive[name] = change
    return counted


if __name__ == "__main__":
    sys.exit(main())
