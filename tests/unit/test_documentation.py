"""The documents say what the code does."""

import re
from collections.abc import Sequence
from pathlib import Path

import pytest
import typer.main

from hoplab.cli.main import app
from hoplab.commands import showing
from hoplab.engines import published
from hoplab.results import Verdict
from hoplab.suites.contract.checks import CHECKS
from hoplab.suites.cors.checks import CHECKS as CORS_CHECKS
from hoplab.topology import Mode, Scheme, Topology
from scripts.screenshots import FINGERPRINTS, LIVE, PICTURES
from tests.catalogue import CATALOGUE, ROOT, WORKSPACE

README = (ROOT / "README.md").read_text()
USAGE = (ROOT / "docs" / "usage.md").read_text()
CONTRACT = (ROOT / "docs" / "contract.md").read_text()


def own_ports(topologies: Sequence[Topology]) -> dict[Topology, dict[Scheme, int]]:
    return published.ports(WORKSPACE, topologies)


def symptoms(text: str) -> list[str]:
    """The names in backticks."""
    return re.findall(r"`([a-z0-9-]+)`", text)


def test_every_port_is_listed() -> None:
    for topology, by_scheme in own_ports(CATALOGUE.topologies).items():
        row = f"| `{topology.name}` | {by_scheme[Scheme.HTTP]} | {by_scheme[Scheme.HTTPS]} |"
        assert row in USAGE


def test_every_command_is_listed() -> None:
    commands = typer.main.get_command(app).commands  # type: ignore[attr-defined]

    assert set(re.findall(r"^\| `hoplab ([a-z]+)", USAGE, re.MULTILINE)) == set(commands)


def test_the_readme_is_short() -> None:
    assert len(README.splitlines()) < 150


def test_every_relative_link_leads_to_a_file_and_a_heading() -> None:
    for file in [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").glob("*.md")]:
        for link in re.findall(r"\]\(([^)\s]+)\)", file.read_text()):
            path, _, heading = link.partition("#")
            if "://" in link or link.startswith("mailto:"):
                continue
            target = (file.parent / path).resolve() if path else file
            if target == ROOT / "report.html":
                continue  # `make report` writes it
            assert target.exists(), f"{file.name}: {link}"
            if heading:
                assert heading in anchors(target.read_text()), f"{file.name}: {link}"


def anchors(page: str) -> set[str]:
    """As GitHub makes them of headings."""
    headings = re.findall(r"^#+ (.*)$", page, re.MULTILINE)
    return {re.sub(r"[^\w -]", "", each.lower()).replace(" ", "-") for each in headings}


def test_every_page_is_in_the_index() -> None:
    index = (ROOT / "docs/README.md").read_text()
    for page in (ROOT / "docs").glob("*.md"):
        assert page.name == "README.md" or f"({page.name})" in index


def test_contract_lists_every_check_and_its_symptoms() -> None:
    rows = dict(re.findall(r"^\| `([a-z-]+)` \| .* \| (.*) \|$", CONTRACT, re.MULTILINE))
    verdicts = {verdict.value for verdict in Verdict}

    assert [name for name in rows if name not in verdicts] == list(CHECKS)
    for name, check in CHECKS.items():
        _, _, told = (check.__doc__ or "").partition("Symptom")
        assert symptoms(rows[name]) == symptoms(told), name


@pytest.mark.parametrize(
    "file",
    [
        *sorted({f for p in CATALOGUE.proxies.values() for mode in Mode for f in p.sources(mode)}),
    ],
    ids=lambda file: str(file.relative_to(ROOT)),
)
def test_configuration_files_are_short(file: Path) -> None:
    assert len(file.read_text().splitlines()) < 50


def test_make_help_sees_every_target() -> None:
    makefile = (ROOT / "Makefile").read_text()
    phony = re.search(r"^\.PHONY: (.*)$", makefile, re.MULTILINE)
    assert phony

    assert set(re.findall(r"^([a-z-]+):.* ## ", makefile, re.MULTILINE)) == set(phony[1].split())


def test_cors_page_lists_every_question_and_its_symptoms() -> None:
    page = (ROOT / "docs/cors.md").read_text()
    rows = dict(re.findall(r"^\| `([a-z]+)` \| .* \| (.*) \|$", page, re.MULTILINE))

    assert list(rows) == list(CORS_CHECKS)
    for name, check in CORS_CHECKS.items():
        _, _, told = (check.__doc__ or "").partition("Symptom")
        assert symptoms(rows[name]) == symptoms(told), name


def test_the_screenshots_show_the_page_as_it_is() -> None:
    """In substance: by a hash of each page's files. `make screenshots` makes them again."""
    images = ROOT / "docs/images"

    for name, made in FINGERPRINTS.items():
        assert (images / name).read_text().strip() == made(), name
    assert {image.name for image in images.glob("*.png")} == {*PICTURES, *LIVE}
    assert all(image.stat().st_size < 300_000 for image in images.glob("*.png"))
    shown = re.findall(r"\(docs/images/([\w-]+\.png)\)", README)
    assert len(shown) == 1
    assert shown[0] in PICTURES


def test_nothing_names_an_index() -> None:
    for lock in ("requirements.lock", "app/requirements.lock"):
        assert "://" not in (ROOT / lock).read_text()


def test_every_cell_in_the_documentation_exists() -> None:
    known = {cell.id for cell in showing.every_cell(CATALOGUE)}
    pattern = re.compile(rf"\b(?:{'|'.join(CATALOGUE.proxies)})-\w+-(?:strip|preserve)\.[\w.+-]*\w")
    for file in [ROOT / "README.md", *(ROOT / "docs").glob("*.md")]:
        named = {name for name in pattern.findall(file.read_text()) if ".http" in name}
        assert named <= known, f"{file.name}: {named - known}"


def test_every_finding_can_be_reproduced() -> None:
    sections = (ROOT / "docs/findings.md").read_text().split("\n## ")[1:]
    for section in sections:
        commands = (
            *("    hoplab repro --run ", "    .venv/bin/python scripts/"),
            "    hoplab matrix --prefix ",
            "    hoplab verify --engine process --check ",
            "    .venv/bin/pytest tests/",
        )
        assert any(command in section for command in commands), section.splitlines()[0]
