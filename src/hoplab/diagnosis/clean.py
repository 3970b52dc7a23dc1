"""A report without anything that a terminal, a log or XML would act on: sites write into it."""

from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace
from enum import Enum
from functools import cache
from typing import Any

from hoplab.client.masking import masked
from hoplab.client.wire import Exchange, as_sent
from hoplab.diagnosis.words import Report
from hoplab.printable import printable

_MOST = 2000
"""Characters of one text: a header may have thousands."""


def clean(report: Report) -> Report:
    """The same report, every text in it fit to be shown: no control characters, none too long.

    Every format is written from this one. Values in queries of URLs may be secret, and are masked.
    Bodies are left out: none shows them.
    """
    found: Report = _cleaned(report)
    return found


def _cleaned(value: Any) -> Any:
    if isinstance(value, Exchange):
        # Its Location is read as UTF-8 whenever it is asked for: so only ASCII may be in it.
        sent = [(k, _location(value) if _is_location(k) else v) for k, v in value.headers]
        value = replace(value, headers=sent, chunks=[])
    if isinstance(value, (str, bytes)):
        return _cleaned_text(value)
    if is_dataclass(value) and not isinstance(value, type):
        names = _names(type(value))
        before = {name: getattr(value, name) for name in names}
        return type(value)(**{name: _cleaned(each) for name, each in before.items()})
    if isinstance(value, Mapping):
        return {_cleaned(key): _cleaned(each) for key, each in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return type(value)(map(_cleaned, value))
    return value


def _location(exchange: Exchange) -> str:
    return as_sent(masked(exchange.header("Location") or ""))


def _is_location(name: str) -> bool:
    return name.lower() == "location"


def _cleaned_text(value: str | bytes) -> str | bytes:
    if isinstance(value, Enum):
        return value
    return b"" if isinstance(value, bytes) else printable(masked(value), _MOST)


@cache
def _names(kind: type) -> tuple[str, ...]:
    return tuple(field.name for field in fields(kind) if field.init)
