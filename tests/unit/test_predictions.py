"""What is predicted of a cell follows from the rules: argued by hand, and one rule replaced."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from hoplab import predictions
from hoplab.catalogue import load
from hoplab.catalogue.variations import Variation
from hoplab.predictions import RULES, Seen, because, predict
from hoplab.suites import SYMPTOMS
from hoplab.suites.contract.checks import CHECKS
from hoplab.topology import PREFIX, Cell, Mode, Scheme, Strategy, Topology, Trust
from tests.unit.test_checks import documented

CATALOGUE = load()
PRODUCT = [cell for cell in CATALOGUE.cells if not cell.variation]
BY_ID = {cell.id: cell for cell in PRODUCT}
ALL_BUT_DIRECT = [name for name in CHECKS if name != "direct"]

# The application is asked for another path than any that it has; the proxy answers what is outside.
UNREACHABLE = {
    "reach": "unreachable",
    "slash-redirect": "redirect-broken",
    "docs": "docs-unreachable",
    "servers": "servers-wrong",
    "url-for": "url-for-broken",
    "mount": "mount-unreachable",
    "static": "static-unreachable",
    "websocket": "websocket-refused",
    "client": "unreachable",
    "spoof": "unreachable",
    "boundary": "bare-prefix-broken",
    "stream": "unreachable",
}

# Routes are found, and every URL that is made lacks the prefix.
PREFIX_UNKNOWN = {
    "reach": "root-path-missing",
    "slash-redirect": "redirect-drops-prefix",
    "docs": "docs-openapi-404",
    "servers": "servers-wrong",
    "url-for": "url-drops-prefix",
    "mount": "mount-unreachable",  # it answers, with a root_path of /sub
    "static": "static-unreachable",  # the file is there, and its url_for is not
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
    "boundary": "prefix-stripped-twice",
}

# http is what the server sees of https; `static` and `servers` follow URLs of their own.
SCHEME_UNKNOWN = {
    "slash-redirect": "redirect-wrong-scheme",
    "url-for": "url-wrong-scheme",
    "mount": "redirect-wrong-scheme",
    "static": "static-unreachable",
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
            {**UNREACHABLE, "boundary": "prefix-leaks"},
        ),
        (
            "traefik-hypercorn-strip.mount.any.http",
            {**UNREACHABLE, "boundary": "prefix-leaks"},
        ),
        # Nobody tells the application.
        ("traefik-uvicorn-strip.none.proxy.http", PREFIX_UNKNOWN),
        ("nginx-hypercorn-strip.none.none.http", {**PREFIX_UNKNOWN, "client": "client-is-proxy"}),
        (
            "nginx-hypercorn-strip.none.none.https",
            {
                **PREFIX_UNKNOWN,
                **SCHEME_UNKNOWN,
                "mount": "mount-unreachable",  # asked before its redirect
            },
        ),
        # Only a label.
        ("nginx-hypercorn-strip.server-option.proxy.https", LABEL),
        ("nginx-uvicorn-strip.app-argument.proxy.http", LABEL),
        (
            "traefik-uvicorn-strip.app-argument.any.http",
            {**LABEL, "spoof": "direct-spoofable"},
        ),
        # The proxy's scheme or address.
        ("traefik-uvicorn-strip.server-option.none.http", {"client": "client-is-proxy"}),
        ("traefik-uvicorn-strip.server-option.none.https", SCHEME_UNKNOWN),
        # The bare prefix is redirected only if it arrives: with http in its place.
        (
            "nginx-hypercorn-preserve.server-option.none.https",
            {**SCHEME_UNKNOWN, "boundary": "bare-prefix-broken"},
        ),
        # A fixed prefix, where a header would tell whether it was removed.
        ("nginx-uvicorn-strip.forwarded-prefix.proxy.http", {"boundary": "prefix-stripped-twice"}),
        (
            "nginx-hypercorn-strip.forwarded-prefix.none.http",
            {"client": "client-is-proxy", "boundary": "prefix-stripped-twice"},
        ),
        # A stranger past the proxy.
        ("nginx-hypercorn-strip.forwarded-prefix.any.https", {"spoof": "direct-spoofable"}),
    ],
)
def test_argued_by_hand(cell: str, symptoms: dict[str, str]) -> None:
    assert predict(BY_ID[cell], {}) == symptoms


# --- every cell ---


def test_recommended_cells_pass() -> None:
    recommended = CATALOGUE.recommended_cells(CATALOGUE.all_topologies)

    assert len(recommended) == 24
    assert {cell.id: predict(cell, {}) for cell in recommended} == {
        cell.id: {} for cell in recommended
    }


def test_whoever_believes_anybody_never_passes() -> None:
    anybody = [cell for cell in PRODUCT if cell.trust is Trust.ANY]

    assert len(anybody) == 144
    for cell in anybody:
        assert predict(cell, {}).get("spoof") in {"direct-spoofable", "unreachable"}, cell.id


def test_whoever_believes_nobody_never_passes() -> None:
    for cell in PRODUCT:
        if cell.trust is Trust.NONE:
            assert "client" in predict(cell, {}), cell.id


@pytest.mark.parametrize("check", CHECKS)
def test_what_is_predicted_is_what_the_check_can_find(check: str) -> None:
    predicted = {predict(cell, {}).get(check) for cell in PRODUCT}

    assert None in predicted, "it fails everywhere"
    assert predicted - {None} <= documented(CHECKS[check]) & set(SYMPTOMS)
    assert (check in ALL_BUT_DIRECT) == (len(predicted) > 1)


def test_the_proxy_makes_no_difference() -> None:
    """Both are configured right; what makes one wrong is a variation."""
    for cell in PRODUCT:
        other = replace(cell, topology=replace(cell.topology, proxy="caddy"))
        assert predict(cell, {}) == predict(other, {})


def test_variations_tell_their_own() -> None:
    cell = replace(PRODUCT[0], variation="host-dropped")
    told = {"reach": "unreachable"}
    variation = Variation("host-dropped", "", "", [], [], {}, None, {cell: told})

    assert predict(cell, {variation.name: variation}) == told


# --- the rules ---


def test_every_rule_is_needed_and_none_holds_everywhere() -> None:
    for rule in RULES:
        assert 0 < sum(rule.applies(cell) for cell in PRODUCT) < len(PRODUCT), rule.name


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
    assert [rule.name for rule in because(BY_ID[cell])] == names


Change = Callable[[Cell, Seen], Seen]


def nothing(_cell: Cell, seen: Seen) -> Seen:
    return seen


def label(_cell: Cell, seen: Seen) -> Seen:
    return replace(seen, root_path=PREFIX)


def prepend(_cell: Cell, seen: Seen) -> Seen:
    return replace(seen, root_path=PREFIX, path=PREFIX + seen.path)


def strip(_cell: Cell, seen: Seen) -> Seen:
    return replace(seen, path=seen.path.removeprefix(PREFIX) or "/")


def fix(cell: Cell, seen: Seen) -> Seen:
    return label(cell, seen) if f"{seen.path}/".startswith(f"{PREFIX}/") else prepend(cell, seen)


def believe(cell: Cell, seen: Seen) -> Seen:
    return replace(seen, scheme=cell.scheme, client_known=True)


def believe_client_alone(_cell: Cell, seen: Seen) -> Seen:
    return replace(seen, client_known=True)


def reached(cell: Cell) -> bool:
    return predict(cell, {}).get("reach") != "unreachable"


def is_uvicorn(cell: Cell) -> bool:
    return cell.topology.server in {"uvicorn", "fastapi"}


def server_option(cell: Cell) -> bool:
    return cell.strategy is Strategy.SERVER_OPTION


def reads_header(cell: Cell) -> bool:
    return cell.topology.server == "hypercorn" and (
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
    ("root-path-prepended", label, lambda cell: server_option(cell) and is_uvicorn(cell)),
    ("root-path-label", prepend, lambda cell: server_option(cell) and not is_uvicorn(cell)),
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

    changed = {c.id for c in PRODUCT if predict(c, {}, rules) != predict(c, {})}

    assert changed == {cell.id for cell in PRODUCT if concerned(cell)} != set()


def test_every_rule_is_replaced_above() -> None:
    assert [rule.name for rule in RULES] == list(dict.fromkeys(name for name, _, _ in WRONG))


def test_without_rules_the_server_is_asked_as_the_proxy_is() -> None:
    """The defaults of a request are what a proxy sends that changes nothing and is not believed."""
    cell = Cell(Topology("nginx", "uvicorn", Mode.PRESERVE), Strategy.NONE, Trust.NONE, Scheme.HTTP)

    assert predict(cell, {}, []) == predict(cell, {}) == UNREACHABLE
    assert predictions._Application(cell, []).seen("/x") == Seen("/x")
