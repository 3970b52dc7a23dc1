"""What a proxy or a server has to do with symptoms: the tables `[symptoms.NAME]` of its file."""

from collections.abc import Mapping
from typing import Any

from hoplab.catalogue.form import ANY, refuse_unknown, require
from hoplab.symptom import Advice

_FORM = {ANY: {"like": str, "cause": str, "fix": str, "references": [str]}}


def advice_of(tables: Mapping[str, Mapping[str, Any]]) -> dict[str, Advice]:
    """By symptom; `like = "OTHER"` stands for the same as there.

    Raises KeyError, ValueError or TypeError if it is something else.
    """
    require(_FORM, tables, "symptoms")
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
