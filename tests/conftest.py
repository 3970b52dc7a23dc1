"""For all tests: where they run, and what is not run is told once for each reason."""

from collections import Counter
from typing import Any

import pytest

from tests import docker_required, groups


def pytest_configure() -> None:
    docker_required.check()


def pytest_itemcollected(item: pytest.Item) -> None:
    if group := groups.group(item):
        item.add_marker(pytest.mark.xdist_group(group))


@pytest.hookimpl(trylast=True)  # after -k and -m have chosen
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    docker_required.leave_out(config, items)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """A worker of pytest-xdist hands over what the summary has to tell."""
    output = getattr(session.config, "workeroutput", {})
    output["left_out"] = session.config.stash.get(docker_required.LEFT_OUT, "")


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    if left_out := getattr(node, "workeroutput", {}).get("left_out"):
        node.config.stash[docker_required.LEFT_OUT] = left_out


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
