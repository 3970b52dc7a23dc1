"""hoplab: what happens to an ASGI application when a reverse proxy stands in front of it.

`hoplab.check("main:app")` asks that of your own, as the command `hoplab check` does. Nothing is
loaded until it is used.
"""

from importlib import import_module
from typing import TYPE_CHECKING

__all__ = ["HoplabError", "Problem", "Report", "__version__", "check"]

__version__ = "0.1.0"

if TYPE_CHECKING:
    from hoplab.errors import HoplabError
    from hoplab.interface import Problem, Report, check
else:

    def __getattr__(name: str) -> object:
        """What `__all__` names, when it is asked for (PEP 562)."""
        if name not in __all__:
            message = f"module 'hoplab' has no attribute {name!r}"
            raise AttributeError(message)
        module = "errors" if name == "HoplabError" else "interface"
        # By name: the modules below the interface import this one, for the version.
        return getattr(import_module(f"hoplab.{module}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
