"""compose.yaml is written by hand for people; here it is held against the catalogue.

So are the other files that repeat something: the proxies' own, the Dockerfile, the lock files.
"""

import json
import re
import tomllib
from collections.abc import Sequence
from typing import Any, TypeAlias

import pytest
import yaml

from hoplab.catalogue.placeholders import filled
from hoplab.catalogue.proxies import Proxy
from hoplab.engines.docker import APP_PORT, OWN_SUBNET, app_service
from hoplab.engines.published import ports, variable
from hoplab.topology import Mode, Profile, Scheme, Topology
from tests.catalogue import CATALOGUE, ROOT, WORKSPACE

Service: TypeAlias = dict[str, Any]

COMPOSED = CATALOGUE.composed
APPS = {app_service(topology): topology for topology in COMPOSED}
PROXIES = {topology.name: topology for topology in COMPOSED}
MAIN, MORE = Profile.MAIN, Profile.MORE
PREFIX = "/api/v1"
SUBNET = OWN_SUBNET

_VARIABLE = re.compile(r"\$\{(\w+):?-((?:[^{}$]|\$\{[^}]*\})*)\}")


def interpolated(value: Any) -> Any:
    """As Compose reads it with nothing in the environment; a default may be another variable."""
    if isinstance(value, str):
        while (read := _VARIABLE.sub(lambda match: match[2], value)) != value:
            value = read
        return value
    if isinstance(value, dict):
        return {key: interpolated(item) for key, item in value.items()}
    if isinstance(value, list):
        return [interpolated(item) for item in value]
    return value


TEXT = (ROOT / "compose.yaml").read_text()
WRITTEN: dict[str, Any] = yaml.safe_load(TEXT)  # resolves anchors and merge keys
COMPOSE: dict[str, Any] = interpolated(WRITTEN)
SERVICES: dict[str, Service] = COMPOSE["services"]

every_service = pytest.mark.parametrize("name", SERVICES)
every_app = pytest.mark.parametrize(("name", "topology"), APPS.items(), ids=APPS)
every_proxy = pytest.mark.parametrize(("name", "topology"), PROXIES.items(), ids=PROXIES)


def test_services_are_those_of_the_catalogue() -> None:
    assert set(SERVICES) == {"help", *APPS, *PROXIES}
    assert len(SERVICES) == 1 + len(APPS) + len(PROXIES)
    main = {app_service(topology) for topology in CATALOGUE.topologies}
    assert (len(main), len(CATALOGUE.topologies)) == (4, 8)


def profiles(topologies: Sequence[Topology]) -> set[str]:
    """Those in which these are: a main one's is its mode, any other's is `more`."""
    return {
        topology.mode.value if CATALOGUE.profile(topology) is MAIN else MORE.value
        for topology in topologies
    }


@every_proxy
def test_profile_is_the_mode_or_more(name: str, topology: Topology) -> None:
    assert SERVICES[name]["profiles"] == [*profiles([topology])]


@every_app
def test_an_application_is_in_the_profiles_of_its_proxies(name: str, topology: Topology) -> None:
    served = [t for t in COMPOSED if app_service(t) == app_service(topology)]

    assert set(SERVICES[name]["profiles"]) == profiles(served)
    assert len(set(SERVICES[name]["profiles"])) == len(SERVICES[name]["profiles"])


def test_help_is_in_a_profile_of_its_own() -> None:
    assert SERVICES["help"]["profiles"] == ["help"]


def test_help_builds_nothing() -> None:
    assert "build" not in SERVICES["help"]
    assert SERVICES["help"]["image"] == SERVICES["uvicorn-strip"]["build"]["args"]["PYTHON_IMAGE"]


def test_without_a_profile_compose_says_what_there_is() -> None:
    assert "COMPOSE_PROFILES=help" in (ROOT / ".env").read_text().splitlines()
    said = SERVICES["help"]["command"][-1]
    compile(said, "help", "exec")
    for mode in Mode:
        assert f"make up-{mode} " in said
    assert SERVICES["help"]["network_mode"] == "none"


# --- the applications ---


@every_app
def test_application_runs_its_recipe(name: str, topology: Topology) -> None:
    server = CATALOGUE.servers[topology.server]
    command = CATALOGUE.server_command(
        CATALOGUE.recommended(topology), f"0.0.0.0:{APP_PORT}", SUBNET
    )

    # The options that only log may stand anywhere.
    written = SERVICES[name]["command"]
    assert without(written, server.log_requests) == command


def without(words: list[str], part: Sequence[str]) -> list[str]:
    """Words without these, which have to stand there in this order, once."""
    at = [i for i in range(len(words)) if words[i : i + len(part)] == [*part]] if part else [0]
    [start] = at
    return [*words[:start], *words[start + len(part) :]]


