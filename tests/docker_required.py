"""Tests that need Docker: left out, and told in one line, or an error where Docker is required."""

import os
from functools import cache

import pytest

from hoplab.engines import compose

VARIABLE = "HOPLAB_REQUIRE_DOCKER"
LEFT_OUT = pytest.StashKey[str]()

needs_docker = pytest.mark.docker
ENGINES = ["process", pytest.param("docker", marks=needs_docker)]

_unavailable = cache(compose.unavailable)


def must_be_there() -> None:
    """Raise pytest.UsageError if Docker is required and can't be used."""
    if os.environ.get(VARIABLE) and (reason := _unavailable()):
        raise pytest.UsageError(f"{VARIABLE} is set, but {reason}")


def leave_out(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Take them out of `items` if Docker can't be used: a skip of each would take a minute."""
    left_out = [item for item in items if item.get_closest_marker(needs_docker.name)]
    reason = _unavailable() if left_out else None
    if not reason:
        return
    items[:] = [item for item in items if item not in set(left_out)]
    config.hook.pytest_deselected(items=left_out)
    tests = "1 test needs" if len(left_out) == 1 else f"{len(left_out)} tests need"
    config.stash[LEFT_OUT] = (
        f"LEFT OUT: {tests} Docker, and {reason} ({VARIABLE}=1 makes this an error)"
    )
