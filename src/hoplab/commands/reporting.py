"""`report`, and `--format html`: what a page shows of one run or of several."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from shlex import quote
from typing import Any, TypeAlias

from hoplab import __version__
from hoplab.catalogue import Catalogue
from hoplab.commands import fixes
from hoplab.commands.showing import every_cell, suite_of
from hoplab.errors import HoplabError
from hoplab.predictions import RULES, because
from hoplab.prefix import DEFAULT_PREFIX
from hoplab.report.causes import causes
from hoplab.report.comparison import compare
from hoplab.report.explain import meaning
from hoplab.report.page.document import document
from hoplab.report.words import first_sentence
from hoplab.results import CellResult, Results
from hoplab.results_file import SCHEMA, as_json
from hoplab.suites import SUITES, SYMPTOMS
from hoplab.suites.contract.tables import codes_of
from hoplab.suites.own import CHECKS, is_own
from hoplab.suites.own import NAME as OWN
from hoplab.suites.own.tried import tried_of, what_to_change
from hoplab.topology import Cell, Mode, Scheme, Strategy, Trust

Json: TypeAlias = dict[str, Any]

_EVIDENCE = ("cells", "findings", "exchanges", "header_lists", "headers", "bodies")


@dataclass(frozen=True)
class Run:
    """A run's name on the page, its results, and its results file if that is there already."""

    name: str
    results: Results
    file: Json | None = None


def page(catalogue: Catalogue, runs: Sequence[Run]) -> str:
    """One HTML file of all of them. Raises HoplabError if they have no cell, or two prefixes.

    `catalogue` has their prefix. A cell that several runs have is shown as the last of them has it,
    and compared with the run before.
    """
    names = ", ".join(run.name for run in runs)
    prefix = prefix_of(runs)
    texts = _Texts()
    shown = {
        result.cell: (number, at, result)
        for number, run in enumerate(runs)
        for at, result in enumerate(run.results.cells)
    }
    shown = {cell: shown[cell] for cell in sorted(shown, key=_order(catalogue, shown))}
    told = _Explaining(catalogue, texts, runs)
    overview = {
        "hoplab": __version__,
        "prefix": prefix,
        "option": "" if catalogue.prefix == DEFAULT_PREFIX else f" --prefix {quote(prefix)}",
        "runs": [_run(run) for run in runs],
        "comparisons": _comparisons(runs),
        "cells": [told.cell(number, at, result) for number, at, result in shown.values()],
        "codes": codes_of(symptom for *_, result in shown.values() for symptom in result.symptoms),
        "symptoms": told.symptoms([result for *_, result in shown.values()]),
        "rules": [[rule.statement, list(rule.references)] for rule in RULES],
        "variations": told.variations(cell.variation for cell in shown),
        "checks": _checks(),
        "grids": told.grids([result for *_, result in shown.values()]),
        "texts": texts.entries,
    }
    return document(f"hoplab: {names}", overview, [_evidence(run) for run in runs])


def _order(catalogue: Catalogue, cells: Iterable[Cell]) -> Callable[[Cell], tuple[int, ...]]:
    """That of the catalogue; what it does not know comes last, and variations as they come."""
    variations = {name: at for at, name in enumerate(dict.fromkeys(c.variation for c in cells))}
    axes: list[tuple[Callable[[Cell], str], dict[str, int]]] = [
        (lambda cell: cell.topology.mode, _places(Mode)),
        (lambda cell: cell.topology.proxy, _places(catalogue.proxies)),
        (lambda cell: cell.topology.server, _places(catalogue.servers)),
        (lambda cell: cell.strategy, _places(Strategy)),
        (lambda cell: cell.trust, _places(Trust)),
        (lambda cell: cell.scheme, _places(Scheme)),
    ]

    def order(cell: Cell) -> tuple[int, ...]:
        on_axes = (places.get(value(cell), len(places)) for value, places in axes)
        return (variations[cell.variation], *on_axes)

    return order


def _places(names: Iterable[str]) -> dict[str, int]:
    return {name: at for at, name in enumerate(names)}


