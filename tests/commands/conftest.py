from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.commands.clone import Clone
from tests.commands.launchers import kept, lent


@pytest.fixture(scope="package")
def kept_launchers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    with kept():
        yield tmp_path_factory.mktemp("launchers")


@pytest.fixture(autouse=True, scope="module")
def lent_launchers(kept_launchers: Path) -> Iterator[None]:
    with lent(kept_launchers):
        yield


@pytest.fixture
def clone(tmp_path: Path) -> Clone:
    return Clone(tmp_path)
