"""What is told of files that change, and when it ends."""

import threading
from collections.abc import Collection, Iterator
from pathlib import Path
from queue import Empty, SimpleQueue

import pytest

from hoplab.commands.live.watching import watching

DEADLINE = 20.0

Told = SimpleQueue[Collection[Path]]


def fail(reason: str) -> None:
    raise AssertionError(reason)


@pytest.fixture
def told(tmp_path: Path) -> Iterator[Told]:
    found: Told = SimpleQueue()
    with watching([tmp_path], found.put, fail):
        yield found


def test_each_save_is_told_however_an_editor_writes_it(tmp_path: Path, told: Told) -> None:
    file = tmp_path / "a.conf"
    file.write_text("one")
    assert file in told.get(timeout=DEADLINE)

    new = tmp_path / "a.conf.new"
    new.write_text("two")
    new.replace(file)
    seen: set[Path] = set()
    while file not in seen:
        seen |= set(told.get(timeout=DEADLINE))

    file.unlink()
    assert file in told.get(timeout=DEADLINE)


@pytest.mark.parametrize("name", [".a.conf.swp", "a.conf~", "__pycache__/a.cpython-313.pyc"])
def test_what_an_editor_or_python_leaves_is_no_edit(tmp_path: Path, told: Told, name: str) -> None:
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_text("nothing")
    (tmp_path / "last").write_text("")

    seen: set[Path] = set()
    while tmp_path / "last" not in seen:
        seen |= set(told.get(timeout=DEADLINE))

    assert tmp_path / name not in seen


def test_an_edit_below_a_virtual_environment_is_told(tmp_path: Path) -> None:
    """There is the lab that a wheel has installed."""
    folder = tmp_path / ".venv" / "lib" / "app"
    folder.mkdir(parents=True)
    found: Told = SimpleQueue()
    with watching([folder], found.put, fail):
        (folder / "plain.py").write_text("")
        assert folder / "plain.py" in found.get(timeout=DEADLINE)


def test_it_ends_with_its_block(tmp_path: Path) -> None:
    before = {*threading.enumerate()}  # a thread of another test may end meanwhile
    found: Told = SimpleQueue()
    with watching([tmp_path], found.put, fail):
        [own] = {*threading.enumerate()} - before
    assert not own.is_alive()

    (tmp_path / "late").write_text("")
    with pytest.raises(Empty):
        found.get(timeout=0.2)


def test_a_folder_that_cannot_be_watched_is_told(tmp_path: Path) -> None:
    reasons: list[str] = []
    with watching([tmp_path / "missing"], lambda _: None, reasons.append):
        (reason,) = reasons

    assert reason == "No path was found."
