"""Placeholders in the catalogue's TOML files: `@word@`.

Braces and dollars mean something in configuration languages.
"""

import re
from collections.abc import Mapping

from hoplab.errors import HoplabError

_PLACEHOLDER = re.compile(r"@([a-z_]+)@")


def filled(text: str, fields: Mapping[str, str], where: object = "the catalogue") -> str:
    """The text with its placeholders replaced.

    Raises HoplabError for an unknown one; `where` is what has it.
    """

    def value(match: re.Match[str]) -> str:
        if match[1] not in fields:
            known = ", ".join(f"@{name}@" for name in fields)
            message = f"{where}: there is no placeholder {match[0]}; known: {known}"
            raise HoplabError(message)
        return fields[match[1]]

    return _PLACEHOLDER.sub(value, text)
