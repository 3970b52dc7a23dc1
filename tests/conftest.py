"""For all tests: skips are told once for each reason."""

from collections import Counter

import pytest


@pytest.hookimpl(trylast=True)
def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """In one line, how many tests were skipped and why, and not in one for each."""
    reasons: Counter[str] = Counter()
    for report in terminalreporter.stats.get("skipped", []):
        _, _, told = report.longrepr
        reasons[told.removeprefix("Skipped: ")] += 1
    for reason, count in reasons.most_common():
        terminalreporter.write_line(f"SKIPPED {count} tests: {reason}")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Under pytest-xdist, tests that share something that runs stay together in one worker."""
    if not config.pluginmanager.hasplugin("xdist"):
        return
    for item in items:
        folder, name = item.path.parent.name, item.path.stem
        if folder in {"browser", "topologies"}:
            item.add_marker(pytest.mark.xdist_group(folder))
        elif folder == "commands" and name in {
            "test_matrix",
            "test_cors",
            "test_up",
            "test_prefix",
        }:
            item.add_marker(pytest.mark.xdist_group(name))
