"""The way from a wrong cell to a right one, and what a variation changes."""

from dataclasses import replace

import pytest

from hoplab.catalogue import Catalogue
from hoplab.catalogue.proxies import Upgrades
from hoplab.commands import fixes
from hoplab.predictions import predict
from hoplab.symptom import Advice
from hoplab.topology import Cell, Mode, Scheme, Setup, Strategy, Topology, Trust
from tests.catalogue import CATALOGUE


def a_cell(server: str, mode: Mode, strategy: Strategy, trust: Trust) -> Cell:
    return Cell(Topology("nginx", server, mode), strategy, trust, Scheme.HTTPS)


@pytest.mark.parametrize(
    ("server", "mode", "strategy", "trust", "right"),
    [
        ("hypercorn", Mode.STRIP, Strategy.SERVER_OPTION, Trust.PROXY, Strategy.FORWARDED_PREFIX),
        ("uvicorn", Mode.STRIP, Strategy.SERVER_OPTION, Trust.ANY, Strategy.SERVER_OPTION),
        ("uvicorn", Mode.PRESERVE, Strategy.NONE, Trust.NONE, Strategy.FORWARDED_PREFIX),
        ("uvicorn", Mode.PRESERVE, Strategy.ROUTER, Trust.NONE, Strategy.ROUTER),
    ],
)
def test_smallest_change(
    server: str, mode: Mode, strategy: Strategy, trust: Trust, right: Strategy
) -> None:
    found = fixes.smallest_change(CATALOGUE, a_cell(server, mode, strategy, trust))

    assert found
    assert (found.strategy, found.trust) == (right, Trust.PROXY)
    assert not predict(found, CATALOGUE)


def test_the_smallest_change_of_a_variation_is_without_it() -> None:
    cell = a_cell("uvicorn", Mode.STRIP, Strategy.SERVER_OPTION, Trust.PROXY)

    assert fixes.smallest_change(CATALOGUE, replace(cell, variation="nginx-appends")) == cell


# --- as lines ---


def test_a_wrong_strategy_is_fixed_by_two_command_lines() -> None:
    cell = a_cell("uvicorn", Mode.PRESERVE, Strategy.NONE, Trust.NONE)

    at = "--host 127.0.0.1 --port 8000"

    assert fixes.fix_lines(CATALOGUE, cell) == [
        "strategy none -> forwarded-prefix",
        "trust none -> proxy",
        f"- uvicorn app.plain:app {at} --no-proxy-headers",
        f"+ uvicorn app.forwarded_prefix:app {at} --forwarded-allow-ips PROXY",
    ]


def test_where_variables_alone_change_the_lines_show_them() -> None:
    cell = a_cell("hypercorn", Mode.PRESERVE, Strategy.SERVER_OPTION, Trust.ANY)
    line = "hypercorn app.hypercorn.plain:app --bind 127.0.0.1:8000 --workers 0 --root-path /api/v1"

    assert fixes.fix_lines(CATALOGUE, cell) == [
        "trust any -> proxy",
        f"- FORWARDED_ALLOW_IPS='*' {line}",
        f"+ FORWARDED_ALLOW_IPS=PROXY {line}",
    ]


def test_a_right_cell_needs_no_fix() -> None:
    for cell in CATALOGUE.recommended_cells(CATALOGUE.all_topologies):
        assert fixes.fix_lines(CATALOGUE, cell) == []


def test_a_variation_has_its_own_fix() -> None:
    variation = CATALOGUE.variations["nginx-appends"]
    cell = next(iter(variation.symptoms))

    assert fixes.fix_lines(CATALOGUE, cell, ["forwarded-passed-on"]) == [variation.fix]


def without_websockets() -> Catalogue:
    """No strategy and no trust is right behind this proxy."""
    nginx = CATALOGUE.proxies["nginx"]
    made_up = replace(
        nginx,
        behaviour=replace(nginx.behaviour, upgrades=Upgrades.NONE),
        advice={
            "websocket-refused": Advice("Pass it on.", "It does not."),
            "url-wrong-scheme": Advice("", "It has nothing to do with it."),
        },
    )
    uvicorn = replace(
        CATALOGUE.servers["uvicorn"], advice={"url-wrong-scheme": Advice("Believe it.")}
    )
    return replace(
        CATALOGUE,
        proxies={**CATALOGUE.proxies, "nginx": made_up},
        servers={**CATALOGUE.servers, "uvicorn": uvicorn},
    )


