"""Every symptom that a check can name is explained, and no other."""

import re
from urllib.parse import urlsplit

import pytest

from hoplab.client.probe import WHO_ANSWERED
from hoplab.suites import SUITES, SYMPTOMS
from hoplab.suites.suite import Suite
from hoplab.symptom import Symptom
from tests.catalogue import CATALOGUE
from tests.unit.test_checks import documented

every_symptom = pytest.mark.parametrize("symptom", SYMPTOMS.values(), ids=SYMPTOMS)


def test_what_the_checks_name_is_explained_and_nothing_else() -> None:
    named = {s for suite in SUITES.values() for c in suite.checks.values() for s in documented(c)}

    assert set(SYMPTOMS) == named | set(WHO_ANSWERED)


@pytest.mark.parametrize("suite", SUITES.values(), ids=SUITES)
def test_a_suite_explains_what_its_own_checks_name(suite: Suite) -> None:
    """But for what another explains: each symptom is explained once."""
    own = {symptom.name for symptom in suite.symptoms}
    named = {symptom for check in suite.checks.values() for symptom in documented(check)}
    named |= set(WHO_ANSWERED)

    assert own <= named
    assert len(own) == len(suite.symptoms)
    assert sum(len(each.symptoms) for each in SUITES.values()) == len(SYMPTOMS)


@every_symptom
def test_texts_are_sentences(symptom: Symptom) -> None:
    for text in (symptom.seen, symptom.cause, symptom.fix):
        assert text.endswith(".")
        assert "  " not in text


@every_symptom
def test_references_are_urls(symptom: Symptom) -> None:
    assert 1 <= len(set(symptom.references)) == len(symptom.references) <= 3
    for reference in symptom.references:
        assert urlsplit(reference)[0] == "https"
        assert urlsplit(reference).hostname


@every_symptom
def test_the_request_can_be_sent(symptom: Symptom) -> None:
    assert symptom.path.replace("{prefix}", "/api/v1").startswith("/")
    assert symptom.method in {"GET", "POST", "OPTIONS", "WEBSOCKET"}
    assert all(name and value for name, value in symptom.headers)


@every_symptom
def test_texts_name_no_proxy_and_no_server(symptom: Symptom) -> None:
    """What one of them has to do with it stands in its own file."""
    names = "|".join([*CATALOGUE.proxies, *CATALOGUE.servers]).replace("|fastapi", "")
    for text in (symptom.seen, symptom.cause, symptom.fix):
        assert not re.search(rf"\b({names})\b", text, re.IGNORECASE)
