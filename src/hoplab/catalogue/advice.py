"""What a proxy or a server has to do with symptoms: the tables `[symptoms.NAME]` of its file."""

from collections.abc import Collection, Mapping
from typing import Any

from hoplab.symptom import Advice


def advice_of(tables: Mapping[str, Mapping[str, Any]]) -> dict[str, Advice]:
    """By symptom; `like = "OTHER"` stands for the same as there.

    Raises KeyError, ValueError or TypeError if it is something else.
    """
    for name, table in tables.items():
        known = {"like"} if "like" in table else {"cause", "fix", "references"}
        refuse_unknown(f"symptoms.{name}", table, known)
    return {name: _advice(tables[table.get("like", name)]) for name, table in tables.items()}


def _advice(table: Mapping[str, Any]) -> Advice:
    return Advice(
        fix=" ".join(table.get("fix", "").split()),
        cause=" ".join(table.get("cause", "").split()),
        references=tuple(table.get("references", [])),
    )


def refuse_unknown(what: str, table: Mapping[str, Any], known: Collection[str]) -> None:
    """Raise ValueError for a key that a table can't have: a typing error would pass in silence."""
    if not isinstance(table, Mapping):
        message = f"{what} is no table"
        raise TypeError(message)
    if unknown := sorted(set(table) - set(known)):
        message = f"{what} has no {unknown[0]!r}; known: {', '.join(sorted(known))}"
        raise ValueError(message)
