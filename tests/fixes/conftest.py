"""Everything is asked once, at the first test that wants to know."""

import shutil
import signal
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import pytest

from hoplab.catalogue import Catalogue
from hoplab.commands.targets import jobs
from hoplab.engines import certificates
from hoplab.engines.configuration import changed
from hoplab.engines.process import ProcessEngine
from hoplab.results import CellResult, Finding, Verdict
from hoplab.suites import SUITES, asking
from hoplab.system import runs
from hoplab.topology import Cell, Mode
from tests.catalogue import CATALOGUE, WORKSPACE
from tests.fixes import texts, trials
from tests.fixes.trials import Trial
from tests.topologies.labs import interruptible


@dataclass(frozen=True)
class Tried:
    """All trials, and what was found in their cells."""

    catalogue: Catalogue
    trials: Sequence[Trial]
    found: Mapping[Cell, Sequence[Finding]]
    failures: Mapping[Cell, str]

    def symptoms(self, cell: Cell) -> dict[str, str]:
        """What fails in it, by check; `error` if it could not be asked."""
        if cell in self.failures:
            return {"start": f"error: {self.failures[cell]}"}
        bad = (f for f in self.found[cell] if f.verdict in {Verdict.FAIL, Verdict.ERROR})
        return {f.check: f.symptom or f"error: {f.detail}" for f in bad}

    @cached_property
    def written(self) -> dict[Cell, str]:
        """What a person writes for each cell."""
        cells = {cell for trial in self.trials for cell in (trial.wrong, trial.fixed)}
        return {cell: texts.written(self.catalogue, cell.deployment) for cell in cells}

    def differs(self, trial: Trial, line: str) -> bool:
        """Whether the fix writes or removes this line."""
        wrong, fixed = (
            texts.occurrences(line, self.written[cell]) for cell in (trial.wrong, trial.fixed)
        )
        return wrong != fixed


@pytest.fixture(scope="session")
def tried(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tried]:
    before = signal.getsignal(signal.SIGTERM)
    every = trials.load(CATALOGUE)
    own = {name: each for trial in every for name, each in trial.variations.items()}
    catalogue = replace(CATALOGUE, variations={**CATALOGUE.variations, **own})
    found: dict[Cell, Sequence[Finding]] = {}
    failures: dict[Cell, str] = {}
    groups = [(catalogue, suite, [t for t in every if t.suite == suite and not t.alone]) for suite in SUITES]
    for trial in (trial for trial in every if trial.alone):
        for cell in (trial.wrong, trial.fixed):
            folder = tmp_path_factory.mktemp(cell.variation)
            groups.append((_with_own_files(catalogue, cell, folder), trial.suite, [cell]))
    for of, suite, members in groups:
        cells = [c for m in members for c in ([m] if isinstance(m, Cell) else [m.wrong, m.fixed])]
        if cells:
            asked, failed = _ask(of, suite, list(dict.fromkeys(cells)))
            found |= {result.cell: result.findings for result in asked}
            failures |= failed
    yield Tried(catalogue, every, found, failures)
    signal.signal(signal.SIGTERM, before)


def _ask(
    catalogue: Catalogue, suite: str, cells: Sequence[Cell]
) -> tuple[Sequence[CellResult], dict[Cell, str]]:
    deployments = list(dict.fromkeys(cell.deployment for cell in cells))
    files = certificates.ensure(WORKSPACE.certificates)
    engine = ProcessEngine(catalogue, deployments, runs.new(WORKSPACE.runs), files, partial=True)
    with interruptible():
        try:
            endpoints = engine.start()
            able = [cell for cell in cells if cell.deployment not in engine.failures]
            questions = jobs(catalogue, SUITES[suite], able, endpoints)
            found = asking.ask(questions, SUITES[suite].checks, lambda *_: None)
            failed = {**engine.died(), **engine.failures}
        finally:
            engine.stop()
    return found, {c: failed[c.deployment] for c in cells if c.deployment in failed}


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