@pytest.mark.parametrize(
    ("symptoms", "lines"),
    [
        (["websocket-refused"], ["nginx: Pass it on."]),
        (["websocket-refused", "url-wrong-scheme"], ["nginx: Pass it on.", "uvicorn: Believe it."]),
        (["unreachable"], []),
        ([], []),
    ],
)
def test_where_nothing_is_right_it_is_what_proxy_and_server_can_do(
    symptoms: list[str], lines: list[str]
) -> None:
    """Not what is only a cause: there is nothing to do about that."""
    cell = a_cell("uvicorn", Mode.STRIP, Strategy.SERVER_OPTION, Trust.PROXY)

    assert fixes.smallest_change(without_websockets(), cell) is None
    assert fixes.fix_lines(without_websockets(), cell, symptoms) == lines


# --- what a variation changes ---


def test_without_a_variation_nothing_is_changed() -> None:
    cell = a_cell("uvicorn", Mode.STRIP, Strategy.SERVER_OPTION, Trust.PROXY)

    assert fixes.changed_lines(CATALOGUE, cell.deployment) == []


@pytest.mark.parametrize("mode", Mode)
def test_changed_lines_of_a_proxy_s_file(mode: Mode) -> None:
    cells = CATALOGUE.variations["nginx-appends"].symptoms
    deployment = next(cell.deployment for cell in cells if cell.topology.mode is mode)

    assert fixes.changed_lines(CATALOGUE, deployment) == [
        f"nginx/{mode}.conf.template",
        "- X-Forwarded-For    $remote_addr;",
        "+ X-Forwarded-For    $proxy_add_x_forwarded_for;",
    ]


def test_changes_of_the_other_mode_s_file_are_left_out() -> None:
    cells = CATALOGUE.variations["nginx-header-in-location"].symptoms
    deployment = next(cell.deployment for cell in cells if cell.topology.mode is Mode.PRESERVE)

    lines = fixes.changed_lines(CATALOGUE, deployment)

    assert [line for line in lines if line[:2] not in {"- ", "+ "}] == [
        "nginx/preserve.conf.template"
    ]


def test_changed_lines_of_a_server_s_command() -> None:
    cell = next(iter(CATALOGUE.variations["cors-both"].symptoms))

    minus, plus = fixes.changed_lines(CATALOGUE, cell.deployment)

    line = "uvicorn app.plain:app --host 127.0.0.1 --port 8000 --forwarded-allow-ips PROXY"
    assert minus == f"- {line} --root-path /api/v1"
    assert plus == f"+ APPLICATION=app.cors.both {line} --root-path /api/v1"


@pytest.mark.parametrize(
    ("name", "proxy", "lines"),
    [
        ("upstream-ipv6", "nginx", ["- UPSTREAM=127.0.0.1:8000", "+ UPSTREAM=[::1]:8000"]),
        (
            "upstream-unix-socket",
            "nginx",
            ["- UPSTREAM=127.0.0.1:8000", "+ UPSTREAM=unix:/run/app.sock"],
        ),
        (
            "upstream-unix-socket",
            "caddy",
            ["- UPSTREAM=127.0.0.1:8000", "+ UPSTREAM=unix//run/app.sock"],
        ),
        ("public-ipv6", "traefik", ["+ traefik listens at [::1]:443"]),
    ],
)
def test_another_address_is_a_line(name: str, proxy: str, lines: list[str]) -> None:
    cells = CATALOGUE.variations[name].symptoms
    cell = next(cell for cell in cells if cell.topology.proxy == proxy)

    assert fixes.changed_lines(CATALOGUE, cell.deployment)[-len(lines) :] == lines


def test_another_proxy_in_front_is_a_line() -> None:
    cell = next(iter(CATALOGUE.variations["nginx-behind-traefik"].symptoms))

    assert fixes.changed_lines(CATALOGUE, cell.deployment) == [
        "+ traefik in front, with its `preserve` configuration"
    ]


def test_every_variation_that_changes_something_shows_it() -> None:
    for variation in CATALOGUE.variations.values():
        for cell in variation.symptoms:
            changes = variation.changes or variation.outer or variation.listens or variation.public
            own = variation.has_own_command(cell.topology.server)
            assert bool(fixes.changed_lines(CATALOGUE, cell.deployment)) is bool(changes or own)


def test_a_fix_is_never_another_topology() -> None:
    for cell in CATALOGUE.product[::7]:
        found = fixes.smallest_change(CATALOGUE, cell)
        assert found
        assert found.topology == cell.topology
        assert found.deployment.setup == Setup(found.strategy, found.trust)
