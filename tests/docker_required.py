"""No Docker: a skip that says so, or a failure where Docker is required."""

import os
from functools import cache

import pytest

from hoplab.engines import compose

VARIABLE = "HOPLAB_REQUIRE_DOCKER"

_unavailable = cache(compose.unavailable)


def require_docker() -> None:
    """Skip the test if Docker can't be used; fail it if HOPLAB_REQUIRE_DOCKER is set."""
    reason = _unavailable()
    if reason and os.environ.get(VARIABLE):
        pytest.fail(f"{VARIABLE} is set, but {reason}", pytrace=False)
    if reason:
        pytest.skip(f"{reason} ({VARIABLE}=1 makes this an error)")
