"""Placeholders in the catalogue's TOML files: `@word@`.

Braces and dollars mean something in configuration languages.
"""

import re
from collections.abc import Mapping

_PLACEHOLDER = re.compile(r"@([a-z_]+)@")


def filled(text: str, fields: Mapping[str, str]) -> str:
    """The text with its placeholders replaced. Raises ValueError for an unknown one."""

    def value(match: re.Match[str]) -> str:
        if match[1] not in fields:
            message = f"there is no placeholder {match[0]}; known: {', '.join(fields)}"
            raise ValueError(message)
        return fields[match[1]]

    return _PLACEHOLDER.sub(value, text)
