"""Break the lab's own code by mutmut, and print what the unit tests do not notice.

    python -m scripts.sabotage.mutations [MODULE …]

A module is named as `results` or `client.wire`; its tests are tests/unit/test_results.py, or
test_wire.py and test_wire_….py, and no others: what only a distant test notices is hard to find
again. mutmut (its
package has to be importable) works in a copy. It leaves decorated functions alone, properties too;
in the copy, decorators are called after the function instead, which is the same to Python. Only
caches are left out: they are full when mutmut forks, and the mutated function is not called.
"""

import ast
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from hoplab.catalogue import load
from hoplab.errors import HoplabError
from hoplab.system import interrupts
from hoplab.workspace import checkout

DEFAULT = ("results", "results_file")
EQUIVALENT = Path(__file__).with_name("equivalent.toml")
NOTICED = {"killed", "timeout"}
"""Of mutmut's words for what came of a mutation. A test that never ends is noticed."""

_KEPT = {"staticmethod", "classmethod", "overload"}
_CACHES = ("cache", "lru_cache")


@dataclass(frozen=True)
class Module:
    """A module of hoplab with the tests that mirror it; `path` is below src/hoplab.

    tests: from the checkout's root.
    """

    path: Path
    tests: tuple[str, ...]

    @property
    def source(self) -> str:
        """From the checkout's root."""
        return f"src/hoplab/{self.path}"


@dataclass(frozen=True)
class Survivor:
    """A mutation that no test noticed: the lines that were, and those that are."""

    name: str
    was: str
    now: str


def find(name: str, root: Path) -> Module:
    """The module of this name. Raises HoplabError if there is none, several, or no tests of it."""
    package = root / "src" / "hoplab"
    below = f"{name.replace('.', '/')}.py"
    whole = (
        package / below
    )  # `errors` is this one, although there is a suites/cors/checks/errors.py
    found = [whole] if whole.exists() else sorted(package.rglob(below))
    if len(found) != 1:
        told = ", ".join(str(path.relative_to(package)) for path in found) or "none"
        message = f"{name} is no one module of hoplab ({told}); name it as client.wire"
        raise HoplabError(message)
    stem, others = found[0].stem, {path.stem for path in package.rglob("*.py")}
    first = f"tests/unit/test_{stem}.py"
    if not (root / first).exists():
        message = f"{name}: there is no {first}"
        raise HoplabError(message)
    more = [
        str(path.relative_to(root))
        for path in sorted(root.glob(f"tests/unit/test_{stem}_*.py"))
        if path.stem.removeprefix("test_") not in others  # results_file is a module itself
    ]
    return Module(found[0].relative_to(package), (first, *more))


def undecorated(source: str) -> str:
    """The same program, whose decorators of functions are calls after them."""
    lines = source.split("\n")
    functions = [
        node
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.decorator_list
    ]
    for node in sorted(functions, key=lambda node: node.lineno, reverse=True):
        told = [ast.unparse(decorator) for decorator in node.decorator_list]
        if any(name in _KEPT or name.endswith((".setter", ".deleter")) for name in told):
            continue
        call = node.name
        for decorator in reversed(told):
            if decorator.partition("(")[0] not in _CACHES:
                call = f"{decorator}({call})"
        first, end = node.decorator_list[0].lineno - 1, node.end_lineno or node.lineno
        if call != node.name:
            lines.insert(end, f"{' ' * node.col_offset}{node.name} = {call}")
        del lines[first : node.lineno - 1]
    return "\n".join(lines)


def copy(root: Path, folder: Path, module: Module) -> None:
    """What the tests of this module need, with mutmut's configuration."""
    others = ["app", *load(checkout()).proxies, "variations", "docs", "scripts"]
    for name in ("src", "tests", *others):
        ignored = shutil.ignore_patterns("__pycache__", "*.egg-info")
        shutil.copytree(root / name, folder / name, ignore=ignored)
    files = ["compose.yaml", ".env", "README.md", "pyproject.toml"]
    for name in files:
        shutil.copy(root / name, folder / name)
    path = folder / module.source
    path.write_text(undecorated(path.read_text(encoding="utf-8")), encoding="utf-8")
    settings = {
        "source_paths": ["src/"],
        "only_mutate": [module.source],
        "pytest_add_cli_args_test_selection": [*module.tests],
        # A server in a test's thread may see its client go, which is no failure.
        "pytest_add_cli_args": ["-W", "ignore::pytest.PytestUnhandledThreadExceptionWarning"],
        "also_copy": [*others, *files],
    }
    told = "".join(f"{key} = {value}\n" for key, value in settings.items())
    with (folder / "pyproject.toml").open("a", encoding="utf-8") as configuration:
        configuration.write(f"\n[tool.mutmut]\nuse_git_change_detection = false\n{told}")


