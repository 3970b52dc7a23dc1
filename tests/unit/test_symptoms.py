"""Every symptom that a check can name is explained, and no other."""

from urllib.parse import urlsplit

import pytest

from hoplab.suites import SYMPTOMS, Symptom
from hoplab.suites.contract.checks import CHECKS
from hoplab.suites.cors.checks import CORS_CHECKS
from tests.unit.test_checks import documented

every_symptom = pytest.mark.parametrize("symptom", SYMPTOMS.values(), ids=SYMPTOMS)


def test_what_the_checks_name_is_explained_and_nothing_else() -> None:
    named = {symptom for check in CHECKS.values() for symptom in documented(check)}
    named |= {symptom for check in CORS_CHECKS.values() for symptom in documented(check)}

    assert set(SYMPTOMS) == named


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
    assert symptom.path.startswith("/")
    assert symptom.method in {"GET", "POST", "OPTIONS", "WEBSOCKET"}
    assert all(name and value for name, value in symptom.headers)
