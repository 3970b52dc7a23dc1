"""How `docker compose` is called: with a program in Docker's place."""

import os
import sys
from pathlib import Path

import pytest

from hoplab.engines import compose
from hoplab.engines.compose import Compose, ComposeFailed
from hoplab.errors import HoplabError


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What is called as `docker`; a test writes it."""
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    file = tmp_path / "docker"
    file.touch(0o755)
    return file


@pytest.fixture
def project(tmp_path: Path) -> Compose:
    return Compose("lab", tmp_path)


def test_what_it_prints(program: Path, project: Compose) -> None:
    program.write_text("#!/bin/sh\necho $*; echo one >&2; echo two >&2\n")
    lines: list[str] = []

    assert project.run("up", "x", progress=lines.append) == (
        "compose --project-name lab --progress plain up x\n"
    )
    assert lines == ["one", "two"]


def test_both_outputs_are_in_the_error(program: Path, project: Compose) -> None:
    """A build is told on standard output, what comes after it on standard error."""
    program.write_text("#!/bin/sh\necho 'error: built'; echo 'error: started' >&2; exit 1\n")

    with pytest.raises(ComposeFailed, match=r"(?s)`docker compose up` failed:.*built.*started"):
        project.run("up")


def test_what_is_hopeless_is_interrupted(program: Path, project: Compose, tmp_path: Path) -> None:
    ready = tmp_path / "ready"
    program.write_text(
        f"#!{sys.executable}\nimport pathlib, signal, sys, time\n"
        # What is started in the background inherits that Ctrl-C is ignored.
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        f"try: pathlib.Path({str(ready)!r}).touch(); time.sleep(60)\n"
        "except KeyboardInterrupt: sys.exit('error: interrupted')\n"
    )

    with pytest.raises(ComposeFailed, match="error: interrupted"):
        project.run("up", hopeless=ready.exists)


def test_what_is_not_hopeless_ends_by_itself(
    program: Path, project: Compose, tmp_path: Path
) -> None:
    asked = tmp_path / "asked"
    program.write_text(f"#!/bin/sh\nuntil [ -e {asked} ]; do :; done\necho done\n")

    def hopeless() -> bool:
        asked.touch()
        return False

    assert project.run("up", hopeless=hopeless) == "done\n"


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        ("exit 0", None),
        ("echo 'Cannot connect to the daemon.' >&2; exit 1", "says: Cannot connect to the daemon"),
        ("[ $1 = info ] || { echo no such command; exit 1; }", "`docker compose` says: no such"),
    ],
)
def test_whether_docker_can_be_used(program: Path, script: str, reason: str | None) -> None:
    program.write_text(f"#!/bin/sh\n{script}\n")
    found = compose.unavailable()

    assert found == reason or (reason and reason in str(found))


def test_there_is_no_docker(
    tmp_path: Path, project: Compose, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))

    assert compose.unavailable() == "there is no `docker` command"
    with pytest.raises(HoplabError, match="`docker` can't be run: No such file or directory"):
        project.containers()


def test_what_goes_between_listing_and_inspecting_is_listed_again(
    program: Path, project: Compose, tmp_path: Path
) -> None:
    """As when another process cleans up after the same killed run."""
    seen = tmp_path / "seen"
    program.write_text(
        "#!/bin/sh\n"
        f'if [ "$1" = ps ]; then [ -e {seen} ] || echo 49e276f693a1; touch {seen}; exit; fi\n'
        "echo 'Error: No such object: 49e276f693a1' >&2; exit 1\n"
    )

    assert project.containers() == {}


def test_another_error_of_inspecting_is_told(program: Path, project: Compose) -> None:
    program.write_text("#!/bin/sh\n[ $1 = ps ] && echo 1 && exit\necho 'no daemon' >&2; exit 1\n")

    with pytest.raises(HoplabError, match="no daemon"):
        project.containers()
