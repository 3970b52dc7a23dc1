"""What a page shows of one run or of several."""

import copy
import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from hoplab.advice import Change, OwnConfiguration, Reason, Trial, Tried
from hoplab.commands import fixes
from hoplab.commands.reporting import Run, page, prefix_of
from hoplab.errors import HoplabError
from hoplab.prefix import parse
from hoplab.results import CellResult, Finding, Results, Verdict
from hoplab.results_file import as_json
from hoplab.results_file import load as read
from hoplab.suites.own import CHECKS as OWN
from hoplab.topology import Cell, Mode, Scheme, Topology
from tests.catalogue import CATALOGUE, loaded, predicted
from tests.reports import a_result, a_run, hostile, overview

CELLS = {cell.id: cell for cell in CATALOGUE.product}
WRONG = CELLS["nginx-hypercorn-strip.server-option.proxy.https"]
RIGHT = CELLS["nginx-uvicorn-strip.server-option.proxy.https"]
VARIED = next(iter(CATALOGUE.variations["nginx-appends"].symptoms))
CORS = list(CATALOGUE.variations["cors-both"].symptoms)


def told(*runs: Results) -> Any:
    return overview(page(CATALOGUE, [Run(f"run {n}", run) for n, run in enumerate(runs)]))


def the_cell(made: Any, cell: Cell) -> Any:
    topology = cell.topology
    values = (*(topology.proxy, topology.server, topology.mode), cell.strategy, cell.variation)
    (found,) = (
        each
        for each in made["cells"]
        if (each["proxy"], each["server"], each["mode"], each["strategy"], each["variation"])
        == values
    )
    return {
        name: made["texts"][value]
        if name in {"outcome", "causes", "fix", "change", "rules", "surprises"}
        else value
        for name, value in found.items()
    }


def test_a_wrong_cell_has_its_causes_its_fix_and_the_rules() -> None:
    made = told(a_run([WRONG, RIGHT]))
    wrong, right = the_cell(made, WRONG), the_cell(made, RIGHT)

    assert wrong["verdict"] == "fail"
    assert {tuple(each) for each in wrong["outcome"]} >= set(predicted(WRONG).items())
    assert wrong["fix"] == fixes.fix_lines(CATALOGUE, WRONG, list(predicted(WRONG).values()))
    assert {so for cause in wrong["causes"] for so in cause["so"]} == {
        f"{check}: {symptom}" for check, symptom in predicted(WRONG).items()
    }
    assert any("root path option only" in made["rules"][number][0] for number in wrong["rules"])
    assert right["recipe"]
    assert "fix" not in right
    assert "causes" not in right


def test_a_variation_has_its_change() -> None:
    made = told(a_run([VARIED]))

    assert the_cell(made, VARIED)["change"] == fixes.changed_lines(CATALOGUE, VARIED.deployment)
    assert made["variations"]["nginx-appends"]["fix"] == CATALOGUE.variations["nginx-appends"].fix


def test_the_symptoms_of_its_cells_are_explained() -> None:
    made = told(a_run([WRONG]))

    assert set(made["symptoms"]) == set(predicted(WRONG).values()) == set(made["codes"])
    assert all(each["seen"] and each["fix"] for each in made["symptoms"].values())


def test_cors_has_a_table_for_each_variant() -> None:
    (grids,) = told(a_run(CORS))["grids"]

    assert (grids["suite"], [each["variation"] for each in grids["grids"]]) == (
        "cors",
        ["cors-both"],
    )
    assert [label for label, _ in grids["grids"][0]["rows"]][:2] == ["main", "metrics"]
    assert "Vary: Origin" in grids["legend"]


def test_cells_are_in_the_order_of_the_catalogue() -> None:
    cells = list(CELLS.values())[:40]

    assert [the["strategy"] for the in told(a_run(cells[::-1]))["cells"]] == [
        cell.strategy for cell in cells
    ]


def test_a_surprise_is_told() -> None:
    made = told(a_run([RIGHT], docs="docs-openapi-404"))

    assert the_cell(made, RIGHT)["surprises"] == ["docs: predicted pass, found docs-openapi-404"]


def test_files_of_different_cells_are_put_together() -> None:
    made = told(a_run([WRONG]), a_run(CORS))

    assert len(made["cells"]) == 1 + len(CORS)
    assert {each["run"] for each in made["cells"]} == {0, 1}
    assert made["comparisons"] == []


def test_of_a_cell_in_two_files_the_last_is_shown_and_compared() -> None:
    made = told(a_run([WRONG, RIGHT]), a_run([RIGHT], docs="docs-openapi-404"), a_run(CORS))

    assert [the_cell(made, cell)["run"] for cell in (WRONG, RIGHT)] == [0, 1]
    (compared,) = made["comparisons"]
    assert compared["runs"] == [0, 1]
    assert compared["only_before"] == [WRONG.id]
    (change,) = compared["changes"]
    assert (change["check"], change["before"], change["after"]) == (
        "docs",
        "pass",
        "docs-openapi-404",
    )
    assert list(change["cells"]) == [RIGHT.id]


def test_what_this_hoplab_does_not_know_is_shown_all_the_same() -> None:
    """An older or a newer one may have written the file."""
    unknown = replace(WRONG, topology=Topology("squid", "daphne", Mode.STRIP))
    gone = replace(VARIED, variation="gone")
    result = a_result(WRONG, docs="symptom-of-tomorrow")
    results = [replace(result, cell=cell) for cell in (unknown, gone)]

    made = told(replace(a_run([]), cells=results))

    assert {each["proxy"] for each in made["cells"]} == {"squid", gone.topology.proxy}
    assert "symptom-of-tomorrow" in made["codes"]
    assert "fix" not in the_cell(made, unknown)