@every_app
def test_application_is_reached_by_the_proxies_alone(name: str, topology: Topology) -> None:
    assert topology.name in PROXIES
    service = SERVICES[name]

    assert "ports" not in service
    assert "network_mode" not in service
    assert service["networks"] == ["backend"]


@every_app
def test_application_names_itself_and_trusts_the_backend(name: str, topology: Topology) -> None:
    needed = CATALOGUE.server_environment(CATALOGUE.recommended(topology), SUBNET)

    assert SERVICES[name]["environment"] == {
        "INSTANCE_NONCE": f"hoplab.{name}",
        "DOCS_OFFLINE": "0",
        "APPLICATION": "",
        "PUBLIC_PREFIX": PREFIX,
        **needed,
    }


@every_app
def test_application_is_asked_for_what_its_proxy_will_ask(name: str, topology: Topology) -> None:
    path = "/app" if topology.mode is Mode.STRIP else f"{PREFIX}/app"

    test = SERVICES[name]["healthcheck"]["test"]

    assert test[:2] == ["CMD", "python"]
    assert "healthcheck" in test[-2]
    assert test[-1] == path


def test_networks() -> None:
    networks = COMPOSE["networks"]

    assert set(networks) == {"edge", "backend"}
    assert networks["backend"] == {"internal": True, "ipam": {"config": [{"subnet": SUBNET}]}}
    assert not networks["edge"]


# --- the proxies ---


@every_proxy
def test_proxy_image_is_that_of_its_folder(name: str, topology: Topology) -> None:
    proxy = CATALOGUE.proxies[topology.proxy]

    written = WRITTEN["services"][name]["image"]

    assert written == f"${{{proxy.image_variable}:-{proxy.image}}}"


@every_proxy
def test_proxy_publishes_its_ports_on_loopback_only(name: str, topology: Topology) -> None:
    proxy = CATALOGUE.proxies[topology.proxy]
    own = ports(WORKSPACE, [topology])[topology]

    assert WRITTEN["services"][name]["ports"] == [
        f"127.0.0.1:${{{variable(topology, scheme)}:-{own[scheme]}}}"
        f":{proxy.container_ports[scheme]}"
        for scheme in Scheme
    ]


def test_published_ports_are_all_different() -> None:
    own = ports(WORKSPACE, COMPOSED)
    published = [port for mapping in own.values() for port in mapping.values()]

    assert len(set(published)) == len(published) == 2 * len(COMPOSED) >= 16
    assert own[PROXIES["traefik-uvicorn-strip"]] == {
        Scheme.HTTP: 9999,  # as in FastAPI's guide
        Scheme.HTTPS: 9499,
    }


@every_service
def test_only_proxies_publish(name: str) -> None:
    assert ("ports" in SERVICES[name]) == (name in PROXIES)


@every_proxy
def test_proxy_is_on_both_networks(name: str, topology: Topology) -> None:
    assert topology.name == name
    assert sorted(SERVICES[name]["networks"]) == ["backend", "edge"]


@every_proxy
def test_proxy_waits_for_its_own_application(name: str, topology: Topology) -> None:
    application = app_service(topology)

    assert SERVICES[name]["depends_on"] == {
        application: {"condition": "service_healthy", "restart": True}
    }
    assert SERVICES[name]["environment"]["UPSTREAM"] == f"{application}:{APP_PORT}"


@every_proxy
def test_proxy_health_is_an_answer_of_the_application(name: str, topology: Topology) -> None:
    port = CATALOGUE.proxies[topology.proxy].container_ports[Scheme.HTTP]

    test = SERVICES[name]["healthcheck"]["test"]

    assert test[0] == "CMD"
    assert test[-1] == f"http://127.0.0.1:{port}{PREFIX}/app"


@every_proxy
def test_proxy_reads_the_files_of_its_mode(name: str, topology: Topology) -> None:
    service = SERVICES[name]
    proxy = CATALOGUE.proxies[topology.proxy]
    mounts = {volume["target"]: volume["source"] for volume in service["volumes"]}

    assert mounts.pop("/certificates") == "./certificates"
    if topology.proxy == "traefik":
        assert mounts == {"/etc/traefik": "./traefik"}
        assert service["working_dir"] == f"/etc/traefik/{topology.mode}"
        assert service["command"] == ["--configFile=/etc/traefik/traefik.toml"]
        return
    # Its files, and no other of the folder.
    sources = proxy.sources(topology.mode)
    assert [*mounts.values()] == [f"./{source.relative_to(ROOT)}" for source in sources]
    target, included = mounts
    assert included == f"/etc/{topology.proxy}/{sources[1].name}"
    if topology.proxy == "nginx":
        assert target == "/etc/nginx/templates/nginx.conf.template"
        assert "-c" in service["command"]
        output = service["environment"]["NGINX_ENVSUBST_OUTPUT_DIR"]
        assert f"{output}/nginx.conf" in service["command"]
        assert any(mount.startswith(f"{output}:") for mount in service["tmpfs"])
    else:
        assert target in service["command"]


