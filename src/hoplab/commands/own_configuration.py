"""`check --proxy-config`: a person's own configuration in place of the lab's.

It is run beside the lab's own, with the same server and the same application. What is wrong behind
both is not the file's doing; for the rest, the lab's lines are tried in place of theirs.
"""

import re
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path
from urllib.parse import unquote

from hoplab.advice import Change, OwnConfiguration, Reason
from hoplab.catalogue.configurations import FILLED, BadConfiguration, Configuration
from hoplab.catalogue.proxies import ConfigurationFile, Proxy
from hoplab.client.explored import Explored
from hoplab.client.probe import Probe, scope_of
from hoplab.client.wire import Headers
from hoplab.commands.ask import ask_whole
from hoplab.commands.check import (
    Checked,
    asked_where_it_starts,
    bare_of,
    explored_alone,
    target_of,
    watched,
    with_end,
)
from hoplab.commands.hosting import Application, running
from hoplab.commands.session import Session, deployments_of, now
from hoplab.commands.smallest import Changes, NoneFound, Smallest, smallest
from hoplab.endpoint import Endpoint
from hoplab.engines.versions import local_versions
from hoplab.errors import HoplabError
from hoplab.results import CellResult, Results, Verdict
from hoplab.suites import own
from hoplab.suites.asking import Job
from hoplab.suites.own.explore import Wish
from hoplab.suites.own.problems import without_ports
from hoplab.topology import Cell, Deployment, Mode

TOGETHER = 12
"""Trials that run at the same time: each is a process of the proxy's, and most of it waits."""

MOST = 120
"""Trials at most."""


@dataclass(frozen=True)
class Wanted:
    """What is to be run: a person's application, its questions, and their file of this proxy."""

    application: Application
    wish: Wish
    headers: Headers
    proxy: Proxy
    configuration: Configuration


Key = tuple[str, str, str]


def check_configuration(
    session: Session,
    wanted: Wanted,
    cells: Sequence[Cell],
    modes: Sequence[Mode],
    *,
    try_changes: bool = True,
) -> Checked:
    """Run their file and the lab's before the application, ask both, and look for what helps.

    The results' `configuration` says what was found of the file. `cells` are those of the proxy, in
    these modes, of which the file has one. Raises HoplabError if the application or the proxy does
    not start, BadConfiguration if nothing comes through.
    """
    began, started = time.monotonic(), now()
    with _bench(session, wanted) as bench:
        mode, explored, theirs, lab = bench.first(cells, modes)
        allowed = {key for result in lab for key in _keys(result)}
        wrong = [result for result in theirs if not _keys(result) <= allowed]
        change = None
        if wrong and try_changes:
            topologies = {result.cell.topology for result in wrong}
            chosen = [cell for cell in cells if cell.topology in topologies]
            change = bench.change(chosen, explored, allowed)
    configuration = OwnConfiguration(
        wanted.configuration.source.path.name,
        wanted.proxy.name,
        mode.value,
        wanted.configuration.adapted(),
        wanted.configuration.notes,
        list(dict.fromkeys(symptom for result in lab for symptom in result.symptoms)),
        change,
        untried=bool(wrong) and not try_changes,
    )
    results = Results(
        "process",
        started,
        time.monotonic() - began,
        local_versions(session.catalogue),
        theirs,
        configuration=configuration,
    )
    return Checked(results, explored)


def _keys(result: CellResult) -> set[Key]:
    """What is wrong in a cell, but for what differs between runs."""
    return {
        (finding.check, finding.symptom or finding.verdict, without_ports(finding.detail))
        for finding in result.findings
        if finding.verdict in {Verdict.FAIL, Verdict.ERROR}
    }


@contextmanager
def _bench(session: Session, wanted: Wanted) -> Iterator["_Bench"]:
    scratch = session.new_run()
    try:
        yield _Bench(session, wanted, scratch.folder)
    finally:
        scratch.remove()


