"""The doctor must not know the lab: it is made for deployments that nobody here has seen."""

import re

import pytest

from tests.catalogue import CATALOGUE, ROOT

SOURCE = ROOT / "src/hoplab"
CLIENT = (
    "arrival",
    "asker",
    "given",
    "guard",
    "manners",
    "masking",
    "naming",
    "polite",
    "sending",
    "unpacking",
)
FILES = sorted(
    [
        *(SOURCE / "diagnosis").rglob("*.py"),
        *(SOURCE / "diagnosis").rglob("*.toml"),
        *(SOURCE / "commands").glob("doctor*.py"),
        *(SOURCE / "cli").glob("doctor*.py"),
        *(SOURCE / f"client/{name}.py" for name in CLIENT),
        SOURCE / "client/challenges.toml",
        SOURCE / "doctor.py",
        SOURCE / "suites/own/links.py",
    ]
)
OF_THE_LAB = re.compile(
    r"x-instance|x-asgi-scope|mysuperapp|/api/v1|/items|/scope\b|/sub\b|/app\b(?!-service)|/nested"
    r"|/extra-servers|/no-root-path|/static|/ws\b|/events|/echo|hello\.txt|plumbus"
    r"|lab_application|Purpose\.|PUBLIC_NAME|DEFAULT_PREFIX",
    re.IGNORECASE,
)


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(SOURCE)))
def test_no_route_header_or_prefix_of_the_lab_is_named(file: object) -> None:
    text = (SOURCE / str(file)).read_text()

    assert [line for line in text.splitlines() if OF_THE_LAB.search(line)] == []


def test_the_search_finds_what_it_is_for() -> None:
    prefix = CATALOGUE.prefix.encoded

    for each in ("headers['X-Instance']", "X-ASGI-Scope", f"'{prefix}'", "get('/items/')"):
        assert OF_THE_LAB.search(each)
    assert len(FILES) > 10
