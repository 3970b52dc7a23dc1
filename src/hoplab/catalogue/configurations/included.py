"""Files that a person's file includes: they are part of it, if they are beside it."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from hoplab.catalogue.configurations.configuration import BadConfiguration, CannotRun, Source
from hoplab.catalogue.configurations.statements import Statement, Unreadable

_DEPTH = 50

Read: TypeAlias = Callable[[str], Statement]


def _as_it_is(text: str, include: Statement) -> str:
    del include
    return text


@dataclass(frozen=True)
class Includes:
    """How a language is read, and how it includes a file.

    first: the first statement that names files, if there is one. filled: the text of such a file,
    with what the statement gives it.
    """

    read: Read
    first: Callable[[Statement], Statement | None]
    filled: Callable[[str, Statement], str] = _as_it_is


def read_with(read: Read, source: Source) -> Statement:
    """The statements of a person's file. Raises BadConfiguration, with the line."""
    try:
        return read(source.text)
    except Unreadable as error:
        message = f"{source.at(error.line)}: {error}"
        raise BadConfiguration(message) from error


def with_included(
    path: Path, text: str, language: Includes, left_out: Collection[str]
) -> tuple[Source, list[str]]:
    """The text with what it includes in it, and what is left out of it, by these patterns.

    Raises CannotRun for a file that is not beside it, BadConfiguration for one that can't be read.
    """
    numbered = [(line, (path.name, number)) for number, line in enumerate(text.split("\n"), 1)]
    notes: list[str] = []
    for _ in range(_DEPTH):
        source = Source(path, "\n".join(line for line, _ in numbered), [at for _, at in numbered])
        include = language.first(read_with(language.read, source))
        if include is None:
            return source, notes
        files = _files(path, include, source, left_out, notes)
        first, last = (
            include.line,
            include.line + source.text.count("\n", include.start, include.end),
        )
        row = source.text.rfind("\n", 0, include.start) + 1
        end = source.text.find("\n", include.end)
        before = source.text[row : include.start]
        behind = source.text[include.end : end if end >= 0 else len(source.text)]
        inside = [
            (line, (str(file.relative_to(path.parent)), number))
            for file in files
            for number, line in enumerate(
                language.filled(_text(file, source.at(first)), include).split("\n"), 1
            )
        ]
        at = source.lines[first - 1]
        numbered[first - 1 : last] = (
            [(before, at), *inside, (behind, at)] if inside else [(before + behind, at)]
        )
    message = f"{path.name}: it includes itself, or more than {_DEPTH} files"
    raise BadConfiguration(message)


def _files(
    path: Path, include: Statement, source: Source, left_out: Collection[str], notes: list[str]
) -> list[Path]:
    name = include.arguments[0] if include.arguments else ""
    where = f"{source.at(include.line)}: {include.name} {name}"
    if any(Path(name).match(harmless) for harmless in left_out):
        notes.append(f"{where} is left out: it changes no request that is passed on")
        return []
    found = sorted(path.parent.glob(name)) if not Path(name).is_absolute() and name else []
    inside = [file for file in found if file.resolve().is_relative_to(path.parent.resolve())]
    if inside and inside == found:
        return inside
    if "*" in name and not found and not Path(name).is_absolute():
        return []
    outside = Path(name).is_absolute() or found or ".." in Path(name).parts
    message = (
        f"{where} is outside of the file's folder: copy what it names beside {path.name}, and name"
        " it by its name alone"
        if outside
        else f"{where}: there is no such file beside {path.name}"
    )
    raise CannotRun(message)


def _text(file: Path, where: str) -> str:
    try:
        return file.read_text(encoding="utf-8").rstrip("\n")
    except (OSError, UnicodeDecodeError) as error:
        message = f"{where}: {file.name} can't be read: {error}"
        raise BadConfiguration(message) from error
