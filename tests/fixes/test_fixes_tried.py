"""Every fix that a text prescribes was tried: it is written into a deployment that has the symptom,
and that passes then."""

from collections.abc import Iterator, Mapping

import pytest

from hoplab.suites import SYMPTOMS
from tests.catalogue import CATALOGUE
from tests.fixes import texts, trials
from tests.fixes.conftest import Tried
from tests.fixes.trials import Trial

TRIALS = {trial.id: trial for trial in trials.load(CATALOGUE)}


def prescribed() -> Iterator[tuple[str, str, str, str]]:
    """Where a text stands, whose it is (nobody's alone: an empty name), its symptom, its fix."""
    prefix = CATALOGUE.prefix.encoded
    for symptom in SYMPTOMS.values():
        yield f"suites:{symptom.name}", "", symptom.name, symptom.under(prefix).fix
    for owner, advice in CATALOGUE.advice.items():
        for name, each in advice.items():
            if each.fix:
                yield f"{owner}:{name}", owner, name, each.fix


PRESCRIBED = {place: rest for place, *rest in prescribed()}
WITH_LINES = {place: rest for place, rest in PRESCRIBED.items() if texts.lines(rest[2])}


@pytest.mark.parametrize("trial", TRIALS.values(), ids=TRIALS)
def test_the_fix_is_right(tried: Tried, trial: Trial) -> None:
    wrong, fixed = tried.symptoms(trial.wrong), tried.symptoms(trial.fixed)

    assert wrong, "nothing is wrong before"
    assert not [s for s in wrong.values() if s.startswith("error")], wrong
    assert fixed == {}


@pytest.mark.parametrize("place", WITH_LINES)
def test_what_the_text_says_was_tried(tried: Tried, place: str) -> None:
    owner, symptom, fix = WITH_LINES[place]
    of = [
        trial
        for trial in tried.trials
        if symptom in tried.symptoms(trial.wrong).values()
        and not tried.symptoms(trial.fixed)
        and (not owner or owner in trial.owners)
    ]

    untried = [
        line for line in texts.lines(fix) if not any(tried.differs(trial, line) for trial in of)
    ]

    assert of, f"no trial has the symptom {symptom}"
    assert untried == [], [trial.id for trial in of]
