"""Fixes that need no change in a person's own code, tried where a problem shows.

Another way to tell the prefix, the server's option for whose headers are believed, the lab's
middleware around the application: each is started and asked the same.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import PurePath

from hoplab.advice import Trial, Tried
from hoplab.catalogue import Catalogue
from hoplab.catalogue.servers.server import Server
from hoplab.client.explored import Explored
from hoplab.client.wire import Headers
from hoplab.commands import own_server
from hoplab.commands.check import Checked, asked_where_it_starts
from hoplab.commands.hosting import Application
from hoplab.commands.session import Session, deployments_of
from hoplab.results import CellResult, Verdict
from hoplab.suites.own.problems import (
    Problem,
    is_of_the_application,
    key_of,
    problems,
    topologies_of,
)
from hoplab.topology import Cell, Setup, Strategy, Topology

MOST = 96
"""Deployments at most."""

_MORE = re.compile(r"and \d+ more")
_MIDDLEWARE = "with ForwardedPrefixMiddleware around the application"


@dataclass(frozen=True)
class Fix:
    """What is changed: the server (its name, and it, if it is a new one) and the setup."""

    told: str
    server: str
    setup: Setup
    new: Server | None = field(default=None, compare=False)


def with_fixes(
    session: Session, application: Application, checked: Checked, headers: Headers = ()
) -> Checked:
    """The same, with what was tried for each problem that is not the application's own."""
    explored = checked.explored
    found = problems(checked.results.cells)
    triable = [problem for problem in found if not is_of_the_application(problem)]
    wrong = {result.cell: result for problem in triable for result in problem.cells}
    fixes = {cell: fix for cell in wrong for fix in [list(_fixes(session.catalogue, cell))]}
    trials = {(cell, fix): _fixed(cell, fix) for cell, some in fixes.items() for fix in some}
    chosen = deployments_of(trials.values())[:MOST]
    trials = {key: cell for key, cell in trials.items() if cell.deployment in chosen}
    after = _asked(session, application, trials, explored, headers) if trials else {}
    tried = [
        Tried(*problem.key, list(_of_problem(problem, trials, wrong, after))) for problem in triable
    ]
    return replace(checked, results=replace(checked.results, tried=tried))


def _fixes(catalogue: Catalogue, cell: Cell) -> Iterator[Fix]:
    """What can be tried in the place of a cell's server and setup."""
    server = catalogue.servers[cell.topology.server]
    setup = Setup(cell.strategy, cell.trust)
    if server.name == own_server.NAME:
        yield from _of_command(catalogue, server, setup)
        return
    option = " ".join(server.root_path_option)
    option = option.replace("@prefix@", cell.prefix.encoded)
    option = option.replace("@prefix_decoded@", cell.prefix.decoded)
    ways = {
        Strategy.NONE: f"without `{option}`",
        Strategy.SERVER_OPTION: f"with `{option}`",
        Strategy.FORWARDED_PREFIX: _MIDDLEWARE,
    }
    for strategy, told in ways.items():
        if strategy is not setup.strategy:
            yield Fix(told, server.name, replace(setup, strategy=strategy))


def _of_command(catalogue: Catalogue, server: Server, setup: Setup) -> Iterator[Fix]:
    """Options of the person's own command, if it is a server that the lab knows."""
    words = list(server.command)
    known = catalogue.servers.get(PurePath(words[0]).name)
    bare = _without_prefix(words)
    trusts = list(known.trusts.get(setup.trust, ())) if known else []
    trusting = [word.replace("@believed@", "127.0.0.1") for word in trusts]
    variants: dict[str, list[str]] = {}
    if known and bare == words:
        variants[_shown(known.root_path_option)] = [*words, *known.root_path_option]
    if trusting and trusting[0] not in words:
        variants[_shown(trusting)] = [*words, *trusting]
        if bare == words and known:
            both = [*known.root_path_option, *trusting]
            variants[_shown(both)] = [*words, *both]
    if bare != words:
        variants[f"without {_shown([w for w in words if w not in bare])[5:]}"] = bare
    served = own_server.MODULE
    variants[_MIDDLEWARE] = [w.replace(served, f"{served}_prefixed") for w in bare]
    for number, (told, command) in enumerate(variants.items()):
        name = f"{server.name}-{number}"  # also a part of names in files
        yield Fix(told, name, setup, replace(server, name=name, command=command))


