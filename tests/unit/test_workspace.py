"""Which files a command works with, and where its state goes."""

import subprocess
from pathlib import Path

import pytest

from hoplab import workspace
from hoplab.errors import HoplabError
from hoplab.workspace import MARKER, Workspace
from tests.catalogue import CATALOGUE, ROOT, WORKSPACE


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the package lies now."""
    folder = tmp_path / "environment" / "src" / "hoplab"
    folder.mkdir(parents=True)
    monkeypatch.setattr(workspace, "__file__", str(folder / "workspace.py"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.chdir(tmp_path)
    return folder


def folders(workspace: Workspace) -> list[Path]:
    return [
        *(workspace.variations, workspace.certificates, workspace.runs, workspace.up),
        *(workspace.reproductions, workspace.lock),
    ]


def test_folders_of_a_checkout() -> None:
    assert [str(folder.relative_to(ROOT)) for folder in folders(WORKSPACE)] == [
        "variations",
        "certificates",
        ".hoplab/runs",
        ".hoplab/up",
        ".hoplab/repro",
        ".hoplab/lock",
    ]


def test_state_may_be_elsewhere() -> None:
    apart = Workspace(Path("/files"), Path("/state"))

    assert [str(folder) for folder in folders(apart)] == [
        "/files/variations",
        "/state/certificates",
        "/state/runs",
        "/state/up",
        "/state/repro",
        "/state/lock",
    ]


def test_a_package_in_a_clone_works_with_the_clone(package: Path) -> None:
    clone = package.parents[1]
    (clone / "compose.yaml").touch()

    assert workspace.current() == Workspace(clone)


def test_a_wheel_brings_its_files_and_keeps_state_away_from_them(package: Path) -> None:
    (package / "files").mkdir()

    found = workspace.current()

    assert found.root == package / "files"
    assert found.state
    assert found.state.parent == package.parents[2] / "state" / "hoplab"
    assert not any(folder.is_relative_to(package) for folder in folders(found)[1:])


def test_each_environment_has_a_state_of_its_own(
    package: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (package / "files").mkdir()
    first = workspace.own()
    other = package.with_name("other")
    (other / "files").mkdir(parents=True)
    monkeypatch.setattr(workspace, "__file__", str(other / "workspace.py"))

    assert workspace.own().state != first.state


@pytest.mark.parametrize("below", ["", "app/cors"])
def test_in_a_lab_its_files_count(
    package: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, below: str
) -> None:
    (package / "files").mkdir()
    lab = tmp_path / "lab"
    (lab / below).mkdir(parents=True)
    (lab / MARKER).touch()
    monkeypatch.chdir(lab / below)

    assert workspace.current() == Workspace(lab)
    assert workspace.own().root == package / "files"


def test_a_folder_that_was_removed_is_in_no_lab(
    package: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (package / "files").mkdir()
    (tmp_path / MARKER).touch()
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()

    assert workspace.current().root == package / "files"


def test_a_package_alone_says_so(package: Path) -> None:
    with pytest.raises(HoplabError, match=rf"^No compose.yaml in {package.parents[1]}: install "):
        workspace.current()


def test_files_are_all_that_a_lab_has_and_nothing_that_was_made(tmp_path: Path) -> None:
    """Git knows what is tracked in the folders that belong to a lab."""
    folders = ["app", "variations", *CATALOGUE.proxies]
    names = ["compose.yaml", ".env", ".dockerignore", ".gitignore"]
    listed = subprocess.run(
        ["git", "ls-files", *folders, *names], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if listed.returncode:
        pytest.skip("this is no clone of the repository")

    assert sorted(map(str, WORKSPACE.files())) == sorted(listed.stdout.splitlines())
    assert list(Workspace(tmp_path).files()) == []
