"""From symbols to causes, without a wire: every fault is found, and nothing is made up."""

import pytest

from hoplab.catalogue.servers.server import RootPath
from hoplab.commands.doctor import diagnosed_again
from hoplab.diagnosis.candidates import AREAS, OPTIONS, Candidate, candidates
from hoplab.diagnosis.diagnose import diagnose
from hoplab.diagnosis.faults import FAULTS
from hoplab.diagnosis.ranking import ranked
from hoplab.diagnosis.words import (
    Answer,
    Diagnosis,
    Fault,
    Known,
    Question,
    Report,
    Sheet,
    Symbols,
    Unasked,
    Verdict,
)
from hoplab.diagnosis.worlds import Setting

HTTPS = Setting(https=True, port=True, prefix=True)


def sheet(symbols: Symbols, *without: Question) -> Sheet:
    """What a deployment with these symbols answers."""
    return Sheet({q: Answer(q, s, f"{q} {s}") for q, s in symbols.items() if q not in without})


def outside(candidate: Candidate, *, spoof: bool = False) -> dict[Question, str]:
    """What of it a stranger can ask."""
    hidden = ("scope",) if spoof else ("scope", "spoofed")
    return {q: s for q, s in candidate.shows.items() if not q.startswith(hidden)}


def named(diagnosis: Diagnosis) -> set[Fault]:
    """Every fault that it names."""
    return {fault for group in (*diagnosis.groups, *diagnosis.notes) for fault in group.faults}


ALONE = candidates(HTTPS, 1)
RIGHT = candidates(HTTPS, 0)


@pytest.mark.parametrize(
    "right", RIGHT, ids=lambda each: f"{each.world.mode}-{each.world.strategy}"
)
def test_right_deployments_are_healthy(right: Candidate) -> None:
    diagnosis = diagnose(sheet(outside(right, spoof=True)), HTTPS)

    assert diagnosis.verdict is Verdict.HEALTHY
    assert named(diagnosis) == set()


@pytest.mark.parametrize("fault", list(Fault))
def test_every_fault_is_named_where_it_shows(fault: Fault) -> None:
    """A fault for each cause: what the model says of it leads back to it."""
    made = [each for each in ALONE if each.faults == {fault}]
    right = [outside(each, spoof=True) for each in RIGHT]
    shown = [each for each in made if outside(each, spoof=True) not in right]

    assert shown, "a fault that never shows is none of the doctor's"
    for each in shown:
        diagnosis = diagnose(sheet(outside(each, spoof=True)), HTTPS)
        assert fault in named(diagnosis)
        assert diagnosis.verdict is (
            Verdict.HEALTHY
            if any(FAULTS[other].note for other in named(diagnosis))
            else Verdict.SICK
        )


def test_two_faults_are_both_named_and_apart() -> None:
    wanted = {Fault.LABEL_STRIPPED, Fault.HOST_UPSTREAM}
    both = next(
        each
        for each in candidates(HTTPS, 2)
        if each.faults == wanted and each.shows[Question.REDIRECT_HOST] == "upstream"
    )

    diagnosis = diagnose(sheet(outside(both)), HTTPS)

    assert [group.faults for group in diagnosis.groups] == [
        [Fault.LABEL_STRIPPED],
        [Fault.HOST_UPSTREAM],
    ]


def test_what_looks_the_same_is_one_group_with_the_question_that_settles_it() -> None:
    made = next(each for each in ALONE if each.faults == {Fault.NOT_TRUSTED})

    (group,) = diagnose(sheet(outside(made)), HTTPS).groups

    assert set(group.faults) == {
        Fault.NOT_TRUSTED,
        Fault.PROTO_NOT_SENT,
        Fault.PROTO_OVERWRITTEN,
        Fault.PROTO_LISTED,
    }
    assert "X-Forwarded-Proto" in group.asks


@pytest.mark.parametrize(
    "fault",
    [Fault.NOT_TRUSTED, Fault.PROTO_NOT_SENT, Fault.PROTO_OVERWRITTEN, Fault.PROTO_LISTED],
)
def test_the_second_eye_tells_them_apart(fault: Fault) -> None:
    made = next(each for each in ALONE if each.faults == {fault})

    assert named(diagnose(sheet(made.shows), HTTPS)) == {fault}


def test_the_second_eye_sees_that_the_proxy_adds_the_prefix_again() -> None:
    """Where the server can't have done it: the application knows its prefix by itself."""
    made = next(
        each
        for each in ALONE
        if each.faults == {Fault.PREFIX_AGAIN} and each.shows[Question.SCOPE_ROOT_PATH] == "empty"
    )

    assert made.shows[Question.SCOPE_PATH] == "doubled"
    assert named(diagnose(sheet(made.shows), HTTPS)) == {Fault.PREFIX_AGAIN}


def test_forged_headers_tell_whether_the_proxy_is_trusted() -> None:
    """With --spoof: a server that ignores a client's word does not trust the proxy either."""
    made = next(
        each
        for each in ALONE
        if each.faults == {Fault.PROTO_NOT_SENT}
        and each.shows[Question.SPOOFED_SCHEME] == "believed"
    )

    assert named(diagnose(sheet(outside(made, spoof=True)), HTTPS)) == {Fault.PROTO_NOT_SENT}


