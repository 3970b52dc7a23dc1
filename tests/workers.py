"""Which tests one of pytest's processes runs after each other, with `pytest -n` (pytest-xdist)."""

import os

import pytest
from xdist.scheduler import LoadFileScheduling

TOPOLOGIES = "tests/topologies/"


def number() -> int:
    """One more than there are processors: much of a test is waiting."""
    return (os.cpu_count() or 1) + 1


class Sharing(LoadFileScheduling):  # type: ignore[misc] # it has no types
    """A file's tests share what they start; those of the topologies the lab of their engine.

    The longest come first, as `testpaths` has them: what is left at the end is short.
    Not the mark `xdist_group`: pytest-xdist 3.8 loses it under pytest 9.2.
    """

    def __init__(self, config: pytest.Config, log: object) -> None:
        config.option.loadscopereorder = False
        super().__init__(config, log)

    def _split_scope(self, nodeid: str) -> str:
        if not nodeid.startswith(TOPOLOGIES):
            return str(super()._split_scope(nodeid))
        docker = "docker-" in nodeid or "test_engines_agree" in nodeid
        return TOPOLOGIES + ("docker" if docker else "process")
