"""Which files of a package a program imports, read from its source."""

import ast
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from pathlib import Path

_FILES = 256  # more than a package here has


def imported(package: Path, words: Iterable[str]) -> set[Path] | None:
    """The files of the package that the modules import, wherever in them, that `words` name.

    words: of a command line: `app.plain:app` names the module `app.plain` of the package `app`.

    None if that can't be known: no word names a module of it, or one of the files is no Python.
    """
    names = [word.partition(":")[0] for word in words]
    left = [name for name in names if name.split(".")[0] == package.name and _file(package, name)]
    if not left:
        return None
    found: dict[str, Path] = {}
    while left:
        name = left.pop()
        file = _file(package, name)
        if name in found or file is None:
            continue
        found[name] = file
        left += [name.rpartition(".")[0]]  # a package is imported before what is in it
        try:
            left += _names(file.read_bytes(), _package(name, file))
        except (OSError, SyntaxError, ValueError):
            return None
    return set(found.values())


def _file(package: Path, name: str) -> Path | None:
    """Where a module of the package is; None if there is none of this name."""
    first, *others = name.split(".")
    if first != package.name:
        return None
    place = package.joinpath(*others)
    files = (place / "__init__.py", place.with_name(f"{place.name}.py"))
    return next((file for file in files if file.is_file()), None)


def _package(name: str, file: Path) -> str:
    return name if file.name == "__init__.py" else name.rpartition(".")[0]


@lru_cache(_FILES)
def _names(source: bytes, package: str) -> Sequence[str]:
    """What may be modules that it imports; `package` is the one that a relative name begins in.

    Remembered: eight topologies read the same files after each save.
    """
    return [*_imports(ast.parse(source), package)]


def _imports(module: ast.Module, package: str) -> Iterator[str]:
    for node in ast.walk(module):
        if isinstance(node, ast.Import):
            yield from (each.name for each in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package.split(".")
            base = above[: len(above) - node.level + 1] if node.level else []
            origin = ".".join([*base, *filter(None, [node.module])])
            yield origin
            yield from (f"{origin}.{each.name}" for each in node.names)
