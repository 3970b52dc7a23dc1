"""What `hoplab check` found as SARIF 2.1.0.

The schema is not here. These are its rules for what is written: required properties, no others,
URIs, levels. The output was validated once against the published schema.
"""

import json
import re
from typing import Any

import pytest

from hoplab.advice import Change, OwnConfiguration, Reason, Trial, Tried
from hoplab.client.explored import Explored, Page, Stream
from hoplab.report.sarif import Alert, Line, document
from hoplab.results import CellResult, Finding, Results, Verdict
from hoplab.suites import SYMPTOMS
from hoplab.suites.own import CHECKS
from hoplab.suites.own.alerts import as_sarif
from hoplab.suites.own.problems import key_of
from tests.catalogue import CATALOGUE
from tests.unit.test_junit import HOSTILE

CELLS = CATALOGUE.recommended_cells(CATALOGUE.topologies)
EXPLORED = Explored(
    (
        Page("GET", "/", 200, where="index, src/main.py:9"),
        Page("GET", "/a", 200, where="linked from /"),
    ),
    streams=(Stream("/events", 0.0, 1.0, "events, main.py:20"),),
    unjudged={"have parameters in their path": 2},
)
ALLOWED = {
    "log": {"$schema", "version", "runs"},
    "run": {"tool", "invocations", "columnKind", "results"},
    "driver": {"name", "version", "rules"},
    "rule": {
        "id", "name", "shortDescription", "fullDescription", "help", "helpUri",
        "defaultConfiguration",
    },
    "invocation": {"executionSuccessful", "startTimeUtc", "toolExecutionNotifications"},
    "result": {
        "ruleId", "ruleIndex", "level", "message", "partialFingerprints", "locations", "properties",
    },
}  # fmt: skip
URI = re.compile(r"[A-Za-z0-9._~!$&'()*+,;=@/%-]+")
DATE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")


def valid(text: str) -> dict[str, Any]:
    """The one run of a file, whose form is asserted."""
    assert text.isascii()
    log = json.loads(text)
    assert set(log) == ALLOWED["log"]
    assert log["version"] == "2.1.0"
    [run] = log["runs"]
    assert set(run) == ALLOWED["run"]
    assert run["columnKind"] in {"utf16CodeUnits", "unicodeCodePoints"}
    driver = run["tool"]["driver"]
    assert set(driver) == ALLOWED["driver"]
    for rule in driver["rules"]:
        assert {"id"} <= set(rule) <= ALLOWED["rule"]
        assert all(rule[key]["text"] for key in ("shortDescription", "help") if key in rule)
    assert len({rule["id"] for rule in driver["rules"]}) == len(driver["rules"])
    [invocation] = run["invocations"]
    assert {"executionSuccessful"} <= set(invocation) <= ALLOWED["invocation"]
    assert DATE.fullmatch(invocation.get("startTimeUtc", "2026-01-01T00:00:00Z"))
    for notification in invocation["toolExecutionNotifications"]:
        assert set(notification) == {"level", "message"}
        assert notification["level"] in {"none", "note", "warning", "error"}
    for result in run["results"]:
        valid_result(result, driver["rules"])
    told: dict[str, Any] = run
    return told


def valid_result(result: dict[str, Any], rules: list[dict[str, Any]]) -> None:
    assert set(result) <= ALLOWED["result"]
    assert isinstance(result["message"]["text"], str)
    assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
    text = result["message"]["text"].replace("{{", "").replace("}}", "")
    assert not set(text) & {"{", "}"}  # a placeholder (3.11.5)
    assert not re.search(r"(?<!\\)\]\(", text)  # a link (3.11.6)
    for location in result.get("locations", ()):
        physical = location["physicalLocation"]
        uri = physical["artifactLocation"]["uri"]
        assert URI.fullmatch(uri)
        assert not uri.startswith("/")
        assert physical["region"]["startLine"] >= 1


def own(*findings: Finding) -> list[CellResult]:
    names = {finding.check for finding in findings}
    rest = [Finding(name, Verdict.PASS, None, "well") for name in CHECKS if name not in names]
    return [CellResult(cell, recipe=True, findings=[*findings, *rest]) for cell in CELLS]


def told(*findings: Finding, explored: Explored = EXPLORED) -> dict[str, Any]:
    results = Results("process", "2026-11-20T08:00:00Z", 1.0, {}, own(*findings))
    return valid(as_sarif(results, explored, SYMPTOMS))


