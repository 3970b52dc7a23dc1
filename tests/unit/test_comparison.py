"""What changed between two runs."""

from dataclasses import replace

from hoplab.report.comparison import NOT_ASKED, Change, compare
from hoplab.results import CellResult, Finding, Results, Verdict
from hoplab.topology import Cell, Mode, Scheme, Strategy, Topology, Trust

HTTP = Cell(
    Topology("nginx", "uvicorn", Mode.STRIP), Strategy.NONE, Trust.PROXY, Scheme.HTTP
)  # fmt: skip
HTTPS = replace(HTTP, scheme=Scheme.HTTPS)
PASS = Finding("docs", Verdict.PASS, None, "it passed")
FAIL = Finding("docs", Verdict.FAIL, "docs-openapi-404", "it is a 404")
OTHER = replace(FAIL, symptom="docs-unreachable")


def run(versions: dict[str, str] | None = None, **found: list[Finding]) -> Results:
    cells = {"http": HTTP, "https": HTTPS}
    results = [CellResult(cells[name], recipe=False, findings=found[name]) for name in found]
    return Results("process", "", 1.0, versions or {}, results)


def test_the_same_changed_nothing() -> None:
    compared = compare(run(http=[PASS, FAIL]), run(http=[PASS, replace(FAIL, detail="other")]))

    assert (compared.changes, compared.versions) == ([], {})
    assert compared.both == [HTTP]


def test_the_same_change_of_several_cells_is_one() -> None:
    compared = compare(run(http=[FAIL], https=[FAIL]), run(http=[PASS], https=[PASS]))

    details = {HTTP: "it is a 404", HTTPS: "it is a 404"}
    assert compared.changes == [Change("docs", "docs-openapi-404", "pass", details)]


def test_another_symptom_is_a_change_and_the_most_frequent_comes_first() -> None:
    compared = compare(
        run(http=[FAIL, replace(PASS, check="reach")], https=[replace(PASS, check="reach")]),
        run(
            http=[OTHER, replace(PASS, check="reach", verdict=Verdict.ERROR)],
            https=[replace(PASS, check="reach", verdict=Verdict.ERROR)],
        ),
    )

    told = [(each.check, each.before, each.after, len(each.details)) for each in compared.changes]
    assert told == [
        ("reach", "pass", "error", 2),
        ("docs", "docs-openapi-404", "docs-unreachable", 1),
    ]


def test_a_check_that_one_run_did_not_ask_is_a_change() -> None:
    assert compare(run(http=[]), run(http=[PASS])).changes == [
        Change("docs", NOT_ASKED, "pass", {HTTP: ""})
    ]
    assert compare(run(http=[PASS]), run(http=[])).changes == [
        Change("docs", "pass", NOT_ASKED, {HTTP: "it passed"})
    ]


def test_cells_and_versions_of_one_run_alone() -> None:
    compared = compare(
        run({"uvicorn": "1", "nginx": "5"}, http=[PASS]),
        run({"uvicorn": "2", "caddy": "3", "nginx": "5"}, https=[PASS]),
    )

    assert (compared.both, compared.changes) == ([], [])
    assert (compared.only_before, compared.only_after) == ([HTTP], [HTTPS])
    assert compared.versions == {"uvicorn": ("1", "2"), "caddy": ("", "3")}


def test_a_check_that_said_no_in_several_ways_changes_when_one_of_them_does() -> None:
    other = replace(FAIL, symptom="docs-page-wrong", detail="it is empty")

    same = compare(run(http=[FAIL, other]), run(http=[other, FAIL]))
    less = compare(run(http=[FAIL, other]), run(http=[other]))

    assert same.changes == []
    [change] = less.changes
    assert (change.before, change.after) == ("docs-openapi-404, docs-page-wrong", "docs-page-wrong")
    assert change.details == {HTTP: "it is a 404\nit is empty"}