def prefix_of(runs: Sequence[Run]) -> str:
    """The prefix of all of their cells, as `--prefix` takes it.

    Raises HoplabError if there is no such.
    """
    for run in runs:
        if not run.results.cells:
            message = (
                f"{run.name} has no cells, so there is nothing to show: the run was interrupted"
                " before one was finished. Run it again."
            )
            raise HoplabError(message)
    prefixes = dict.fromkeys(
        result.cell.prefix.option for run in runs for result in run.results.cells
    )
    if len(prefixes) > 1:
        message = f"a page is about one prefix; these results have {', '.join(prefixes)}"
        raise HoplabError(message)
    return next(iter(prefixes))


class _Texts:
    """Whatever is the same in many cells, once: by its number."""

    def __init__(self) -> None:
        self.entries: list[Any] = []
        self._numbers: dict[str, int] = {}

    def number(self, entry: Any) -> int:
        key = repr(entry)
        if key not in self._numbers:
            self._numbers[key] = len(self.entries)
            self.entries.append(entry)
        return self._numbers[key]


class _Explaining:
    """What the catalogue knows of cells, some of which it may not know: a file may be old."""

    def __init__(self, catalogue: Catalogue, texts: _Texts, runs: Sequence[Run]) -> None:
        self._catalogue, self._texts = catalogue, texts
        self._tried = [tried_of(run.results) for run in runs]
        self._changes = [_change(run.results) for run in runs]
        self._known = set(every_cell(catalogue))

    def cell(self, run: int, at: int, result: CellResult) -> Json:
        """One line of the overview; what many share is a number in `texts`."""
        cell, topology = result.cell, result.cell.topology
        own = is_own(result)
        known = cell in self._known and not own
        outcome = [[f.check, f.symptom or f.verdict] for f in result.findings]
        told: Json = {
            "proxy": topology.proxy,
            "server": topology.server,
            "mode": topology.mode,
            "strategy": cell.strategy,
            "trust": cell.trust,
            "scheme": cell.scheme,
            "variation": cell.variation,
            "suite": OWN if own else suite_of(self._catalogue, cell).name,
            "verdict": result.verdict,
            "outcome": self._texts.number(outcome),
            "run": run,
            "at": at,
        }
        if result.recipe:
            told["recipe"] = True
        if result.surprises:
            told["surprises"] = self._texts.number([str(each) for each in result.surprises])
        if result.prediction is not None:
            told["predicted"] = True
        if result.symptoms:
            causes = self._found(result, run) if own else self._causes(result)
            told["causes"] = self._texts.number(causes)
            if fix := self._changes[run] if own else self._fix(result) if known else []:
                told["fix"] = self._texts.number(fix)
        if known and not cell.variation:
            rules = [RULES.index(rule) for rule in because(cell, self._catalogue)]
            told["rules"] = self._texts.number(rules)
        if known and (changed := fixes.changed_lines(self._catalogue, cell.deployment)):
            told["change"] = self._texts.number(changed)
        return told

    def _causes(self, result: CellResult) -> list[Json]:
        """What is wrong, what follows from it, and what fixes it."""
        advice = self._catalogue.advice_for(result.cell, result.symptoms)
        prefix = self._catalogue.prefix.encoded
        known = {name: SYMPTOMS[name].under(prefix) for name in result.symptoms if name in SYMPTOMS}
        try:
            found = causes([result])
        except ValueError:  # a URL in the evidence that is none
            return []
        told = []
        for cause in found:
            text, fix = meaning(cause, known, advice)
            checks = dict.fromkeys(f"{f.check}: {f.symptom}" for _, f in cause.found)
            told.append({"told": text, "fix": fix, "so": list(checks)})
        return told

    def _found(self, result: CellResult, run: int) -> list[Json]:
        """Of a person's own application each finding, with its fix and what was tried."""
        prefix = self._catalogue.prefix.encoded
        told = []
        for finding in result.findings:
            if finding.symptom:
                symptom = SYMPTOMS.get(finding.symptom)
                fix = [symptom.under(prefix).fix] if symptom else []
                fix += self._tried[run](finding)
                so = [f"{finding.check}: {finding.symptom}"]
                told.append({"told": finding.detail, "fix": "\n".join(fix), "so": so})
        return told

    def _fix(self, result: CellResult) -> list[str]:
        known = [name for name in result.symptoms if name in SYMPTOMS]
        return fixes.fix_lines(self._catalogue, result.cell, known)

    def symptoms(self, results: Iterable[CellResult]) -> dict[str, Json]:
        """What each symptom of these cells means."""
        shown = dict.fromkeys(symptom for result in results for symptom in result.symptoms)
        prefix = self._catalogue.prefix.encoded
        meanings = {name: each.under(prefix) for name, each in SYMPTOMS.items() if name in shown}
        return {
            name: {
                "seen": each.seen,
                "cause": each.cause,
                "fix": each.fix,
                "references": list(each.references),
            }
            for name, each in meanings.items()
        }

    def variations(self, names: Iterable[str]) -> dict[str, Json]:
        """What each of them is."""
        known = self._catalogue.variations
        shown = {name: known[name] for name in dict.fromkeys(names) if name in known}
        return {
            name: {
                "about": each.about,
                "fix": each.fix,
                "outer": each.outer or "",
                "references": list(each.references),
            }
            for name, each in shown.items()
        }

    def grids(self, results: Sequence[CellResult]) -> list[Json]:
        """What the suites tell of a variation's cells together."""
        right = self._catalogue.right
        found = []
        for suite in SUITES.values():
            own = [
                result
                for result in results
                if result.cell in self._known
                and not is_own(result)
                and suite_of(self._catalogue, result.cell) is suite
            ]
            try:
                grids = suite.grids(Results("", "", 0.0, {}, own), right) if suite.grids else []
            except ValueError:  # a URL in the evidence that is none
                continue
            told = [{"variation": g.variation, "columns": g.columns, "rows": g.rows} for g in grids]
            if told:
                found.append({"suite": suite.name, "legend": suite.legend, "grids": told})
        return found


