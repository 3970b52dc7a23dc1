"""From answers to causes: which worlds show exactly this, and what they have in common.

Worlds that contradict an answer are excluded. Of those that are left, the ones with the fewest
faults explain it. Faults that stand for one another in them can't be told apart by these answers.
If no world fits, one answer may be left unexplained, if others still say that something is wrong;
else nothing is told.
"""

from collections.abc import Iterable, Mapping, Sequence
from itertools import chain

from hoplab.diagnosis.candidates import (
    ALL_AREAS,
    AREAS,
    MOST_FAULTS,
    ORDER,
    Candidate,
    candidates,
)
from hoplab.diagnosis.faults import FAULTS
from hoplab.diagnosis.words import (
    Answer,
    Area,
    Cause,
    Diagnosis,
    Evidence,
    Fault,
    Group,
    Question,
    Sheet,
    Symbol,
    Verdict,
)
from hoplab.diagnosis.worlds import Setting

_TELLING = {
    Question.DOCS_LINK,
    Question.SERVERS,
    Question.REDIRECT_PATH,
    Question.LINK_SCHEME,
    Question.LOOP,
}
"""Without one of these, an application that answers says nothing of how it is deployed."""

_EXCHANGEABLE = 1

_SHOWS: Mapping[Area, Mapping[Question, Symbol]] = {
    Area.UPGRADE: {Question.UPGRADE: "passed", Question.TUNNEL: "closed"},
    Area.BOUNDARY: {Question.BOUNDARY: "closed", Question.UNPREFIXED: "missing"},
    Area.CORS: {Question.CORS: "fine"},
    Area.DOCS: {Question.DOCS_LINK: "kept"},
    Area.SERVERS: {Question.SERVERS: "kept"},
    Area.SPOOF: {
        Question.SPOOFED_SCHEME: "ignored",
        Question.SPOOFED_HOST: "ignored",
        Question.SPOOFED_PREFIX: "ignored",
    },
    Area.APPLICATION: {Question.ROUTE: "found"},
    Area.PATH: {Question.ROUTE: "found"},
}
"""Areas whose faults show in these answers alone, and how these are without a fault."""


def diagnose(sheet: Sheet, setting: Setting) -> Diagnosis:
    """What explains these answers. Says so where nothing can be told."""
    symbols = sheet.symbols
    if why := _too_little(sheet):
        return Diagnosis(Verdict.UNCLEAR, why=why)
    fitting = _fitting(symbols, setting)
    odd: Sequence[Answer] = ()
    if not fitting:
        fitting, odd = _all_but_one(sheet, setting)
    if not fitting:
        found = "; ".join(answer.told for answer in sheet.findings) or "the answers"
        why = f"no cause that I know explains all of this together: {found}"
        return Diagnosis(Verdict.UNCLEAR, odd=sheet.findings, why=why)
    first, *others = _explanations(fitting)
    groups = [_group(faults, fitting, sheet, setting) for faults in first]
    other = [[_group(faults, fitting, sheet, setting) for faults in each] for each in others]
    if not setting.prefix and any(Fault.NO_SUCH_ROUTE in group.faults for group in groups):
        why = "the application is there, and answers 404 at every path that was asked: name one"
        return Diagnosis(Verdict.UNCLEAR, groups, why=why)
    faults = [group for group in groups if not _is_note(group)]
    notes = [group for group in groups if _is_note(group)]
    wrong = faults or any(answer.wrong for answer in odd)
    verdict = Verdict.SICK if wrong else Verdict.HEALTHY
    return Diagnosis(verdict, faults, other, notes, odd)


def _too_little(sheet: Sheet) -> str:
    """Why the answers say nothing; empty if they say something."""
    if not {Question.ROUTE, Question.LOOP} & sheet.answers.keys():
        why = next((each.why for each in sheet.unasked if each.question is Question.ROUTE), "")
        return why or "the application could not be asked"
    symbols = sheet.symbols
    telling = _TELLING & symbols.keys()
    if symbols.get(Question.LINK_SCHEME) == "same":
        telling -= {Question.LINK_SCHEME}  # its author may have written the URL by hand
    if symbols.get(Question.ROUTE) == "found" and not telling:
        reasons = dict.fromkeys(e.why for e in sheet.unasked if e.question in _TELLING)
        return (
            "the application answers, but nothing that it gives says how it is deployed: "
            + "; ".join(reasons)
        )
    return ""


