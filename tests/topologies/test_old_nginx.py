"""The lines for nginx before 1.29.3, in a distribution's own nginx."""

import os
import re
import shutil
import subprocess
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
from tests.interruptible import interruptible

VARIATION = CATALOGUE.variations["nginx-before-1-29"]


@pytest.fixture
def old(monkeypatch: pytest.MonkeyPatch) -> str:
    """Its version; skips where there is none: OLD_NGINX_PROGRAM names it, or /usr/sbin has it."""
    program = shutil.which(os.environ.get("OLD_NGINX_PROGRAM", "/usr/sbin/nginx"))
    if program is None:
        pytest.skip("no nginx of a distribution here: apt install nginx, or set OLD_NGINX_PROGRAM")
    told = subprocess.run([program, "-v"], capture_output=True, text=True, check=True).stderr
    version = re.findall(r"\d+", told)
    if [int(number) for number in version] >= [1, 29, 3]:
        pytest.skip(f"{program} is {'.'.join(version)}, which is not before 1.29.3")
    monkeypatch.setenv(CATALOGUE.proxies["nginx"].program_variable, program)
    return ".".join(version)


def test_the_lines_for_an_old_nginx(old: str) -> None:
    """Every question, in both modes and schemes; one nginx serves all, as it is."""
    nginx = replace(CATALOGUE.proxies["nginx"], minimum=old)
    catalogue = replace(CATALOGUE, proxies={**CATALOGUE.proxies, "nginx": nginx})
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
    nginx = replace(CATALOGUE.proxies["nginx"], minimum=old)
    catalogue = replace(CATALOGUE, proxies={**CATALOGUE.proxies, "nginx": nginx})
    deployment = next(iter(VARIATION.symptoms)).deployment
    files = certificates.ensure(WORKSPACE.certificates)
    engine = ProcessEngine(
        catalogue, [replace(deployment, variation="")], runs.new(WORKSPACE.runs), files
    )
    with interruptible(), pytest.raises(HoplabError, match="is_request_port"):
        engine.start()
