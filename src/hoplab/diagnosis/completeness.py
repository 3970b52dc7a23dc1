"""What a verdict leaves open: a healthy one says no more than what was asked."""

from collections.abc import Mapping
from urllib.parse import urlsplit

from hoplab.diagnosis.words import Question, Report

OPTIONAL = {Question.LOOP, Question.PATHS, Question.LINK_SCHEME, Question.SCOPE_FOR_HEADER}
"""What says more where it can be asked, and leaves nothing open where it can't."""


def unanswered(report: Report) -> Mapping[Question, str]:
    """The questions that were put and not answered, and why: the first reason of each."""
    found: dict[Question, str] = {}
    for each in report.sheet.unasked:
        if each.question not in {*report.sheet.answers, *OPTIONAL}:
            found.setdefault(each.question, each.why)
    return found


def scheme(report: Report) -> str:
    """The one that was asked: http or https."""
    return urlsplit(report.base).scheme


def is_complete(report: Report) -> bool:
    """Whether everything was answered. Over http, what is wrong over https alone does not show."""
    over_https = scheme(report) == "https"
    return over_https and not unanswered(report) and not report.unfinished
