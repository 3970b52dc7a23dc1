"""Asking an application alone: one that ends is another thing than one that is silent."""

import pytest

from hoplab.client.target import Limits, Target
from hoplab.errors import HoplabError
from hoplab.suites.own.explore import NO_ANSWER, Wish, explore
from hoplab.system.ports import LOOPBACK, free_ports


class Ending:
    """Its sockets are closed; `looks` times its process is still there, after the last question."""

    def __init__(self, looks: int) -> None:
        [port] = free_ports(1)
        base = f"http://{LOOPBACK}:{port}"
        self.target = Target(base, {base: (LOOPBACK, port)}, limits=Limits(seconds=3.0))
        self._looks = looks
        self._asked_all = False

    def progress(self, asked: int, of: int) -> None:
        self._asked_all = asked == of

    def died(self) -> str | None:
        self._looks -= self._asked_all
        return "its log" if self._looks < 0 else None


def test_one_that_has_closed_its_sockets_and_is_still_ending() -> None:
    ending = Ending(looks=3)

    with pytest.raises(HoplabError, match="ended when it was asked for /: its log"):
        explore(ending.target, {}, Wish(), ending.progress, ending.died)


def test_one_that_is_silent_and_does_not_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hoplab.suites.own.explore._ENDING", 0.1)
    ending = Ending(looks=1000)

    found = explore(ending.target, {}, Wish(), ending.progress, ending.died)

    assert list(found.unjudged) == [f"{NO_ANSWER}, and nothing did after /"]