def test_a_place_of_the_application_is_a_line_of_a_file() -> None:
    detail = (
        "/: <a href> is http://mysuperapp.com:9000/x{0}, expected [y](z) (index, src/main.py:9)\n"
        "/a: JSON is /b (linked from /)\n"
        "and 3 more"
    )

    run = told(Finding("urls", Verdict.FAIL, "link-drops-prefix", detail))

    first, second, third = run["results"]
    [location] = first["locations"]
    assert location["physicalLocation"] == {
        "artifactLocation": {"uri": "src/main.py", "uriBaseId": "%SRCROOT%"},
        "region": {"startLine": 9},
    }
    assert first["message"]["text"] == "/: <a href> is /x{{0}}, expected [y\\](z)"
    assert "locations" not in second
    assert "locations" not in third
    assert second["message"]["text"] == "/a: JSON is /b (linked from /)"
    properties = first["properties"]
    assert properties["question"] == "urls"
    assert properties["topologies"] == [t.name for t in CATALOGUE.topologies]
    assert properties["schemes"] == ["http", "https"]
    assert properties["from"].startswith("the application")
    assert run["tool"]["driver"]["rules"][0]["help"]["text"] == SYMPTOMS["link-drops-prefix"].fix


def test_the_same_in_all_topologies_is_one_result_with_the_same_fingerprint() -> None:
    finding = Finding("scope", Verdict.FAIL, "scheme-wrong", "scheme 'http' (asked for /)")

    first, again = told(finding), told(finding)

    [result] = first["results"]
    assert "locations" not in result
    assert result["partialFingerprints"] == again["results"][0]["partialFingerprints"]


def test_what_was_tried_is_with_the_result_and_the_smallest_change_is_a_note() -> None:
    finding = Finding("scope", Verdict.FAIL, "root-path-missing", "root_path is ''")
    key = key_of(finding)
    tried = [Tried(*key, [Trial("with `x`", ["a-b-strip"])]), Tried("other", "", [Trial("with y")])]
    change = Change(["+ x"], [Reason("x", ["root-path-missing"])], [], 3)
    own_file = OwnConfiguration("a.conf", "a", "strip", change=change)
    results = Results("process", "", 1.0, {}, own(finding), tried=tried, configuration=own_file)

    run = valid(as_sarif(results, EXPLORED, SYMPTOMS))

    assert run["results"][0]["properties"]["tried"] == [
        {"fix": "with `x`", "passed": ["a-b-strip"]}
    ]
    notes = run["invocations"][0]["toolExecutionNotifications"]
    assert "The smallest change to a.conf that passes (3 tried):\n  + x" in str(
        [note["message"]["text"] for note in notes][-1]
    )


def test_an_error_of_hoplab_s_is_no_result() -> None:
    run = told(Finding("urls", Verdict.ERROR, None, "no answer in 15 s"))

    assert run["results"] == []
    [invocation] = run["invocations"]
    assert invocation["executionSuccessful"] is False
    notified = [
        (n["level"], n["message"]["text"]) for n in invocation["toolExecutionNotifications"]
    ]
    assert notified == [
        ("error", "no answer in 15 s"),
        ("note", "not judged: 2 have parameters in their path"),
    ]


def test_nothing_was_judged_is_told() -> None:
    run = told(explored=Explored())

    texts = [n["message"]["text"] for n in run["invocations"][0]["toolExecutionNotifications"]]
    assert texts == ["Nothing of the application was judged: it is not known to work."]


@pytest.mark.parametrize("name", HOSTILE)
def test_whatever_is_in_it(name: str) -> None:
    value = HOSTILE[name]
    page = Page("GET", "/", 200, where=f"index, {value or 'x'}/é main.py:9".replace("\n", " "))

    of_alert = valid(
        document([Alert(value, value, Line("a b/é\udcff.py", 3), {value: [value]})], {})
    )
    run = told(
        Finding("urls", Verdict.FAIL, value, value),
        Finding("paths", Verdict.FAIL, "link-wrong-path", f"x ({page.where})"),
        Finding("docs", Verdict.ERROR, None, value),
        explored=Explored((page,), unjudged={value: 1}),
    )

    assert of_alert["results"][0]["locations"]
    assert run["results"]
