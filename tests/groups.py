"""Which tests run one after the other in one worker of pytest-xdist: they share what they start."""

from pathlib import Path

import pytest

HERE = Path(__file__).parent
_MATRIX = {"test_cors", "test_matrix", "test_prefix"}


def group(item: pytest.Item) -> str | None:
    """A name that they share; None for a test that needs nothing of another's."""
    folder, *_ = item.path.relative_to(HERE).parts
    if folder == "topologies":
        # One lab for each engine. What compares both is where the slower one is started.
        called = getattr(item, "callspec", None)
        engine, _ = called.params.get("public", ("docker", None)) if called else ("docker", None)
        return f"{folder}-{engine}"
    if folder == "commands":
        # Those that ask hundreds of cells need both cores; two at once would wait for each other.
        return f"{folder}-{'matrix' if item.path.stem in _MATRIX else item.path.stem}"
    return None if folder == "unit" else folder
