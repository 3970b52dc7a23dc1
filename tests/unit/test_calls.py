"""A call of another program: what it gives, and what Ctrl-C does not do to it."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from hoplab.system import interrupts
from hoplab.system.calls import call


@pytest.fixture
def signals_are_noted() -> Iterator[None]:
    before = signal.getsignal(signal.SIGINT)
    interrupts.install()
    yield
    signal.signal(signal.SIGINT, before)


def python(program: str) -> list[str]:
    return [sys.executable, "-c", program]


def test_what_it_gives() -> None:
    run = call(python("import sys; print('out'); print('err', file=sys.stderr); sys.exit(3)"), 30)

    assert (run.returncode, run.stdout, run.stderr) == (3, "out\n", "err\n")


def test_much_output_is_no_deadlock() -> None:
    assert len(call(python("print('x' * 10**6)"), 30).stdout) == 10**6 + 1


def test_there_is_no_such_program(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        call([str(tmp_path / "none")], 30)


def test_one_that_does_not_end(tmp_path: Path) -> None:
    pid = tmp_path / "pid"
    program = f"import os, time; open({str(pid)!r}, 'w').write(str(os.getpid())); time.sleep(60)"
    with pytest.raises(subprocess.TimeoutExpired):
        call(python(program), 0.5)

    if pid.exists():
        with pytest.raises(ProcessLookupError):
            os.kill(int(pid.read_text()), 0)


def test_ctrl_c_of_a_terminal_does_not_reach_it() -> None:
    run = call(python("import os; print(os.getpgrp())"), 30)

    assert int(run.stdout) != os.getpgrp()


@pytest.mark.usefixtures("signals_are_noted")
def test_ctrl_c_ends_the_wait_and_the_program() -> None:
    program = "import os, signal, time; os.kill(os.getppid(), signal.SIGINT); time.sleep(60)"

    with pytest.raises(interrupts.Interrupted) as caught:
        call(python(program), 60)

    assert caught.value.code == 130
