"""Which code is mutated, and a copy of the project with all of its mutations."""

import ast
import difflib
import hashlib
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

from hoplab.errors import HoplabError

VERDICTS = (
    *("client.conversation", "client.probe", "client.reading", "client.sending"),
    *("client.target", "client.trace", "client.unpacking", "client.wire"),
    *("suites.asking", "suites.check", "suites.contract", "suites.cors", "suites.schedule"),
    *("endpoint", "forwarded", "predictions", "prefix", "printable", "recipe", "results"),
    *("results_file", "symptom", "topology"),
    *("app.forwarded_prefix_middleware", "app.granian.proxy_headers"),
    *("app.hypercorn.proxy_fix", "app.trusted_peers"),
)
"""What asks, judges, predicts and keeps, and the middleware that people copy."""

_KEPT = {"staticmethod", "classmethod", "overload"}
_CACHES = ("cache", "lru_cache")
_LEFT_OUT = shutil.ignore_patterns(
    "__pycache__", "*.egg-info", ".git", ".venv", ".hoplab", ".mypy_cache", ".ruff_cache"
)


@dataclass(frozen=True)
class Module:
    """A module that is mutated. `name`: as Python imports it; `path`: from the checkout's root."""

    name: str
    path: Path

    @property
    def short(self) -> str:
        """As a person names it: `client.wire`."""
        return self.name.removeprefix("hoplab.")


@dataclass(frozen=True)
class Change:
    """What a mutation changes: the lines that were, and those that are, without indent."""

    was: str
    now: str


def find(names: Sequence[str], root: Path) -> list[Module]:
    """The modules of these names; a package is all of its modules. Raises HoplabError if none is.

    `client.wire` is in src/hoplab; `app.shared` is the lab's application.
    """
    found = {}
    for name in names:
        below = root if name.partition(".")[0] == "app" else root / "src" / "hoplab"
        path = below.joinpath(*name.split("."))
        files = sorted(path.rglob("*.py")) if path.is_dir() else [path.with_suffix(".py")]
        if not all(file.exists() for file in files) or not files:
            message = f"{name} is no module; name it as client.wire, suites.cors or app.shared"
            raise HoplabError(message)
        for file in files:
            parts = file.relative_to(root if below == root else root / "src").with_suffix("").parts
            module = ".".join(parts).removesuffix(".__init__")
            found[module] = Module(module, file.relative_to(root))
    return list(found.values())


def digest(root: Path, module: Module) -> str:
    """Of its source: mutations are numbered, and mean others after any change."""
    return hashlib.sha256((root / module.path).read_bytes()).hexdigest()[:16]


def undecorated(source: str) -> str:
    """The same program, whose decorators of functions are calls after them.

    mutmut leaves decorated functions alone, properties too. Caches are left out: they are full when
    a mutation is tried, and the mutated function is not called.
    """
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


def copy(root: Path, folder: Path) -> None:
    """All that a unit test reads."""
    shutil.copytree(root, folder, ignore=_LEFT_OUT, symlinks=True, dirs_exist_ok=True)


def mutate(folder: Path, module: Module) -> list[str]:
    """Put all mutations into the module of a copy; gives the name of each.

    mutmut keeps every function beside its mutations, and calls the one that is chosen when it runs.
    """
    file = folder / module.path
    mutate_file = import_module("mutmut.mutation.file_mutation").mutate_file_contents
    mutated = mutate_file(str(file), undecorated(file.read_text(encoding="utf-8")))
    file.write_text(mutated.code, encoding="utf-8")
    return [f"{module.name}.{name}" for name in mutated.mutant_names]


def changes(file: Path) -> Iterator[tuple[str, Change]]:
    """Of a mutated module: the name of each mutation, without the module's, and its change."""
    text = file.read_text(encoding="utf-8")
    lines = text.split("\n")
    bodies = {
        node.name: lines[node.lineno : node.end_lineno]
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and "__mutmut_" in node.name
    }
    for name, body in bodies.items():
        original = bodies[name.rpartition("__mutmut_")[0] + "__mutmut_orig"]
        if body is not original:
            yield name, _change(original, body)


def _change(was: Sequence[str], now: Sequence[str]) -> Change:
    told = list(difflib.unified_diff(was, now, n=0, lineterm=""))[2:]  # without the files' names
    old, new = (
        "\n".join(line[1:].strip() for line in told if line.startswith(sign)) for sign in "-+"
    )
    return Change(old, new)
