"""Every fix that a text prescribes was tried.

It is written into a deployment that has the symptom, which is asked again, and passes. A line is a
symptom's fix if it is what differs between the two.
"""

from collections.abc import Sequence

import pytest

from hoplab.suites import SUITES, SYMPTOMS
from tests.catalogue import CATALOGUE
from tests.fixes import texts, trials
from tests.fixes.conftest import Tried
from tests.fixes.trials import Trial
from tests.topologies.old_nginx import NONE

TRIALS = {trial.id: trial for trial in trials.load(CATALOGUE)}

PREFIX = CATALOGUE.prefix.encoded
FIXES = {
    **{("", name): symptom.under(PREFIX).fix for name, symptom in SYMPTOMS.items()},
    **{
        (owner, name): advice.fix
        for owner, of in CATALOGUE.advice.items()
        for name, advice in of.items()
    },
}
"""What is prescribed, by whose file it stands in (none: the suite's) and the symptom."""

_OF_SUITES = {symptom.name for suite in SUITES.values() for symptom in suite.symptoms}
_THEIR_FIXES = {FIXES["", name] for name in _OF_SUITES}

ASKED = {name for name in SYMPTOMS if name in _OF_SUITES or FIXES["", name] not in _THEIR_FIXES}
"""Those that a trial has to show: not one of `hoplab check` whose fix is word for word theirs."""

LINES = {place: lines for place, fix in FIXES.items() if (lines := texts.lines(fix))}


@pytest.mark.parametrize("trial", TRIALS.values(), ids=TRIALS)
def test_a_wrong_deployment_is_right_with_the_fix(tried: Tried, trial: Trial) -> None:
    if trial in tried.left_out:
        pytest.skip(NONE)
    wrong, fixed = tried.failed[trial.wrong], tried.failed[trial.fixed]

    assert wrong
    assert [symptom for symptom in wrong.values() if symptom.startswith("error: ")] == []
    assert fixed == {}


@pytest.mark.parametrize(
    ("place", "lines"), LINES.items(), ids=[":".join(place).strip(":") for place in LINES]
)
def test_what_a_text_prescribes_was_tried(
    tried: Tried, place: tuple[str, str], lines: Sequence[str]
) -> None:
    """Every line, where one of the symptoms showed for which it stands; and one, where this did."""
    owner, symptom = place
    if any(tried.differs(trial, line) for trial in tried.left_out for line in lines):
        pytest.skip(NONE)

    gone = {line: helped(tried, owner, line) for line in lines}

    assert [line for line, symptoms in gone.items() if not symptoms] == []
    if symptom in ASKED:
        assert symptom in set().union(*gone.values())


def helped(tried: Tried, owner: str, line: str) -> set[str]:
    """The symptoms that were gone after a trial of this line, of those for which it stands."""
    return {
        symptom
        for trial in tried.right(owner)
        for symptom in tried.failed[trial.wrong].values()
        if line in LINES.get((owner, symptom), ()) and tried.differs(trial, line)
    }
