"""`hoplab cors`, and `explain` of what it asks: right, wrong and surprising."""

import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from hoplab.predictions import predict
from hoplab.results import Results, Verdict
from hoplab.results_file import load as load_results
from hoplab.suites.cors.checks import CHECKS
from hoplab.suites.cors.right import right_of
from hoplab.topology import Topology
from tests.catalogue import CATALOGUE, ROOT
from tests.commands.clone import Clone
from tests.commands.run import hoplab, program

CELLS = CATALOGUE.varied("cors")
VARIATIONS = [name for name, each in CATALOGUE.variations.items() if each.suite == "cors"]
ALONE = [v.removeprefix("cors-") for v in VARIATIONS if v.endswith("-alone")]
TOO = [v.removeprefix("cors-") for v in VARIATIONS if v.endswith("-too")]
PREFIX = CATALOGUE.prefix.encoded
ONE = ["--proxy", "nginx", "--server", "uvicorn", "--mode", "strip", "--scheme", "http"]
CELL = "nginx-uvicorn-strip.server-option.proxy.http+"


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Results:
    """What the results file tells of every CORS variant, everywhere."""
    file = tmp_path_factory.mktemp("cors") / "results.json"
    run = program("cors", "--format", "json", "-o", str(file))
    assert (run.returncode, run.stdout) == (0, ""), run.stderr
    assert f"{len(CELLS)} cells: " in run.stderr
    assert " wrong on purpose, as predicted\n" in run.stderr
    return load_results(file)


# --- the whole ---


def test_every_cell_is_as_predicted(whole: Results) -> None:
    assert [result.cell for result in whole.cells] == CELLS
    assert {result.verdict for result in whole.cells} == {Verdict.PASS, Verdict.FAIL}
    for result in whole.cells:
        found = {f.check: f.symptom for f in result.findings if f.symptom}
        assert found == result.prediction, result.cell.id
    assert whole.as_predicted


def test_every_question_is_asked_of_every_cell_and_has_its_evidence(whole: Results) -> None:
    for result in whole.cells:
        assert [finding.check for finding in result.findings] == list(CHECKS)
        for finding in result.findings:
            assert finding.verdict in {Verdict.PASS, Verdict.FAIL}, (result.cell.id, finding.detail)
            assert finding.detail
            assert finding.exchanges, (result.cell.id, finding.check)
            asked = [exchange.url for exchange in finding.exchanges]
            bases = [url for url in asked if f"{PREFIX}/" in url]
            assert bases == asked or finding.check == "hostile", "OPTIONS * has no path"


@pytest.mark.parametrize("variation", ["single", "router", "route-middleware", *ALONE])
def test_what_fixes_it_passes_everywhere(whole: Results, variation: str) -> None:
    cells = [result for result in whole.cells if result.cell.variation == f"cors-{variation}"]

    assert {result.cell.topology for result in cells} == everywhere(variation)
    assert {result.verdict for result in cells} == {Verdict.PASS}


@pytest.mark.parametrize("variation", ["both", "inner-only", "single-added", *TOO])
def test_what_is_wrong_fails_everywhere(whole: Results, variation: str) -> None:
    cells = [result for result in whole.cells if result.cell.variation == f"cors-{variation}"]

    assert {result.cell.topology for result in cells} == everywhere(variation)
    assert {result.verdict for result in cells} == {Verdict.FAIL}


def everywhere(variation: str) -> set[Topology]:
    """Every topology that is asked about CORS; of a variation of a proxy, those behind it."""
    proxy = variation.removesuffix("-alone").removesuffix("-too")
    return {cell.topology for cell in CELLS if proxy in {variation, cell.topology.proxy}}


def test_variations_of_a_proxy_are_among_them() -> None:
    assert {"nginx-alone", "traefik-alone"} <= {*ALONE}
    assert {"nginx-too", "traefik-too"} <= {*TOO}


def test_an_answer_of_the_application_names_the_layers_of_its_variant(
    whole: Results,
) -> None:
    named: Counter[str] = Counter()
    right = {name: right_of(CATALOGUE.variations[name].right) for name in VARIATIONS}
    for result in whole.cells:
        cell = result.cell
        [order] = [f for f in result.findings if f.check == "order"]
        for exchange in order.exchanges:
            if exchange.method == "GET":
                path = exchange.url.partition(PREFIX)[2]
                layers = right[cell.variation].layers[path]
                passed = [f">{layer}" for layer in layers]
                passed += [f"<{layer}" for layer in reversed(layers)]
                assert exchange.header("X-Middleware") == " ".join(passed), cell.id
                named[cell.variation] += 1

    assert set(named) == set(VARIATIONS)


