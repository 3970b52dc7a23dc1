"""The CORS table says which origins may read what, and what the author does not want.

What it means, and not its columns.
"""

from collections.abc import Mapping, Sequence
from itertools import product

import pytest

from hoplab.client.wire import Exchange
from hoplab.predictions import predict
from hoplab.report.text import WIDTH
from hoplab.results import CellResult, Finding, Results, Verdict
from hoplab.suites.cors import right as cors
from hoplab.suites.cors.right import MAIN, METRICS, ORIGINS
from hoplab.suites.cors.tables import cors_tables
from hoplab.topology import Cell, Scheme
from tests.catalogue import CATALOGUE

CELLS = CATALOGUE.varied("cors")
VARIATIONS = {name: each for name, each in CATALOGUE.variations.items() if each.suite == "cors"}
RIGHT = {name: each.right for name, each in VARIATIONS.items()}
PREFIX = CATALOGUE.prefix.encoded
STRANGER, LABELS = ORIGINS["stranger"] or "", [name for name, origin in ORIGINS.items() if origin]
PATHS = ["/items/", "/fail", "/metrics", "/metrics/", "/metrics/missing", "/metrics/fail"]
YES, NO = True, False


def exchange(
    origin: str | None,
    *,
    lets_in: bool,
    method: str = "GET",
    path: str = "/items/",
    scheme: Scheme = Scheme.HTTP,
    cookie: bool = False,
) -> Exchange:
    """An answer to a page of this origin, and whether a browser gives it to the page."""
    allowed = [
        ("Access-Control-Allow-Origin", origin or "*"),
        ("Access-Control-Allow-Credentials", "true"),
        ("Access-Control-Allow-Headers", "X-Requested-With"),
    ]
    return Exchange(
        method,
        f"{scheme}://mysuperapp.com:9999{PREFIX}{path}",
        [("Host", "x"), *cors.headers(origin, preflight=method == "OPTIONS", cookie=cookie)],
        200,
        allowed if lets_in else [],
    )


def result(
    exchanges: Sequence[Exchange],
    variation: str = "cors-single",
    check: str = "simple",
    symptom: str | None = None,
    prediction: Mapping[str, str] | None = None,
    verdict: Verdict | None = None,
    number: int = 0,
) -> CellResult:
    """A cell of this variation, the first or another, with one finding."""
    cell = [cell for cell in CELLS if cell.variation == variation][number]
    finding = Finding(
        check,
        verdict or (Verdict.FAIL if symptom else Verdict.PASS),
        symptom,
        "what was told",
        exchanges,
    )
    return CellResult(cell, recipe=False, findings=[finding], prediction=prediction or {})


def shown(*results: CellResult) -> str:
    return cors_tables(
        Results("process", "2026-11-22T03:00:00Z", 9.5, {}, results, 1.5, 7, 2**30),
        RIGHT,
        plain=True,
        variations=False,
    )


def row(text: str, label: str) -> list[str]:
    """What a table says of one origin, without what nobody asked: `yes/no!`, or `yes`."""
    [line] = [line for line in text.splitlines() if line.startswith(f"{label:9} ")]
    columns = [line[10 + 11 * number :][:11] for number in range(len(PATHS))]
    places = [(column[:5].strip(), column[5:].strip()) for column in columns]
    return [told for both in places if (told := "/".join(each for each in both if each != "-"))]


# --- yes, no and ! ---


@pytest.mark.parametrize(
    ("variation", "path", "origin", "simple", "preflight", "told"),
    [
        pytest.param("cors-single", "/items/", "main", YES, YES, "yes/yes", id="wanted"),
        pytest.param("cors-single", "/items/", "metrics", YES, YES, "yes/yes", id="both wanted"),
        pytest.param("cors-single", "/items/", "main", NO, NO, "no!/no!", id="wanted, no"),
        pytest.param("cors-single", "/items/", "main", YES, NO, "yes/no!", id="not before"),
        pytest.param("cors-single", "/items/", "main", NO, YES, "no!/yes", id="only before"),
        pytest.param("cors-single", "/items/", "stranger", NO, NO, "no/no", id="stranger"),
        pytest.param("cors-single", "/items/", "stranger", YES, NO, "yes!/no", id="let in"),
        pytest.param("cors-single", "/items/", "stranger", NO, YES, "no/yes!", id="before"),
        pytest.param("cors-single", "/items/", "null", YES, YES, "yes!/yes!", id="null let in"),
        pytest.param("cors-single", "/items/", "null", NO, NO, "no/no", id="null"),
        pytest.param("cors-both", "/items/", "main", YES, YES, "yes/yes", id="main"),
        pytest.param("cors-both", "/items/", "metrics", YES, YES, "yes!/yes!", id="not its path"),
        pytest.param("cors-both", "/metrics/", "main", YES, YES, "yes!/yes!", id="not its mount"),
        pytest.param("cors-both", "/metrics/", "metrics", YES, NO, "yes/no!", id="the problem"),
        pytest.param("cors-both", "/metrics", "metrics", NO, NO, "no!/no!", id="redirect"),
        pytest.param("cors-both", "/metrics/missing", "main", NO, NO, "no/no", id="404"),
        pytest.param("cors-both", "/metrics/fail", "metrics", YES, YES, "yes/yes", id="500"),
        pytest.param("cors-single", "/items/", "main", YES, None, "yes", id="no preflight"),
        pytest.param("cors-single", "/fail", "main", NO, None, "no!", id="no preflight, !"),
        pytest.param("cors-single", "/fail", "stranger", NO, None, "no", id="no, and right"),
        pytest.param("cors-single", "/items/", "main", None, YES, "yes", id="preflight alone"),
    ],
)
def test_who_gets_in(
    variation: str,
    path: str,
    origin: str,
    *,
    simple: bool | None,
    preflight: bool | None,
    told: str,
) -> None:
    asked = [
        exchange(ORIGINS[origin], lets_in=lets_in, method=method, path=path)
        for method, lets_in in [("GET", simple), ("OPTIONS", preflight)]
        if lets_in is not None
    ]

    text = shown(result(asked, variation))

    assert row(text, origin) == [told]
    for other in LABELS:
        if other != origin:
            assert row(text, other) == [], "nobody asked"
    assert variation in text.splitlines()