def _fitting(symbols: Mapping[Question, Symbol], setting: Setting) -> list[Candidate]:
    """The candidates with the fewest faults that contradict no answer."""
    areas = _areas(symbols)
    for number in range(MOST_FAULTS + 1):
        if found := [each for each in candidates(setting, number, areas) if _fits(each, symbols)]:
            return found
    return []


def _areas(symbols: Mapping[Question, Symbol]) -> frozenset[Area]:
    """The areas whose faults can be part of a simplest explanation: something of them shows."""
    return ALL_AREAS - {
        area
        for area, shows in _SHOWS.items()
        if all(symbols.get(question, right) == right for question, right in shows.items())
    }


def _fits(candidate: Candidate, symbols: Mapping[Question, Symbol]) -> bool:
    return all(
        candidate.shows.get(question, symbol) == symbol for question, symbol in symbols.items()
    )


def _all_but_one(sheet: Sheet, setting: Setting) -> tuple[list[Candidate], Sequence[Answer]]:
    """The simplest explanation of all answers but one. Something wrong has to remain in them."""
    best: tuple[list[Candidate], Sequence[Answer]] = ([], ())
    fewest = MOST_FAULTS + 1
    for question, answer in sheet.answers.items():
        if question is Question.ROUTE:
            continue
        rest = {other: symbol for other, symbol in sheet.symbols.items() if other is not question}
        found = _fitting(rest, setting)
        if found and len(found[0].faults) < fewest:
            best, fewest = (found, (answer,)), len(found[0].faults)
    return best


def _explanations(fitting: Sequence[Candidate]) -> list[list[list[Fault]]]:
    """Each a list of sets of faults of which one holds; all of an explanation's sets have to.

    Faults that are in every candidate are certain. If one fault more is in each, those stand for
    one another. Else the candidates are sorted by what their faults are about.
    """
    every = {candidate.faults for candidate in fitting}
    certain = frozenset.intersection(*every)
    rest = {faults - certain for faults in every}
    if all(len(faults) <= _EXCHANGEABLE for faults in rest):
        groups = [[fault] for fault in _sorted(certain)]
        if more := _sorted(chain.from_iterable(rest)):
            groups.append(more)
        return [groups]
    by_areas: dict[frozenset[str], list[frozenset[Fault]]] = {}
    for faults in sorted(every, key=_rank):
        by_areas.setdefault(frozenset(AREAS[fault] for fault in faults), []).append(faults)
    return [
        [
            _sorted({fault for faults in alternatives for fault in faults if AREAS[fault] == area})
            for area in sorted(areas, key=lambda area: min(_in_area(area, alternatives)))
        ]
        for areas, alternatives in by_areas.items()
    ]


def _in_area(area: str, alternatives: Iterable[Iterable[Fault]]) -> list[int]:
    return [ORDER[fault] for faults in alternatives for fault in faults if AREAS[fault] == area]


def _rank(faults: Iterable[Fault]) -> tuple[int, ...]:
    return tuple(sorted(ORDER[fault] for fault in faults))


def _sorted(faults: Iterable[Fault]) -> list[Fault]:
    return sorted(set(faults), key=lambda fault: ORDER[fault])


def _is_note(group: Group) -> bool:
    """Whether it may be no more than a note: then nobody can say that something is wrong."""
    return any(FAULTS[fault].note for fault in group.faults)


def _group(
    faults: Sequence[Fault], fitting: Sequence[Candidate], sheet: Sheet, setting: Setting
) -> Group:
    causes = [
        Cause(fault, AREAS[fault], _evidence(fault, fitting, sheet, setting)) for fault in faults
    ]
    several = len(faults) > 1
    asks = next((FAULTS[fault].asks for fault in faults if FAULTS[fault].asks), "")
    settles = next((FAULTS[fault].settles for fault in faults if FAULTS[fault].settles), "")
    return Group(causes, asks * several, settles * several)


def _evidence(
    fault: Fault, fitting: Sequence[Candidate], sheet: Sheet, setting: Setting
) -> list[Evidence]:
    """The answers that would be others without this fault, and those that don't fit it."""
    candidate = next(each for each in fitting if fault in each.faults)
    rest = candidate.faults - {fault}
    without = [
        each.shows
        for each in candidates(setting, len(rest), _areas(sheet.symbols))
        if each.faults == rest
    ]
    found = []
    for question, answer in sheet.answers.items():
        expected = candidate.shows.get(question)
        if expected is None:
            continue
        if expected != answer.symbol:
            found.append(Evidence(answer, "against", expected))
        elif without and all(each.get(question, "") != expected for each in without):
            found.append(Evidence(answer, "for", expected))
    return found
