"""docs/guide.md: its commands are run, step by step, and print what the page shows."""

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator

import pytest

from tests.catalogue import ROOT
from tests.commands import terminal
from tests.commands.terminal import DEADLINE, Block, matches

PAGE = (ROOT / "docs/guide.md").read_text()
COLLECT = """
import shlex, sys
import pytest

for command in sys.argv[1:]:
    pytest.main(["--collect-only", *shlex.split(command)[1:]])
"""
"""In one process: what is collected first takes the time of the imports."""

VERDICTS = ("holds", "no longer holds", "never did")


def sections() -> list[str]:
    return PAGE.split("\n## ")[1:]


def blocks() -> Iterator[Block]:
    for section in sections():
        yield from terminal.blocks(section, section.partition(".")[0])


@pytest.mark.skipif(not shutil.which("curl"), reason="no curl")
@pytest.mark.parametrize("block", list(blocks()), ids=lambda block: block.step)
def test_a_block_prints_what_the_page_shows(block: Block) -> None:
    terminal.require_same(block)


def test_the_tests_that_the_page_names_exist() -> None:
    """They belong to this suite: what is held here is how many of them the command chooses."""
    commands = {c: shown for b in blocks() for c, shown in b.commands if ".venv/bin/pytest" in c}
    assert commands
    done = subprocess.run(
        [sys.executable, "-c", COLLECT, *commands],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=5 * DEADLINE,  # to collect costs as much as importing everything
        check=False,
    )
    collected = re.findall(r"^(\d+)/\d+ tests? collected", done.stdout, re.MULTILINE)
    passed = [re.findall(r"^(\d+) passed", "\n".join(s), re.MULTILINE) for s in commands.values()]
    assert [[each] for each in collected] == passed, done.stdout


@pytest.mark.parametrize(
    ("shown", "printed", "same"),
    [
        (["a", "b"], "a\nb\n", True),
        (["a", "…"], "a\nb\nc\n", True),
        (["a", "…", "c"], "a\nb\nc\n", True),
        (["http://x:8000/", "…"], "http://x:12345/\nmore\n", True),
        (["a"], "a\nb\n", False),
        (["404"], "200\n", False),
        (["a", "…", "b", "…"], "b\na\n", False),
        (["location: https://x/"], "location: http://x/\n", False),
        (["404"], "", False),
    ],
)
def test_another_output_is_noticed(shown: list[str], printed: str, *, same: bool) -> None:
    assert matches(shown, printed) == same


def test_every_step_has_a_command_that_shows_something_and_a_verdict() -> None:
    rows = re.findall(r"^\| \[(\d+)\]\(#\S+\) \| (.*) \| (.*) \|$", PAGE, re.MULTILINE)
    steps = [section.partition(".")[0] for section in sections()]

    assert [number for number, _, _ in rows] == steps
    shows = {each.step.partition("-")[0] for each in blocks() if any(s for _, s in each.commands)}
    assert shows == set(steps)
    for section, (_, _, verdict) in zip(sections(), rows, strict=True):
        assert section.count("**Verdict: ") == 1, section.splitlines()[0]
        assert any(word in verdict for word in VERDICTS), verdict
        assert "https://" in section or "](findings.md" in section, "the verdict has no reference"
