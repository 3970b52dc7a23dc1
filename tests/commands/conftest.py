from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.commands.clone import Clone
from tests.commands.launchers import kept


@pytest.fixture(autouse=True, scope="module")
def kept_launchers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with kept(tmp_path_factory.mktemp("launchers")):
        yield


@pytest.fixture
def clone(tmp_path: Path) -> Clone:
    return Clone(tmp_path)