def test_it_is_asked_what_a_browser_does_with_cookies() -> None:
    """A star, or a missing Allow-Credentials, is then a no."""
    star, bare = exchange(MAIN, lets_in=True), exchange(METRICS, lets_in=True)
    star.headers = [("Access-Control-Allow-Origin", "*"), *star.headers[1:]]
    bare.headers = bare.headers[:1]

    text = shown(result([star, bare]))

    assert (row(text, "main"), row(text, "metrics")) == (["no!"], ["no!"])


def test_a_preflight_has_to_be_answered_200() -> None:
    asked = exchange(MAIN, lets_in=True, method="OPTIONS")
    asked.status = 307

    assert row(shown(result([asked])), "main") == ["no!"]


# --- differ ---


def test_cells_that_are_the_same_are_one_word() -> None:
    asked = [exchange(MAIN, lets_in=True), exchange(MAIN, lets_in=True, scheme=Scheme.HTTPS)]

    text = shown(result(asked[:1]), result(asked[1:], number=1))

    assert row(text, "main") == ["yes"]


@pytest.mark.parametrize("origin", [MAIN, STRANGER])
@pytest.mark.parametrize("first", [YES, NO])
def test_cells_that_differ_are_said_to_and_are_not_wanted(origin: str, *, first: bool) -> None:
    asked = [exchange(origin, lets_in=first), exchange(origin, lets_in=not first)]
    label = next(name for name, each in ORIGINS.items() if each == origin)

    text = shown(result(asked[:1]), result(asked[1:], number=1))

    assert row(text, label) == ["≠!"]


def test_with_and_without_a_cookie_may_differ() -> None:
    asked = [exchange(MAIN, lets_in=True), exchange(MAIN, lets_in=False, cookie=True)]

    assert row(shown(result(asked)), "main") == ["≠!"]


def test_a_get_that_differs_says_nothing_of_the_preflight() -> None:
    asked = [
        exchange(MAIN, lets_in=True),
        exchange(MAIN, lets_in=False),
        exchange(MAIN, lets_in=True, method="OPTIONS"),
    ]

    assert row(shown(result(asked)), "main") == ["≠!/yes"]


# --- what is shown of whom ---


def test_every_variant_has_a_table_of_its_own() -> None:
    text = shown(
        result([exchange(MAIN, lets_in=True, path="/metrics/")], "cors-both"),
        result([exchange(MAIN, lets_in=True, path="/metrics/")], "cors-single"),
    )

    both, single = text.split("\ncors-both\n")[1].split("\ncors-single\n")
    assert row(both, "main") == ["yes!"]
    assert row(single, "main") == ["yes"]


@pytest.mark.parametrize("check", ["hostile", "order", "metrics"])
def test_other_questions_are_in_no_table(check: str) -> None:
    text = shown(result([exchange(MAIN, lets_in=True)], check=check))

    assert "cors-single" not in text.splitlines()
    assert "1 cell: 1 right, as predicted\n" in text


@pytest.mark.parametrize("check", ["preflight", "simple", "errors"])
def test_these_questions_are_in_the_table(check: str) -> None:
    assert row(shown(result([exchange(MAIN, lets_in=True)], check=check)), "main") == ["yes"]


