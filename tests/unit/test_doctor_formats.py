"""JUnit and HTML of the doctor: whole, parsed as what they are, and safe whatever a site sent."""

import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from xml.etree import ElementTree as ET

import pytest

from hoplab.client.wire import Exchange
from hoplab.diagnosis import as_json, junit, page, text
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
from tests.unit.test_clean import evil_report

RENDERERS = {"text": text, "json": as_json, "junit": junit, "html": page}
ATTACKS = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "</style></title><svg onload=alert(1)>",
    "javascript:alert(1)",
    "]]><!--",
    "&lt;b&gt;",
    "\x1b[31m\x9b\u202e\u2028\x00\ufffe\ud800",
]


def sick() -> Report:
    seen = Exchange("GET", "https://a.example/x", (), 307, [("Location", "http://a.example/x/")])
    answer = Answer(Question.REDIRECT_SCHEME, "http", "seen", "leads to http", (seen,))
    fine = Answer(Question.ROUTE, "found", "GET / → 200")
    causes = [
        Cause(fault, Area.SCHEME, [Evidence(answer, "for", "http"), Evidence(fine, "against", "x")])
        for fault in (Fault.NOT_TRUSTED, Fault.PROTO_NOT_SENT)
    ]
    return Report(
        "https://a.example/x",
        "https://a.example",
        "/x",
        Sheet(
            {Question.ROUTE: fine, Question.REDIRECT_SCHEME: answer},
            (Unasked(Question.CORS, "no route"), Unasked(Question.ROUTE, "at first")),
        ),
        Diagnosis(Verdict.SICK, [Group(causes, "Which header arrives?", "--server")]),
        Known("nginx", "", "server: nginx"),
        [
            Prescription(
                Fault.PROTO_NOT_SENT,
                "nginx",
                "Set it.",
                ("proxy_set_header X;",),
                ("https://nginx.org/", "javascript:x"),
                guessed=True,
            )
        ],
        12,
        1.25,
    )


def attacked(attack: str) -> Report:
    report = sick()
    on_the_wire = attack.encode("utf-8", "replace").decode("latin-1")
    seen = Exchange("GET", attack, (), 302, [("Location", on_the_wire)])
    answer = Answer(Question.REDIRECT_SCHEME, attack, attack, attack, (seen,))
    group = Group(
        [Cause(Fault.NOT_TRUSTED, Area.SCHEME, [Evidence(answer, "for", attack)])], attack
    )
    return replace(
        report,
        url=attack,
        base=attack,
        prefix=attack,
        sheet=Sheet({Question.REDIRECT_SCHEME: answer}, (Unasked(Question.CORS, attack),)),
        diagnosis=Diagnosis(Verdict.SICK, [group], [[group]], [group], [answer], attack),
        known=Known(attack, attack, attack, attack),
        prescriptions=[Prescription(Fault.RAISES, attack, attack, (attack,), (attack,))],
        unfinished=attack,
        facts={"arrival": attack, "notes": (attack,)},
    )


