"""A signal is obeyed at the next safe point, once, and never while something is being stopped."""

import os
import signal
from collections.abc import Iterator

import pytest

from hoplab.system import interrupts


@pytest.fixture(autouse=True)
def own_handlers() -> Iterator[None]:
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    interrupts.install()
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.parametrize(
    ("numbers", "code"),
    [
        ([signal.SIGINT], 130),
        ([signal.SIGTERM], 143),
        ([signal.SIGINT, signal.SIGINT, signal.SIGTERM], 143),
    ],
)
def test_signals_end_the_program_once(numbers: list[signal.Signals], code: int) -> None:
    for number in numbers:
        os.kill(os.getpid(), number)

    with pytest.raises(interrupts.Interrupted) as caught:
        interrupts.check()

    assert caught.value.code == code
    interrupts.check()


def test_without_a_signal_nothing_happens() -> None:
    interrupts.check()


def test_nothing_is_interrupted_while_it_is_held() -> None:
    with interrupts.held():
        os.kill(os.getpid(), signal.SIGTERM)
        with interrupts.held():
            interrupts.check()
        interrupts.check()

    with pytest.raises(interrupts.Interrupted):
        interrupts.check()


def test_it_passes_what_catches_exceptions() -> None:
    """`except Exception` in a check must not swallow Ctrl-C."""
    assert not issubclass(interrupts.Interrupted, Exception)


def test_of_two_threads_one_obeys(monkeypatch: pytest.MonkeyPatch) -> None:
    """Both have seen the signal, and the other was faster."""

    class Taken(list[int]):
        def __bool__(self) -> bool:
            return True

    monkeypatch.setattr(interrupts, "_received", Taken())

    interrupts.check()
