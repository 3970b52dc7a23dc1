"""What exists: the topologies, their cells and names, and what starts their applications."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from hoplab.catalogue import Catalogue, load
from hoplab.catalogue.servers import SERVERS, without_settings
from hoplab.catalogue.variations import Variation
from hoplab.cli.options import BadUsage, narrowed
from hoplab.errors import HoplabError
from hoplab.prefix import parse
from hoplab.symptom import Advice
from hoplab.topology import (
    Cell,
    Deployment,
    Mode,
    Profile,
    Scheme,
    Setup,
    Strategy,
    Topology,
    Trust,
)
from hoplab.workspace import Workspace
from tests.catalogue import CATALOGUE, WORKSPACE

CHANGED = Cell(
    Topology("nginx", "uvicorn", Mode.STRIP),
    Strategy.SERVER_OPTION,
    Trust.PROXY,
    Scheme.HTTPS,
    "host-dropped",
)
VARIATION = Variation(
    name="host-dropped",
    suite="contract",
    about="",
    fix="",
    references=[],
    changes=[],
    commands={
        "uvicorn": [
            *("uvicorn", "x:app", "--host", "@host@", "--port", "@port@"),
            *("--trust", "@proxies@", "--at", "@prefix@", "@prefix_decoded@"),
        ]
    },
    outer=None,
    symptoms={CHANGED: {"reach": "unreachable"}},
)
CAFE = parse("/café")


def with_variation(catalogue: Catalogue = CATALOGUE, variation: Variation = VARIATION) -> Catalogue:
    return replace(catalogue, variations={variation.name: variation})


def test_eight_topologies() -> None:
    assert [topology.name for topology in CATALOGUE.topologies] == [
        "traefik-uvicorn-strip",
        "traefik-hypercorn-strip",
        "nginx-uvicorn-strip",
        "nginx-hypercorn-strip",
        "traefik-uvicorn-preserve",
        "traefik-hypercorn-preserve",
        "nginx-uvicorn-preserve",
        "nginx-hypercorn-preserve",
    ]


def test_all_topologies_with_those_that_compose_does_not_have() -> None:
    names = [topology.name for topology in CATALOGUE.all_topologies]

    assert names == [
        f"{proxy}-{server}-{mode}"
        for mode in ("strip", "preserve")
        for proxy in CATALOGUE.proxies
        for server in CATALOGUE.servers
    ]
    main = re.compile(r"(traefik|nginx)-(uvicorn|hypercorn)-.*")
    assert [name for name in names if main.fullmatch(name)] == [
        topology.name for topology in CATALOGUE.topologies
    ]
    assert {"traefik-fastapi-strip", "nginx-fastapi-preserve"} <= set(names)


def test_compose_has_all_but_those_of_no_profile() -> None:
    granian = replace(CATALOGUE.servers["granian"], profile=Profile.NONE)
    catalogue = replace(CATALOGUE, servers={**CATALOGUE.servers, "granian": granian})

    assert CATALOGUE.composed == CATALOGUE.all_topologies
    assert {t.server for t in catalogue.composed} == {"uvicorn", "hypercorn", "fastapi"}
    with pytest.raises(BadUsage, match=r"compose\.yaml does not have granian; use `hoplab matrix`"):
        narrowed(catalogue, None, ["granian"])


@pytest.mark.parametrize(
    ("proxy", "server", "together"),
    [
        (Profile.MAIN, Profile.MAIN, Profile.MAIN),
        (Profile.MORE, Profile.MAIN, Profile.MORE),
        (Profile.MAIN, Profile.MORE, Profile.MORE),
        (Profile.MORE, Profile.NONE, Profile.NONE),
        (Profile.NONE, Profile.MORE, Profile.NONE),
        (Profile.NONE, Profile.MAIN, Profile.NONE),
    ],
)
def test_a_topology_is_where_the_rarer_of_its_two_is(
    proxy: Profile, server: Profile, together: Profile
) -> None:
    topology = CHANGED.topology
    catalogue = replace(
        CATALOGUE,
        proxies={"nginx": replace(CATALOGUE.proxies["nginx"], profile=proxy)},
        servers={"uvicorn": replace(CATALOGUE.servers["uvicorn"], profile=server)},
    )

    assert catalogue.profile(topology) is together
    assert (topology in catalogue.topologies) is (together is Profile.MAIN)
    assert (topology in catalogue.composed) is (together is not Profile.NONE)
    assert topology in catalogue.all_topologies


def test_full_product() -> None:
    product = CATALOGUE.product

    expected = len(CATALOGUE.proxies) * len(CATALOGUE.servers) * 2 * 6 * 3 * 2
    assert len(product) == len(set(product)) == expected
    assert {cell.topology for cell in product} == set(CATALOGUE.all_topologies)
    every = [*product, *CATALOGUE.varied("contract"), *CATALOGUE.varied("cors")]
    assert len({cell.id for cell in every}) == len(every)
    assert not any(cell.variation for cell in product)


def test_a_suite_is_asked_of_its_own_variations() -> None:
    other = replace(VARIATION, name="other", suite="cors")
    cell = replace(CHANGED, variation="other")
    both = replace(
        CATALOGUE,
        variations={
            "host-dropped": VARIATION,
            "other": replace(other, symptoms={cell: {}}),
        },
    )

    assert both.varied("contract") == [CHANGED]
    assert both.varied("cors") == [cell]
    assert both.varied("none") == []
    assert both.product == CATALOGUE.product


def test_a_deployment_and_a_cell_have_their_variation() -> None:
    varied = with_variation()

    assert varied.variation(CHANGED) is varied.variation(CHANGED.deployment) is VARIATION
    assert varied.variation(replace(CHANGED, variation="")) is None


def test_recommended_is_the_recipe_unchanged() -> None:
    every = [*CATALOGUE.product, *CATALOGUE.varied("contract")]
    recommended = [cell for cell in every if CATALOGUE.is_recommended(cell)]

    assert recommended == [
        cell for cell in every if cell in CATALOGUE.recommended_cells(CATALOGUE.all_topologies)
    ]
    assert len(recommended) == 2 * len(CATALOGUE.all_topologies)
    assert not CATALOGUE.is_recommended(CHANGED)
    assert CATALOGUE.recommended(CHANGED.topology) == replace(CHANGED, variation="").deployment


# --- names ---


def test_names_of_a_cell_and_of_what_runs_for_it() -> None:
    assert CHANGED.id == "nginx-uvicorn-strip.server-option.proxy.https+host-dropped"
    assert CHANGED.deployment.name == "nginx-uvicorn-strip.server-option.proxy"
    assert CHANGED.deployment.word == "nginx-uvicorn-strip-server-option-proxy-host-dropped"
    assert replace(CHANGED, variation="").id == "nginx-uvicorn-strip.server-option.proxy.https"
    assert replace(CHANGED, scheme=Scheme.HTTP).deployment == CHANGED.deployment


def test_words_are_different_and_every_configuration_file_takes_them() -> None:
    every = [*CATALOGUE.product, *CATALOGUE.varied("contract"), *CATALOGUE.varied("cors")]
    deployments = {cell.deployment for cell in every}
    words = {deployment.word for deployment in deployments}

    assert len(words) == len(deployments)
    assert all(re.fullmatch(r"[a-z][a-z0-9-]+[a-z0-9]", word) for word in words)


def test_recommended_cells() -> None:
    cells = [cell.id for cell in CATALOGUE.recommended_cells(CATALOGUE.topologies)]

    assert cells == [
        f"{proxy}-{name}.{scheme}"
        for names in (
            ("uvicorn-strip.server-option.proxy", "hypercorn-strip.forwarded-prefix.proxy"),
            ("uvicorn-preserve.forwarded-prefix.proxy", "hypercorn-preserve.server-option.proxy"),
        )
        for proxy in ("traefik", "nginx")
        for name in names
        for scheme in ("http", "https")
    ]
    assert len(set(cells)) == 16


def test_recommended_cells_of_some() -> None:
    cells = CATALOGUE.recommended_cells([Topology("nginx", "uvicorn", Mode.STRIP)])

    assert [cell.id for cell in cells] == [
        "nginx-uvicorn-strip.server-option.proxy.http",
        "nginx-uvicorn-strip.server-option.proxy.https",
    ]


# --- the prefix ---


def test_every_cell_has_the_catalogue_s_prefix() -> None:
    catalogue = load(WORKSPACE, CAFE)
    cells = [
        *catalogue.product,
        *catalogue.varied("contract"),
        *catalogue.varied("cors"),
        *catalogue.recommended_cells(catalogue.topologies),
    ]

    assert {cell.prefix for cell in cells} == {CAFE}
    assert {cell.deployment.prefix for cell in cells} == {CAFE}
    assert {catalogue.recommended(t).prefix for t in catalogue.all_topologies} == {CAFE}
    assert [cell.id for cell in catalogue.product] == [cell.id for cell in CATALOGUE.product]


def test_a_cell_of_another_prefix_is_none_of_the_recipes() -> None:
    [cell, _] = CATALOGUE.recommended_cells([CHANGED.topology])

    assert CATALOGUE.is_recommended(cell)
    assert not CATALOGUE.is_recommended(replace(cell, prefix=CAFE))


@pytest.mark.parametrize(("mode", "expected"), [(Mode.STRIP, ""), (Mode.PRESERVE, "/caf%C3%A9")])
def test_what_of_the_prefix_arrives(mode: Mode, expected: str) -> None:
    topology = replace(CHANGED.topology, mode=mode)

    assert Deployment(topology, CHANGED.deployment.setup, "", CAFE).upstream_prefix == expected


def deployment(server: str, strategy: Strategy) -> Deployment:
    return Deployment(Topology("nginx", server, Mode.STRIP), Setup(strategy, Trust.PROXY))


@pytest.mark.parametrize("strategy", [Strategy.MOUNT, Strategy.ROUTER])
def test_a_parameter_in_a_route_is_refused(strategy: Strategy) -> None:
    catalogue = replace(CATALOGUE, prefix=parse("/a{b}"))

    assert catalogue.refusal(deployment("uvicorn", strategy)) == (
        f"the strategy {strategy} can't have the prefix /a{{b}}:"
        " Starlette takes {…} in a route's path for a parameter."
    )
    assert CATALOGUE.refusal(deployment("uvicorn", strategy)) is None


def test_a_proxy_and_a_server_can_refuse_a_prefix() -> None:
    refuses = {r"\$": "a dollar is a variable.", "never": "x"}
    nginx = replace(CATALOGUE.proxies["nginx"], refuses=refuses)
    hypercorn = replace(CATALOGUE.servers["hypercorn"], refuses={"%": "it decodes nothing."})
    mine = replace(
        CATALOGUE,
        proxies={**CATALOGUE.proxies, "nginx": nginx},
        servers={**CATALOGUE.servers, "hypercorn": hypercorn},
    )
    dollar, cafe = (replace(mine, prefix=parse(text)) for text in ("/a$b", "/café"))

    one = deployment("hypercorn", Strategy.NONE)
    assert dollar.refusal(one) == "nginx can't have the prefix /a$b: a dollar is a variable."
    assert cafe.refusal(one) == "hypercorn can't have the prefix /café: it decodes nothing."
    assert cafe.refusal(deployment("uvicorn", Strategy.NONE)) is None
    assert mine.refusal(one) is None


# --- command lines and their variables ---


def command(server: str, strategy: Strategy = Strategy.SERVER_OPTION) -> str:
    one = deployment(server, strategy)
    return " ".join(CATALOGUE.server_command(one, "127.0.0.1:8000", "10.9.0.0/24"))


@pytest.mark.parametrize(
    ("server", "variation", "expected"),
    [
        (
            "uvicorn",
            "host-dropped",
            "uvicorn x:app --host 127.0.0.1 --port 8000 --trust 10.9.0.1 --at /api/v1 /api/v1",
        ),
        ("uvicorn", "", command("uvicorn")),
        ("hypercorn", "host-dropped", command("hypercorn")),
        ("fastapi", "", command("fastapi")),
    ],
)
def test_a_variation_may_have_a_command_line_of_its_own(
    server: str, variation: str, expected: str
) -> None:
    one = replace(deployment(server, Strategy.SERVER_OPTION), variation=variation)
    proxies = "10.9.0.1" if "--trust" in expected else "10.9.0.0/24"

    assert " ".join(with_variation().server_command(one, "127.0.0.1:8000", proxies)) == expected


def test_a_command_line_has_the_prefix_as_it_needs_it() -> None:
    catalogue = with_variation(replace(CATALOGUE, prefix=CAFE))
    own = catalogue.server_command(CHANGED.deployment, "::1:80", "::1")
    uvicorn, hypercorn = (
        catalogue.server_command(deployment(name, Strategy.SERVER_OPTION), "::1:80", "::1")
        for name in ("uvicorn", "hypercorn")
    )

    assert own[2:6] == ["--host", "::1", "--port", "80"]
    assert own[-2:] == ["/caf%C3%A9", "/café"]
    assert uvicorn[-2:] == ["--root-path", "/caf%C3%A9"]
    assert hypercorn[-2:] == ["--root-path", "/café"]


def test_variables_of_a_command_line() -> None:
    uvicorn, hypercorn = (
        deployment(name, Strategy.SERVER_OPTION) for name in ("uvicorn", "hypercorn")
    )
    cafe = replace(CATALOGUE, prefix=CAFE)
    varied = with_variation(cafe, replace(VARIATION, application="app.cors.both"))

    assert CATALOGUE.server_environment(uvicorn, "10.9.0.1") == {}
    assert CATALOGUE.server_environment(hypercorn, "10.9.0.1") == {
        "FORWARDED_ALLOW_IPS": "10.9.0.1"
    }
    assert cafe.server_environment(uvicorn, "10.9.0.1") == {"PUBLIC_PREFIX": "/caf%C3%A9"}
    assert varied.server_environment(CHANGED.deployment, "10.9.0.1") == {
        "PUBLIC_PREFIX": "/caf%C3%A9",
        "APPLICATION": "app.cors.both",
    }


def test_what_servers_read_in_the_environment_is_left_out() -> None:
    kept = {"PATH": "/bin", "HOME": "/root", "APPLICATION_NAME": "a person's own"}
    settings = {f"{name}X": "1" for server in SERVERS.values() for name in server.settings}
    own = dict.fromkeys(
        ("FORWARDED_ALLOW_IPS", "WEB_CONCURRENCY", "PUBLIC_PREFIX", "APPLICATION"), "x"
    )

    assert "UVICORN_X" in settings
    assert without_settings({**kept, **own, **settings}) == kept


# --- where it is ---


def test_advice_is_that_of_every_proxy_and_server() -> None:
    assert set(CATALOGUE.advice) == {*CATALOGUE.proxies, *CATALOGUE.servers}
    for owner in (CATALOGUE.proxies["nginx"], CATALOGUE.servers["fastapi"]):
        assert CATALOGUE.advice[owner.name].keys() == owner.advice.keys()


def test_advice_names_the_prefix() -> None:
    advice = {"unreachable": Advice("Use {prefix}, not {hostport}.", "{prefix}", ("https://a",))}
    nginx = replace(CATALOGUE.proxies["nginx"], advice=advice)

    catalogue = replace(CATALOGUE, prefix=CAFE, proxies={"nginx": nginx})

    assert catalogue.advice["nginx"] == {
        "unreachable": Advice("Use /caf%C3%A9, not {hostport}.", "/caf%C3%A9", ("https://a",))
    }


def test_advice_on_a_symptom_joins_those_that_say_the_same() -> None:
    same, other = Advice("Wait."), Advice("Go.")
    proxies = {
        name: replace(CATALOGUE.proxies["nginx"], name=name, advice=advice)
        for name, advice in (("one", {"x": same}), ("two", {"x": other}), ("three", {}))
    }
    server = replace(CATALOGUE.servers["uvicorn"], name="four", advice={"x": same})
    catalogue = replace(CATALOGUE, proxies=proxies, servers={"four": server})

    assert catalogue.advice_on("x") == {"one, four": same, "two": other}
    assert catalogue.advice_on("y") == {}


def test_no_proxies_say_how_to_get_some(tmp_path: Path) -> None:
    with pytest.raises(HoplabError, match="that is no lab; `hoplab init` writes one") as caught:
        load(Workspace(tmp_path))

    assert str(tmp_path) in str(caught.value)


def test_a_placeholder_that_a_variation_s_command_can_not_have() -> None:
    variation = CATALOGUE.variations["root-path-slash"]
    cell = next(iter(variation.symptoms))
    server = cell.topology.server
    wrong = replace(variation, commands={server: ["x", "@prt@"]})
    catalogue = replace(CATALOGUE, variations={variation.name: wrong})

    with pytest.raises(HoplabError, match=r"^variations/contract/root-path-slash.toml: .*@prt@"):
        catalogue.server_command(cell.deployment, "127.0.0.1:1", "127.0.0.1")
