"""What exists: the proxies' folders, the servers' command lines, the topologies and their cells."""

from pathlib import Path

import pytest

from hoplab.catalogue import Catalogue, load
from hoplab.errors import HoplabError
from hoplab.servers import SERVERS
from hoplab.topology import Mode, Recipe, Scheme, Strategy, Topology, Trust

PROXY_TOML = """\
version = ["caddy", "version"]
[docker]
image = "caddy:2.11"
image_variable = "CADDY_IMAGE"
ports = {http = 80, https = 443}
[process]
command = ["caddy", "run", "--config", "{folder}/{mode}.caddyfile"]
working_directory = "{run}"
"""


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
            named = [proxy.template, *proxy.command, proxy.working_directory]
            for text in filter(None, named):
                path = text.removeprefix("--configFile=")
                if path.startswith("{folder}"):
                    assert Path(path.format(folder=proxy.folder, mode=mode)).exists()


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
    assert (proxy.sockets, proxy.template, proxy.output) == ([], None, None)
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
        "docker",
        "image",
        "image_variable",
        "ports",
        "https",
        "process",
        "command",
        "working_directory",
    ],
)
def test_what_a_proxy_toml_lacks_is_named(tmp_path: Path, missing: str) -> None:
    file = a_project(
        tmp_path,
        PROXY_TOML.replace(f"[{missing}]", f"[x{missing}]")
        .replace(f"\n{missing} =", f"\nx{missing} =")
        .replace(f", {missing} =", f", x{missing} =")
        .replace(
            'version = ["caddy"', ("x" if missing == "version" else "") + 'version = ["caddy"'
        ),
    )

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
    assert command("hypercorn", strategy, Trust.PROXY) == (
        f"hypercorn {module}:proxied --bind 127.0.0.1:8000 --workers 0 --access-logfile -{option}"
    )


@pytest.mark.parametrize(
    ("trust", "option", "application"),
    [
        (Trust.NONE, "--no-proxy-headers", "app"),
        (Trust.PROXY, "--forwarded-allow-ips 10.9.0.0/24", "proxied"),
        (Trust.ANY, "--forwarded-allow-ips *", "proxied"),
    ],
)
def test_trust(trust: Trust, option: str, application: str) -> None:
    uvicorn = command("uvicorn", Strategy.NONE, trust)
    hypercorn = command("hypercorn", Strategy.NONE, trust)

    assert uvicorn == f"uvicorn app.plain:app --host 127.0.0.1 --port 8000 {option}"
    assert hypercorn.split()[1] == f"app.plain:{application}"


def test_bind_may_be_ipv6() -> None:
    spec = SERVERS["uvicorn"]

    options = spec.command(Recipe(Strategy.NONE, Trust.NONE), "::1:8000", "")

    assert options[2:6] == ["--host", "::1", "--port", "8000"]


def test_every_server_has_a_recipe_for_every_mode() -> None:
    assert all(set(server.recipes) == set(Mode) for server in SERVERS.values())
    assert all(name == server.name for name, server in SERVERS.items())
