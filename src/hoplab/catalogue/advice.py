"""What a proxy or a server has to do with symptoms: the tables `[symptoms.NAME]` of its file."""

from collections.abc import Mapping
from typing import Any

from hoplab.symptom import Advice


def advice_of(tables: Mapping[str, Mapping[str, Any]]) -> dict[str, Advice]:
    """By symptom. Raises KeyError or AttributeError if it is something else."""
    return {
        name: Advice(
            fix=" ".join(table.get("fix", "").split()),
            cause=" ".join(table.get("cause", "").split()),
            references=tuple(table.get("references", [])),
        )
        for name, table in tables.items()
    }
