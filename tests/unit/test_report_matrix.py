"""The matrix fits 80 columns, and says what is not as predicted."""

import re
from dataclasses import replace

import pytest

from hoplab.results import CellResult, Finding, Results, Verdict
from hoplab.suites import SYMPTOMS
from hoplab.suites.contract import tables
from hoplab.suites.contract.tables import codes_of, matrix_tables
from hoplab.topology import Cell, Mode, Scheme, Trust
from tests.catalogue import CATALOGUE, predicted

CELLS = [*CATALOGUE.product, *CATALOGUE.varied("contract")]
VARIATIONS = [name for name, each in CATALOGUE.variations.items() if each.suite == "contract"]
BY_ID = {cell.id: cell for cell in CELLS}
RIGHT = BY_ID["nginx-uvicorn-strip.server-option.proxy.https"]
OTHER = BY_ID["nginx-uvicorn-strip.server-option.proxy.http"]


def result(cell: Cell, symptom: str | None = None, verdict: Verdict | None = None) -> CellResult:
    """One finding, in a cell whose prediction is its own."""
    verdict = verdict or (Verdict.FAIL if symptom else Verdict.PASS)
    finding = Finding("slash-redirect", verdict, symptom, "https://x/, expected https://y/")
    prediction = {
        check: told for check, told in predicted(cell).items() if check == "slash-redirect"
    }
    return CellResult(cell, CATALOGUE.is_recommended(cell), [finding], prediction)


def shown(*results: CellResult, unfinished: int = 0, variations: bool = False) -> str:
    return matrix_tables(
        Results("process", "2026-11-22T03:00:00Z", 9.5, {}, results, 1.5, 7, 2**30, unfinished),
        {},
        plain=True,
        variations=variations,
    )


@pytest.mark.parametrize("verdict", [Verdict.FAIL, Verdict.ERROR, Verdict.PASS])
def test_everything_fits_80_columns(verdict: Verdict) -> None:
    symptom = "mount-redirect-drops-prefix" if verdict is Verdict.FAIL else None

    text = shown(*(result(cell, symptom, verdict) for cell in CELLS), variations=True)

    assert max(map(len, text.splitlines())) <= 80
    for variation in VARIATIONS:
        assert f"\n{variation}\n" in text
    for cell in CELLS:
        if cell.variation:
            assert f"  {cell.deployment.name} " in text


def test_no_word_is_split_and_nothing_is_cut() -> None:
    text = shown(*(result(cell, "mount-redirect-drops-prefix") for cell in CELLS), variations=True)

    assert not [line for line in text.splitlines() if line.endswith("-")]
    assert not re.search(r"\w…", text)


def grid(*results: CellResult) -> list[list[str]]:
    return [line.split() for line in shown(*results).partition("\n\n")[0].splitlines()]


def both_schemes(
    proxy: str, http: str | None, https: str | None, trust: Trust = Trust.PROXY
) -> list[CellResult]:
    """Http and https of one deployment."""
    topology = replace(RIGHT.topology, proxy=proxy)
    return [
        result(replace(RIGHT, topology=topology, scheme=scheme, trust=trust), symptom)
        for scheme, symptom in ((Scheme.HTTP, http), (Scheme.HTTPS, https))
    ]


def test_a_tick_or_a_code_and_its_legend() -> None:
    text = shown(*both_schemes("nginx", "redirect-broken", "redirect-broken"))

    assert text.splitlines()[:2] == [
        "strip, nginx   trust  uvicorn",
        "server-option  proxy  rb!",
    ]
    assert "\nrb  redirect-broken\n" in text
    assert grid(*both_schemes("nginx", None, None))[1] == ["server-option", "proxy", "✓"]


def test_the_legend_is_in_two_columns_of_which_the_first_may_be_longer() -> None:
    symptoms = ["answer-cut", "body-altered", "host-wrong", "scheme-wrong", "url-wrong"]
    cells = [replace(RIGHT, trust=trust, scheme=scheme) for trust in Trust for scheme in Scheme]

    text = shown(*(result(cell, each) for cell, each in zip(cells, symptoms, strict=False)))

    legend = ["ac  answer-cut    sw  scheme-wrong", "ba  body-altered  uw  url-wrong"]
    assert "\n".join(["", *legend, "hw  host-wrong", "", ""]) in text


