"""URLs without what may be secret in them: a query's values may be tokens, keys or signatures."""

import re

HIDDEN = "***"

_QUERY = re.compile(r"(?<=[^\s?#])([?#])([^\s\"'<>]+)")
"""What follows a path up to the end of the URL, in any text. A fragment may have a token too."""

_PARTS = re.compile(r"([?#&;]+)")


def masked(text: str) -> str:
    """The text, with asterisks for every value of every query in it; names stay."""
    return _QUERY.sub(lambda match: match[1] + _values(match[2]), text)


def _values(query: str) -> str:
    end = len(query.rstrip(".,:;)"))  # what ends a sentence
    parts = _PARTS.split(query[:end])
    return "".join(map(_value, parts)) + query[end:]


def _value(part: str) -> str:
    name, equals, value = part.partition("=")
    return f"{name}={HIDDEN}" if equals and value else part
