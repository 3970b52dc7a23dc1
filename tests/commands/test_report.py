"""A page of a real run: what `verify` writes, and `report` of its results file."""

from pathlib import Path

import pytest

from hoplab.suites.contract.checks import CHECKS
from tests.commands.run import hoplab
from tests.reports import overview

ARGUMENTS = ["--engine", "process", "--proxy", "nginx", "--server", "hypercorn", "--mode", "strip"]


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("results") / "results.json"
    done = hoplab("verify", *ARGUMENTS, "--format", "json", "-o", str(file))
    assert done.returncode == 0, done.stdout + done.stderr
    return file


def test_a_results_file_becomes_a_page(results: Path, tmp_path: Path) -> None:
    page = tmp_path / "page.html"

    done = hoplab("report", str(results), "-o", str(page))

    assert (done.returncode, done.stdout) == (0, "")
    made = overview(page.read_text())
    http, https = made["cells"]
    assert (http["scheme"], https["scheme"]) == ("http", "https")
    assert (http["verdict"], http["recipe"]) == ("pass", True)
    assert [check for check, _ in made["texts"][https["outcome"]]] == list(CHECKS)
    assert made["runs"][0]["name"] == "results.json"
    assert made["runs"][0]["versions"]["hypercorn"]


def test_verify_writes_the_same_page(results: Path, tmp_path: Path) -> None:
    reported, verified = tmp_path / "reported.html", tmp_path / "verified.html"
    hoplab("report", str(results), "-o", str(reported))

    done = hoplab("verify", *ARGUMENTS, "--format", "html", "-o", str(verified))

    assert done.returncode == 0
    one, other = (overview(page.read_text()) for page in (reported, verified))
    assert one["cells"] == other["cells"]
    assert other["runs"][0]["name"] == "hoplab verify"


def test_two_runs_are_compared(results: Path, tmp_path: Path) -> None:
    page, later = tmp_path / "page.html", tmp_path / "later.json"
    more = [*ARGUMENTS, "--check", "reach", "--format", "json", "-o", str(later)]
    assert hoplab("verify", *more).returncode == 0

    hoplab("report", str(results), str(later), "-o", str(page))

    (compared,) = overview(page.read_text())["comparisons"]
    assert compared["both"] == 2
    assert {change["check"] for change in compared["changes"]} == set(CHECKS) - {"reach"}
    assert {change["after"] for change in compared["changes"]} == {"not asked"}
