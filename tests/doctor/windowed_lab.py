"""Opens the window in every application of the lab, as an author does with add_middleware.

To be imported before they are made.
"""

from starlette.types import ASGIApp

from app.shared import Application
from hoplab.doctor import Window

_without = Application.build_middleware_stack


def _with_window(self: Application) -> ASGIApp:
    return Window(_without(self))


Application.build_middleware_stack = _with_window  # type: ignore[method-assign]
