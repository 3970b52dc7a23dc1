"""What a killed run leaves behind is found and stopped; what is somebody else's never is."""

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import psutil
import pytest

from hoplab.system import runs

Start = Callable[[str], "subprocess.Popen[bytes]"]

SLEEPS = "import time; print(flush=True); time.sleep(60)"
IGNORES_SIGTERM = f"import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); {SLEEPS}"


@pytest.fixture
def start() -> Iterator[Start]:
    """Start Python with a program, and wait until it has written a line."""
    with ExitStack() as stack:

        def run(program: str) -> "subprocess.Popen[bytes]":
            command = [sys.executable, "-c", program]
            process = stack.enter_context(subprocess.Popen(command, stdout=subprocess.PIPE))
            stack.callback(process.kill)
            assert process.stdout is not None
            assert process.stdout.readline(), "it ended"
            return process

        yield run


def test_a_run_has_a_folder_of_its_own(tmp_path: Path) -> None:
    one, two = runs.new(tmp_path / "runs"), runs.new(tmp_path / "runs")

    assert one.name.startswith("hoplab-")
    assert len({one.name, two.name, one.nonce, two.nonce}) == 4
    assert sorted(tmp_path.glob("runs/*")) == sorted([one.folder, two.folder])


def test_a_run_of_a_living_process_is_no_orphan(tmp_path: Path) -> None:
    runs.new(tmp_path)

    assert runs.orphans(tmp_path) == []


def test_no_folder_is_no_orphan(tmp_path: Path) -> None:
    assert runs.orphans(tmp_path / "none") == []


def test_what_a_killed_run_started_is_found_and_stopped(tmp_path: Path, start: Start) -> None:
    owner = start(
        "import subprocess, sys, time, psutil, pathlib;"
        "from hoplab.system import runs;"
        f"run = runs.new(pathlib.Path({str(tmp_path)!r}));"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)']);"
        "run.record({'child': psutil.Process(child.pid)});"
        "print(flush=True); time.sleep(60)"
    )
    assert runs.orphans(tmp_path) == []
    owner.kill()
    owner.wait()

    [orphan] = runs.orphans(tmp_path)
    [left] = orphan.processes()
    assert left.is_running()
    runs.stop(orphan.processes())
    assert orphan.processes() == []
    orphan.remove()
    assert list(tmp_path.iterdir()) == []


def as_if_reused(process: psutil.Process) -> list[float]:
    """The number of a process that began later than the one that was written down."""
    return [process.pid, process.create_time() - 10]


def test_another_process_under_the_same_number_is_never_ours(tmp_path: Path) -> None:
    run = runs.new(tmp_path)
    identity = json.dumps([as_if_reused(psutil.Process())])
    (run.folder / "processes.json").write_text(identity)
    (run.folder / "owner.json").write_text(identity)

    assert run.processes() == []
    assert [orphan.folder for orphan in runs.orphans(tmp_path)] == [run.folder]


def test_only_what_still_runs_is_ours(tmp_path: Path, start: Start) -> None:
    run = runs.new(tmp_path)
    alive, ended = start(SLEEPS), start("print(flush=True)")
    run.record({"one": psutil.Process(alive.pid), "two": psutil.Process(ended.pid)})
    ended.wait()

    assert [process.pid for process in run.processes()] == [alive.pid]


@pytest.mark.parametrize("content", ["", "{", "\x00"])
def test_damaged_record_is_an_orphan_without_processes(tmp_path: Path, content: str) -> None:
    run = runs.new(tmp_path)
    (run.folder / "owner.json").write_text(content)
    (run.folder / "processes.json").write_text(content)

    assert [orphan.folder for orphan in runs.orphans(tmp_path)] == [run.folder]
    assert run.processes() == []


def test_a_record_is_never_seen_half_written(tmp_path: Path) -> None:
    """Else a run that begins at the same time takes this one for an orphan, and removes it."""
    run = runs.new(tmp_path)
    written = threading.Event()

    def write() -> None:
        for _ in range(300):
            run.record_owner()
        written.set()

    writer = threading.Thread(target=write)
    writer.start()
    seen = 0
    while not written.is_set():
        assert runs.orphans(tmp_path) == []
        seen += 1
    writer.join()
    assert seen > 10
    assert sorted(file.name for file in run.folder.iterdir()) == ["owner.json"]


def test_a_run_that_stays_has_no_owner(tmp_path: Path, start: Start) -> None:
    process = start(SLEEPS)
    run = runs.new(tmp_path)
    run.record({"one": psutil.Process(process.pid)})

    run.disown()

    assert runs.orphans(tmp_path) == []
    assert [process.pid for process in run.processes()] == [process.pid]


def test_removing_twice_is_no_trouble(tmp_path: Path) -> None:
    run = runs.new(tmp_path)

    run.remove()
    run.remove()

    assert not run.folder.exists()
    assert run.processes() == []


# --- stopping ---


def test_stop_waits_until_all_are_gone(start: Start) -> None:
    processes = [start(SLEEPS) for _ in range(3)]
    began = time.monotonic()

    runs.stop(psutil.Process(process.pid) for process in processes)

    assert [process.poll() for process in processes] == [-15, -15, -15]
    assert time.monotonic() - began < runs.STOP_SECONDS / 2


def test_a_session_has_what_its_processes_have_started() -> None:
    """Also where the parent is gone: nobody's child any more."""
    script = "import os, subprocess\nsubprocess.Popen(['sleep', '60'])\nos._exit(0)"
    leader = subprocess.Popen([sys.executable, "-c", script], start_new_session=True)
    leader.wait()

    [left] = runs.of_session(leader.pid)
    runs.stop([left])

    assert left.pid != leader.pid
    assert not any(map(runs.alive, runs.of_session(leader.pid)))


def test_stop_kills_what_ignores_sigterm(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runs, "STOP_SECONDS", 0.3)
    deaf, well = start(IGNORES_SIGTERM), start(SLEEPS)

    runs.stop([psutil.Process(deaf.pid), psutil.Process(well.pid)])

    assert (deaf.wait(), well.wait()) == (-9, -15)


def test_stop_of_what_is_gone_is_no_trouble(start: Start) -> None:
    process = start("print(flush=True)")
    gone = psutil.Process(process.pid)
    process.wait()

    runs.stop([gone])
    runs.stop([])


def test_a_zombie_is_not_alive(start: Start) -> None:
    process = start("print(flush=True)")
    watched = psutil.Process(process.pid)
    deadline = time.monotonic() + 5  # nobody waits for it, so that it stays one
    while watched.status() != psutil.STATUS_ZOMBIE and time.monotonic() < deadline:
        time.sleep(0.001)

    assert not runs.alive(watched)
    assert runs.alive(psutil.Process(os.getpid()))
