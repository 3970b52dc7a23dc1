"""Which of an application's files a program imports."""

from pathlib import Path

import pytest

from hoplab.commands.live.imports import imported

FILES = {
    "__init__.py": "",
    "plain.py": "import os.path, app.deep\nfrom app import shared\n",
    "shared.py": "def later():\n    from .wrapped.inner import name\n",
    "deep.py": "from app.nothing_of_this_name import name",
    "other.py": "from app import shared",
    "wrapped/__init__.py": "from . import beside",
    "wrapped/inner.py": "from ..last import name",
    "wrapped/beside.py": "",
    "wrapped/alone.py": "",
    "last.py": "from app.shared import later",
}


@pytest.fixture
def app(tmp_path: Path) -> Path:
    for name, text in FILES.items():
        file = tmp_path / "app" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return tmp_path / "app"


def test_all_that_is_imported_is_found_and_nothing_else(app: Path) -> None:
    found = imported(app, ["serve", "--port", "1", "app.plain:app"])

    assert found == {app / name for name in FILES if name not in {"other.py", "wrapped/alone.py"}}


@pytest.mark.parametrize("words", [["serve"], ["app.missing:app"], ["apple.plain:app"]])
def test_without_a_module_nothing_is_known(app: Path, words: list[str]) -> None:
    assert imported(app, words) is None


def test_with_a_file_that_is_no_python_nothing_is_known(app: Path) -> None:
    (app / "last.py").write_text("def (")

    assert imported(app, ["app.plain:app"]) is None
    assert imported(app, ["app.wrapped.beside"]) is not None