@pytest.mark.parametrize(
    ("named", "vary", "told"),
    [
        pytest.param(MAIN, "Accept, Origin", "yes", id="it depends, and says so"),
        pytest.param(MAIN, "", "no!", id="it depends, and a cache does not learn it"),
        pytest.param("*", "", "no", id="it does not depend"),
        pytest.param("", "Origin", "yes", id="it says so, needlessly"),
        pytest.param(MAIN, "Origin, Accept", "yes", id="it is the first of two"),
    ],
)
def test_who_sent_no_origin_is_no_page_but_a_cache_has_to_learn(
    named: str, vary: str, told: str
) -> None:
    page, nobody = exchange(MAIN, lets_in=bool(named)), exchange(None, lets_in=False)
    page.headers = [("Access-Control-Allow-Origin", named)] if named else []
    nobody.headers = [("Vary", vary)] if vary else []

    text = shown(result([nobody, page]))

    assert row(text, "no Origin") == [told]


def test_columns_are_labelled_and_an_origin_has_one_row() -> None:
    lines = shown(result(every_answer(CELLS[0], lets_in=True))).splitlines()
    head = lines.index("cors-single") + 1

    assert lines[head].split() == [
        *("/items/", "/fail", "/metrics", "/metrics/", "…/missing", "…/fail"),
    ]
    assert lines[head + 1].split() == ["Origin", *6 * ["GET", "pre"]]
    rows = [line[:9].strip() for line in lines[head + 2 : head + 7]]
    assert rows == ["main", "metrics", "stranger", "null", "no Origin"]


def test_only_what_nobody_wants_is_red(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    answers = [exchange(ORIGINS[label], lets_in=True) for label in ("main", "stranger")]
    results = Results("process", "2026-11-22T03:00:00Z", 9.5, {}, [result(answers)])

    text = cors_tables(results, RIGHT, plain=False, variations=False)

    main, stranger = (
        next(line for line in text.splitlines() if line.startswith(label))
        for label in ("main ", "stranger ")
    )
    assert "\x1b[1mcors-single" in text, "bold"
    assert "\x1b[31m" not in main
    assert stranger.count("\x1b[31m") == 1
    assert "\x1b[31myes!" in stranger


def test_the_title_stands_above_the_first_column() -> None:
    lines = shown(result(every_answer(CELLS[0], lets_in=True))).splitlines()

    assert lines[lines.index("cors-single") + 2].startswith("Origin ")


# --- what is not as predicted ---


def test_a_surprise_shows_both_sides() -> None:
    text = shown(result([exchange(MAIN, lets_in=False)], symptom="cors-missing"))

    assert "+cors-single: surprise\n" in text
    assert "simple: predicted pass, found cors-missing\n" in text
    assert "what was told" in text
    assert "1 cell: 1 wrong; 1 surprise\n" in text


def test_what_is_as_predicted_is_no_surprise() -> None:
    prediction = {"simple": "cors-missing"}

    text = shown(
        result([exchange(MAIN, lets_in=False)], symptom="cors-missing", prediction=prediction)
    )

    assert "surprise" not in text
    assert "1 cell: 1 wrong on purpose, as predicted\n" in text


def test_an_error_is_told_and_no_table() -> None:
    text = shown(result([], verdict=Verdict.ERROR))

    assert "+cors-single: error\n" in text
    assert "1 cell: 0 right, 1 error; no surprises\n" in text


# --- it fits ---


def every_answer(cell: Cell, *, lets_in: bool) -> list[Exchange]:
    return [
        exchange(origin, lets_in=lets_in, method=method, path=path, scheme=cell.scheme)
        for origin, path, method in product(ORIGINS.values(), PATHS, ["GET", "OPTIONS"])
        if origin
    ]


@pytest.mark.parametrize("lets_in", [YES, NO, None])
def test_everything_fits_80_columns(*, lets_in: bool | None) -> None:
    """None: the cells take turns."""
    results = [
        CellResult(
            cell,
            recipe=False,
            findings=[
                Finding(
                    "simple",
                    Verdict.PASS,
                    None,
                    "",
                    every_answer(cell, lets_in=number % 2 == 0 if lets_in is None else lets_in),
                )
            ],
            prediction=predict(cell, CATALOGUE),
        )
        for number, cell in enumerate(CELLS)
    ]

    text = shown(*results)

    assert max(map(len, text.splitlines())) <= WIDTH == 80
    for variation in VARIATIONS:
        assert variation in text.splitlines()


def test_nothing_is_cut_where_everything_differs() -> None:
    cells = [cell for cell in CELLS if cell.variation == "cors-single"][:2]
    asked = [
        e for cell, y in zip(cells, (YES, NO), strict=True) for e in every_answer(cell, lets_in=y)
    ]

    text, nothing = shown(result(asked)), shown(result([]))

    tables = text.partition("\ncors-single\n")[2]
    assert nothing.count("cors-single") == 0
    assert tables.count("≠!") == 2 * len(PATHS) * len(LABELS)
    assert max(map(len, text.splitlines())) <= WIDTH
