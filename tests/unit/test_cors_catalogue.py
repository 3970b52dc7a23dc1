"""The files of `variations/cors/`, the applications that they run, and what is wanted of them."""

import importlib
import tomllib
from itertools import product
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from hoplab.catalogue.placeholders import filled
from hoplab.catalogue.variations import Variation
from hoplab.engines import configuration
from hoplab.errors import HoplabError
from hoplab.suites import SYMPTOMS
from hoplab.suites.contract.checks import CHECKS
from hoplab.suites.cors.checks import CHECKS as CORS_CHECKS
from hoplab.suites.cors.right import MAIN, METRICS, ORIGINS, Right, right_of
from hoplab.topology import Mode, Scheme
from tests.catalogue import CATALOGUE, ROOT
from tests.unit.documented import documented

CORS = {name: v for name, v in CATALOGUE.variations.items() if v.suite == "cors"}
CELLS = CATALOGUE.varied("cors")
FOLDER = ROOT / "variations/cors"
SERVERS_OF_COMPOSE = {name for name, server in CATALOGUE.servers.items() if not server.like}
PARTNERS = {"caddy": "uvicorn", "granian": "nginx"}
"""Of each newcomer, the one with which it is measured: docs/cors.md says why."""

PARTS = {"parts", "metrics"}
VARIANTS = {file.stem for file in (ROOT / "app/cors").glob("[!_]*.py")} - PARTS

every_variation = pytest.mark.parametrize("variation", CORS.values(), ids=CORS)


def module_of(variation: Variation) -> str:
    """The variant that it runs: a module of app/cors/."""
    return variation.application.removeprefix("app.cors.")


def proxies_of(variation: Variation) -> set[str]:
    """Those behind which it has to run: all, or that which it is named after."""
    named = {proxy for proxy in CATALOGUE.proxies if proxy in variation.name.split("-")}
    return named or {*CATALOGUE.proxies}


def test_every_file_is_read_and_asked_the_questions_of_cors_alone() -> None:
    assert set(CORS) == {file.stem for file in FOLDER.glob("*.toml")}
    assert CELLS
    assert not {*CATALOGUE.product, *CATALOGUE.varied("contract")} & {*CELLS}


def test_every_name_begins_with_cors() -> None:
    """`hoplab cors --variation` takes it without."""
    assert all(name.startswith("cors-") for name in CORS)
    assert not {name.removeprefix("cors-") for name in CORS} & {*CATALOGUE.variations}
    assert all(v.suite == "cors" for n, v in CATALOGUE.variations.items() if n[:5] == "cors-")


def test_every_variation_has_a_policy_and_layers_and_nothing_else_has() -> None:
    for variation in CATALOGUE.variations.values():
        assert bool(variation.right) is (variation.suite == "cors")
        if variation.right:
            assert right_of(variation.right).policy
            assert right_of(variation.right).layers


@every_variation
def test_a_policy_holds_for_every_path_and_names_known_origins(variation: Variation) -> None:
    right = right_of(variation.right)

    assert "/" in right.policy
    for path in ("/", "/items/", "/metrics", "/metrics/", "/metrics/fail", "/fail"):
        assert {*right.wanted(path)} <= {MAIN, METRICS}
        assert right.wanted(path)


def test_the_longest_beginning_of_a_path_decides() -> None:
    right = Right({"/": ["a"], "/metrics": ["b"], "/metrics/x": ["c"]}, {})

    paths = ("/", "/items", "/metrics", "/metrics/", "/metrics/xy")
    assert [*map(right.wanted, paths)] == [["a"], ["a"], ["b"], ["b"], ["c"]]


@pytest.mark.parametrize("table", [{}, {"policy": {}}, {"policy": {}, "layers": {}, "more": 1}])
def test_a_table_of_something_else_is_told(table: dict[str, Any]) -> None:
    with pytest.raises(HoplabError, match=r"A CORS variant's table \[cors\]: "):
        right_of(table)


def test_a_table_in_another_form_is_told_with_its_key() -> None:
    table = {"policy": {"/": "http://main.co.kr"}, "layers": {}}

    with pytest.raises(HoplabError, match=r"cors.policy./ is 'http://main.co.kr', expected a list"):
        right_of(table)


