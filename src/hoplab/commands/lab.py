"""The lab's files, written out for people who want to change them."""

import shutil
from pathlib import Path

from hoplab import __version__
from hoplab.workspace import MARKER, Workspace

_MARKER_TEXT = f"""\
# Written by `hoplab init` of hoplab {__version__}. With this file here, hoplab's commands use the
# files of this folder when they run in it or below it. Certificates and runs are here as well.
# There is no Makefile: for `make up-strip`, run `hoplab up strip`; for `make certificates`,
# `hoplab certificates`.
"""


def write(lab: Workspace, folder: Path) -> None:
    """Copy the lab's files into `folder`, which is new or empty.

    Raises OSError if one can't be written, and then leaves none.
    """
    made = not folder.exists()
    folder.mkdir(exist_ok=True)
    try:
        for file in lab.files():
            target = folder / file
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(lab.root / file, target)  # without the mode, which may be read-only
        (folder / MARKER).write_text(_MARKER_TEXT)  # last: what is not whole is no lab
    except OSError:
        for path in [folder] if made else list(folder.iterdir()):
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        raise
