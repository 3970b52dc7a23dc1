"""What a site wrote stands in a report, and can't act on who reads it."""

import json
from dataclasses import fields, is_dataclass
from typing import Any

from hoplab.client.wire import Exchange
from hoplab.diagnosis.clean import clean
from hoplab.diagnosis.words import (
    Answer,
    Area,
    Cause,
    Diagnosis,
    Evidence,
    Fault,
    Group,
    Known,
    Prescription,
    Question,
    Report,
    Sheet,
    Unasked,
    Verdict,
)

EVIL = "\x1b]0;x\x07\x9b\u202e\u2028\x00\ud800<script>[red]"


def evil_report() -> Report:
    """With the same bad text in every place where there is one."""
    exchange = Exchange(
        "GET",
        EVIL,
        [(EVIL, EVIL)],
        302,
        [("Location", "/x\x1b\xe2\x80\xae\xef\xbb\xbf")],
        b"\x1b",
        cut=True,
    )
    answer = Answer(Question.ROUTE, "found", EVIL, EVIL, (exchange,))
    cause = Cause(Fault.RAISES, Area.APPLICATION, [Evidence(answer, "for", "found")])
    group = Group([cause, Cause(Fault.UNREACHABLE, Area.APPLICATION)], EVIL, EVIL)
    return Report(
        EVIL,
        EVIL,
        EVIL,
        Sheet({Question.ROUTE: answer}, (Unasked(Question.CORS, EVIL),)),
        Diagnosis(Verdict.SICK, [group], [[group]], [group], [answer], EVIL),
        Known(EVIL, EVIL, EVIL, EVIL),
        [Prescription(Fault.RAISES, EVIL, EVIL, [EVIL], [EVIL], guessed=True)],
        3,
        1.0,
        EVIL,
        {EVIL: {EVIL: [EVIL, 1, None]}},
    )


def texts(value: Any) -> list[str]:
    """Every text in it, at any depth."""
    if isinstance(value, str):
        return [value]
    if is_dataclass(value) and not isinstance(value, type):
        return [text for field in fields(value) for text in texts(getattr(value, field.name))]
    if isinstance(value, dict):
        return [text for pair in value.items() for each in pair for text in texts(each)]
    if isinstance(value, (list, tuple)):
        return [text for each in value for text in texts(each)]
    return []


def test_no_text_of_a_report_can_act_on_a_terminal() -> None:
    found = texts(clean(evil_report()))

    assert len(found) > 30
    assert all(text.isprintable() for text in found)
    (exchange,) = clean(evil_report()).sheet.answers[Question.ROUTE].exchanges
    assert str(exchange).isprintable()
    assert exchange.header("Location") == "/x%1B%E2%80%AE%EF%BB%BF"
    assert any("<script>" in text for text in found), "it is shown, not hidden"
    json.dumps(found)


def test_what_is_right_stays() -> None:
    report = Report("http://a/", "http://a", "", Sheet({}), Diagnosis(Verdict.HEALTHY))

    assert clean(report) == report


def test_long_texts_are_cut() -> None:
    report = Report("http://a/" + "x" * 10**6, "", "", Sheet({}), Diagnosis(Verdict.HEALTHY))

    assert len(clean(report).url) < 2100
