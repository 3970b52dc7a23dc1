"""The form of the catalogue's TOML files: what stands in the place of which key."""

import re
from collections.abc import Collection, Mapping
from enum import StrEnum
from typing import Any, TypeVar

ANY = "*"
"""In a table's form: every key that the form does not name."""

Choice = TypeVar("Choice", bound=StrEnum)

_KINDS = {
    str: "a text in quotes",
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    re.Pattern: "a regular expression in quotes",
}


def require(form: Mapping[str, Any], table: Any, at: str = "") -> None:
    """Raise ValueError, naming the key, where a table has something else than its form says.

    A form has, by key, a type of `_KINDS`, a list of one form, or a table of forms. Whether a key
    is there, and whether it may be, is not asked here.
    """
    _require(dict(form), table, at)


def _require(form: Any, value: Any, at: str) -> None:
    if isinstance(form, dict):
        if not isinstance(value, Mapping):
            raise _other(at, value, "a table")
        for key, each in value.items():
            if (kind := form.get(key, form.get(ANY))) is not None:
                _require(kind, each, f"{at}.{key}".strip("."))
    elif isinstance(form, list):
        if not isinstance(value, list):
            tables = isinstance(form[0], dict)
            raise _other(at, value, f"a list of tables, [[{at}]]" if tables else "a list, in […]")
        for number, each in enumerate(value):
            _require(form[0], each, f"{at}[{number}]")
    elif not _is(form, value):
        raise _other(at, value, _KINDS[form])


def choice(kind: type[Choice], value: Any, at: str) -> Choice:
    """The value as one of a few. Raises ValueError with those that are known."""
    if value not in list(kind):
        message = f"{at} = {value!r} is unknown; known: {', '.join(kind)}"
        raise ValueError(message)
    return kind(value)


def refuse_unknown(what: str, table: Mapping[str, Any], known: Collection[str]) -> None:
    """Raise ValueError for a key that a table can't have: a typing error would pass in silence."""
    if unknown := sorted(set(table) - set(known)):
        message = f"{what} has no {unknown[0]!r}; known: {', '.join(sorted(known))}"
        raise ValueError(message)


def _is(kind: type, value: Any) -> bool:
    if kind is re.Pattern:
        try:
            return bool(re.compile(value))
        except (re.error, TypeError):
            return False
    if isinstance(value, bool):  # Python's are numbers, TOML's are none
        return kind is bool
    return isinstance(value, (int, float) if kind is float else kind)


def _other(at: str, value: Any, wanted: str) -> ValueError:
    shown = "a table" if isinstance(value, Mapping) else repr(value)
    return ValueError(f"{at or 'the file'} is {shown}, expected {wanted}")
