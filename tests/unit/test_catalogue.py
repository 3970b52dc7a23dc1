"""What exists: the proxies' folders, the servers' command lines, the topologies and their cells."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from hoplab.catalogue import Catalogue, ConfigurationFile, load
from hoplab.catalogue.servers import SERVERS, believed
from hoplab.catalogue.variations import Variation
from hoplab.errors import HoplabError
from hoplab.topology import Cell, Deployment, Mode, Recipe, Scheme, Strategy, Topology, Trust

PROXY_TOML = """\
version = ["caddy", "version"]
minimum = "2.7"
[docker]
image = "caddy:2.11"
image_variable = "CADDY_IMAGE"
ports = {http = 80, https = 443}
[process]
command = ["caddy", "run", "--config", "{run}/caddyfile"]
[[process.files]]
source = "{folder}/{mode}.caddyfile"
output = "{run}/caddyfile"
replace = {app = "{word}"}
"""

CHANGED = Cell(
    Topology("nginx", "uvicorn", Mode.STRIP),
    Strategy.SERVER_OPTION,
    Trust.PROXY,
    Scheme.HTTPS,
    "host-dropped",
)
VARIATION = Variation(
    name="host-dropped",
    about="",
    fix="",
    references=[],
    changes=[],
    commands={
        "uvicorn": [
            "uvicorn",
            "x:app",
            "--host",
            "{host}",
            "--port",
            "{port}",
            "--trust",
            "{proxies}",
        ]
    },
    outer=None,
    symptoms={CHANGED: {"reach": "unreachable"}},
)


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return load()


def test_eight_topologies(catalogue: Catalogue) -> None:
    assert [topology.name for topology in catalogue.topologies] == [
        "traefik-uvicorn-strip",
        "traefik-hypercorn-strip",
        "nginx-uvicorn-strip",
        "nginx-hypercorn-strip",
        "traefik-uvicorn-preserve",
        "traefik-hypercorn-preserve",
        "nginx-uvicorn-preserve",
        "nginx-hypercorn-preserve",
    ]


def test_twelve_topologies_with_those_that_compose_does_not_have(catalogue: Catalogue) -> None:
    names = [topology.name for topology in catalogue.all_topologies]

    assert names == [
        f"{proxy}-{server}-{mode}"
        for mode in ("strip", "preserve")
        for proxy in ("traefik", "nginx")
        for server in ("uvicorn", "hypercorn", "fastapi")
    ]
    assert [name for name in names if "fastapi" not in name] == [
        topology.name for topology in catalogue.topologies
    ]


def test_full_product(catalogue: Catalogue) -> None:
    product = [cell for cell in catalogue.cells if not cell.variation]

    assert len(product) == len(set(product)) == 2 * 3 * 2 * 6 * 3 * 2
    assert {cell.topology for cell in product} == set(catalogue.all_topologies)
    assert len({cell.id for cell in catalogue.cells}) == len(catalogue.cells)


def test_cells_of_variations_follow_the_product(catalogue: Catalogue) -> None:
    varied = replace(catalogue, variations={VARIATION.name: VARIATION})

    assert varied.cells[432:] == [CHANGED]
    assert varied.cells[:432] == [cell for cell in catalogue.cells if not cell.variation]


def test_recommended_is_the_recipe_unchanged(catalogue: Catalogue) -> None:
    recommended = [cell for cell in catalogue.cells if catalogue.is_recommended(cell)]

    assert recommended == [
        cell
        for cell in catalogue.cells
        if cell in catalogue.recommended_cells(catalogue.all_topologies)
    ]
    assert len(recommended) == 24
    assert not catalogue.is_recommended(CHANGED)
    assert catalogue.recommended(CHANGED.topology) == replace(CHANGED, variation="").deployment


# --- names ---


def test_names_of_a_cell_and_of_what_runs_for_it() -> None:
    assert CHANGED.id == "nginx-uvicorn-strip.server-option.proxy.https+host-dropped"
    assert CHANGED.deployment.name == "nginx-uvicorn-strip.server-option.proxy"
    assert CHANGED.deployment.word == "nginx-uvicorn-strip-server-option-proxy-host-dropped"
    assert replace(CHANGED, variation="").id == "nginx-uvicorn-strip.server-option.proxy.https"
    assert replace(CHANGED, scheme=Scheme.HTTP).deployment == CHANGED.deployment


def test_words_are_different_and_no_file_minds_them(catalogue: Catalogue) -> None:
    deployments = {cell.deployment for cell in catalogue.cells}
    words = {deployment.word for deployment in deployments}

    assert len(words) == len(deployments)
    assert all(re.fullmatch(r"[a-z][a-z0-9-]+[a-z0-9]", word) for word in words)


def test_recommended_cells(catalogue: Catalogue) -> None:
    cells = [cell.id for cell in catalogue.recommended_cells(catalogue.topologies)]

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


def test_recommended_cells_of_some(catalogue: Catalogue) -> None:
    cells = catalogue.recommended_cells([Topology("nginx", "uvicorn", Mode.STRIP)])

    assert [cell.id for cell in cells] == [
        "nginx-uvicorn-strip.server-option.proxy.http",
        "nginx-uvicorn-strip.server-option.proxy.https",
    ]


def test_proxies_have_the_files_that_their_commands_name(catalogue: Catalogue) -> None:
    for proxy in catalogue.proxies.values():
        for mode in Mode:
            for file in proxy.files:
                assert Path(file.source.format(folder=proxy.folder, mode=mode)).is_file()
        outputs = [file.output for file in proxy.files]
        assert any(output in argument for output in outputs for argument in proxy.command)


# --- proxy.toml ---


def a_project(folder: Path, content: str) -> Path:
    (folder / "caddy").mkdir()
    file = folder / "caddy" / "proxy.toml"
    file.write_text(content)
    return file


def test_another_proxy_is_a_folder_and_nothing_else(tmp_path: Path) -> None:
    a_project(tmp_path, PROXY_TOML)

    catalogue = load(tmp_path)

    proxy = catalogue.proxies["caddy"]
    assert (proxy.name, proxy.folder) == ("caddy", tmp_path / "caddy")
    assert proxy.container_ports == {Scheme.HTTP: 80, Scheme.HTTPS: 443}
    assert (proxy.minimum, proxy.command[-1]) == ("2.7", "{run}/caddyfile")
    assert proxy.files == [
        ConfigurationFile(
            "{folder}/{mode}.caddyfile", "{run}/caddyfile", [], {"app": "{word}"}, {}, {}
        )
    ]
    assert [topology.name for topology in catalogue.topologies] == [
        "caddy-uvicorn-strip",
        "caddy-hypercorn-strip",
        "caddy-uvicorn-preserve",
        "caddy-hypercorn-preserve",
    ]


@pytest.mark.parametrize(
    "missing",
    [
        "version",
        "minimum",
        "docker",
        "image",
        "image_variable",
        "ports",
        "https",
        "process",
        "command",
        "files",
        "source",
        "output",
        "replace",
    ],
)
def test_what_a_proxy_toml_lacks_is_named(tmp_path: Path, missing: str) -> None:
    file = a_project(tmp_path, re.sub(rf"\b{missing}(?= =|\]|\.f)", "other", PROXY_TOML))

    with pytest.raises(HoplabError) as caught:
        load(tmp_path)

    assert str(caught.value) == f"{file} lacks {missing!r}."


@pytest.mark.parametrize(
    "content",
    [
        pytest.param("version = ", id="no value"),
        pytest.param("version: [caddy]", id="YAML"),
        pytest.param(b"\xff\xfe", id="not UTF-8"),
    ],
)
def test_file_that_is_no_toml_is_named(tmp_path: Path, content: str | bytes) -> None:
    file = a_project(tmp_path, "")
    file.write_bytes(content if isinstance(content, bytes) else content.encode())

    with pytest.raises(HoplabError, match="is not TOML") as caught:
        load(tmp_path)

    assert str(file) in str(caught.value)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        pytest.param("[docker]\n", 'docker = "caddy:2.11"\n[x]\n', id="docker is no table"),
        pytest.param("{http = 80, https = 443}", "[80, 443]", id="ports is no table"),
        pytest.param("[[process.files]]", "[process.files]", id="files is one table"),
    ],
)
def test_wrong_type_in_proxy_toml_names_the_file(tmp_path: Path, old: str, new: str) -> None:
    file = a_project(tmp_path, PROXY_TOML.replace(old, new))

    with pytest.raises(HoplabError) as caught:
        load(tmp_path)

    assert str(file) in str(caught.value)


def test_no_proxies_say_where_hoplab_runs(tmp_path: Path) -> None:
    with pytest.raises(HoplabError, match="hoplab runs in a clone of its repository") as caught:
        load(tmp_path)

    assert str(tmp_path) in str(caught.value)


# --- the servers' command lines ---


def command(server: str, strategy: Strategy, trust: Trust) -> str:
    spec = SERVERS[server]
    return " ".join(spec.command(Recipe(strategy, trust), "127.0.0.1:8000", "10.9.0.0/24"))


@pytest.mark.parametrize(
    ("strategy", "module", "option"),
    [
        (Strategy.NONE, "app.plain", ""),
        (Strategy.SERVER_OPTION, "app.plain", " --root-path /api/v1"),
        (Strategy.APP_ARGUMENT, "app.app_argument", ""),
        (Strategy.MOUNT, "app.mount", ""),
        (Strategy.ROUTER, "app.router", ""),
        (Strategy.FORWARDED_PREFIX, "app.forwarded_prefix", ""),
    ],
)
def test_strategies(strategy: Strategy, module: str, option: str) -> None:
    assert command("uvicorn", strategy, Trust.PROXY) == (
        f"uvicorn {module}:app --host 127.0.0.1 --port 8000"
        f" --forwarded-allow-ips 10.9.0.0/24{option}"
    )
    inside = strategy is Strategy.FORWARDED_PREFIX
    assert command("fastapi", strategy, Trust.PROXY) == (
        f"fastapi run --entrypoint {module}:{'with_middleware' if inside else 'app'}"
        f" --host 127.0.0.1 --port 8000 --forwarded-allow-ips 10.9.0.0/24{option}"
    )
    assert command("hypercorn", strategy, Trust.PROXY) == (
        f"hypercorn app.proxied.{module[4:]}:app --bind 127.0.0.1:8000 --workers 0{option}"
    )


@pytest.mark.parametrize(
    ("trust", "option", "application", "allowed"),
    [
        (Trust.NONE, "--no-proxy-headers", "app.plain", ""),
        (Trust.PROXY, "--forwarded-allow-ips 10.9.0.0/24", "app.proxied.plain", "10.9.0.0/24"),
        (Trust.ANY, "--forwarded-allow-ips *", "app.proxied.plain", "*"),
    ],
)
def test_trust(trust: Trust, option: str, application: str, allowed: str) -> None:
    uvicorn = command("uvicorn", Strategy.NONE, trust)
    fastapi = command("fastapi", Strategy.NONE, trust)
    hypercorn = command("hypercorn", Strategy.NONE, trust)

    assert uvicorn == f"uvicorn app.plain:app --host 127.0.0.1 --port 8000 {option}"
    assert fastapi.endswith(f" app.plain:app --host 127.0.0.1 --port 8000 {option}")
    assert hypercorn.split()[1] == f"{application}:app"
    assert believed(trust, "10.9.0.0/24") == allowed
    assert {name: each.environment(trust, "10.9.0.0/24") for name, each in SERVERS.items()} == {
        "uvicorn": {},
        "hypercorn": {"FORWARDED_ALLOW_IPS": allowed},
        "fastapi": {},
    }


@pytest.mark.parametrize("server", ["uvicorn", "fastapi"])
def test_bind_may_be_ipv6(server: str) -> None:
    options = SERVERS[server].command(Recipe(Strategy.NONE, Trust.NONE), "::1:8000", "")

    assert " --host ::1 --port 8000 " in " ".join(options)


@pytest.mark.parametrize(
    ("server", "variation", "expected"),
    [
        ("uvicorn", "host-dropped", "uvicorn x:app --host 127.0.0.1 --port 8000 --trust 10.9.0.1"),
        ("uvicorn", "", command("uvicorn", Strategy.SERVER_OPTION, Trust.PROXY)),
        ("hypercorn", "host-dropped", command("hypercorn", Strategy.SERVER_OPTION, Trust.PROXY)),
        ("fastapi", "", command("fastapi", Strategy.SERVER_OPTION, Trust.PROXY)),
    ],
)
def test_a_variation_may_have_a_command_line_of_its_own(
    catalogue: Catalogue, server: str, variation: str, expected: str
) -> None:
    varied = replace(catalogue, variations={VARIATION.name: VARIATION})
    deployment = Deployment(
        Topology("nginx", server, Mode.STRIP), CHANGED.deployment.recipe, variation
    )
    proxies = "10.9.0.1" if "--trust" in expected else "10.9.0.0/24"

    assert " ".join(varied.server_command(deployment, "127.0.0.1:8000", proxies)) == expected


def test_every_server_has_a_recipe_for_every_mode() -> None:
    assert all(set(server.recipes) == set(Mode) for server in SERVERS.values())
    assert all(name == server.name for name, server in SERVERS.items())
