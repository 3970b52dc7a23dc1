"""For all tests: who runs which beside others, and what is not run is told once for each reason."""

import os
import sys
from collections import Counter
from typing import Any

import pytest

from tests import docker_required, workers

# Some containers set this. Then each of pytest's processes compiles every test in each run, half of
# its collecting, and each `hoplab` that a test starts compiles all that it imports.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

pytest_plugins = ["tests.live"]  # its fixtures are for more than one folder


def pytest_configure() -> None:
    docker_required.must_be_there()


@pytest.hookimpl(trylast=True)  # after -k and -m have chosen
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    docker_required.leave_out(config, items)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    return workers.number()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> workers.Sharing:
    return workers.Sharing(config, log)


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """A worker tells what it left out to the process that has the terminal."""
    if (output := getattr(session.config, "workeroutput", None)) is not None:
        output["left_out"] = session.config.stash.get(docker_required.LEFT_OUT, "")


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Each worker has left out the same."""
    if told := getattr(node, "workeroutput", {}).get("left_out"):
        node.config.stash[docker_required.LEFT_OUT] = told


@pytest.hookimpl(trylast=True)
def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """In one line, how many tests were not run and why, and not in one for each."""
    if left_out := terminalreporter.config.stash.get(docker_required.LEFT_OUT, ""):
        terminalreporter.write_line(left_out)
    reasons: Counter[str] = Counter()
    for report in terminalreporter.stats.get("skipped", []):
        _, _, told = report.longrepr
        reasons[told.removeprefix("Skipped: ")] += 1
    for reason, count in reasons.most_common():
        terminalreporter.write_line(f"SKIPPED {count} tests: {reason}")