@pytest.mark.parametrize("value", ["http://[", "</script>", "\ud800", "${port}", "%", "\x00"])
def test_whatever_was_answered_there_is_a_page(value: str) -> None:
    for cell in (WRONG, CORS[0]):
        assert told(hostile(cell, value))["cells"]


def test_the_prefix_is_that_of_the_results() -> None:
    prefix = parse("/café")
    cell = replace(WRONG, prefix=prefix)
    runs = [Run("x", replace(a_run([]), cells=[replace(a_result(WRONG), cell=cell)]))]

    assert prefix_of(runs) == "/caf%C3%A9"
    made = overview(page(loaded(prefix), runs))
    assert (made["prefix"], made["option"]) == ("/caf%C3%A9", " --prefix /caf%C3%A9")
    assert told(a_run([WRONG]))["option"] == ""
    assert "PUBLIC_PREFIX=/caf%C3%A9" in str(the_cell(made, cell)["fix"])
    with pytest.raises(HoplabError, match="have /caf%C3%A9, /api/v1"):
        prefix_of([*runs, Run("y", a_run([WRONG]))])


def test_no_cells_are_no_page() -> None:
    with pytest.raises(HoplabError, match="y has no cells"):
        prefix_of([Run("x", a_run([WRONG])), Run("y", a_run([]))])


# --- a file that somebody else wrote ---


def broken(value: Any) -> Iterator[Any]:
    """The same with one value another, for each value in it."""
    yield from (None, 1, -1, "x", [], {}, [[]], {"x": []}, True)
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from ({**value, key: each} for each in broken(inner))
            yield {name: each for name, each in value.items() if name != key}
    elif isinstance(value, list) and value:
        yield from ([each, *value[1:]] for each in broken(value[0]))


def test_any_other_value_is_one_message_or_a_page() -> None:
    scheme = replace(RIGHT, scheme=Scheme.HTTP)
    whole = as_json(a_run([scheme], docs="docs-openapi-404"))
    # One finding and one exchange are enough.
    whole["cells"][0]["findings"] = whole["cells"][0]["findings"][:1]
    whole = json.loads(json.dumps(whole))
    outcomes = set()
    for changed in broken(whole):
        file = copy.deepcopy(changed)
        try:
            runs = [Run("x", read(file), file)]
            catalogue = loaded(parse(prefix_of(runs)))
        except HoplabError:
            outcomes.add("refused")
            continue
        page(catalogue, runs)
        outcomes.add("a page")

    assert outcomes == {"refused", "a page"}


def of_own(cell: Cell, *wrong: Finding) -> CellResult:
    """Of a person's own application: these, and all else is right."""
    told = {finding.check for finding in wrong}
    rest = [Finding(name, Verdict.PASS, None, "well") for name in OWN if name not in told]
    return CellResult(cell, recipe=True, findings=[*wrong, *rest])


def test_what_check_found_is_a_part_of_its_own_with_every_finding() -> None:
    cell = CATALOGUE.recommended_cells(CATALOGUE.topologies)[0]
    wrong = [
        Finding("urls", Verdict.FAIL, "link-drops-prefix", "/ leads to /items"),
        Finding("urls", Verdict.FAIL, "cookie-path-wrong", "the path is /items"),
    ]

    made = told(Results("process", "", 1.0, {}, [of_own(cell, *wrong)]))
    [shown] = made["cells"]

    assert shown["suite"] == "own"
    outcome = made["texts"][shown["outcome"]]
    assert ["urls", "link-drops-prefix"] in outcome
    assert ["urls", "cookie-path-wrong"] in outcome
    assert [cause["told"] for cause in made["texts"][shown["causes"]]] == [
        "/ leads to /items",
        "the path is /items",
    ]
    assert all(cause["fix"] for cause in made["texts"][shown["causes"]])
    assert set(OWN) <= set(made["checks"])
    assert not {"rules", "fix", "change"} & set(shown)
    assert made["grids"] == []


def test_what_check_has_tried_stands_with_the_fix() -> None:
    cell = CATALOGUE.recommended_cells(CATALOGUE.topologies)[0]
    finding = Finding("scope", Verdict.FAIL, "root-path-missing", "root_path is ''")
    trial = Trial("with `x`", [cell.topology.name])
    tried = [Tried("root-path-missing", "root_path is ''", [trial])]
    run = Results("process", "", 1.0, {}, [of_own(cell, finding)], tried=tried)

    [cause] = the_cell(told(run), cell)["causes"]

    assert cause["fix"].endswith("\ntried: with `x`: passed there")


def test_the_smallest_change_to_an_own_configuration_is_the_fix() -> None:
    cell = CATALOGUE.recommended_cells(CATALOGUE.topologies)[0]
    finding = Finding("scope", Verdict.FAIL, "host-wrong", "Host is x")
    change = Change(["+ y"], [Reason("y", ["host-wrong"])], [], 3)
    own = OwnConfiguration("a.conf", "a", "strip", change=change)
    run = Results("process", "", 1.0, {}, [of_own(cell, finding)], configuration=own)

    assert "  + y" in the_cell(told(run), cell)["fix"]
