"""The doctor at real deployments, told nothing but the URL: a sample of `make bench-doctor`."""

from collections.abc import Mapping

import pytest

from hoplab.commands.session import Session
from hoplab.diagnosis import text
from hoplab.diagnosis.words import Fault
from hoplab.report.progress import Progress
from scripts.bench_doctor.cells import every
from scripts.bench_doctor.examining import Examined, of_the_lab, with_second_eye
from scripts.bench_doctor.matrix import row, transcript
from tests.catalogue import CATALOGUE, ROOT

HTTP_SCHEME = {
    Fault.NOT_TRUSTED,
    Fault.PROTO_NOT_SENT,
    Fault.PROTO_OVERWRITTEN,
    Fault.PROTO_LISTED,
}
NOTHING_THERE = {
    Fault.UNTOLD_PRESERVED,
    Fault.PREPENDED_PRESERVED,
    Fault.OTHER_ROOT_PATH,
    Fault.PATH_SLASHES,
    Fault.PREFIX_AGAIN,
    Fault.NO_SUCH_ROUTE,
}

BOTH_WRONG = "nginx-hypercorn-strip.server-option.none.https"

EXPECTED: Mapping[str, list[set[Fault]]] = {
    "nginx-uvicorn-strip.server-option.proxy.https": [],
    "traefik-hypercorn-preserve.server-option.proxy.https": [],
    "caddy-granian-strip.forwarded-prefix.proxy.http": [],
    "nginx-uvicorn-preserve.router.proxy.https": [],
    "traefik-uvicorn-strip.none.proxy.https": [{Fault.UNTOLD_STRIPPED}],
    BOTH_WRONG: [{Fault.LABEL_STRIPPED}, HTTP_SCHEME],
    "traefik-uvicorn-preserve.server-option.proxy.http": [NOTHING_THERE],
    "caddy-uvicorn-preserve.none.proxy.https": [NOTHING_THERE],
    "nginx-uvicorn-strip.mount.proxy.http": [{Fault.MOUNTED_STRIPPED}],
    "traefik-hypercorn-strip.router.proxy.https": [{Fault.IN_ROUTES_STRIPPED}],
    "nginx-uvicorn-strip.server-option.proxy.https+nginx-host-drops-port": [
        {Fault.HOST_WITHOUT_PORT}
    ],
    "nginx-uvicorn-strip.server-option.proxy.https+nginx-behind-traefik": [HTTP_SCHEME],
    "nginx-uvicorn-strip.none.proxy.https+nginx-bare": [
        {Fault.UNTOLD_STRIPPED},
        {Fault.LOCATION_REWRITTEN},
        {Fault.NO_UPGRADE},
    ],
    "nginx-hypercorn-preserve.server-option.any.http+hypercorn-proxy-fix-added": [{Fault.RAISES}],
    "nginx-uvicorn-strip.server-option.proxy.http+nginx-proxy-pass-variable": [{Fault.PATH_FIXED}],
    "traefik-uvicorn-strip.server-option.proxy.https+traefik-no-boundary": [
        {Fault.LETTERS, Fault.OPEN_WITHOUT_PREFIX}
    ],
    "nginx-uvicorn-strip.server-option.proxy.https+cors-nginx-too": [{Fault.CORS_TWICE}],
}


@pytest.fixture(scope="module")
def examined() -> Mapping[str, Examined]:
    cells = [cell for cell in every(CATALOGUE) if cell.id in EXPECTED]
    with Progress() as progress:
        found = of_the_lab(Session(CATALOGUE, progress), cells)
    return {each.cell.id: each for each in found}


@pytest.mark.parametrize("cell", EXPECTED)
def test_the_cause_is_named_and_nothing_else(cell: str, examined: Mapping[str, Examined]) -> None:
    found = examined[cell]

    assert found.groups == [frozenset(group) for group in EXPECTED[cell]]
    assert found.outcome in {"first", "healthy, and said so"}


@pytest.mark.parametrize("cell", EXPECTED)
def test_few_requests_are_enough(cell: str, examined: Mapping[str, Examined]) -> None:
    assert examined[cell].report.requests <= 60


@pytest.mark.parametrize("cell", EXPECTED)
def test_the_published_matrix_has_it(cell: str, examined: Mapping[str, Examined]) -> None:
    wrong, said, _ = row(examined[cell])

    assert f"| {wrong} | {said} |" in (ROOT / "docs/doctor.md").read_text()


@pytest.mark.parametrize(
    "cell",
    [
        "nginx-uvicorn-strip.server-option.proxy.https",
        "traefik-uvicorn-strip.none.proxy.https",
        BOTH_WRONG,
    ],
)
def test_the_transcripts_of_the_docs_are_true(cell: str, examined: Mapping[str, Examined]) -> None:
    assert transcript(examined[cell]) in (ROOT / "docs/doctor.md").read_text()


def test_the_second_eye_tells_apart_what_looks_the_same_from_outside() -> None:
    """In the same deployment, whose application shows what it gets."""
    cells = [cell for cell in every(CATALOGUE) if cell.id == BOTH_WRONG]
    with Progress() as progress:
        (found,) = with_second_eye(Session(CATALOGUE, progress), cells)

    assert found.groups == [{Fault.LABEL_STRIPPED}, {Fault.NOT_TRUSTED}]
    wrong, said, outcome = row(found)
    assert outcome == "first"
    eye = (ROOT / "docs/doctor.md").read_text().partition("### With the second eye")[2]
    assert f"| {wrong} | {said} |" in eye


def test_no_line_is_too_wide(examined: Mapping[str, Examined]) -> None:
    for each in examined.values():
        wide = [line for line in text.render(each.report).splitlines() if len(line) > text.WIDTH]
        # Neither a URL is broken, nor a line to copy.
        assert all("://" in line or line.startswith(" " * 6) for line in wide)