@every_proxy
def test_proxy_is_started_as_its_folder_says(name: str, topology: Topology) -> None:
    """The command line's options are those of the process, but for where the file is."""
    proxy = CATALOGUE.proxies[topology.proxy]
    fields = {"program": "", "run": "", "user": "", "group": ""}
    process = [filled(argument, fields) for argument in proxy.command[1:]]
    options = {argument.partition("=")[0] for argument in process if argument.startswith("-")}

    written = {a.partition("=")[0] for a in SERVICES[name]["command"] if a.startswith("-")}

    # nginx's -p is the folder of the process's own run.
    assert written == options - {"-p"}


@every_proxy
def test_proxy_is_told_what_its_files_ask_for(name: str, topology: Topology) -> None:
    proxy = CATALOGUE.proxies[topology.proxy]
    text = "\n".join(file.read_text() for file in proxy.sources(topology.mode))
    code = re.sub(r"(?m)(^|\s)#.*$", "", text)
    # Traefik's templates, nginx's (envsubst), Caddy's: {$NAME}, or {$NAME:default}.
    asked = {
        *re.findall(r'env "(\w+)"', code),
        *re.findall(r"\$\{([A-Z_]+)\}", code),
        *re.findall(r"\{\$([A-Z_]+)\}", code),
    }
    optional = set(re.findall(r"\{\$([A-Z_]+):", code))

    environment = SERVICES[name]["environment"]

    assert {"UPSTREAM", "TLS_CERTIFICATE", "TLS_KEY", "PUBLIC_PREFIX"} <= asked
    assert not optional & set(environment)
    assert asked == set(environment) - {"NGINX_ENVSUBST_OUTPUT_DIR"}
    assert environment["TLS_CERTIFICATE"] == "/certificates/server.pem"
    assert environment["TLS_KEY"] == "/certificates/server.key"
    assert environment["PUBLIC_PREFIX"] == environment.get("PUBLIC_PREFIX_DECODED", PREFIX)
    assert environment["PUBLIC_PREFIX"] == PREFIX


def test_the_decoded_prefix_is_the_encoded_one_unless_it_is_told() -> None:
    """Compose can't decode: for most prefixes one variable is enough. Empty, there is none."""
    expected = "${PUBLIC_PREFIX_DECODED-${PUBLIC_PREFIX-/api/v1}}"
    written = re.findall(r"\$\{PUBLIC_PREFIX_DECODED[^\n\"]*", TEXT)

    assert written
    assert set(written) == {expected}
    assert set(re.findall(r"(?<!-)\$\{PUBLIC_PREFIX\b[^}]*\}", TEXT)) == {
        "${PUBLIC_PREFIX-/api/v1}"
    }


@pytest.mark.parametrize("name", PROXIES)
def test_proxy_listens_on_the_container_ports(name: str) -> None:
    """By a variable of its own, or by a file that it gets."""
    proxy = CATALOGUE.proxies[PROXIES[name].proxy]
    variables = {key: str(value) for key, value in SERVICES[name]["environment"].items()}
    files = "".join(file.read_text() for file in proxy.sources(PROXIES[name].mode))

    for scheme, port in proxy.container_ports.items():
        named = [key for key, value in variables.items() if value == str(port)]
        assert any(key in files for key in named) or f'":{port}"' in files, scheme


def test_traefik_listens_on_the_container_ports() -> None:
    proxy = CATALOGUE.proxies["traefik"]
    static = tomllib.loads((proxy.folder / "traefik.toml").read_text())

    points = {name: point["address"] for name, point in static["entryPoints"].items()}

    assert points == {scheme.value: f":{proxy.container_ports[scheme]}" for scheme in Scheme}


# --- hardening, for every service ---


@every_service
def test_service_is_hardened(name: str) -> None:
    service = SERVICES[name]

    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    topology = PROXIES.get(name)
    needed = list(CATALOGUE.proxies[topology.proxy].capabilities) if topology else []
    assert service.get("cap_add", []) == needed
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["restart"] == "no"
    assert not {"privileged", "pid", "ipc", "devices", "extra_hosts"} & set(service)
    assert service.get("network_mode") in {None, "none"}


@every_service
def test_nobody_is_root(name: str) -> None:
    if "user" in SERVICES[name]:
        user = SERVICES[name]["user"]
    else:
        assert SERVICES[name]["build"]["dockerfile"] == "app/Dockerfile"
        final = (ROOT / "app/Dockerfile").read_text().rpartition("\nFROM ")[2]
        [user] = re.findall(r"^USER (.+)$", final, re.MULTILINE)

    assert re.fullmatch(r"[1-9]\d*:[1-9]\d*", user)