def test_a_known_server_excludes_what_it_can_not_do() -> None:
    made = next(each for each in ALONE if each.faults == {Fault.UNTOLD_PRESERVED})
    label = Setting(https=True, port=True, prefix=True, root_path=RootPath.LABEL)

    everything = named(diagnose(sheet(outside(made)), HTTPS))
    less = named(diagnose(sheet(outside(made)), label))

    assert Fault.PREPENDED_PRESERVED in everything - less


def test_evidence_is_what_would_be_otherwise_without_the_fault() -> None:
    made = next(each for each in ALONE if each.faults == {Fault.LABEL_STRIPPED})

    (group,) = diagnose(sheet(outside(made)), HTTPS).groups
    (cause,) = group.causes

    assert {(each.answer.question, each.weighs) for each in cause.evidence} == {
        (Question.DOUBLED, "for"),
        (Question.REDIRECT_PATH, "for"),
    }


def test_answers_that_no_deployment_gives_explain_nothing() -> None:
    """A confident wrong diagnosis is the worst."""
    symbols = {
        **outside(RIGHT[0]),
        Question.REDIRECT_PATH: "other",
        Question.DOCS_LINK: "doubled",
        Question.SERVERS: "begins-with-two-slashes",
    }

    diagnosis = diagnose(sheet(symbols), HTTPS)

    assert diagnosis.verdict is Verdict.UNCLEAR
    assert diagnosis.why
    assert not diagnosis.groups


def test_one_odd_answer_is_left_unexplained_and_said() -> None:
    made = next(each for each in ALONE if each.faults == {Fault.HOST_UPSTREAM})
    symbols = {**outside(made), Question.SERVERS: "other"}

    diagnosis = diagnose(sheet(symbols), HTTPS)

    assert named(diagnosis) == {Fault.HOST_UPSTREAM}
    assert [answer.question for answer in diagnosis.odd] == [Question.SERVERS]


def test_too_few_answers_are_no_diagnosis() -> None:
    only = Sheet(
        {Question.ROUTE: Answer(Question.ROUTE, "found", "it answers")},
        (Unasked(Question.REDIRECT_PATH, "a login is asked for"),),
    )

    diagnosis = diagnose(only, HTTPS)

    assert diagnosis.verdict is Verdict.UNCLEAR
    assert "a login is asked for" in diagnosis.why


def test_nothing_answered_is_no_diagnosis() -> None:
    nothing = Sheet({}, (Unasked(Question.ROUTE, "no answer below https://name"),))

    assert diagnose(nothing, HTTPS).why == "no answer below https://name"


def test_http_hides_what_is_wrong_with_the_scheme() -> None:
    http = Setting(https=False, port=True, prefix=True)
    made = next(each for each in candidates(http, 1) if each.faults == {Fault.PROTO_OVERWRITTEN})

    assert diagnose(sheet(outside(made)), http).verdict is Verdict.HEALTHY


@pytest.mark.parametrize("symbol", ["other", "begins-with-two-slashes"])
def test_a_root_path_without_a_prefix_is_named(symbol: str) -> None:
    bare = Setting(https=True, port=False, prefix=False)
    wanted = {"other": Fault.OTHER_ROOT_PATH}.get(symbol, Fault.ROOT_PATH_ONLY_SLASH)
    made = next(
        each
        for each in candidates(bare, 1)
        if each.faults == {wanted} and each.shows.get(Question.REDIRECT_PATH) == symbol
    )

    assert wanted in named(diagnose(sheet(outside(made)), bare))


def test_everything_redirected_to_itself_over_https_is_a_lost_scheme() -> None:
    """An application that redirects http to https, and is told that everything is http."""
    loop = sheet({Question.LOOP: "itself"})

    (group,) = diagnose(loop, HTTPS).groups

    assert Fault.NOT_TRUSTED in group.faults


def test_the_same_answers_are_judged_again_with_more_known() -> None:
    made = next(each for each in ALONE if each.faults == {Fault.UNTOLD_PRESERVED})
    answers = sheet(outside(made))
    url = "https://example.org:8443/p"
    report = Report(url, url, "/p", answers, diagnose(answers, HTTPS))

    again = diagnosed_again(report, Known(server="hypercorn"))

    assert Fault.PREPENDED_PRESERVED in named(report.diagnosis) - named(again.diagnosis)


def test_every_fault_has_words_an_area_and_an_option() -> None:
    assert set(FAULTS) == set(AREAS) == set(OPTIONS) == set(Fault)
    assert all(len(words.title) < 90 and words.change for words in FAULTS.values())


@pytest.mark.parametrize(
    ("root_path", "last"), [(RootPath.LABEL, True), (RootPath.PREPENDED, False)]
)
def test_a_guessed_server_ranks_causes_and_excludes_none(
    root_path: RootPath, *, last: bool
) -> None:
    made = next(each for each in ALONE if each.faults == {Fault.UNTOLD_PRESERVED})
    diagnosis = diagnose(sheet(outside(made)), HTTPS)

    (before,), (after,) = diagnosis.groups, ranked(diagnosis, root_path).groups

    assert {*after.faults} == {*before.faults}
    assert (after.faults[-1] is Fault.PREPENDED_PRESERVED) is last
    assert (after.faults == before.faults) is not last