@every_variation
def test_layers_are_told_for_the_main_application_and_the_mount(variation: Variation) -> None:
    layers = right_of(variation.right).layers

    assert set(layers) == {"/items/", "/metrics/"}
    for told in layers.values():
        assert "prometheus" in told
        assert len(set(told)) == len(told)


def test_the_lab_and_the_applications_agree_on_the_origins() -> None:
    parts = importlib.import_module("app.cors.parts")  # they never import each other

    assert (parts.MAIN, parts.METRICS) == (MAIN, METRICS)
    assert {*ORIGINS.values()} > {MAIN, METRICS, None}


# --- the files ---


@every_variation
def test_texts_are_sentences(variation: Variation) -> None:
    assert variation.about.endswith(".")
    assert variation.fix.endswith(".")
    assert "  " not in variation.about + variation.fix


@every_variation
def test_references_are_urls(variation: Variation) -> None:
    assert 1 <= len(set(variation.references)) == len(variation.references) <= 4
    for reference in variation.references:
        assert urlsplit(reference).scheme == "https"
        assert urlsplit(reference).hostname


@every_variation
def test_what_fixes_it_names_variations_that_exist(variation: Variation) -> None:
    words = variation.fix.replace("(", " ").replace(")", " ").replace(",", " ").replace(".", " ")
    named = {word for word in words.split() if word.startswith("cors-")}

    assert named <= set(CORS) - {variation.name}


@every_variation
def test_it_runs_behind_its_proxies_in_both_modes_under_every_server_but_newcomers_once(
    variation: Variation,
) -> None:
    ran = {(c.topology.proxy, c.topology.server, c.topology.mode, c.scheme)
           for c in variation.symptoms}  # fmt: skip

    pairs = [
        (proxy, server)
        for proxy, server in product(proxies_of(variation), SERVERS_OF_COMPOSE)
        if PARTNERS.get(proxy, server) == server and PARTNERS.get(server, proxy) == proxy
    ]
    assert ran == {(*pair, *each) for pair in pairs for each in product(Mode, Scheme)}
    assert len(variation.symptoms) == len(ran)


def test_every_proxy_and_server_of_compose_is_measured_and_the_eight_topologies_whole() -> None:
    ran = {cell.topology for cell in CELLS}

    assert {t.proxy for t in ran} == {*CATALOGUE.proxies}
    assert {t.server for t in ran} == SERVERS_OF_COMPOSE
    assert {*CATALOGUE.topologies} < ran


def test_there_is_one_of_each_kind_for_each_proxy() -> None:
    for proxy in CATALOGUE.proxies:
        assert {f"cors-{proxy}-too", f"cors-{proxy}-alone"} <= set(CORS)


def test_every_cell_has_its_topology_s_recipe() -> None:
    for cell in CELLS:
        assert cell.deployment.setup == CATALOGUE.recipe(cell.topology), cell.id


@every_variation
def test_what_it_changes_stands_in_the_files_of_its_own_proxy(variation: Variation) -> None:
    used = set()
    for proxy, mode in product(proxies_of(variation), Mode):
        for source in CATALOGUE.proxies[proxy].sources(mode):
            changes = [
                c for c in variation.changes if ROOT / filled(c.file, {"mode": mode}) == source
            ]
            text = source.read_text()
            changed = configuration.changed(text, changes, source)  # raises if it is not there
            assert (changed != text) is bool(changes)
            used |= set(changes)

    assert used == set(variation.changes)
    assert {Path(change.file).parts[0] for change in variation.changes} <= proxies_of(variation)


@every_variation
def test_the_proxy_is_changed_where_it_has_a_say(variation: Variation) -> None:
    named_after_a_proxy = proxies_of(variation) != {*CATALOGUE.proxies}

    assert bool(variation.changes) is named_after_a_proxy
    assert not variation.commands
    assert variation.outer is None


# --- the applications ---