def test_the_whole_of_two_modes() -> None:
    other = replace(RIGHT, topology=replace(RIGHT.topology, mode=Mode.PRESERVE))
    unknown = replace(RIGHT, topology=replace(RIGHT.topology, server="hypercorn"))
    not_judged = result(unknown, verdict=Verdict.NOT_APPLICABLE)

    text = shown(result(RIGHT), replace(not_judged, prediction={}), result(other, "url-wrong"))

    assert text.startswith(
        """\
strip, nginx   trust  uvicorn  hypercorn
server-option  proxy  ✓        ·

preserve, nginx  trust  uvicorn
server-option    proxy  uw!

✓: passes. A code: what fails first, as below. A/B: over http A, over https B.
!: not as predicted. -: not asked. ·: asked, and nothing of it was judged.
uw  url-wrong

"""
    )


def test_what_was_not_asked_is_a_hyphen() -> None:
    other = replace(RIGHT.topology, proxy="caddy", server="hypercorn")

    asked = replace(result(replace(RIGHT, topology=other)), prediction={})
    rows = grid(result(RIGHT), asked)

    assert rows == [
        ["strip", "trust", "proxy", "uvicorn", "hypercorn"],
        ["server-option", "proxy", "nginx", "✓", "-"],
        ["caddy", "-", "✓"],
    ]


def test_variations_alone_are_a_table_of_their_own() -> None:
    one, two = [replace(RIGHT, variation=name) for name in ("one", "two")]

    text = shown(result(one), result(replace(one, scheme=Scheme.HTTP)), result(two, "url-wrong"))

    name = RIGHT.deployment.name
    assert text.splitlines()[:5] == [
        "variation",
        "one",
        f"  {name}  ✓",
        "two",
        f"  {name}  uw!",
    ]


