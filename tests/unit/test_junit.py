"""Results as JUnit XML: what becomes a failure, an error, skipped; and whatever texts there are."""

from collections.abc import Iterator
from dataclasses import replace
from xml.etree import ElementTree as ET

import pytest

from hoplab.report.junit import Case, Group, Outcome, document, of_results
from hoplab.results import CellResult, Finding, Results, Verdict
from tests.catalogue import CATALOGUE
from tests.reports import hostile

CELL = CATALOGUE.recommended_cells(CATALOGUE.topologies)[0]
HOSTILE = {
    "markup": "\"><failure>&amp;]]><![CDATA[ <!-- ' -->",
    "controls": "".join(map(chr, range(32))) + "\x7f\x85",
    "no characters": "\ufffe\uffff",
    "lone surrogates": "\ud800 and \udcff",
    "not of the first plane": "\U0001f9ea\U0010ffff",
    "lines": "one\r\ntwo\n\nthree\u2028",
    "long": "x" * 100_000,
    "nothing": "",
}


def parsed(text: str) -> ET.Element:
    """As a CI system reads it: from a file."""
    return ET.fromstring(text.encode("utf-8"))  # noqa: S314 - it is ours


def cases(root: ET.Element) -> Iterator[tuple[str, str]]:
    for case in root.iter("testcase"):
        yield case.attrib["name"], next((child.tag for child in case), "pass")


def run(*findings: Finding, prediction: dict[str, str] | None = None) -> Results:
    result = CellResult(CELL, recipe=True, findings=findings, prediction=prediction)
    return Results("process", "2026-11-20T08:00:00Z", 2.5, {"python": "3.13.9"}, [result])


def test_an_error_is_no_failure_and_what_was_not_judged_is_skipped() -> None:
    told = run(
        Finding("scope", Verdict.PASS, None, "well"),
        Finding("urls", Verdict.FAIL, "link-drops-prefix", "/ leads to /"),
        Finding("docs", Verdict.ERROR, None, "no answer in 15 s"),
        Finding("events", Verdict.NOT_APPLICABLE, None, "it has no stream"),
        Finding("limits", Verdict.RECORDED, None, "8 KiB"),
    )

    root = parsed(of_results("hoplab verify", told, lambda _: ["fix: Use url_for."], "a + b"))

    assert dict(cases(root)) == {
        "scope": "pass",
        "urls": "failure",
        "docs": "error",
        "events": "skipped",
        "limits": "skipped",
    }
    counts = {"tests": "5", "failures": "1", "errors": "1", "skipped": "2"}
    for element in (root, root[0]):
        assert {name: element.attrib[name] for name in counts} == counts
    assert (root.attrib["name"], root.attrib["time"]) == ("hoplab verify", "2.500")
    assert (root[0].attrib["name"], root[0].attrib["timestamp"]) == (
        CELL.id, "2026-11-20T08:00:00Z",
    )  # fmt: skip
    [failure] = root.iter("failure")
    assert failure.attrib == {
        "message": "link-drops-prefix: / leads to /",
        "type": "link-drops-prefix",
    }
    assert failure.text == "/ leads to /\nfix: Use url_for."
    assert [each.text for each in root.iter("system-out")] == ["a + b"]
    properties = {p.attrib["name"]: p.attrib["value"] for p in root.iter("property")}
    assert properties == {"engine": "process", "python": "3.13.9"}


def test_a_check_is_one_case_however_much_it_has_found() -> None:
    told = run(
        Finding("urls", Verdict.FAIL, "link-drops-prefix", "one"),
        Finding("urls", Verdict.FAIL, "cookie-path-wrong", "other"),
    )

    [case] = parsed(of_results("", told)).iter("testcase")

    assert [failure.attrib["type"] for failure in case] == ["link-drops-prefix, cookie-path-wrong"]
    assert case[0].text == "one\nother"


def test_of_what_was_predicted_a_failure_is_a_surprise() -> None:
    wrong = Finding("docs", Verdict.FAIL, "docs-unreachable", "a 404")
    well = Finding("reach", Verdict.PASS, None, "well")

    as_predicted = of_results("", run(wrong, well, prediction={"docs": "docs-unreachable"}))
    surprising = of_results("", run(wrong, well, prediction={"reach": "root-path-missing"}))

    assert dict(cases(parsed(as_predicted))) == {"docs": "pass", "reach": "pass"}
    assert dict(cases(parsed(surprising))) == {"docs": "failure", "reach": "failure"}
    [_, reach] = parsed(surprising).iter("failure")
    assert reach.text == "reach: predicted root-path-missing, found pass\nwell"


def test_silence_is_no_pass() -> None:
    assert dict(cases(parsed(of_results("", run())))) == {"asked": "error"}
    assert parsed(of_results("", replace(run(), cells=[]))).attrib["tests"] == "0"


@pytest.mark.parametrize("name", HOSTILE)
def test_it_is_well_formed_whatever_is_in_it(name: str) -> None:
    value = HOSTILE[name]

    root = parsed(of_results(value, hostile(CELL, value), lambda _: [value], value))
    case = parsed(document(value, [Group(value, [Case(value, Outcome.ERROR, value, value)])]))

    assert len(list(root.iter("testcase"))) == 2
    assert [child.tag for child in next(case.iter("testcase"))] == ["error"]
    assert all(len(each.attrib["message"]) <= 200 for each in root.iter("failure"))


def test_what_xml_can_t_hold_is_told_in_letters() -> None:
    group = Group("g", [Case("c", Outcome.FAILURE, "", "a\x00b\ud800c\ufffe<&>")])

    [failure] = parsed(document("n", [group])).iter("failure")

    assert failure.text == "a\\x00b\\ud800c\\ufffe<&>"