def test_the_documentation_shows_the_table_that_comes_out() -> None:
    """Of one topology behind each proxy: the others are the same, as the next test says."""
    shown = ["--server", "uvicorn", "--mode", "strip", "--scheme", "http"]
    shown_cells = [cell for cell in CELLS if ".http+" in cell.id and "-uvicorn-strip." in cell.id]
    run = hoplab("cors", *shown)
    assert run.returncode == 0, run.stderr
    tables, _, _ = run.stdout.partition(f"{len(shown_cells)} cells: ")

    assert f"$ hoplab cors\n{tables}{len(CELLS)} cells: " in (ROOT / "docs/cors.md").read_text()


def test_the_commands_for_the_post_s_points_run_and_nothing_is_a_surprise() -> None:
    page = (ROOT / "docs/cors.md").read_text()
    section = page.partition("\n## The post, point by point\n")[2].partition("\n## ")[0]
    commands = re.findall(r"`hoplab cors ([^`]+)`", section)
    assert len(commands) > 4

    for arguments in commands:
        run = hoplab("cors", *ONE, *arguments.split())
        assert run.returncode == 0, f"{arguments}\n{run.stdout}{run.stderr}"


def test_every_cell_of_a_variant_answers_the_same(whole: Results) -> None:
    """Whatever proxy, server, mode and scheme: which origins may read it, and with which status."""
    seen: dict[tuple[str, ...], set[tuple[Any, ...]]] = {}
    for result in whole.cells:
        for finding in result.findings:
            if finding.check in {"preflight", "simple", "errors"}:
                for exchange in finding.exchanges:
                    origin = dict(exchange.sent).get("Origin", "")
                    path = exchange.url.partition(PREFIX)[2]
                    key = (result.cell.variation, exchange.method, path, origin)
                    allowed = exchange.header("Access-Control-Allow-Origin")
                    seen.setdefault(key, set()).add((exchange.status, allowed))

    assert {key: answers for key, answers in seen.items() if len(answers) > 1} == {}


def test_versions_and_processes_are_recorded(whole: Results) -> None:
    assert {*CATALOGUE.proxies, "uvicorn", "hypercorn", "fastapi"} <= {*whole.versions}
    applications = {(cell.variation, cell.topology.server, cell.topology.mode) for cell in CELLS}
    assert len(whole.cells) > whole.processes > len(CATALOGUE.proxies)
    assert whole.processes <= len(applications) * len(CATALOGUE.proxies)


# --- what is chosen, and what is shown ---


@pytest.mark.parametrize("name", ["both", "cors-both"])
def test_a_variation_is_chosen_with_and_without_its_cors(name: str) -> None:
    run = hoplab("cors", *ONE, "--variation", name)

    assert run.returncode == 0, run.stderr
    assert "cors-both" in run.stdout.splitlines()
    assert "1 cell: 1 wrong on purpose, as predicted\n6 checks asked" in run.stdout
    assert max(map(len, run.stdout.splitlines())) <= 80


def test_one_question_of_two_variations() -> None:
    run = hoplab("cors", *ONE, "--variation", "single", "--variation", "both", "--check", "order")

    assert run.returncode == 0, run.stderr
    assert "2 cells: 2 right, as predicted\n2 checks asked" in run.stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["--variation", "bth"],
            f"variation 'bth' is unknown; known: {', '.join(VARIATIONS)}",
        ),
        (["--variation", "nginx-bare"], f"known: {', '.join(VARIATIONS)}"),
        (["--variation", "none"], f"known: {', '.join(VARIATIONS)}"),
        (["--check", "reach"], f"check 'reach' is unknown; known: {', '.join(CHECKS)}"),
        (["--check", "cors"], f"check 'cors' is unknown; known: {', '.join(CHECKS)}"),
        (["--proxy", "squid"], f"proxy 'squid' is unknown; known: {', '.join(CATALOGUE.proxies)}"),
        (["--variation", "nginx-too", "--proxy", "traefik"], "no cell has all of that; near: "),
        (["--server", "fastapi"], "no cell has all of that; near: "),
        (["--strategy", "none"], "no cell has all of that; near: "),
        (["--engine", "process"], "No such option: --engine"),
        (["-o", "/nowhere/x.json"], "-o /nowhere/x.json: there is no folder /nowhere"),
    ],
)
def test_bad_usage_is_one_line_and_exit_2(arguments: list[str], message: str) -> None:
    run = hoplab("cors", *arguments)

    assert (run.returncode, run.stdout) == (2, "")
    assert message in run.stderr
    assert len(run.stderr.splitlines()) == 1


def test_the_matrix_has_no_cell_of_cors() -> None:
    run = hoplab("matrix", "--variation", "cors-both")

    assert (run.returncode, run.stdout) == (2, "")
    assert len(run.stderr.splitlines()) == 1


# --- explain ---