@pytest.mark.parametrize(
    ("verdict", "colour"),
    [(Verdict.PASS, "32"), (Verdict.FAIL, "31"), (Verdict.ERROR, "1;33")],
)
def test_a_terminal_shows_colours_unless_plain_is_asked_for(
    verdict: Verdict, colour: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    symptom = "url-wrong" if verdict is Verdict.FAIL else None
    text = {Verdict.PASS: "✓", Verdict.FAIL: "uw!", Verdict.ERROR: "error"}[verdict]
    cells = [result(RIGHT, symptom, verdict)]
    results = Results("process", "2026-11-22T03:00:00Z", 9.5, {}, cells, 1.5, 7, 2**30)

    assert f"\x1b[{colour}m{text}" in matrix_tables(results, {})
    assert "\x1b" not in matrix_tables(results, {}, plain=True)


def test_a_terminal_shows_the_names_of_variations_bold(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm")
    cells = [result(replace(RIGHT, variation="as-people-write"))]
    results = Results("process", "2026-11-22T03:00:00Z", 9.5, {}, cells, 1.5, 7, 2**30)

    assert "\x1b[1mas-people-write" in matrix_tables(results, {})


def test_of_http_and_https_the_worse_gives_the_colour() -> None:
    error = result(OTHER, verdict=Verdict.ERROR)
    for order in ([error, result(RIGHT)], [result(RIGHT), error]):
        assert tables._both(order, {}).style == "bold yellow"
    for order in ([result(OTHER, "a"), result(RIGHT)], [result(RIGHT), result(OTHER, "a")]):
        assert tables._both(order, {"a": "a"}).style == "red"
    failed = result(RIGHT, "a")
    for order in ([error, failed], [failed, error]):
        assert tables._both(order, {"a": "a"}).style == "bold yellow"
    assert tables._both([result(RIGHT, verdict=Verdict.RECORDED)], {}).style == ""


def test_http_and_https_are_told_apart_where_they_differ() -> None:
    assert grid(*both_schemes("nginx", None, "redirect-broken"))[1][2:] == ["✓/rb!"]
    assert grid(*both_schemes("nginx", "mount-unreachable", "redirect-broken"))[1][2:] == ["mu/rb!"]


def test_a_mode_is_one_grid_and_proxies_that_agree_are_one_row() -> None:
    same = [each for proxy in CATALOGUE.proxies for each in both_schemes(proxy, None, None)]

    assert grid(*same) == [
        ["strip", "trust", "uvicorn"],
        ["server-option", "proxy", "✓"],
    ]


def test_proxies_that_differ_have_rows_of_their_own() -> None:
    one, *others = CATALOGUE.proxies
    differ = both_schemes(one, "redirect-broken", "redirect-broken")
    differ += [each for proxy in others for each in both_schemes(proxy, None, None)]
    same = [r for p in CATALOGUE.proxies for r in both_schemes(p, None, None, Trust.ANY)]

    head, first, second, third = shown(*differ, *same).partition("\n\n")[0].splitlines()

    assert head.split() == ["strip", "trust", "proxy", "uvicorn"]
    assert first.split() == ["server-option", "proxy", one, "rb!"]
    assert second.split() == [*", ".join(others).split(), "✓"]
    assert third.split() == ["any", "all", "✓"]


def test_variations_are_listed_on_request_or_alone() -> None:
    varied = result(CATALOGUE.varied("contract")[0], "redirect-broken")

    without = shown(result(RIGHT), varied)
    assert "And 1 variation in 1 cell: --variations shows them.\n" in without
    assert f"\n{varied.cell.variation}\n" not in without
    assert without.startswith("strip, nginx   trust  uvicorn\nserver-option  proxy  ✓\n\nAnd 1 ")
    both = shown(result(RIGHT), varied, variations=True)
    assert both.startswith("strip, nginx   trust  uvicorn\nserver-option  proxy  ✓\n\nvariation\n")
    for text in (both, shown(varied)):
        assert f"\n{varied.cell.variation}\n  {varied.cell.deployment.name}  rb" in text
        assert "\nrb  redirect-broken\n" in text


@pytest.mark.parametrize(
    ("symptoms", "codes"),
    [
        (["redirect-drops-port", "root-path-missing"], ["rdp", "rpm"]),
        (["redirect-drops-port", "redirect-drops-prefix"], ["rdp", "rdpr"]),
        (["unreachable", "unready", "u-x"], ["ux", "un", "unr"]),
        (["a-b", "a-b"], ["ab"]),
        (["a-b", "ax-b"], ["ab", "ax-b"]),
        (["a--b"], ["ab"]),
    ],
)
def test_codes_are_short_and_each_symptom_s_own(symptoms: list[str], codes: list[str]) -> None:
    assert sorted(codes_of(symptoms).values()) == sorted(codes)


def test_every_symptom_has_a_code_of_its_own() -> None:
    codes = codes_of(SYMPTOMS)

    assert len(set(codes.values())) == len(SYMPTOMS)
    assert max(map(len, codes.values())) <= 6


def test_as_predicted() -> None:
    text = shown(result(OTHER), result(RIGHT))

    assert text == (
        "strip, nginx   trust  uvicorn\n"
        "server-option  proxy  ✓\n"
        "\n"
        "✓: passes. A code: what fails first, as below. A/B: over http A, over https B.\n"
        "!: not as predicted. -: not asked. ·: asked, and nothing of it was judged.\n"
        "\n"
        "2 cells: 2 right, as predicted\n"
        "2 checks asked; failed: none\n"
        "7 processes, 1.0 GiB; 9.5 s, of which 1.5 s to start"
    )


def test_a_surprise_shows_both_sides() -> None:
    text = shown(result(OTHER), result(RIGHT, "redirect-wrong-scheme"))

    assert f"{RIGHT.id}: surprise\n" in text
    assert "  slash-redirect: predicted pass, found redirect-wrong-scheme\n" in text
    assert "✓/rws!" in text
    assert "2 cells: 1 right, 1 wrong; 1 surprise\n" in text


def test_a_surprise_that_several_cells_share_is_told_once() -> None:
    others = [replace(RIGHT, topology=replace(RIGHT.topology, proxy=p)) for p in CATALOGUE.proxies]

    text = shown(*(result(cell, "redirect-wrong-scheme") for cell in others))

    assert text.count(": predicted pass, found redirect-wrong-scheme") == 1
    assert f"{others[0].id} and {len(others) - 1} more: surprise\n" in text


def test_what_is_wrong_on_purpose_is_said_to_be() -> None:
    cell = BY_ID["nginx-uvicorn-strip.none.proxy.https"]
    wrong = CellResult(
        cell,
        recipe=False,
        findings=[Finding("a", Verdict.FAIL, "unreachable", "")],
        prediction={"a": "unreachable"},
    )

    assert "\n1 cell: 1 wrong on purpose, as predicted\n1 check asked;" in shown(wrong)


def test_an_error_that_several_cells_share_is_told_once() -> None:
    text = shown(result(OTHER, verdict=Verdict.ERROR), result(RIGHT, verdict=Verdict.ERROR))

    assert text.count(": error\n") == 1
    assert f"{OTHER.id} and 1 more: error" in text
    assert "2 cells: 0 right, 2 errors; no surprises\n" in text


def test_an_interrupted_run_says_what_is_missing() -> None:
    assert "INTERRUPTED: 3 cells are missing\n" in shown(result(RIGHT), unfinished=3)
    assert "INTERRUPTED: 1 cell is missing\n" in shown(result(RIGHT), unfinished=1)


def test_cells_of_one_scheme_alone() -> None:
    assert {OTHER.scheme, RIGHT.scheme} == {*Scheme}
    assert grid(result(RIGHT, "redirect-broken"))[1] == ["server-option", "proxy", "rb!"]