def test_every_variant_is_run_by_a_variation_and_every_variation_runs_one() -> None:
    assert {module_of(variation) for variation in CORS.values()} == VARIANTS


@every_variation
def test_its_name_is_its_application_s(variation: Variation) -> None:
    """But for those in which the proxy has a say."""
    by_name = variation.name.removeprefix("cors-").replace("-", "_")
    by_proxy = {"too": "single", "alone": "no_layer"}

    assert module_of(variation) == by_proxy.get(variation.name.split("-")[-1], by_name)


@every_variation
def test_its_application_can_be_served(variation: Variation) -> None:
    assert variation.application == f"app.cors.{module_of(variation)}"
    assert callable(importlib.import_module(variation.application).app)


def test_every_server_serves_the_variant_by_its_recipe() -> None:
    """Its module, and so what is around it, is that of the recipe; APPLICATION names the inside."""
    for cell in CELLS:
        recommended = CATALOGUE.recommended(cell.topology)
        command, right = (
            CATALOGUE.server_command(each, "127.0.0.1:8000", "127.0.0.1")
            for each in (cell.deployment, recommended)
        )
        environment, ordinary = (
            CATALOGUE.server_environment(each, "127.0.0.1")
            for each in (cell.deployment, recommended)
        )

        assert command == right, cell.id
        application = CORS[cell.variation].application
        assert environment == {**ordinary, "APPLICATION": application}, cell.id


def test_nothing_else_runs_an_application_with_cors() -> None:
    for cell in {c.deployment: c for c in CATALOGUE.product}.values():
        command = CATALOGUE.server_command(cell.deployment, "127.0.0.1:8000", "127.0.0.1")
        assert not [argument for argument in command if argument.startswith("app.cors")]
        assert "APPLICATION" not in CATALOGUE.server_environment(cell.deployment, "127.0.0.1")
    for variation in CATALOGUE.variations.values():
        if variation.suite != "cors":
            assert not variation.application.startswith("app.cors")
            assert not [a for c in variation.commands.values() for a in c if "app.cors" in a]


# --- what must show ---


@every_variation
def test_predicted_checks_and_symptoms_exist(variation: Variation) -> None:
    for symptoms in variation.symptoms.values():
        assert symptoms is not None, "nobody says what must show"
        for check, symptom in symptoms.items():
            assert check in CORS_CHECKS
            assert symptom in SYMPTOMS
            assert symptom in documented(CORS_CHECKS[check])


@every_variation
def test_every_cell_of_a_variation_shows_the_same(variation: Variation) -> None:
    content: dict[str, Any] = tomllib.loads((FOLDER / f"{variation.name}.toml").read_text())
    [entry] = content["cells"]

    assert all(symptoms == entry["fails"] for symptoms in variation.symptoms.values())
    assert not [key for key in entry if key.startswith("fails_")]


def test_the_fixes_pass_and_the_problems_fail() -> None:
    right = {name for name, v in CORS.items() if not any(v.symptoms.values())}

    assert right == {
        "cors-single",
        "cors-router",
        "cors-route-middleware",
        *(f"cors-{proxy}-alone" for proxy in CATALOGUE.proxies),
    }
    assert all(CORS[name].fix.startswith("Nothing: ") for name in right)
    assert not any(v.fix.startswith("Nothing") for name, v in CORS.items() if name not in right)


@pytest.mark.parametrize("check", CORS_CHECKS)
def test_every_symptom_that_a_check_names_is_explained(check: str) -> None:
    assert documented(CORS_CHECKS[check])
    assert documented(CORS_CHECKS[check]) <= set(SYMPTOMS)


def test_a_symptom_of_cors_is_no_other_check_s() -> None:
    others = {symptom for check in CHECKS.values() for symptom in documented(check)}
    own = {symptom for check in CORS_CHECKS.values() for symptom in documented(check)}

    assert not own & others


@pytest.mark.parametrize("check", CORS_CHECKS)
def test_a_check_is_named_as_its_function_and_its_file(check: str) -> None:
    function: Any = CORS_CHECKS[check]

    assert function.__name__ == check
    assert function.__module__ == f"hoplab.suites.cors.checks.{check}"
