"""The Makefile, with programs in the place of Python's own."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.catalogue import ROOT

PYTHON = """\
#!/bin/sh
if [ "$1 $2" = "-m venv" ]; then
    mkdir -p "$3/bin"
    printf '#!/bin/sh\\n' >"$3/bin/python"
    printf '#!/bin/sh\\necho hoplab "$@"\\n' >"$3/bin/hoplab"
    chmod +x "$3/bin/python" "$3/bin/hoplab"
fi
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    for name in ("Makefile", "requirements.lock", "pyproject.toml"):
        shutil.copy(ROOT / name, tmp_path / name)
    (tmp_path / "python").write_text(PYTHON)
    (tmp_path / "python").chmod(0o755)
    return tmp_path


def make(project: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """As in a terminal: these tests may run below `make test`, whose flags would be its own."""
    command = ["make", f"PYTHON={project / 'python'}", *words]
    own = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    return subprocess.run(
        command, cwd=project, capture_output=True, text=True, check=False, env=own
    )


@pytest.mark.parametrize("venv", [".venv", "a b/venv", "/absolute one/venv"])
def test_the_virtual_environment_is_made_once_wherever_it_is(project: Path, venv: str) -> None:
    word = f"VENV={project}{venv}" if venv.startswith("/") else f"VENV={venv}"

    first, second = (make(project, word, "ps", "ENGINE=process") for _ in range(2))

    assert (first.returncode, first.stdout) == (0, "hoplab ps\n"), first.stderr
    assert "Installing into " in first.stderr
    assert (second.returncode, second.stdout, second.stderr) == (0, "hoplab ps\n", "")
