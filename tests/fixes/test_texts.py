"""What counts as a line that a text prescribes, and as one that a deployment has."""

from dataclasses import replace

import pytest

from hoplab.suites import SYMPTOMS
from tests.catalogue import CATALOGUE
from tests.fixes import texts
from tests.fixes.conftest import Tried
from tests.fixes.test_fixes_tried import FIXES, LINES, helped
from tests.fixes.trials import load


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("Nothing to write.", []),
        ("`off;`, or `on;`.", ["off;", "on;"]),
        ("``rule = Path(`/a`)`` matches.", ["rule = Path(`/a`)"]),
        ("Set key = false, or x=1.", ["key = false", "x=1"]),
        ('Wrap it: App(app, trusted="").', ['App(app, trusted="")']),
        ("app = Cors(app, f(x)) around.", ["app = Cors(app, f(x))"]),
        ("Use --root-path /api/v1, no --port.", ["--root-path /api/v1", "--port"]),
        ("ForwardedPrefixMiddleware around it.", ["ForwardedPrefixMiddleware"]),
        ("As in app/hypercorn/proxy_fix.py.", ["app/hypercorn/proxy_fix.py"]),
        ("`https://app.example.com` alone.", ["http://main.co.kr"]),
    ],
)
def test_lines(text: str, lines: list[str]) -> None:
    assert texts.lines(text) == lines


@pytest.mark.parametrize(
    ("line", "deployment", "number"),
    [
        ("a b", "a  b; a\n b", 2),
        ("trust ADDRESS", "trust 127.0.0.1/32", 1),
        ("trust ADDRESS", "trust *", 0),
        ('url_for("MOUNT:NAME")', 'url_for("main:read_app")', 1),
        ('url_for("MOUNT:NAME")', 'url_for("read_app")', 0),
        ("--root-path", "--root-path-x --root-path", 1),
        ("key", "monkey keyed key", 1),
        ("Mount(middleware=)", "Mount(path, app, middleware=of)", 1),
        ("root_path=", "create(root_path=PREFIX)", 1),
        ("App(app, ...)", "App(app, x=1)", 1),
    ],
)
def test_occurrences(line: str, deployment: str, number: int) -> None:
    assert texts.occurrences(line, deployment) == number


def test_comments_are_not_written() -> None:
    deployment = CATALOGUE.recommended(CATALOGUE.topologies[0])

    assert not [part for part in texts.written(CATALOGUE, deployment) if "#" in part]


# --- what has no line ---

UNTRIED = {
    "answers-swapped": "Only another version of the proxy or the server fixes it, and none that can"
    " be installed here has the fault.",
}
"""Symptoms of which no text has a line that could be tried here, and why."""

UNTRIED_ADVICE = {
    (
        "caddy",
        "body-altered",
    ): "No Caddy that can be installed here has that module.",
}
"""The same of what a proxy's or server's own file says, where it says what to write."""


def test_each_symptom_has_a_line_that_is_tried() -> None:
    """In the suite's text, or in that of a proxy or server."""
    assert set(SYMPTOMS) - {symptom for _, symptom in LINES} == set(UNTRIED)


def test_an_advice_has_a_line_or_leaves_it_to_the_proxy() -> None:
    """As a server does that has no option for it."""
    own = {place: fix for place, fix in FIXES.items() if place[0] and fix and place not in LINES}

    assert {place for place, fix in own.items() if "he proxy has to " not in fix} == set(
        UNTRIED_ADVICE
    )


# --- that the tests can fail ---


def a_trial(fixed: dict[str, str]) -> Tried:
    """The trial of a limit for bodies, with what is found after it."""
    trial = next(
        trial
        for trial in load(CATALOGUE)
        for variation in trial.variations.values()
        if [change.right for change in variation.changes] == ["client_max_body_size 32m;"]
    )
    variations = {**CATALOGUE.variations, **trial.variations}
    catalogue = replace(CATALOGUE, variations=variations)
    return Tried(catalogue, [trial], {trial.wrong: {"stream": "body-refused"}, trial.fixed: fixed})


def test_a_line_helped() -> None:
    [line] = LINES["nginx", "body-refused"]

    assert helped(a_trial({}), "nginx", line) == {"body-refused"}


def test_a_line_of_another_value_is_untried() -> None:
    tried = a_trial({})

    assert not tried.differs(tried.trials[0], "client_max_body_size 33m;")


@pytest.mark.parametrize("symptom", ["body-refused", "body-altered", "error: no answer"])
def test_a_line_after_which_something_fails_did_not_help(symptom: str) -> None:
    [line] = LINES["nginx", "body-refused"]

    assert helped(a_trial({"stream": symptom}), "nginx", line) == set()


def test_another_proxy_s_trial_does_not_count() -> None:
    [line] = LINES["nginx", "body-refused"]

    assert helped(a_trial({}), "caddy", line) == set()
