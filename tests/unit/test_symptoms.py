"""Every symptom that a check can name is explained, and no other."""

import re
from urllib.parse import urlsplit

import pytest

from hoplab.client.probe import WHO_ANSWERED
from hoplab.suites import SUITES, SYMPTOMS, own
from hoplab.suites.suite import Suite
from hoplab.symptom import Advice, Symptom
from tests.catalogue import CATALOGUE
from tests.unit.documented import documented


def test_what_the_checks_name_is_explained_and_nothing_else() -> None:
    checks = [*(suite.checks for suite in SUITES.values()), own.CHECKS]
    named = {symptom for each in checks for c in each.values() for symptom in documented(c)}

    assert set(SYMPTOMS) == named | set(WHO_ANSWERED)


@pytest.mark.parametrize("suite", SUITES.values(), ids=SUITES)
def test_a_suite_explains_what_its_own_checks_name(suite: Suite) -> None:
    """But for what another explains: each symptom is explained once."""
    explained = {symptom.name for symptom in suite.symptoms}
    named = {symptom for check in suite.checks.values() for symptom in documented(check)}
    named |= set(WHO_ANSWERED)

    assert explained <= named
    assert len(explained) == len(suite.symptoms)
    every = sum(len(each.symptoms) for each in SUITES.values()) + len(own.SYMPTOMS)
    assert every == len(SYMPTOMS)


def test_texts_are_sentences() -> None:
    for symptom in SYMPTOMS.values():
        for text in (symptom.seen, symptom.cause, symptom.fix):
            assert text.endswith("."), symptom.name
            assert "  " not in text, symptom.name


def test_references_are_urls() -> None:
    for symptom in SYMPTOMS.values():
        references = symptom.references
        assert 1 <= len(set(references)) == len(references) <= 3, symptom.name
        for reference in references:
            assert urlsplit(reference)[0] == "https", symptom.name
            assert urlsplit(reference).hostname, symptom.name


def test_the_request_can_be_sent() -> None:
    for symptom in SYMPTOMS.values():
        assert symptom.path.replace("{prefix}", "/api/v1").startswith("/"), symptom.name
        assert symptom.method in {"GET", "POST", "OPTIONS", "WEBSOCKET"}, symptom.name
        assert all(name and value for name, value in symptom.headers), symptom.name


def test_the_prefix_stands_wherever_a_text_has_a_place_for_it() -> None:
    symptom = Symptom(
        "x", "{prefix} seen", "cause {prefix}", "{prefix}{prefix}", ("{prefix}",), "/a{prefix}"
    )
    advice = Advice("fix {prefix}", "{prefix} cause", ("{prefix}",))

    assert symptom.under("/api") == Symptom(
        "x", "/api seen", "cause /api", "/api/api", ("{prefix}",), "/a/api"
    )
    assert advice.under("/api") == Advice("fix /api", "/api cause", ("{prefix}",))


def test_texts_name_no_proxy_and_no_server() -> None:
    """What one of them has to do with it stands in its own file."""
    names = "|".join([*CATALOGUE.proxies, *CATALOGUE.servers]).replace("|fastapi", "")
    for symptom in SYMPTOMS.values():
        for text in (symptom.seen, symptom.cause, symptom.fix):
            assert not re.search(rf"\b({names})\b", text, re.IGNORECASE), symptom.name
