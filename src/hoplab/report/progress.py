"""Progress on standard error: a moving line at a terminal, few plain lines elsewhere."""

from types import TracebackType

from rich.console import Console
from rich.markup import escape

_WIDTH = 60


class Progress:
    """`stage` names what is being done, `count` and `line` tell how far it is."""

    def __init__(self) -> None:
        self._console = Console(stderr=True, highlight=False)
        self._status = self._console.status("")
        self._stage = ""

    def __enter__(self) -> "Progress":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._status.stop()

    def stage(self, name: str) -> None:
        """Begin something."""
        self._stage = name
        if self._console.is_terminal:
            self._status.update(escape(name))
            self._status.start()
        else:
            self._console.print(f"hoplab: {name}", markup=False)

    def count(self, done: int, of: int) -> None:
        """Tell how many are done."""
        if self._console.is_terminal:
            self._status.update(escape(f"{self._stage}: {done} of {of}"))

    def line(self, text: str) -> None:
        """Tell the newest line of a program that is at work."""
        if self._console.is_terminal:
            self._status.update(escape(f"{self._stage}: {text[:_WIDTH]}"))

    def notice(self, text: str) -> None:
        """Say something that stays on the screen."""
        self._console.print(f"hoplab: {text}", markup=False, soft_wrap=True)


class Silent(Progress):
    """Tells nobody: in a program, standard error is the program's."""

    def __init__(self) -> None:
        super().__init__()
        self._console = Console(quiet=True)