@every_service
def test_mounts_are_read_only_and_none_is_the_docker_socket(name: str) -> None:
    for volume in SERVICES[name].get("volumes", []):
        assert (volume["type"], volume["read_only"]) == ("bind", True)
        assert volume["source"].startswith("./")


@every_service
def test_healthcheck_is_exec_form_and_starts_at_once(name: str) -> None:
    if name == "help":
        assert "healthcheck" not in SERVICES[name]
        return
    check = SERVICES[name]["healthcheck"]

    assert check["test"][0] == "CMD"
    assert len(check["test"]) > 1
    assert int(re.sub(r"ms$", "", check["start_interval"])) <= 500, "slow to be seen healthy"
    assert {"interval", "timeout", "retries", "start_period"} <= set(check)


@every_service
def test_images_are_pinned(name: str) -> None:
    service = SERVICES[name]
    if "build" in service:
        assert service["image"] == "hoplab-app"
        image = service["build"]["args"]["PYTHON_IMAGE"]
        assert f"ARG PYTHON_IMAGE={image}\n" in (ROOT / "app/Dockerfile").read_text()
    else:
        image = service["image"]

    _, _, tag = image.rpartition(":")
    assert re.search(r"\d+\.\d+", tag), f"{image} is not pinned"


def test_what_must_not_be_there() -> None:
    assert "version" not in COMPOSE
    assert COMPOSE["name"] == "hoplab"
    for word in ("container_name", "docker.sock", ":latest", "env_file", "0.0.0.0:9"):
        assert word not in TEXT


def test_every_variable_has_a_default() -> None:
    """With nothing in the environment, nothing is empty; the prefix alone may be made so."""
    assert "$" not in json.dumps(COMPOSE)
    assert set(re.findall(r"\$\{(\w+)-", TEXT)) == {"PUBLIC_PREFIX", "PUBLIC_PREFIX_DECODED"}


def test_variables_are_these() -> None:
    published = {variable(t, scheme) for t in COMPOSED for scheme in Scheme}
    images = {proxy.image_variable for proxy in CATALOGUE.proxies.values()}

    used = set(re.findall(r"\$\{(\w+)", json.dumps(WRITTEN)))

    assert used == published | images | {
        "APP_IMAGE",
        "APPLICATION",
        "PYTHON_IMAGE",
        "BACKEND_SUBNET",
        "CERTIFICATES",
        "DOCS_OFFLINE",
        "NONCE",
        "PIP_CERT",
        "PUBLIC_PREFIX",
        "PUBLIC_PREFIX_DECODED",
    }


# --- what is repeated elsewhere ---


def locked(file: str) -> dict[str, str]:
    text = (ROOT / file).read_text()
    return dict(re.findall(r"^([a-z0-9][a-z0-9._-]*)==([^\s;\\]+)", text, re.MULTILINE))


LOCKS = ["requirements.lock", "app/requirements.lock"]


@pytest.mark.parametrize("proxy", CATALOGUE.proxies.values(), ids=lambda proxy: proxy.name)
def test_both_engines_run_the_same_proxy_version(proxy: Proxy) -> None:
    tag = proxy.image.rpartition(":")[2].removeprefix("v")

    assert locked("requirements.lock")[proxy.wheel] == tag


def test_containers_run_the_versions_that_the_tests_run() -> None:
    ours, theirs = locked("requirements.lock"), locked("app/requirements.lock")

    servers = {CATALOGUE.servers[topology.server].package for topology in COMPOSED}
    assert {"fastapi", "starlette", "websockets", "uvicorn", "hypercorn", *servers} <= set(theirs)
    assert theirs == {name: ours.get(name) for name in theirs}


@pytest.mark.parametrize("file", LOCKS)
def test_lock_files_name_no_index_and_hash_everything(file: str) -> None:
    lines = (ROOT / file).read_text().splitlines()

    assert not [line for line in lines if "://" in line or line.startswith("-")]
    for number, line in enumerate(lines):
        if "==" in line:
            assert line.endswith("\\"), line
            assert re.fullmatch(r" +--hash=sha256:[0-9a-f]{64}( \\)?", lines[number + 1]), line


def test_what_the_application_needs_is_locked() -> None:
    wanted = re.findall(r"^([a-z-]+)", (ROOT / "app/requirements.in").read_text(), re.MULTILINE)

    assert set(wanted) <= set(locked("app/requirements.lock"))


def test_image_has_the_healthcheck_and_the_commands() -> None:
    dockerfile = (ROOT / "app/Dockerfile").read_text()

    assert "COPY app /srv/app\n" in dockerfile
    assert (ROOT / "app/healthcheck.py").is_file()
    assert "!app" in (ROOT / ".dockerignore").read_text().splitlines()
