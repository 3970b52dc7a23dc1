"""What is predicted of a cell follows from the rules: argued by hand, and one rule replaced."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from hoplab.catalogue import Catalogue
from hoplab.catalogue.servers.server import Address, RootPath
from hoplab.catalogue.variations import Symptoms, Variation
from hoplab.client.probe import WHO_ANSWERED
from hoplab.predictions import RULES, Case, because, predict
from hoplab.predictions.application import Application
from hoplab.predictions.rules import Seen
from hoplab.suites import SYMPTOMS
from hoplab.suites.contract.checks import CHECKS
from hoplab.topology import Cell, Mode, Scheme, Strategy, Topology, Trust
from tests.catalogue import CATALOGUE, predicted
from tests.unit.documented import documented

PREFIX = "/api/v1"
PRODUCT = CATALOGUE.product
BY_ID = {cell.id: cell for cell in PRODUCT}
PREDICTED = {cell: predicted(cell) for cell in PRODUCT}
ALL_BUT_DIRECT = [name for name in CHECKS if name != "direct"]

# The application is asked for another path than any that it has; the proxy answers what is outside.
UNREACHABLE = {
    "reach": "application-has-no-route",
    "slash-redirect": "application-has-no-route",
    "docs": "docs-unreachable",
    "servers": "application-has-no-route",
    "url-for": "application-has-no-route",
    "mount": "mount-unreachable",
    "static": "static-unreachable",
    "websocket": "websocket-refused",
    "client": "application-has-no-route",
    "spoof": "application-has-no-route",
    "bypass": "application-has-no-route",
    "boundary": "application-has-no-route",
    "prefix-once": "bare-prefix-broken",
    "stream": "application-has-no-route",
    "requests": "application-has-no-route",
    "answers": "application-has-no-route",
    "isolation": "application-has-no-route",
    "routes": "application-has-no-route",
    "websocket-messages": "websocket-refused",
    "disconnect": "application-has-no-route",
    "limits": "application-has-no-route",
}

# Routes are found, and every URL that is made lacks the prefix.
PREFIX_UNKNOWN = {
    "reach": "root-path-missing",
    "slash-redirect": "redirect-drops-prefix",
    "docs": "docs-openapi-404",
    "servers": "servers-wrong",
    "url-for": "url-drops-prefix",
    "mount": "mount-wrong-root-path",  # /sub
    "static": "url-drops-prefix",  # the file is there, and its url_for is not
    "websocket": "websocket-wrong-root-path",
}

# root_path is right, and the path that it should begin lacks it: fastapi#14238.
LABEL = {
    "slash-redirect": "redirect-drops-prefix",
    "servers": "mount-unreachable",  # its own operations exist
    "url-for": "url-drops-prefix",
    "mount": "mount-unreachable",
    "static": "static-unreachable",
    "websocket": "websocket-refused",  # in the mount
    "prefix-once": "prefix-stripped-twice",
}

# http is what the server sees of https.
SCHEME_UNKNOWN = {
    "slash-redirect": "redirect-wrong-scheme",
    "url-for": "url-wrong-scheme",
    "mount": "redirect-wrong-scheme",
    "static": "url-wrong-scheme",
    "websocket": "websocket-wrong-scheme",
    "client": "scheme-wrong",
}


@pytest.mark.parametrize(
    ("cell", "symptoms"),
    [
        # Right ones: the path has the prefix and root_path is it, or the routes have it.
        ("nginx-uvicorn-strip.server-option.proxy.https", {}),
        ("traefik-hypercorn-strip.forwarded-prefix.proxy.http", {}),
        ("nginx-fastapi-preserve.forwarded-prefix.proxy.https", {}),
        ("traefik-hypercorn-preserve.server-option.proxy.http", {}),
        ("nginx-uvicorn-preserve.app-argument.proxy.https", {}),
        ("nginx-uvicorn-preserve.router.proxy.https", {}),
        ("traefik-uvicorn-preserve.mount.proxy.https", {}),
        # Uvicorn's --root-path comes before /api/v1/app: /api/v1/api/v1/app.
        ("nginx-uvicorn-preserve.server-option.proxy.http", UNREACHABLE),
        ("traefik-fastapi-preserve.server-option.any.https", UNREACHABLE),
        # Routes at /app are asked for /api/v1/app; routes at /api/v1/app for /app, unless the
        # client writes the prefix twice.
        ("nginx-hypercorn-preserve.none.proxy.http", UNREACHABLE),
        (
            "nginx-uvicorn-strip.router.none.https",
            {**UNREACHABLE, "prefix-once": "prefix-leaks"},
        ),
        (
            "traefik-hypercorn-strip.mount.any.http",
            {**UNREACHABLE, "prefix-once": "prefix-leaks"},
        ),
        # Nobody tells the application.
        ("traefik-uvicorn-strip.none.proxy.http", PREFIX_UNKNOWN),
        ("nginx-hypercorn-strip.none.none.http", {**PREFIX_UNKNOWN, "client": "client-wrong"}),
        (
            "nginx-hypercorn-strip.none.none.https",
            {
                **PREFIX_UNKNOWN,
                **SCHEME_UNKNOWN,
                "mount": "mount-wrong-root-path",  # asked before its redirect
            },
        ),
        # Only a label.
        ("nginx-hypercorn-strip.server-option.proxy.https", LABEL),
        ("nginx-uvicorn-strip.app-argument.proxy.http", LABEL),
        (
            "traefik-uvicorn-strip.app-argument.any.http",
            {**LABEL, "bypass": "direct-spoofable"},
        ),
        # The proxy's scheme or address.
        ("traefik-uvicorn-strip.server-option.none.http", {"client": "client-wrong"}),
        ("traefik-uvicorn-strip.server-option.none.https", SCHEME_UNKNOWN),
        # The bare prefix is redirected only if it arrives: with http in its place.
        (
            "nginx-hypercorn-preserve.server-option.none.https",
            {**SCHEME_UNKNOWN, "prefix-once": "bare-prefix-broken"},
        ),
        # A fixed prefix, where a header would tell whether it was removed.
        (
            "nginx-uvicorn-strip.forwarded-prefix.proxy.http",
            {"prefix-once": "prefix-stripped-twice"},
        ),
        (
            "nginx-hypercorn-strip.forwarded-prefix.none.http",
            {"client": "client-wrong", "prefix-once": "prefix-stripped-twice"},
        ),
        # A stranger past the proxy.
        ("nginx-hypercorn-strip.forwarded-prefix.any.https", {"bypass": "direct-spoofable"}),
    ],
)
def test_argued_by_hand(cell: str, symptoms: dict[str, str]) -> None:
    assert predict(BY_ID[cell], CATALOGUE) == symptoms


# --- every cell ---


def test_recommended_cells_pass() -> None:
    recommended = CATALOGUE.recommended_cells(CATALOGUE.all_topologies)

    assert len(recommended) == 2 * len(CATALOGUE.all_topologies)
    assert {cell.id: PREDICTED[cell] for cell in recommended} == {
        cell.id: {} for cell in recommended
    }


def test_trust_in_anybody_never_passes() -> None:
    anybody = [cell for cell in PRODUCT if cell.trust is Trust.ANY]

    assert 3 * len(anybody) == len(PRODUCT)
    for cell in anybody:
        found = PREDICTED[cell].get("bypass")
        assert found in {"direct-spoofable", "application-has-no-route"}, cell.id


def test_trust_in_nobody_never_passes() -> None:
    for cell in PRODUCT:
        if cell.trust is Trust.NONE:
            assert "client" in PREDICTED[cell], cell.id


@pytest.mark.parametrize("check", CHECKS)
def test_what_is_predicted_is_what_the_check_can_find(check: str) -> None:
    predicted = {PREDICTED[cell].get(check) for cell in PRODUCT}

    assert None in predicted, "it fails everywhere"
    assert predicted - {None} <= (documented(CHECKS[check]) | set(WHO_ANSWERED)) & set(SYMPTOMS)
    assert (check in ALL_BUT_DIRECT) == (len(predicted) > 1)


def test_variations_have_their_own() -> None:
    cell = replace(PRODUCT[0], variation="host-dropped")
    stated = {"reach": "application-error"}

    assert predict(cell, with_variation(cell, stated)) == stated
    assert predict(cell, with_variation(cell, {})) == {}


def test_a_variation_that_changes_nothing_is_predicted_by_the_rules() -> None:
    cell = BY_ID["traefik-uvicorn-strip.none.proxy.http"]
    named = replace(cell, variation="host-dropped")

    assert predict(named, with_variation(named, None)) == PREFIX_UNKNOWN


def test_a_variation_that_acts_as_another_cell_is_predicted_as_that() -> None:
    cell = BY_ID["traefik-uvicorn-strip.server-option.proxy.https"]
    named = replace(cell, variation="host-dropped")
    catalogue = with_variation(named, None, acts_as={named: replace(named, trust=Trust.NONE)})

    assert predict(named, catalogue) == SCHEME_UNKNOWN
    assert "headers-ignored" in [rule.name for rule in because(named, catalogue)]


def test_a_variation_changes_what_its_proxy_does() -> None:
    cell = BY_ID["traefik-uvicorn-strip.server-option.proxy.http"]
    named = replace(cell, variation="host-dropped")

    for behaviour, symptoms in (
        ({"buffers": True}, {"stream": "stream-buffered"}),
        ({"headers": {"Forwarded": "passed"}}, {"spoof": "forwarded-passed-on"}),
        ({"inner": True}, {"client": "client-wrong"}),
    ):
        assert predict(named, with_variation(named, None, behaviour=behaviour)) == symptoms


def with_variation(cell: Cell, symptoms: Symptoms | None, **said: Any) -> Catalogue:
    name = cell.variation
    variation = Variation(name, "contract", "", "", [], [], {}, None, {cell: symptoms}, **said)
    return replace(CATALOGUE, variations={name: variation})


# --- the rules ---


def case_of(cell: Cell, catalogue: Catalogue = CATALOGUE) -> Case:
    topology = cell.topology
    proxy, server = catalogue.proxies[topology.proxy], catalogue.servers[topology.server]
    return Case(cell, proxy.behaviour, server)


def test_rules_are_told_apart_and_lead_somewhere() -> None:
    assert len({rule.name for rule in RULES}) == len({rule.statement for rule in RULES}) == 11
    for rule in RULES:
        assert rule.statement.endswith(".")
        assert rule.references
        assert all(reference.startswith("https://") for reference in rule.references)


@pytest.mark.parametrize(
    ("cell", "names"),
    [
        (
            "nginx-uvicorn-strip.server-option.proxy.https",
            ["strip", "headers-believed", "root-path-prepended"],
        ),
        (
            "nginx-hypercorn-preserve.server-option.none.https",
            ["preserve", "headers-ignored", "root-path-label"],
        ),
        (
            "nginx-hypercorn-strip.forwarded-prefix.any.http",
            ["strip", "headers-believed", "anybody-believed", "prefix-header"],
        ),
        (
            "nginx-fastapi-strip.forwarded-prefix.none.http",
            ["strip", "headers-ignored", "prefix-fixed"],
        ),
        ("nginx-uvicorn-preserve.router.proxy.http", ["preserve", "headers-believed"]),
        (
            "nginx-uvicorn-strip.app-argument.none.http",
            ["strip", "headers-ignored", "root-path-argument"],
        ),
    ],
)
def test_rules_of_a_cell_in_the_order_of_the_hops(cell: str, names: list[str]) -> None:
    assert [rule.name for rule in because(BY_ID[cell], CATALOGUE)] == names


Change = Callable[[Case, Seen], Seen]


def nothing(_case: Case, seen: Seen) -> Seen:
    return seen


def label(_case: Case, seen: Seen) -> Seen:
    return replace(seen, root_path=PREFIX)


def prepend(_case: Case, seen: Seen) -> Seen:
    return replace(seen, root_path=PREFIX, path=PREFIX + seen.path)


def strip(_case: Case, seen: Seen) -> Seen:
    return replace(seen, path=seen.path.removeprefix(PREFIX) or "/")


def fix(case: Case, seen: Seen) -> Seen:
    return label(case, seen) if f"{seen.path}/".startswith(f"{PREFIX}/") else prepend(case, seen)


def believe(case: Case, seen: Seen) -> Seen:
    return replace(seen, scheme=case.cell.scheme, client_known=True)


def believe_client_alone(_case: Case, seen: Seen) -> Seen:
    return replace(seen, client_known=True)


def reached(cell: Cell) -> bool:
    return PREDICTED[cell].get("reach") != "application-has-no-route"


def prepends(cell: Cell) -> bool:
    return CATALOGUE.servers[cell.topology.server].root_path is RootPath.PREPENDED


def server_option(cell: Cell) -> bool:
    return cell.strategy is Strategy.SERVER_OPTION


def reads_header(cell: Cell) -> bool:
    sees_peer = CATALOGUE.servers[cell.topology.server].sees is Address.PEER
    return sees_peer and (
        (cell.strategy, cell.topology.mode) == (Strategy.FORWARDED_PREFIX, Mode.STRIP)
        and cell.trust is not Trust.NONE
    )


WRONG: list[tuple[str, Change, Callable[[Cell], bool]]] = [
    ("strip", nothing, lambda cell: cell.topology.mode is Mode.STRIP),
    ("preserve", strip, lambda cell: cell.topology.mode is Mode.PRESERVE),
    ("headers-ignored", believe, lambda cell: cell.trust is Trust.NONE and reached(cell)),
    ("headers-believed", nothing, lambda cell: cell.trust is not Trust.NONE and reached(cell)),
    (
        "headers-believed",
        believe_client_alone,
        lambda cell: cell.trust is not Trust.NONE and cell.scheme is Scheme.HTTPS and reached(cell),
    ),
    ("anybody-believed", nothing, lambda cell: cell.trust is Trust.ANY and reached(cell)),
    ("untold", label, lambda cell: cell.strategy is Strategy.NONE),
    ("root-path-prepended", label, lambda cell: server_option(cell) and prepends(cell)),
    ("root-path-label", prepend, lambda cell: server_option(cell) and not prepends(cell)),
    ("root-path-argument", prepend, lambda cell: cell.strategy is Strategy.APP_ARGUMENT),
    ("prefix-header", fix, reads_header),
    (
        "prefix-fixed",
        prepend,
        lambda cell: cell.strategy is Strategy.FORWARDED_PREFIX and not reads_header(cell),
    ),
]


@pytest.mark.parametrize(("name", "wrong", "concerned"), WRONG)
def test_a_wrong_rule_is_seen_in_exactly_the_cells_that_it_concerns(
    name: str, wrong: Change, concerned: Callable[[Cell], bool]
) -> None:
    rules = [replace(rule, change=wrong) if rule.name == name else rule for rule in RULES]

    cells = [cell for cell in PRODUCT if cell.topology.proxy == "nginx"]  # no rule names a proxy

    changed = {c.id for c in cells if predict(c, CATALOGUE, rules) != PREDICTED[c]}

    assert changed == {cell.id for cell in cells if concerned(cell)} != set()


def test_every_rule_is_replaced_above() -> None:
    assert [rule.name for rule in RULES] == list(dict.fromkeys(name for name, _, _ in WRONG))


def test_without_rules_the_server_is_asked_as_the_proxy_is() -> None:
    """The defaults of a request are what a proxy sends that changes nothing and is not believed."""
    cell = Cell(Topology("nginx", "uvicorn", Mode.PRESERVE), Strategy.NONE, Trust.NONE, Scheme.HTTP)

    assert predict(cell, CATALOGUE, []) == predict(cell, CATALOGUE) == UNREACHABLE
    assert Application(case_of(cell), [], 0).seen("/x") == Seen("/x")
