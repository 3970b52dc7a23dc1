"""What the page is told: states, telling requests, the words of symptoms and checks."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from hoplab.catalogue import Catalogue
from hoplab.client.target import Purpose
from hoplab.client.trace import Request
from hoplab.commands.live.model import LiveLab, TopologyState
from hoplab.errors import HoplabError
from hoplab.report.words import first_sentence
from hoplab.results import CellResult, Verdict
from hoplab.suites import SUITES, SYMPTOMS
from hoplab.symptom import Symptom

_SUITE = next(suite for suite in SUITES.values() if suite.product)
_ROUTES = _SUITE.routes

SCOPE = _ROUTES[Purpose.SCOPE]
"""The path, below the prefix, where the application says what it was told and what it derives."""

_FORGED = (
    ("X-Forwarded-For", "203.0.113.7"),
    ("X-Forwarded-Proto", "ftp"),
    ("X-Forwarded-Host", "evil.example"),
    ("X-Forwarded-Prefix", "/evil"),
)

_WORST_FIRST = (Verdict.ERROR, Verdict.FAIL, Verdict.PASS)


@dataclass(frozen=True)
class Telling:
    """A request that shows something. about: the question that it answers."""

    name: str
    about: str
    request: Request


def telling(catalogue: Catalogue) -> Sequence[Telling]:
    """Those that the page offers. Their paths are those of the application's routes."""
    prefix = catalogue.prefix.encoded

    def get(path: str, *headers: tuple[str, str], method: str = "GET") -> Request:
        return Request(method, prefix + path, headers)

    greeting, redirect, mount = (
        _ROUTES[each] for each in (Purpose.GREETING, Purpose.REDIRECT, Purpose.MOUNT)
    )
    found = [
        Telling("a route", "Which path and root_path does the application get?", get(greeting)),
        Telling(
            "a redirect", "Where does the redirect to the added slash lead?", get(f"{redirect}?q=1")
        ),
        Telling(
            "docs", "Which OpenAPI document does the docs page name?", get(_ROUTES[Purpose.DOCS])
        ),
        Telling("a mount", "Is the mounted application found?", get(mount + greeting)),
        Telling(
            "its redirect",
            "Where does the mounted application's redirect lead?",
            get(mount + redirect),
        ),
        Telling(
            "the scope", "What does the application receive, and what does it derive?", get(SCOPE)
        ),
        Telling(
            "forged",
            "Who believes forwarded headers that the client made up?",
            get(SCOPE, *_FORGED),
        ),
        Telling(
            "a WebSocket",
            "Which scheme and root_path does a WebSocket get?",
            get(_ROUTES[Purpose.SOCKET], method="WEBSOCKET"),
        ),
    ]
    outside = [
        Telling("no prefix", "Who answers outside the prefix?", Request("GET", greeting)),
        Telling("prefix twice", "Who answers if the prefix comes twice?", get(prefix + greeting)),
    ]
    return [*found, *outside] if prefix else found


def by_name(lab: LiveLab, name: object) -> TopologyState:
    """The state of the topology of this name. Raises HoplabError if there is none."""
    states = lab.states()
    found = next((state for state in states if state.topology == name), None)
    if found is None:
        known = ", ".join(state.topology for state in states)
        raise HoplabError(f"{str(name)[:80]!r} is not a topology of this lab ({known}).")
    return found


def chain(catalogue: Catalogue, state: TopologyState) -> list[str]:
    """Those that a request passes: the proxies, and the server."""
    topology = next(t for t in catalogue.composed if t.name == state.topology)
    change = state.change and catalogue.variations.get(state.change.name)
    outer = [change.outer] if change and change.outer else []
    return [*outer, topology.proxy, topology.server]


def told_of(catalogue: Catalogue, state: TopologyState) -> Mapping[str, Any]:
    """A state as JSON has it, with the findings that matter."""
    topology = next(t for t in catalogue.composed if t.name == state.topology)
    cells = [_cell(result) for result in state.results]
    verdicts = {cell["verdict"] for cell in cells}
    return {
        "topology": state.topology,
        "proxy": topology.proxy,
        "server": topology.server,
        "mode": topology.mode,
        "state": state.state,
        "urls": state.urls,
        "message": state.message,
        "change": asdict(state.change) if state.change else None,
        "asking": state.asking,
        "verdict": next((each for each in _WORST_FIRST if each in verdicts), ""),
        "cells": cells,
        "changed": [*state.changed_checks],
        "revision": state.revision,
    }


def _cell(result: CellResult) -> Mapping[str, Any]:
    wrong = [f for f in result.findings if f.verdict in {Verdict.FAIL, Verdict.ERROR}]
    return {
        "scheme": result.cell.scheme,
        "id": result.cell.id,
        "verdict": result.verdict,
        "asked": len(result.findings),
        "wrong": [
            {"check": f.check, "verdict": f.verdict, "symptom": f.symptom, "detail": f.detail}
            for f in wrong
        ],
    }


def words(catalogue: Catalogue, methods: Sequence[str]) -> Mapping[str, Any]:
    """What does not change while the lab is up."""
    return {
        "prefix": catalogue.prefix.encoded,
        "methods": methods,
        "telling": [
            {
                "name": each.name,
                "about": each.about,
                "method": each.request.method,
                "path": each.request.path,
                "headers": each.request.headers,
            }
            for each in telling(catalogue)
        ],
        "checks": {
            name: first_sentence(" ".join((check.__doc__ or "").split()))
            for name, check in _SUITE.checks.items()
        },
        "symptoms": {
            name: {"seen": symptom.seen, "cause": symptom.cause}
            for name, symptom in _symptoms(catalogue).items()
        },
    }


def _symptoms(catalogue: Catalogue) -> Mapping[str, Symptom]:
    """With the lab's prefix in their texts."""
    prefix = catalogue.prefix.encoded
    return {name: symptom.under(prefix) for name, symptom in SYMPTOMS.items()}
