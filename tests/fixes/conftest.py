"""All that the chosen tests need is asked once, at the first test that wants to know."""

import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import pytest

from hoplab.catalogue import Catalogue
from hoplab.commands.targets import jobs
from hoplab.engines import certificates
from hoplab.engines.configuration import changed
from hoplab.engines.process import ProcessEngine
from hoplab.results import Finding, Verdict
from hoplab.results_file import load
from hoplab.suites import SUITES, asking
from hoplab.system import runs
from hoplab.topology import Cell, Mode
from tests.catalogue import CATALOGUE, WORKSPACE
from tests.commands.run import hoplab
from tests.fixes import texts, trials
from tests.fixes.trials import OWN, Trial
from tests.topologies.labs import interruptible
from tests.topologies.old_nginx import old_nginx, which_accepts


@dataclass(frozen=True)
class Tried:
    """All trials, and what failed in their cells, by check; or why one could not be asked.

    left_out: those that need an nginx which this machine has not.
    """

    catalogue: Catalogue
    trials: Sequence[Trial]
    failed: Mapping[Cell, Mapping[str, str]]
    left_out: Sequence[Trial] = ()

    def right(self, owner: str) -> list[Trial]:
        """The trials after which all is right; of an owner, those in which it takes part."""
        return [
            trial
            for trial in self.trials
            if (not owner or owner in trial.owners) and not self.failed[trial.fixed]
        ]

    def differs(self, trial: Trial, line: str) -> bool:
        """Whether the fix writes or removes this line."""
        wrong, fixed = self._written[trial.id]
        return texts.occurrences(line, wrong) != texts.occurrences(line, fixed)

    @cached_property
    def _written(self) -> dict[str, tuple[str, str]]:
        """What of a trial's two deployments is not the same."""
        found = {}
        for trial in (*self.trials, *self.left_out):
            wrong, fixed = (
                texts.written(self.catalogue, cell.deployment)
                for cell in (trial.wrong, trial.fixed)
            )
            found[trial.id] = (
                "\n".join(part for part in wrong if part not in fixed),
                "\n".join(part for part in fixed if part not in wrong),
            )
        return found


@pytest.fixture(scope="session")
def tried(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Tried:
    every = trials.load(CATALOGUE)
    own = {name: each for trial in every for name, each in trial.variations.items()}
    catalogue = replace(CATALOGUE, variations={**CATALOGUE.variations, **own})
    every = _chosen(request.session.items, Tried(catalogue, every, {}))
    failed: dict[Cell, Mapping[str, str]] = {}
    for suite in SUITES:
        of = [t for t in every if t.suite == suite and not t.alone and not t.old]
        failed |= _ask(catalogue, suite, cells_of(of))
    for trial in (trial for trial in every if trial.suite == OWN):
        failed |= {cell: _check(catalogue, cell) for cell in (trial.wrong, trial.fixed)}
    for trial in (trial for trial in every if trial.alone):
        for cell in (trial.wrong, trial.fixed):
            folder = tmp_path_factory.mktemp(cell.variation)
            failed |= _ask(_with_own_files(catalogue, cell, folder), trial.suite, [cell])
    old = [trial for trial in every if trial.old]
    found = old_nginx()
    if old and found:
        program, version = found
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv(catalogue.proxies["nginx"].program_variable, program)
            failed |= _ask(which_accepts(catalogue, version), "contract", cells_of(old))
    left_out = [] if found else old
    return Tried(catalogue, [t for t in every if t not in left_out], failed, left_out)


def cells_of(trials: Sequence[Trial]) -> list[Cell]:
    """The wrong ones and the fixed ones."""
    return [cell for trial in trials for cell in (trial.wrong, trial.fixed)]


def _chosen(tests: Sequence[pytest.Item], untried: Tried) -> list[Trial]:
    """The trials that the tests name, and those of the lines that they name (pytest's `-k`)."""
    values: list[dict[str, Any]] = [
        test.callspec.params
        for test in tests
        if isinstance(test, pytest.Function) and hasattr(test, "callspec")
    ]
    ids = {named["trial"].id for named in values if "trial" in named}
    lines = [(v["place"][0], line) for v in values if "place" in v for line in v["lines"]]
    return [
        trial
        for trial in untried.trials
        if trial.id in ids
        or any(
            (not owner or owner in trial.owners) and untried.differs(trial, line)
            for owner, line in lines
        )
    ]


def _ask(catalogue: Catalogue, suite: str, cells: Sequence[Cell]) -> dict[Cell, Mapping[str, str]]:
    deployments = list(dict.fromkeys(cell.deployment for cell in cells))
    files = certificates.ensure(WORKSPACE.certificates)
    engine = ProcessEngine(catalogue, deployments, runs.new(WORKSPACE.runs), files, partial=True)
    with interruptible():
        try:
            endpoints = engine.start()
            able = [cell for cell in cells if cell.deployment not in engine.failures]
            questions = jobs(catalogue, SUITES[suite], able, endpoints)
            results = asking.ask(questions, SUITES[suite].checks, lambda *_: None)
            lost = {**engine.died(), **engine.failures}
        finally:
            engine.stop()
    failed: dict[Cell, Mapping[str, str]] = {r.cell: _failed(r.findings) for r in results}
    for cell in cells:
        if cell.deployment in lost:
            failed[cell] = {"start": f"error: {lost[cell.deployment]}"}
    return failed


def _check(catalogue: Catalogue, cell: Cell) -> Mapping[str, str]:
    """What `hoplab check` finds of the application in this cell."""
    topology = cell.topology
    done = hoplab(
        *("check", f"{catalogue.variations[cell.variation].application}:app", "--no-try"),
        *("--proxy", topology.proxy, "--server", topology.server, "--mode", topology.mode),
        *("--scheme", cell.scheme, "--prefix", catalogue.prefix.encoded, "--format", "json"),
    )
    assert done.stdout, done.stderr
    [result] = load(json.loads(done.stdout)).cells
    return _failed(result.findings)


def _failed(findings: Sequence[Finding]) -> dict[str, str]:
    """The symptoms; a check of `hoplab check` may find several."""
    bad = (f for f in findings if f.verdict in {Verdict.FAIL, Verdict.ERROR})
    told = [(f.check, f.symptom or f"error: {f.detail}") for f in bad]
    return {f"{check}: {symptom}": symptom for check, symptom in told}


def _with_own_files(catalogue: Catalogue, cell: Cell, folder: Path) -> Catalogue:
    """The catalogue with copies of the proxies, changed; the variation changes nothing then."""
    variation = catalogue.variations[cell.variation]
    proxies = {}
    for name, proxy in catalogue.proxies.items():
        shutil.copytree(proxy.folder, folder / name)
        proxies[name] = replace(proxy, folder=folder / name)
        for path in {path for mode in Mode for path in proxies[name].sources(mode)}:
            where = str(path.relative_to(folder))
            own = [
                c
                for c in variation.changes
                if c.file.replace("@mode@", cell.topology.mode) == where
            ]
            path.write_text(changed(path.read_text(), own, where))
    plain = replace(variation, changes=())
    variations = {**catalogue.variations, cell.variation: plain}
    return replace(catalogue, proxies=proxies, variations=variations)
