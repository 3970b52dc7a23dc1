"""The Python interface: what `import hoplab` offers. It loads nothing until it is used."""

import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from hoplab.cli.check import application_of, cells_for, headers_of, wish_of
from hoplab.cli.options import prefix_of
from hoplab.commands import check as checking
from hoplab.commands.session import Session
from hoplab.commands.showing import symptoms_of
from hoplab.report.progress import Silent
from hoplab.results import Results, Verdict
from hoplab.suites.own.problems import hop, problems
from hoplab.suites.own.tables import report
from hoplab.workspace import current


@dataclass(frozen=True)
class Problem:
    """Something that is wrong with an application, in one topology or more.

    question: which of docs/check.md found it. symptom: its name, which `hoplab explain` takes.
    detail: where it shows, what came and what was expected; origin: which hop it comes from;
    fix: what to change. topologies: their names, such as `PROXY-SERVER-strip`.
    """

    question: str
    symptom: str
    detail: str
    origin: str
    fix: str
    topologies: tuple[str, ...]
    schemes: tuple[str, ...]


@dataclass(frozen=True)
class Report:
    """What came of a check.

    errors: what hoplab could not ask, which says nothing of the application. not_judged: how many
    paths, by the reason. judged: whether there was anything to judge. text: all of it, as
    `hoplab check` prints it. logs: the ends of what servers and proxies wrote, by their names.
    results: every finding with its exchanges.
    """

    problems: tuple[Problem, ...]
    errors: tuple[str, ...]
    not_judged: Mapping[str, int]
    judged: bool
    text: str
    logs: Mapping[str, str]
    results: Results

    @property
    def works(self) -> bool:
        """Whether it works in every topology that was asked: `hoplab check` would exit with 0."""
        return self.judged and not self.problems and not self.errors


def check(
    application: str,
    *,
    proxy: str | Sequence[str] = (),
    server: str | Sequence[str] = (),
    mode: str | Sequence[str] = (),
    scheme: str | Sequence[str] = (),
    prefix: str = "/api/v1",
    factory: bool = False,
    app_dir: str | Path = ".",
    env_file: str | Path | None = None,
    command: str | None = None,
    headers: Sequence[str] = (),
    skip: Sequence[str] = (),
    only: Sequence[str] = (),
    paths: Sequence[str] = (),
    unsafe: bool = False,
    max_requests: int = 100,
    start_seconds: float | None = None,
) -> Report:
    """Ask whether an ASGI application works behind each proxy, as `hoplab check` does.

    application: as ASGI servers take it, `main:app`; it runs in processes of its own. The others
    are the options of `hoplab check`; headers are lines, `Authorization: Bearer TOKEN`. Takes some
    seconds. Raises HoplabError if it can't be imported or does not start, with what it says; and
    for an option that can't be used.
    """
    variables = Path(env_file) if env_file else None
    named = application_of(application, Path(app_dir), variables, start_seconds, factory=factory)
    catalogue, cells = cells_for(
        prefix_of(prefix),
        current(),
        application,
        command,
        *map(_list, (proxy, server, mode, scheme)),
    )
    wish = wish_of(catalogue, skip, only, paths, max_requests, unsafe=unsafe)
    with calm():
        checked = checking.check(
            Session(catalogue, Silent()), named, cells, wish, headers_of(headers)
        )
    symptoms = symptoms_of(catalogue)
    found = [
        Problem(
            each.finding.check,
            each.finding.symptom or "",
            each.told,
            hop(each),
            symptoms[each.finding.symptom].fix if each.finding.symptom in symptoms else "",
            tuple(dict.fromkeys(result.cell.topology.name for result in each.cells)),
            tuple(dict.fromkeys(result.cell.scheme.value for result in each.cells)),
        )
        for each in problems(checked.results.cells)
    ]
    every = [finding for result in checked.results.cells for finding in result.findings]
    return Report(
        tuple(found),
        tuple(dict.fromkeys(f.detail for f in every if f.verdict is Verdict.ERROR)),
        dict(checked.explored.unjudged),
        not checked.explored.is_empty,
        report(checked.results, checked.explored, symptoms, plain=True),
        checked.logs,
        checked.results,
    )


def _list(given: str | Sequence[str]) -> list[str]:
    return [given] if isinstance(given, str) else list(given)


@contextmanager
def calm() -> Iterator[None]:
    """Start processes without Python's warning that this one has threads, such as a test runner's.

    What the lab runs between fork and exec takes no lock.
    """
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", ".*is multi-threaded", DeprecationWarning)
        yield
