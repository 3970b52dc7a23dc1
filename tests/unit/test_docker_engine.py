"""What the Docker engine knows without Docker: what it is told, and when waiting is of no use."""

from dataclasses import replace
from typing import Any

import pytest

from hoplab.engines import docker
from hoplab.engines.certificates import Certificates
from hoplab.errors import HoplabError
from hoplab.system import runs
from hoplab.topology import Mode, Topology
from tests.catalogue import CATALOGUE

STATUS_500 = "/app answered b'HTTP/1.1 500 Internal Server Error'"
NO_ANSWER = "no answer: [Errno 111] Connection refused"
TOPOLOGIES = [Topology("nginx", "uvicorn", Mode.STRIP), Topology("traefik", "uvicorn", Mode.STRIP)]
DEPLOYMENTS = [CATALOGUE.recommended(topology) for topology in TOPOLOGIES]
APP, NGINX, TRAEFIK = "uvicorn-strip", "nginx-uvicorn-strip", "traefik-uvicorn-strip"


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ("nonsense", "does not appear to be an IPv4 or IPv6 network"),
        ("10.99.0.0/33", "does not appear to be an IPv4 or IPv6 network"),
        ("10.99.0.5/24", "has host bits set"),
        ("10.99.0.0/30", "too few addresses"),
    ],
)
def test_a_subnet_that_is_none(monkeypatch: pytest.MonkeyPatch, given: str, why: str) -> None:
    monkeypatch.setenv("BACKEND_SUBNET", given)

    with pytest.raises(HoplabError, match=rf"^BACKEND_SUBNET={given}: .*{why}") as caught:
        docker.given_subnet()

    assert "10.99.0.0/24" in str(caught.value)


@pytest.mark.parametrize("given", ["10.99.0.0/24", "10.99.0.0/27", "fd00::/64"])
def test_a_subnet(monkeypatch: pytest.MonkeyPatch, given: str) -> None:
    monkeypatch.setenv("BACKEND_SUBNET", given)
    assert docker.given_subnet() == given


def test_no_subnet_is_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BACKEND_SUBNET", "")
    assert docker.given_subnet() is None


def test_certificates_for_pip_that_are_not_there(
    monkeypatch: pytest.MonkeyPatch, certificates: Certificates
) -> None:
    monkeypatch.setenv("BACKEND_SUBNET", "10.99.0.0/24")
    monkeypatch.setenv("PIP_CERT", "/none.pem")
    run = runs.Run(certificates.folder)

    with pytest.raises(HoplabError, match=r"^PIP_CERT=/none.pem: there is no such file"):
        docker.environment(CATALOGUE, run, certificates, DEPLOYMENTS, published=False)


@pytest.mark.parametrize("variation", ["", "cors-both"])
def test_the_application_of_a_variation(
    monkeypatch: pytest.MonkeyPatch, certificates: Certificates, variation: str
) -> None:
    monkeypatch.setenv("BACKEND_SUBNET", "10.99.0.0/24")
    monkeypatch.delenv("PIP_CERT", raising=False)
    deployments = [replace(each, variation=variation) for each in DEPLOYMENTS]
    run = runs.Run(certificates.folder)

    told = docker.environment(CATALOGUE, run, certificates, deployments, published=False)

    assert told["APPLICATION"] == ("app.cors.both" if variation else "")


def container(status: str, *outputs: str, code: int = 1, state: str = "running") -> dict[str, Any]:
    log = [{"ExitCode": code, "Output": output} for output in outputs]
    return {"State": {"Status": state, "Health": {"Status": status, "Log": log}}}


STARTING = container("starting")
HEALTHY = container("healthy", "", code=0)
REFUSED = container("starting", *[STATUS_500] * 3)


@pytest.mark.parametrize(
    ("containers", "hopeless"),
    [
        ({}, False),
        ({APP: STARTING}, False),
        ({APP: container("starting", *[NO_ANSWER] * 5)}, False),  # it may still come
        ({APP: container("starting", NO_ANSWER, STATUS_500, STATUS_500)}, False),
        ({APP: REFUSED}, True),
        ({APP: container("starting", state="exited")}, True),
        ({APP: HEALTHY, NGINX: REFUSED}, False),  # the other proxy is not there yet
        ({APP: HEALTHY, NGINX: REFUSED, TRAEFIK: STARTING}, False),
        ({APP: HEALTHY, NGINX: REFUSED, TRAEFIK: HEALTHY}, True),
        ({APP: HEALTHY, NGINX: HEALTHY, TRAEFIK: HEALTHY}, False),  # Compose sees it itself
        # curl's exit codes, and wget's: an error is an answer, no answer is none
        ({APP: container("starting", *[""] * 3, code=22)}, True),
        ({APP: container("starting", *[""] * 3, code=8)}, True),
        ({APP: container("starting", *[""] * 3, code=7)}, False),
    ],
)  # fmt: skip
def test_when_waiting_is_of_no_use(
    monkeypatch: pytest.MonkeyPatch,
    certificates: Certificates,
    containers: dict[str, Any],
    hopeless: bool,  # noqa: FBT001
) -> None:
    run = runs.Run(certificates.folder)
    engine = docker.DockerEngine(CATALOGUE, DEPLOYMENTS, run, certificates)
    monkeypatch.setattr(engine._compose, "containers", lambda: containers)

    assert engine._hopeless() is hopeless


def test_a_container_that_is_just_being_replaced_is_no_reason_to_give_up(
    monkeypatch: pytest.MonkeyPatch, certificates: Certificates
) -> None:
    engine = docker.DockerEngine(
        CATALOGUE, DEPLOYMENTS, runs.Run(certificates.folder), certificates
    )
    ended = {**container("starting", state="exited"), "Id": "old"}
    monkeypatch.setattr(engine._compose, "containers", lambda: {APP: ended})
    engine._replaced = {"old"}

    assert not engine._hopeless()


ENDED = container("starting", state="exited")
OTHER = "a-server-that-is-slow"


@pytest.mark.parametrize(
    ("containers", "first"),
    [
        ({OTHER: STARTING, APP: ENDED}, (APP, "ended instead of starting")),
        ({NGINX: ENDED, APP: STARTING}, (APP, "does not answer")),
        ({NGINX: ENDED, APP: HEALTHY}, (NGINX, "ended instead of starting")),
        ({APP: REFUSED}, (APP, f"does not pass its health check: {STATUS_500}")),
        (
            {APP: container("starting", *[STATUS_500] * 3, "Health check exceeded timeout")},
            (APP, f"does not pass its health check: {STATUS_500}"),
        ),
        ({APP: HEALTHY, NGINX: STARTING}, None),  # a finding
    ],
)
def test_who_is_to_blame(containers: dict[str, Any], first: tuple[str, str] | None) -> None:
    assert docker.first_that_failed(containers, {APP, OTHER}) == first