def _shown(words: Sequence[str]) -> str:
    """`with` and the options, as on the person's command line."""
    return f"with `{' '.join(words)}`".replace("@prefix@", "{prefix}").replace(
        "@prefix_decoded@", "{prefix}"
    )


def _without_prefix(words: Sequence[str]) -> list[str]:
    """A command without the option that tells the prefix."""
    kept: list[str] = []
    for word in words:
        if not re.search("@prefix(_decoded)?@", word):
            kept.append(word)
        elif "=" not in word and kept and kept[-1].startswith("-"):
            kept.pop()
    return kept


def _fixed(cell: Cell, fix: Fix) -> Cell:
    topology = replace(cell.topology, server=fix.server)
    return replace(cell, topology=topology, strategy=fix.setup.strategy, trust=fix.setup.trust)


def _asked(
    session: Session,
    application: Application,
    trials: Mapping[tuple[Cell, Fix], Cell],
    explored: Explored,
    headers: Headers,
) -> dict[Cell, CellResult]:
    session.progress.stage("trying fixes")
    catalogue = session.catalogue
    more = {fix.server: fix.new for _, fix in trials if fix.new}
    session = replace(session, catalogue=replace(catalogue, servers={**catalogue.servers, **more}))
    cells = list(dict.fromkeys(trials.values()))
    return asked_where_it_starts(session, application, cells, explored, headers)


def _of_problem(
    problem: Problem,
    trials: Mapping[tuple[Cell, Fix], Cell],
    wrong: Mapping[Cell, CellResult],
    after: Mapping[Cell, CellResult],
) -> Iterator[Trial]:
    """Each fix, but for those that pass no further than the same with less in it."""
    every = topologies_of(problem.cells)
    cells = {result.cell for result in problem.cells}
    best: dict[str, set[Topology]] = {}
    of = [(cell, fix, trial) for (cell, fix), trial in trials.items() if cell in cells]
    for told in dict.fromkeys(fix.told for _, fix, _ in of):
        of_it = [(cell, trial) for cell, fix, trial in of if fix.told == told]
        bad = {cell.topology for cell, t in of_it if not _helps(problem, wrong[cell], after.get(t))}
        started = {cell.topology for cell, trial in of_it if trial in after}
        passed = {cell.topology for cell, _ in of_it} - bad
        if any(less in told and best[less] >= passed for less in best if passed):
            continue
        if passed:
            best[told.rstrip("`")] = passed
        outcomes = (passed, bad & started, bad - started)
        yield Trial(told, *([each.name for each in every if each in some] for some in outcomes))


def _helps(problem: Problem, before: CellResult, after: CellResult | None) -> bool:
    """Whether this problem is gone, and nothing new is wrong but what it brings to light.

    That is what the application itself writes on a page that did not come through before.
    """
    if after is None:
        return False
    left = problems([after])
    own = {each.key for each in left if _is_written(each)}
    is_gone = not any(_lines(problem) & _lines(each) for each in left)
    return is_gone and _keys(after) - own <= _keys(before)


def _lines(problem: Problem) -> set[tuple[str, str]]:
    """Each place where it shows, as far as they are named."""
    symptom, detail = problem.key
    return {(symptom, line) for line in detail.split("\n") if not _MORE.fullmatch(line)}


def _is_written(problem: Problem) -> bool:
    return problem.finding.check == "urls" and is_of_the_application(problem)


def _keys(result: CellResult) -> set[tuple[str, str]]:
    return {
        key_of(finding)
        for finding in result.findings
        if finding.verdict in {Verdict.FAIL, Verdict.ERROR}
    }
