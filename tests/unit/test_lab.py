"""A lab written out: whole, writable, and not at all if it can't be whole."""

import shutil
import stat
from pathlib import Path

import pytest

from hoplab.catalogue import load
from hoplab.commands import lab
from hoplab.workspace import MARKER, Workspace, current
from tests.catalogue import CATALOGUE, ROOT, WORKSPACE


@pytest.fixture
def brought(tmp_path: Path) -> Workspace:
    """A few files, as an installer may have made them: nobody may write to them."""
    root = tmp_path / "brought"
    for name in ("app/plain.py", "app/__pycache__/plain.pyc", "one/proxy.toml", "compose.yaml"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(name)
        (root / name).chmod(0o444)
    return Workspace(root)


def written(folder: Path) -> list[str]:
    return sorted(str(file.relative_to(folder)) for file in folder.rglob("*") if file.is_file())


@pytest.mark.parametrize("exists", [True, False])
def test_a_lab_is_a_copy_that_can_be_changed(
    brought: Workspace, tmp_path: Path, *, exists: bool
) -> None:
    folder = tmp_path / "mine"
    if exists:
        folder.mkdir()

    lab.write(brought, folder)

    assert written(folder) == ["app/plain.py", "compose.yaml", MARKER, "one/proxy.toml"]
    assert (folder / "app/plain.py").read_text() == "app/plain.py"
    assert (folder / "app/plain.py").stat().st_mode & stat.S_IWUSR


@pytest.mark.parametrize("exists", [True, False])
def test_what_can_not_be_whole_is_not_there(
    brought: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, exists: bool
) -> None:
    folder = tmp_path / "mine"
    if exists:
        folder.mkdir()
    copied = list[Path]()

    def copy(source: Path, target: Path) -> None:
        if copied:
            raise OSError(28, "No space left on device", str(target))
        copied.append(target)
        target.write_bytes(source.read_bytes())

    monkeypatch.setattr(shutil, "copyfile", copy)

    with pytest.raises(OSError, match="No space left on device"):
        lab.write(brought, folder)

    assert copied
    assert folder.exists() == exists
    assert not exists or not list(folder.iterdir())


def test_the_lab_of_this_checkout_is_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lab.write(WORKSPACE, tmp_path)
    monkeypatch.chdir(tmp_path / "app")

    found = load(current())

    assert found.workspace.root == tmp_path != ROOT
    assert list(found.proxies) == list(CATALOGUE.proxies)
    assert list(found.variations) == list(CATALOGUE.variations)
