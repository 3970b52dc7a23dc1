"""docs/cors.md, "The post's own code": its commands are run, and print what the page shows."""

import shutil

import pytest

from tests.catalogue import ROOT
from tests.commands import terminal
from tests.commands.terminal import Block

PAGE = (ROOT / "docs/cors.md").read_text()
SECTION = PAGE.partition("\n## The post's own code\n")[2].partition("\n## ")[0]
BLOCKS = list(terminal.blocks(SECTION, "post"))


def test_each_listing_has_a_block() -> None:
    listings = {file.stem for file in (ROOT / "app/cors/post").glob("[!_]*.py")}
    commands = [command for block in BLOCKS for command, _ in block.commands]

    assert listings == {"problem", "one_layer", "router"}
    for name in listings:
        assert any(f"app.cors.post.{name}" in command for command in commands), name


@pytest.mark.skipif(not shutil.which("curl"), reason="no curl")
@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: block.step)
def test_a_block_prints_what_the_page_shows(block: Block) -> None:
    terminal.require_same(block)
