"""For all tests: what is not run is told once for each reason."""

from collections import Counter

import pytest

from tests import docker_required


@pytest.hookimpl(trylast=True)  # after -k and -m have chosen
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    docker_required.leave_out(config, items)


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
