"""How a path becomes a symbol: the same for what is asked and for what the model predicts."""

import re

KEPT, WITHOUT, DOUBLED, DOUBLE_SLASH, SLASHES, OTHER = (
    "kept",
    "without-prefix",
    "doubled",
    "double-slash",
    "begins-with-two-slashes",
    "other",
)


def of_path(given: str, right: str, prefix: str) -> str:
    """What is different in a path from the right one, which begins with the prefix if there is one.

    Both decoded, or both encoded.
    """
    if given == right:
        return KEPT
    if prefix and given == (right.removeprefix(prefix) or "/"):
        return WITHOUT
    if prefix and given == prefix + right:
        return DOUBLED
    if given.startswith("//"):
        return SLASHES
    return DOUBLE_SLASH if re.sub("/+", "/", given) == right else OTHER
