"""Each question about CORS passes where all is right, and takes no other instance's answer."""

import pytest

from hoplab.catalogue.variations import Variation
from hoplab.results import Verdict
from hoplab.suites.cors.checks import CHECKS
from hoplab.suites.cors.checks.judging import judge
from hoplab.suites.cors.right import MAIN, METRICS
from hoplab.topology import Scheme
from tests.catalogue import CATALOGUE
from tests.unit.cors_faults import (
    ALLOW,
    CREDENTIALS,
    OPTIONS,
    RIGHT,
    STRANGER,
    VARY,
    answered,
    ask,
    body,
    drops,
    of,
    of_origin,
    policy,
    reflects,
    replaces,
    variant,
    where,
)
from tests.unit.stub import Fault, Stub, all_of, as_it_is, closed_port
from tests.unit.wording import AsWorded

pytestmark = pytest.mark.usefixtures("no_counts")


# --- what is right, and what is as the variation says ---


@pytest.mark.parametrize("scheme", Scheme)
@pytest.mark.parametrize("check", CHECKS)
@pytest.mark.parametrize("variation", RIGHT)
def test_a_right_deployment_passes(stub: Stub, variation: str, check: str, scheme: Scheme) -> None:
    stub.serve(as_it_is, as_it_is, variant(variation))

    finding = ask(stub, check, variation, scheme)

    assert (finding.verdict, finding.symptom) == (Verdict.PASS, None), finding.detail
    assert finding.exchanges, "no evidence"
    assert finding.detail


@pytest.mark.parametrize("check", CHECKS)
def test_what_is_asked_and_said(stub: Stub, check: str, as_worded: AsWorded) -> None:
    stub.serve(as_it_is, as_it_is, variant("cors-single"))

    as_worded(ask(stub, check))


@pytest.mark.parametrize("check", CHECKS)
@pytest.mark.parametrize("variation", ["cors-nginx-alone", "cors-traefik-alone"])
def test_a_proxy_that_has_the_policy_passes(stub: Stub, variation: str, check: str) -> None:
    """It answers preflights itself: they name no layer, and no instance."""
    stub.serve(as_it_is, policy(MAIN, METRICS), variant("no_layer"))

    finding = ask(stub, check, variation)

    assert (finding.verdict, finding.symptom) == (Verdict.PASS, None), finding.detail


OF_THE_APPLICATION_ALONE = [
    v for v in CATALOGUE.variations.values() if v.suite == "cors" and not v.changes
]


@pytest.mark.parametrize("check", CHECKS)
@pytest.mark.parametrize("variation", OF_THE_APPLICATION_ALONE, ids=lambda v: v.name)
def test_a_variant_fails_as_its_file_says(stub: Stub, variation: Variation, check: str) -> None:
    stub.serve(as_it_is, as_it_is, variant(variation.name))
    symptoms = next(iter(variation.symptoms.values())) or {}

    finding = ask(stub, check, variation.name)

    assert finding.symptom == symptoms.get(check), finding.detail
    assert finding.verdict is (Verdict.FAIL if finding.symptom else Verdict.PASS), finding.detail


def test_a_preflight_that_the_proxy_answers_is_right_where_that_is_the_design(stub: Stub) -> None:
    stub.serve(as_it_is, policy(MAIN, METRICS), variant("cors-single"))

    swallowed = ask(stub, "order")
    by_design = ask(stub, "order", "cors-traefik-too")

    assert (swallowed.verdict, swallowed.symptom) == (Verdict.FAIL, "proxy-answered")
    assert by_design.verdict is Verdict.PASS, by_design.detail


def test_a_series_without_a_route_is_somebody_else_s(stub: Stub) -> None:
    other = b'other_total{method="GET",status="200"} 1\n'
    stub.serve(as_it_is, body(lambda given: given + other), variant("cors-single"))

    assert ask(stub, "metrics").verdict is Verdict.PASS


def test_vary_of_everything_is_enough(stub: Stub) -> None:
    stub.serve(as_it_is, replaces(VARY, "*"), variant("cors-single"))

    assert ask(stub, "simple").verdict is Verdict.PASS


def test_vary_that_is_missing_for_a_stranger_is_found(stub: Stub) -> None:
    """A cache would give the stranger's answer, without Allow-Origin, to a page that may read."""
    stub.serve(as_it_is, where(of_origin(STRANGER), drops(VARY)), variant("cors-single"))

    assert ask(stub, "simple").symptom == "cors-vary-missing"


def test_a_star_without_credentials_depends_on_nobody() -> None:
    """Vary is not missing where the answer is the same for all; who gets in is another question."""
    answer = answered([(ALLOW, "*"), CREDENTIALS])

    assert [p.symptom for p in judge(answer, MAIN, [MAIN])] == ["cors-wrong-policy"]


def test_a_preflight_needs_no_vary(stub: Stub) -> None:
    stub.serve(as_it_is, of(OPTIONS, drops(VARY)), variant("cors-single"))

    for check in ("preflight", "simple", "errors"):
        assert ask(stub, check).verdict is Verdict.PASS


# --- the lab's own trouble ---


@pytest.mark.parametrize("check", CHECKS)
@pytest.mark.parametrize(
    "fault", [pytest.param(as_it_is, id="right"), pytest.param(reflects, id="wrong")]
)
def test_an_answer_of_another_instance_is_no_finding(stub: Stub, fault: Fault, check: str) -> None:
    stub.serve(as_it_is, all_of(replaces("X-Instance", "another"), fault), variant("cors-single"))

    finding = ask(stub, check)

    assert (finding.verdict, finding.symptom) == (Verdict.ERROR, None), finding.detail
    assert "answered by the instance 'another'" in finding.detail


@pytest.mark.parametrize("check", ["preflight", "order", "hostile"])
def test_a_preflight_of_another_instance_is_no_finding(stub: Stub, check: str) -> None:
    stub.serve(as_it_is, of(OPTIONS, replaces("X-Instance", "another")), variant("cors-single"))

    finding = ask(stub, check)

    assert (finding.verdict, finding.symptom) == (Verdict.ERROR, None), finding.detail


@pytest.mark.parametrize("check", CHECKS)
def test_no_answer_at_all_is_no_finding(stub: Stub, check: str) -> None:
    finding = ask(stub, check, ports=dict.fromkeys(Scheme, closed_port()))

    assert (finding.verdict, finding.symptom) == (Verdict.ERROR, None), finding.detail
    assert "no answer" in finding.detail