def test_explain_a_variation() -> None:
    run = hoplab("explain", "cors-both")

    assert (run.returncode, run.stderr) == (0, "")
    assert run.stdout.startswith("cors-both\n")
    assert "  - uvicorn app.plain:app " in run.stdout
    assert "  + APPLICATION=app.cors.both uvicorn app.plain:app " in run.stdout
    assert f"{CELL}cors-both: cors-wrong-policy\n" in run.stdout
    assert "Fix\n  One layer for everything" in run.stdout


def test_explain_a_variation_of_a_proxy_shows_its_lines() -> None:
    run = hoplab("explain", "cors-nginx-too")

    assert (run.returncode, run.stderr) == (0, "")
    assert "  +         add_header Access-Control-Allow-Origin http://main.co.kr" in run.stdout


def test_explain_a_symptom() -> None:
    run = hoplab("explain", "cors-duplicated")

    assert (run.returncode, run.stderr) == (0, "")
    assert "contains multiple\n  values." in run.stdout
    shown = re.findall(r"^  hoplab explain (\S+)$", run.stdout, re.MULTILINE)
    assert len(shown) == 3
    for name in shown:
        (cell,) = [cell for cell in CELLS if cell.id == name]
        assert "cors-duplicated" in predict(cell, CATALOGUE).values()


@pytest.mark.parametrize(
    ("variation", "passed", "answer"),
    [
        (
            "both",
            ">prometheus >main-cors <main-cors <prometheus",
            "access-control-allow-methods: GET\n",
        ),
        (
            "nginx-too",
            ">cors <cors",  # a preflight: no layer behind is asked
            "access-control-allow-origin: http://main.co.kr",
        ),
    ],
)
def test_explain_a_cell_shows_the_layers_that_were_passed(
    variation: str, passed: str, answer: str
) -> None:
    run = hoplab("explain", f"{CELL}cors-{variation}")

    assert run.returncode == 0, run.stderr
    assert "fail, as predicted (" in run.stdout
    hops = run.stdout.partition("\nHop by hop")[2].partition("\n\n")[0]
    layers = hops.partition("in the application, the layers passed\n")[2]
    inside, _, outside = layers.partition("  uvicorn -> nginx\n")
    assert inside.split() == passed.split()
    assert answer in outside
    assert "Origin: http://m" in hops


def test_explain_a_cell_that_is_right() -> None:
    run = hoplab("explain", f"{CELL}cors-single")

    assert run.returncode == 0, run.stderr
    assert "pass, as predicted\n" in run.stdout
    assert "\nFix\n" not in run.stdout


# --- what must be caught ---


def test_a_wrong_expectation_is_a_surprise(clone: Clone) -> None:
    file = "variations/cors/cors-single.toml"
    clone.edit(file, "fails = {}", 'fails = {errors = "cors-missing-on-error"}')

    run = clone.hoplab("cors", *ONE, "--variation", "single")

    assert run.returncode == 1, run.stderr
    assert f"{CELL}cors-single: surprise\n" in run.stdout
    assert "errors: predicted cors-missing-on-error, found pass\n" in run.stdout
    assert "1 cell: 1 right; 1 surprise\n" in run.stdout


def test_a_broken_policy_is_a_surprise(clone: Clone) -> None:
    clone.edit("app/cors/parts.py", "allow_credentials=True", "allow_credentials=False")

    run = clone.hoplab("cors", *ONE, "--variation", "router", "--variation", "nginx-alone")

    assert run.returncode == 1, run.stderr
    assert f"{CELL}cors-router: surprise\n" in run.stdout
    assert "preflight: predicted pass, found cors-wrong-policy\n" in run.stdout
    assert "2 cells: 1 right, 1 wrong; 3 surprises\n" in run.stdout


def test_a_proxy_s_policy_whose_line_is_gone_is_an_error(clone: Clone) -> None:
    clone.edit("nginx/strip.conf.template", "proxy_http_version 1.1;", "proxy_http_version  1.1;")

    run = clone.hoplab("cors", *ONE, "--variation", "nginx-too", "--variation", "single")

    assert run.returncode == 3, run.stderr
    assert "2 cells: 1 right, 1 error; no surprises\n" in run.stdout


def test_a_surprise_is_told_where_the_results_go_to_a_file(clone: Clone, tmp_path: Path) -> None:
    clone.edit("variations/cors/cors-single.toml", "fails = {}", 'fails = {order = "answer-wrong"}')
    file = tmp_path / "results.json"

    run = clone.hoplab("cors", *ONE, "--variation", "single", "--format", "json", "-o", str(file))

    assert (run.returncode, run.stdout) == (1, "")
    assert "order: predicted answer-wrong, found pass\n" in run.stderr
    [cell] = json.loads(file.read_text())["cells"]
    assert (cell["as_predicted"], cell["predicted"]) == (False, {"order": "answer-wrong"})
