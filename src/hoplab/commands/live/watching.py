"""Tells of every change of files in some folders, from a thread of its own."""

import threading
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import watchfiles

_STEP = 30  # milliseconds without another change, after which those before are told together
_READY = 10.0  # seconds for the system to begin; then the error is the thread's


class _Edits(watchfiles.DefaultFilter):
    """What is no edit, by its name below a watched folder.

    The folders themselves may stand in one that watchfiles ignores: an installed lab is in .venv.
    """

    def __init__(self, folders: Sequence[Path]) -> None:
        super().__init__()
        self._folders = folders

    def __call__(self, change: watchfiles.Change, path: str) -> bool:
        file = Path(path)
        folder = next((each for each in self._folders if file.is_relative_to(each)), None)
        return super().__call__(change, str(file.relative_to(folder)) if folder else file.name)


@contextmanager
def watching(
    folders: Sequence[Path],
    changed: Callable[[Collection[Path]], None],
    failed: Callable[[str], None],
) -> Iterator[None]:
    """Call `changed` with the files that were written, created or removed, until the block ends.

    `failed` is called with the reason if the system can't watch (any longer).

    What editors leave beside a file (swap files, backups) and compiled modules don't count.
    """
    stop = threading.Event()
    ready = threading.Event()

    def watch() -> None:
        found = watchfiles.watch(
            *folders,
            watch_filter=_Edits(folders),
            step=_STEP,
            stop_event=stop,
            raise_interrupt=False,
            rust_timeout=_STEP,  # it begins to watch, and tells so by its first empty answer
            yield_on_timeout=True,
        )
        try:
            for changes in found:
                ready.set()
                if changes and not stop.is_set():
                    changed({Path(path) for _, path in changes})
        except (OSError, RuntimeError) as error:  # as watchfiles documents
            failed(str(error))
        finally:
            ready.set()

    thread = threading.Thread(target=watch, name="watching files", daemon=True)
    thread.start()
    ready.wait(_READY)
    try:
        yield
    finally:
        stop.set()
        thread.join()