def mutmut(folder: Path, *arguments: str) -> str:
    """What mutmut said. Raises HoplabError if it failed, with the end of that."""
    paths = [Path(path) for path in os.environ.get("PYTHONPATH", "").split(os.pathsep) if path]
    importable = os.pathsep.join(str(path.resolve()) for path in paths)
    log = folder / "mutmut.log"
    with log.open("w") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "mutmut", *arguments],
            cwd=folder,
            env={**os.environ, "PYTHONPATH": importable, "COLUMNS": "200"},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # Ctrl-C is for this program, which then ends it
        )
        try:
            while process.poll() is None:
                interrupts.check()
                time.sleep(0.1)
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGTERM)
                process.wait()
    said = log.read_text(errors="replace")
    if process.returncode:
        end = "\n".join(said.replace("\r", "\n").splitlines()[-15:])
        message = f"mutmut {arguments[0]} failed:\n{end}"
        raise HoplabError(message)
    return said


def survivors(folder: Path, names: Iterable[str]) -> list[Survivor]:
    """Each with its lines, as mutmut shows them."""
    found = []
    for name in names:
        lines = mutmut(folder, "show", name).splitlines()
        was, now = (
            "\n".join(
                line[1:].strip()
                for line in lines
                if line.startswith(sign) and not line.startswith(sign * 3)
            )
            for sign in "-+"
        )
        found.append(Survivor(name, was, now))
    return found


def equivalents(path: Path = EQUIVALENT) -> dict[tuple[str, str], str]:
    """Mutations that change nothing that a test could see: what was, what is, and why."""
    told = tomllib.loads(path.read_text(encoding="utf-8"))["mutation"]
    return {(each["was"], each["now"]): each["why"] for each in told}


def report(asked: int, alive: Sequence[Survivor], known: dict[tuple[str, str], str]) -> str:
    """The share that was noticed, and what was not."""
    real = [each for each in alive if (each.was, each.now) not in known]
    counted = asked - (len(alive) - len(real))
    share = f"{(counted - len(real)) / counted:.1%}" if counted else "nothing to mutate"
    equivalent = f"{len(alive) - len(real)} of them equivalent"
    lines = [
        f"{asked} mutations, {equivalent}; {counted - len(real)} of {counted} noticed ({share})"
    ]
    for each in real:
        lines += [f"{each.name}", f"  - {each.was}", f"  + {each.now}"]
    return "\n".join(lines)


def mutate(root: Path, module: Module) -> str:
    """What of the mutations of a module was noticed."""
    with tempfile.TemporaryDirectory(prefix="hoplab-sabotage-") as name:
        folder = Path(name)
        copy(root, folder, module)
        mutmut(folder, "run", "--max-children", "2")
        results = [
            line.strip().partition(": ")
            for line in mutmut(folder, "results", "--all", "true").splitlines()
            if "__mutmut_" in line
        ]
        alive = survivors(folder, [n for n, _, told in results if told not in NOTICED])
    return f"{module.source}: {report(len(results), alive, equivalents())}\n"


def main(names: Sequence[str]) -> int:
    """Exit 0 whatever was noticed: that is the result, and no failure."""
    interrupts.install()
    root = checkout().root
    try:
        if find_spec("mutmut") is None:
            message = "mutmut is not installed: `make sabotage-code` does it"
            raise HoplabError(message)
        for module in [find(name, root) for name in names]:
            print(mutate(root, module), flush=True)
    except HoplabError as error:
        print(f"sabotage: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:] or DEFAULT))
