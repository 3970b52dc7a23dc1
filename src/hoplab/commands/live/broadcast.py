"""The lab's states as server-sent events: an event for each revision, to every open page."""

import json
from collections.abc import AsyncIterator, Callable
from typing import Any

import anyio
import anyio.to_thread

from hoplab.commands.live.model import LiveLab

BEAT = 15.0
"""Seconds without news after which a comment is sent, so that a lost connection is noticed."""

_WAIT = 1.0
_RETRY = 500  # milliseconds, after which a browser connects again


class Broadcast:
    """Waits for the lab in one thread, however many pages listen.

    run: which run of the server this is. An event's id is that and the revision: a browser that
    comes back with the id of the last event that it has seen gets no event twice.
    """

    def __init__(self, lab: LiveLab, run: str, told: Callable[[], Any]) -> None:
        self.lab = lab
        self.run = run
        self.told = told
        self.revision = -1
        self.closed = False
        self._data = ""
        self._changed = anyio.Event()

    async def listen(self) -> None:
        """Follow the lab until `close`, or until it is cancelled."""
        while not self.closed:
            revision = await anyio.to_thread.run_sync(
                self.lab.wait, self.revision, _WAIT, abandon_on_cancel=True
            )
            if revision <= self.revision:
                continue
            # The states are of this revision or of a later one, which then follows.
            told = await anyio.to_thread.run_sync(self.told)
            self.revision, self._data = revision, json.dumps(told)
            self._wake()

    def close(self) -> None:
        """End all streams, so that the server can end."""
        self.closed = True
        self._wake()

    def _wake(self) -> None:
        changed, self._changed = self._changed, anyio.Event()
        changed.set()

    @property
    def _id(self) -> str:
        return f"{self.run}-{self.revision}"

    async def events(self, last: str | None) -> AsyncIterator[str]:
        """All from now on; the present states first, unless `last` is the id of these."""
        yield f"retry: {_RETRY}\nevent: run\ndata: {json.dumps(self.run)}\n\n"
        seen = last
        while not self.closed:
            changed = self._changed
            if self.revision >= 0 and self._id != seen:
                seen = self._id
                yield f"id: {seen}\nevent: states\ndata: {self._data}\n\n"
                continue
            with anyio.move_on_after(BEAT) as waiting:
                await changed.wait()
            if waiting.cancelled_caught:
                yield ": nothing new\n\n"
