"""Values in the queries of URLs may be secret, and are printed nowhere."""

import pytest

from hoplab.client.given import BadGiven, read
from hoplab.client.masking import masked
from hoplab.client.wire import Exchange
from hoplab.diagnosis import as_json, junit, page, text
from hoplab.diagnosis.clean import clean
from hoplab.diagnosis.words import Answer, Diagnosis, Question, Report, Sheet, Unasked, Verdict


@pytest.mark.parametrize(
    ("told", "shown"),
    [
        ("https://a/x?token=hunter2", "https://a/x?token=***"),
        (
            "GET https://a/x?a=1&b=hunter2 → 307 /y/?c=3",
            "GET https://a/x?a=***&b=*** → 307 /y/?c=***",
        ),
        ("'/x?k=hunter2', which", "'/x?k=***', which"),
        ("see /x?a=hunter2.", "see /x?a=***."),
        ("https://a/cb#access_token=hunter2&x=1", "https://a/cb#access_token=***&x=***"),
        ("https://a/x?once-0123", "https://a/x?once-0123"),
        ("https://a/docs#/rooms", "https://a/docs#/rooms"),
        ("Which is it? root_path=/x", "Which is it? root_path=/x"),
        ("--header 'a=b'", "--header 'a=b'"),
        ("https://a/x?token=", "https://a/x?token="),
    ],
)
def test_values_are_masked_and_names_stay(told: str, shown: str) -> None:
    assert masked(told) == shown
    assert masked(shown) == shown


def test_no_format_has_them() -> None:
    url = "https://a.example/x?key=hunter2"
    seen = Exchange("GET", url, (), 307, [("Location", "/y?key=hunter2")])
    answer = Answer(Question.REDIRECT_PATH, "other", f"{seen}", f"{seen}: elsewhere", (seen,))
    report = clean(
        Report(
            url,
            "https://a.example",
            "",
            Sheet({Question.REDIRECT_PATH: answer}, (Unasked(Question.CORS, f"{seen}"),)),
            Diagnosis(Verdict.UNCLEAR, why=f"{url}: no"),
            unfinished=url,
            facts={"notes": (f"{seen}: packed",)},
        )
    )

    for form in (text, as_json, junit, page):
        assert "hunter2" not in form.render(report)
        assert "key=***" in form.render(report)


def test_a_url_that_is_none_is_quoted_without_them() -> None:
    with pytest.raises(BadGiven) as raised:
        read("ftp.example/x?key=hunter2")

    assert "hunter2" not in str(raised.value)