class Reader(HTMLParser):
    """Which elements, attributes and links a page has."""

    def __init__(self, markup: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.links: list[str] = []
        self.attributes: set[str] = set()
        self.open: list[str] = []
        self.feed(markup)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes |= {name for name, _ in attrs}
        self.links += [value or "" for name, value in attrs if name in {"href", "src"}]
        if tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag, "elements are nested"


PLAIN = {*Reader(page.render(sick())).tags}


@pytest.mark.parametrize("attack", ATTACKS)
def test_nothing_of_a_site_is_markup(attack: str) -> None:
    reader = Reader(page.render(clean(attacked(attack))))

    assert not reader.open
    assert {*reader.tags} <= PLAIN | {"ul", "li", "section"}
    assert "script" not in reader.tags
    assert reader.attributes <= {
        "lang", "charset", "http-equiv", "content", "name", "class", "href"
    }  # fmt: skip
    assert all(link.startswith("https://") for link in reader.links)


@pytest.mark.parametrize("attack", ATTACKS[:-1])
def test_html_is_safe_even_of_a_report_that_was_not_cleaned(attack: str) -> None:
    reader = Reader(page.render(attacked(attack)))

    assert "script" not in reader.tags
    assert "img" not in reader.tags
    assert "svg" not in reader.tags


def test_the_page_allows_nothing_but_its_own_style() -> None:
    markup = page.render(sick())

    assert "default-src &#x27;none&#x27;; style-src &#x27;sha256-" in markup
    assert "javascript:" not in markup
    assert markup.startswith("<!doctype html>")


def test_the_page_says_all_of_it() -> None:
    markup = page.render(sick())

    for told in (
        "sick",
        "leads to http",
        "The server does not trust the proxy",
        "The proxy does not send X-Forwarded-Proto",
        "proxy_set_header X;",
        "(a guess)",
        "Which header arrives?",
        "12 requests in 1.2 s",
        "http://a.example/x/",
        "not asked",
    ):
        assert told in markup


@pytest.mark.parametrize("name", ["text", "json", "junit"])
def test_no_control_character_is_in_any_format(name: str) -> None:
    told = RENDERERS[name].render(clean(evil_report()))

    assert told.replace("\n", "").isprintable()


@pytest.mark.parametrize("attack", ATTACKS)
def test_junit_is_xml_whatever_a_site_sent(attack: str) -> None:
    root = ET.fromstring(junit.render(clean(attacked(attack))))  # noqa: S314 - our own

    assert root.tag == "testsuites"
    tags = "testsuites testsuite properties property testcase failure skipped error"
    assert {each.tag for each in root.iter()} <= {*tags.split()}


def test_junit_has_a_case_for_the_diagnosis_and_for_each_question() -> None:
    root = ET.fromstring(junit.render(sick()))  # noqa: S314 - our own

    assert [case.get("name") for case in root.iter("testcase")] == [
        "diagnosis",
        "route",
        "redirect-scheme",
        "cors",
    ]
    assert (root.get("failures"), root.get("errors"), root.get("skipped")) == ("2", "0", "1")
    failure = root.find(".//failure")
    assert failure is not None
    assert failure.get("type") == "proxy-not-trusted, proto-header-not-sent"
    assert "nginx (a guess): Set it." in str(failure.text)


@pytest.mark.parametrize(
    ("verdict", "counts"), [(Verdict.HEALTHY, ("0", "0")), (Verdict.UNCLEAR, ("0", "1"))]
)
def test_what_the_diagnosis_is_in_junit(verdict: Verdict, counts: tuple[str, str]) -> None:
    """What can't be told is an error, and no failure."""
    report = replace(sick(), diagnosis=Diagnosis(verdict, why="a login"), sheet=Sheet({}))
    root = ET.fromstring(junit.render(report))  # noqa: S314 - our own

    assert (root.get("failures"), root.get("errors")) == counts


@pytest.mark.parametrize("verdict", [*Verdict])
@pytest.mark.parametrize("name", [*RENDERERS])
def test_every_format_writes_every_verdict(name: str, verdict: Verdict) -> None:
    report = Report("http://a/", "http://a", "", Sheet({}), Diagnosis(verdict, why="why"))
    told = RENDERERS[name].render(report)

    assert told.endswith("\n")
    assert not re.search(r"\bNone\b(?! that I know)", told)


def healthy(base: str = "https://a.example", *unasked: Unasked) -> Report:
    fine = Answer(Question.ROUTE, "found", "GET / → 200")
    return Report(
        base, base, "", Sheet({Question.ROUTE: fine}, unasked), Diagnosis(Verdict.HEALTHY)
    )


@pytest.mark.parametrize(
    ("report", "told", "complete"),
    [
        (healthy(), "healthy", True),
        (healthy("http://a.example"), "healthy, over http alone: https was not asked", False),
        (
            healthy("https://a.example", Unasked(Question.CORS, "no route")),
            "healthy, as far as could be asked; 1 question stayed open",
            False,
        ),
        (healthy("https://a.example", Unasked(Question.ROUTE, "at first")), "healthy", True),
        (healthy("https://a.example", Unasked(Question.LINK_SCHEME, "none")), "healthy", True),
    ],
)
def test_healthy_says_what_it_leaves_open(report: Report, told: str, *, complete: bool) -> None:
    assert text.render(report).splitlines()[0] == f"{report.base}: {told}"
    assert json.loads(as_json.render(report))["complete"] is complete
    properties = ET.fromstring(junit.render(report)).iter("property")  # noqa: S314 - our own
    found = {each.get("name"): each.get("value") for each in properties}
    assert found["complete"] == ("yes" if complete else "no")


def test_a_guess_is_said_to_be_one_in_every_format() -> None:
    report = replace(sick(), known=Known("nginx", "uvicorn", "server: nginx"))

    told = json.loads(as_json.render(report))
    assert (told["proxy_guessed_from"], told["server_guessed_from"]) == ("server: nginx", "")
    properties = [
        (each.get("name"), each.get("value"))
        for each in ET.fromstring(junit.render(report)).iter("property")  # noqa: S314
    ]
    assert ("proxy guessed from", "server: nginx") in properties
    assert "server guessed from" not in dict(properties)