class _Bench:
    """Runs versions of the file; each deployment of one is a proxy of its own, with its process."""

    def __init__(self, session: Session, wanted: Wanted, folder: Path) -> None:
        self._session = session
        self._wanted = wanted
        self._folder = folder
        self._numbers = count()

    def first(
        self, cells: Sequence[Cell], modes: Sequence[Mode]
    ) -> tuple[Mode, Explored, list[CellResult], list[CellResult]]:
        """Their file and the lab's, as they are: which mode theirs is, and what is found."""
        wanted = self._wanted
        text = wanted.configuration.text()
        given: dict[str, Proxy] = {}
        theirs = self._placed(cells, text, given)
        bare = self._deployed(bare_of(self._session.catalogue, cells[0]), text, given)
        session = self._with(given)
        deployments = [*deployments_of([*theirs.values(), *cells]), bare]
        try:
            with running(session, wanted.application, deployments) as (endpoints, hosting, engine):
                session.progress.stage("exploring")
                explored = explored_alone(
                    endpoints,
                    bare,
                    hosting.report,
                    wanted.wish,
                    wanted.headers,
                    watched(session, hosting),
                    engine.died,
                )
                mode = self._mode(session, bare, endpoints, explored)
                if mode not in modes:
                    message = f"{self._name} has the mode {mode}, and --mode {modes[0]} was given"
                    raise BadConfiguration(message)
                asked = [cell for cell in cells if cell.topology.mode is mode]
                jobs = [
                    Job(
                        cell,
                        target_of(session.catalogue, cell, endpoints, explored, wanted.headers),
                        recommended=True,
                    )
                    for each in asked
                    for cell in (theirs[each], each)
                ]
                found = ask_whole(session, jobs, own.CHECKS, watched(session, hosting))
                died = engine.died()
        except HoplabError as error:
            raise self._about_their_file(error) from error
        results = [with_end(each, died.get(each.cell.deployment)) for each in found]
        of = {each.cell: each for each in results}
        shown = [replace(of[theirs[cell]], cell=cell) for cell in asked]
        return mode, explored, shown, [of[cell] for cell in asked]

    def change(self, cells: Sequence[Cell], explored: Explored, allowed: set[Key]) -> Change:
        """The smallest change after which nothing is wrong that is right with the lab's file."""
        configuration = self._wanted.configuration
        mode, prefix = cells[0].topology.mode, cells[0].prefix
        edits = configuration.edits(mode, prefix)
        self._session.progress.stage("trying changes")

        def attempt(sets: Sequence[Changes]) -> list[Sequence[str]]:
            found: list[Sequence[str]] = []
            at_once = max(1, TOGETHER // len(deployments_of(cells)))
            for start in range(0, len(sets), at_once):
                texts = [
                    configuration.text([edits[each] for each in sorted(some)])
                    for some in sets[start : start + at_once]
                ]
                found += self._failures(texts, cells, explored, allowed)
            return found

        found = smallest(len(edits), attempt, MOST)
        match found:
            case NoneFound(left, tried):
                return Change([], [], list(left), tried)
            case Smallest(without, tried):
                reasons = [Reason(edits[each].told, list(left)) for each, left in without.items()]
                needed = [edits[each] for each in without]
                return Change(configuration.change(needed, prefix), reasons, [], tried)

    def _failures(
        self, texts: Sequence[str], cells: Sequence[Cell], explored: Explored, allowed: set[Key]
    ) -> list[Sequence[str]]:
        """The symptoms of each of these texts that the lab's own file does not have."""
        wanted = self._wanted
        given: dict[str, Proxy] = {}
        of = [list(self._placed(cells, text, given).values()) for text in texts]
        session = self._with(given)
        every = [cell for some in of for cell in some]
        by = asked_where_it_starts(session, wanted.application, every, explored, wanted.headers)
        return [
            list(
                dict.fromkeys(symptom for cell in some for symptom in _wrong(by.get(cell), allowed))
            )
            for some in of
        ]

    def _placed(
        self, cells: Sequence[Cell], text: str, given: dict[str, Proxy]
    ) -> dict[Cell, Cell]:
        """The same cells behind this text; those of one deployment share a process."""
        placed = {each: self._deployed(each, text, given) for each in deployments_of(cells)}
        return {cell: replace(cell, topology=placed[cell.deployment].topology) for cell in cells}

    def _deployed(self, deployment: Deployment, text: str, given: dict[str, Proxy]) -> Deployment:
        """The deployment behind this text, with a proxy of its own, which is added to `given`."""
        proxy, configuration = self._wanted.proxy, self._wanted.configuration
        name = f"{proxy.name}~{next(self._numbers)}"
        folder = self._folder / name
        folder.mkdir()
        (folder / _FILE).write_text(text, encoding="utf-8")
        replaced = proxy.own.get("replaces", 0)
        files = [
            _with_theirs(proxy, file, folder) if number == replaced else _from(proxy, file)
            for number, file in enumerate(proxy.files)
        ]
        given[name] = replace(
            proxy, name=name, files=files, schemes=configuration.schemes, complaint=proxy.complaint
        )
        return replace(deployment, topology=replace(deployment.topology, proxy=name))

    def _with(self, given: Mapping[str, Proxy]) -> Session:
        """With these proxies as well."""
        catalogue = self._session.catalogue
        return replace(
            self._session, catalogue=replace(catalogue, proxies={**catalogue.proxies, **given})
        )

    @property
    def _name(self) -> str:
        return self._wanted.configuration.source.path.name

    def _mode(
        self, session: Session, bare: Deployment, endpoints: Sequence[Endpoint], explored: Explored
    ) -> Mode:
        """What their file does with the prefix: an application that is told nothing says it."""
        (endpoint,) = (each for each in endpoints if each.deployment == bare)
        scheme = self._wanted.configuration.schemes[0]
        setup = bare.setup
        cell = Cell(bare.topology, setup.strategy, setup.trust, scheme, prefix=bare.prefix)
        path = next((page.path for page in explored.pages if page.method == "GET"), "/")
        probe = Probe(
            target_of(session.catalogue, cell, [endpoint], explored, self._wanted.headers)
        )
        try:
            answer = probe.get(path)
        finally:
            probe.client.close()
        told = scope_of(answer)
        if told is None:
            prefixes = self._wanted.configuration.prefixes
            hint = f" Its prefixes: {', '.join(prefixes)} (--prefix)." if prefixes else ""
            message = (
                f"{self._name} does not pass {bare.prefix}{path} on to the application: it answers"
                f" {answer.status} itself.{hint}"
            )
            raise BadConfiguration(message)
        asked = bare.prefix.decoded + unquote(path.partition("?")[0])
        below = str(told["path"]).startswith(asked)
        return Mode.PRESERVE if below else Mode.STRIP

    def _about_their_file(self, error: HoplabError) -> HoplabError:
        """The same error with the lines of their file."""
        own = self._wanted.proxy.own
        output = own.get("output", self._wanted.proxy.files[own.get("replaces", 0)].output)
        written = Path(output).name.replace("@word@", "")
        if not _NUMBER.search(str(error)):
            return error
        message = self._wanted.configuration.located(str(error), written)
        message = message.replace(f", which is made of {self._wanted.proxy.folder}", "")
        message = re.sub(rf"/\S*/{re.escape(written)}", self._name, message)
        return type(error)(f"{self._name}: {_NUMBER.sub('', message)}")


_NUMBER = re.compile(r"~\d+\b")
_FILE = "theirs"
"""The name of their file in the folder of a proxy that has it."""


def _with_theirs(proxy: Proxy, file: ConfigurationFile, folder: Path) -> ConfigurationFile:
    """Their file in the place of the lab's."""
    constant = {old: new for old, new in file.replace_if_present.items() if "@" not in new}
    return ConfigurationFile(
        source=str(folder / _FILE),
        output=proxy.own.get("output", file.output),
        repeat=[],
        replace={},
        replace_if_present={**FILLED, **constant},
        replace_once={},
    )


def _from(proxy: Proxy, file: ConfigurationFile) -> ConfigurationFile:
    return replace(file, source=file.source.replace("@folder@", str(proxy.folder)))


def _wrong(result: CellResult | None, allowed: set[Key]) -> list[str]:
    if result is None:
        return ["does-not-start"]
    return [symptom for _, symptom, _ in sorted(_keys(result) - allowed)]