def _change(results: Results) -> list[str]:
    """The smallest change to a person's own proxy configuration."""
    own = results.configuration
    return list(what_to_change(own)) if own and own.change and own.change.reasons else []


def _run(run: Run) -> Json:
    results = run.results
    return {
        "name": run.name,
        "engine": results.engine,
        "started": results.started,
        "seconds": results.seconds,
        "versions": results.versions,
        "unfinished": results.unfinished,
        "cells": len(results.cells),
    }


def _comparisons(runs: Sequence[Run]) -> list[Json]:
    """Each run with the last one before it that has cells of it."""
    found = []
    for number, run in enumerate(runs):
        for earlier in range(number - 1, -1, -1):
            compared = compare(runs[earlier].results, run.results)
            if compared.both:
                changes = [
                    {
                        "check": change.check,
                        "before": change.before,
                        "after": change.after,
                        "cells": {cell.id: detail for cell, detail in change.details.items()},
                    }
                    for change in compared.changes
                ]
                found.append(
                    {
                        "runs": [earlier, number],
                        "both": len(compared.both),
                        "changes": changes,
                        "only_before": _ids(compared.only_before),
                        "only_after": _ids(compared.only_after),
                        "versions": compared.versions,
                    }
                )
                break
    return found


def _ids(cells: Iterable[Cell]) -> list[str]:
    return [cell.id for cell in cells]


def _checks() -> Mapping[str, str]:
    """The question of each check, in the suites' order. Of two with one name, the first's."""
    found: dict[str, str] = {}
    for checks in [*(suite.checks for suite in SUITES.values()), CHECKS]:
        for name, check in checks.items():
            found.setdefault(name, first_sentence(" ".join((check.__doc__ or "").split())))
    return found


def _evidence(run: Run) -> Json:
    """Of a results file what shows the findings."""
    file = run.file if run.file and run.file.get("schema") == SCHEMA else as_json(run.results)
    return {key: file[key] for key in _EVIDENCE if key in file}
