"""What can't start says why, what to do next, and leaves nothing behind."""

import json
import os
import socket

import pytest

from hoplab.engines.published import variable
from hoplab.system.ports import free_ports
from hoplab.topology import Mode, Scheme
from tests.catalogue import CATALOGUE
from tests.commands.clone import Clone
from tests.docker_required import ENGINES, needs_docker

ONE = ["--proxy", "nginx", "--server", "uvicorn", "--mode", "strip"]

every_engine = pytest.mark.parametrize("engine", ENGINES)


@every_engine
def test_an_application_that_fails_to_start(clone: Clone, engine: str) -> None:
    clone.edit("app/plain.py", "app = create_app()", "raise RuntimeError('broken by hand')")

    done = clone.hoplab("verify", "--engine", engine, *ONE)

    assert done.returncode == 3
    assert done.stdout == ""
    name = {"process": "uvicorn-server-option-proxy", "docker": "uvicorn-strip"}[engine]
    assert f"{name} ended instead of starting" in done.stderr
    assert "RuntimeError: broken by hand" in done.stderr
    assert not clone.runs()


@every_engine
def test_a_proxy_that_fails_to_start(clone: Clone, engine: str) -> None:
    clone.edit("nginx/strip.conf.template", "proxy_buffering", "proxy_bufferin")

    done = clone.hoplab("verify", "--engine", engine, *ONE)

    assert done.returncode == 3
    name = {"process": "nginx", "docker": "strip"}[engine]
    assert f"{name} ended instead of starting" in done.stderr
    assert 'unknown directive "proxy_bufferin"' in done.stderr
    assert not clone.runs()


def test_a_route_that_leads_nowhere_is_a_finding(clone: Clone) -> None:
    clone.edit("traefik/strip/routes.toml", "(`{{ $prefix }}", "(`/elsewhere{{ $prefix }}")

    done = clone.hoplab(
        "verify", "--engine", "process", "--proxy", "traefik", "--mode", "strip",
        "--server", "uvicorn", "--check", "reach", "--format", "json",
    )  # fmt: skip

    assert done.returncode == 1
    cells = json.loads(done.stdout)["cells"]
    assert [(cell["verdict"], cell["symptoms"]) for cell in cells] == [
        ("fail", {"reach": "proxy-has-no-route"})
    ] * 2
    assert not clone.runs()


@every_engine
def test_a_taken_port(clone: Clone, engine: str) -> None:
    # The others on free ports: somebody may have a lab up on those of compose.yaml.
    strip = [topology for topology in CATALOGUE.topologies if topology.mode is Mode.STRIP]
    variables = [variable(topology, scheme) for topology in strip for scheme in Scheme]
    others = dict(zip(variables, map(str, free_ports(len(variables))), strict=True))
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        ports = {**others, "NGINX_UVICORN_STRIP_HTTPS": port}
        done = clone.program("up", "strip", "--engine", engine, **ports)

    assert done.returncode == 3
    assert f"{port} (NGINX_UVICORN_STRIP_HTTPS) by " in done.stderr
    assert f"process {os.getpid()}" in done.stderr
    assert "NGINX_UVICORN_STRIP_HTTPS=" in done.stderr.splitlines()[-1]
    assert not clone.runs()


@needs_docker
def test_an_image_that_cannot_be_had(clone: Clone) -> None:
    image = "127.0.0.1:9/nobody/nginx:none"

    done = clone.hoplab("verify", "--engine", "docker", "--proxy", "nginx", NGINX_IMAGE=image)

    assert done.returncode == 3
    assert image in done.stderr
    assert "NGINX_IMAGE" in done.stderr
    assert "--engine process" in done.stderr
    assert not clone.runs()


def test_no_daemon(clone: Clone) -> None:
    done = clone.hoplab("verify", "--engine", "docker", DOCKER_HOST="tcp://127.0.0.1:9")

    assert done.returncode == 3
    assert "Docker can't be used" in done.stderr
    assert "--engine process" in done.stderr


def test_docker_is_asked_only_where_it_is_wanted(clone: Clone) -> None:
    done = clone.hoplab(
        "verify", "--proxy", "nginx", "--check", "reach", DOCKER_HOST="tcp://127.0.0.1:9"
    )

    assert done.returncode == 0
    assert "No Docker (" in done.stderr
    assert "process engine" in done.stdout


@needs_docker
def test_an_image_that_cannot_be_built(clone: Clone) -> None:
    clone.edit("app/plain.py", "app = create_app()", "app = create_app(")

    done = clone.hoplab("verify", "--engine", "docker", *ONE)

    assert (done.returncode, done.stdout) == (3, "")
    said = done.stderr
    assert 'File "/srv/app/plain.py", line' in said
    assert said.index("SyntaxError: ") < said.index("Correct app/plain.py")
    assert "Traceback" not in said
    assert not clone.runs()


@needs_docker
def test_an_application_that_answers_its_health_check_with_an_error(clone: Clone) -> None:
    clone.edit("app/plain.py", "app = create_app()", "app = {}")

    done = clone.hoplab("verify", "--engine", "docker", *ONE)

    assert done.returncode == 3
    assert "uvicorn-strip does not pass its health check: " in done.stderr
    assert "500 Internal Server Error" in done.stderr
    assert "TypeError: " in done.stderr, "the end of its log"
    assert not clone.runs()


@pytest.mark.parametrize("engine", ENGINES)
def test_a_proxy_that_goes_on_without_a_broken_file(clone: Clone, engine: str) -> None:
    clone.edit("traefik/strip/routes.toml", "[http.routers.app-http]", "[http.routers.app-http")

    done = clone.hoplab(
        "verify", "--engine", engine, "--proxy", "traefik", "--server", "uvicorn", "--mode", "strip"
    )

    assert (done.returncode, done.stdout) == (3, "")
    name = {"process": "traefik", "docker": "traefik-uvicorn-strip"}[engine]
    assert f"{name} can't use its configuration" in done.stderr
    assert str(clone.folder / "traefik") in done.stderr
    assert "expected '.' or ']' to end table name" in done.stderr
    assert "CERTIFICATE_VERIFY_FAILED" not in done.stderr
    assert not clone.runs()
