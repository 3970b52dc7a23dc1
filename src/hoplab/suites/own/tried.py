"""What was tried, in words: fixes, and changes of a person's own proxy configuration."""

import textwrap
from collections.abc import Callable, Iterator, Sequence

from hoplab.advice import OwnConfiguration, Trial, Tried
from hoplab.results import Finding, Results
from hoplab.suites.own.problems import (
    Problem,
    is_of_the_application,
    key_of,
    problems,
    topologies_of,
)


def tried_of(results: Results) -> Callable[[Finding], list[str]]:
    """What was tried for a finding of these, in lines."""
    known = {problem.key: problem for problem in problems(results.cells)}

    def told(finding: Finding) -> list[str]:
        problem = known.get(key_of(finding))
        lines = fixes_tried(problem, results.tried) if problem else []
        return [f"tried: {each}" for each in lines]

    return told


def fixes_tried(problem: Problem, tried: Sequence[Tried] | None) -> list[str]:
    """A line for each fix that passed somewhere, and one for those that passed nowhere.

    tried: None if nothing was to be, and so nothing is said.
    """
    if tried is None:
        return []
    if is_of_the_application(problem):
        return ["no, it is a change in your own code"]
    names = [topology.name for topology in topologies_of(problem.cells)]
    found = [
        fix for each in tried if (each.symptom, each.detail) == problem.key for fix in each.fixes
    ]
    return list(_lines(found, names)) or ["nothing can be"]


def _lines(fixes: Sequence[Trial], every: Sequence[str]) -> Iterator[str]:
    nowhere: dict[str, list[str]] = {"failed": [], "did not start": []}
    for each in fixes:
        if each.passed:
            parts = {
                "passed": each.passed,
                "failed": each.failed,
                "did not start": each.not_started,
            }
            told = (f"{word} {_names(some, every)}" for word, some in parts.items() if some)
            yield f"{each.fix}: {'; '.join(told)}"
        else:
            nowhere["failed" if each.failed else "did not start"].append(each.fix)
    yield from (f"{'; '.join(some)}: {word}" for word, some in nowhere.items() if some)


def _names(some: Sequence[str], every: Sequence[str]) -> str:
    if len(some) == len(every):
        return "in all of these" if len(every) > 1 else "there"
    return "in " + ", ".join(some)


def how_it_ran(configuration: OwnConfiguration) -> list[str]:
    """How a person's file was run, as a diff."""
    return [
        f"{configuration.file}, as a file of {configuration.proxy}, runs with these changes:",
        *(f"  {line}" for line in configuration.adapted),
        *(f"  ({note})" for note in configuration.notes),
    ]


def what_to_change(configuration: OwnConfiguration) -> Iterator[str]:
    """The smallest change that passes, with what each line of it is for."""
    name, change = configuration.file, configuration.change
    if configuration.also:
        told = f"Not the file's doing, the lab's own shows it too: {', '.join(configuration.also)}."
        yield from textwrap.wrap(told, 80, break_on_hyphens=False)
    if configuration.untried:
        yield f"No change to {name} was tried (--no-try)."
    elif change is None:
        yield f"{name} does as well as the lab's own file ({configuration.mode})."
    elif not change.reasons:
        yield f"No change to {name} was found that passes ({change.tried} tried)."
        if change.left:
            yield f"With all of the lab's lines in it: {', '.join(change.left)}."
        else:
            yield "It passes with all of the lab's lines in it; which are needed is not known."
    else:
        yield f"The smallest change to {name} that passes ({change.tried} tried):"
        yield from (f"  {line}" for line in change.diff)
        yield "what each is for, by what shows without it:"
        for reason in change.reasons:
            yield f"  {reason.lines}: {', '.join(reason.symptoms)}"
