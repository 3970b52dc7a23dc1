"""The lines for nginx before 1.29.3, in a distribution's own nginx."""

from dataclasses import replace

import pytest

from hoplab.commands.ask import CONTRACT
from hoplab.commands.targets import jobs
from hoplab.engines import certificates
from hoplab.engines.process import ProcessEngine
from hoplab.errors import HoplabError
from hoplab.results import Verdict
from hoplab.suites import asking
from hoplab.system import runs
from tests.catalogue import CATALOGUE, WORKSPACE
from tests.topologies.labs import interruptible
from tests.topologies.old_nginx import NONE, old_nginx, which_accepts

VARIATION = CATALOGUE.variations["nginx-before-1-29"]


@pytest.fixture
def old(monkeypatch: pytest.MonkeyPatch) -> str:
    """Its version; skips where there is none: OLD_NGINX_PROGRAM names it, or /usr/sbin has it."""
    found = old_nginx()
    if found is None:
        pytest.skip(NONE)
    program, version = found
    monkeypatch.setenv(CATALOGUE.proxies["nginx"].program_variable, program)
    return version


def test_the_lines_for_an_old_nginx(old: str) -> None:
    """Every question, in both modes and schemes; one nginx serves all, as it is."""
    catalogue = which_accepts(CATALOGUE, old)
    cells = list(VARIATION.symptoms)
    deployments = list(dict.fromkeys(cell.deployment for cell in cells))
    files = certificates.ensure(WORKSPACE.certificates)
    engine = ProcessEngine(catalogue, deployments, runs.new(WORKSPACE.runs), files)
    with interruptible():
        try:
            asked = asking.ask(
                jobs(catalogue, CONTRACT, cells, engine.start()), CONTRACT.checks, lambda *_: None
            )
            versions = engine.versions()
        finally:
            engine.stop()

    assert versions["nginx"] == old
    wrong = {
        f"{result.cell.id} {finding.check}": finding.detail
        for result in asked
        for finding in result.findings
        if finding.verdict in {Verdict.FAIL, Verdict.ERROR}
    }
    assert wrong == {}


def test_without_them_an_old_nginx_does_not_start(old: str) -> None:
    """So the lines are needed."""
    catalogue = which_accepts(CATALOGUE, old)
    deployment = next(iter(VARIATION.symptoms)).deployment
    files = certificates.ensure(WORKSPACE.certificates)
    engine = ProcessEngine(
        catalogue, [replace(deployment, variation="")], runs.new(WORKSPACE.runs), files
    )
    with interruptible(), pytest.raises(HoplabError, match="is_request_port"):
        engine.start()
