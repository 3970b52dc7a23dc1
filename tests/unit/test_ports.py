"""Ports: whose they are, what the environment says, and what is told of one that is taken."""

import os
import re
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import psutil
import pytest

from hoplab.engines import published
from hoplab.errors import HoplabError
from hoplab.system import ports
from hoplab.topology import Mode, Scheme, Topology
from hoplab.workspace import Workspace
from tests.catalogue import CATALOGUE, WORKSPACE
from tests.unit.stub import LOOPBACK, closed_port

TOPOLOGY = Topology("nginx", "uvicorn", Mode.STRIP)
HTTP, HTTPS = "NGINX_UVICORN_STRIP_HTTP", "NGINX_UVICORN_STRIP_HTTPS"


@pytest.fixture(autouse=True)
def no_ports_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for topology in CATALOGUE.composed:
        for scheme in Scheme:
            monkeypatch.delenv(published.variable(topology, scheme), raising=False)


@pytest.fixture
def taken() -> Iterator[int]:
    with socket.create_server((LOOPBACK, 0)) as sock:
        yield sock.getsockname()[1]


def own(topologies: Sequence[Topology]) -> dict[Topology, dict[Scheme, int]]:
    return published.ports(WORKSPACE, topologies)


def test_variable() -> None:
    assert [published.variable(TOPOLOGY, scheme) for scheme in Scheme] == [HTTP, HTTPS]


def test_own_ports_are_those_of_compose_yaml() -> None:
    assert own([TOPOLOGY]) == {TOPOLOGY: {Scheme.HTTP: 9997, Scheme.HTTPS: 9497}}
    assert list(own(CATALOGUE.topologies)) == CATALOGUE.topologies


def test_every_topology_of_compose_yaml_has_ports_of_its_own() -> None:
    every = published.by_variable(own(CATALOGUE.composed))

    assert len(set(every.values())) == len(every) == 2 * len(CATALOGUE.composed)


def test_another_workspace_has_its_own(tmp_path: Path) -> None:
    text = f'ports: ["127.0.0.1:${{{HTTP}:-1234}}:80", "127.0.0.1:${{{HTTPS}:-1235}}:443"]'
    (tmp_path / "compose.yaml").write_text(text)

    assert published.ports(Workspace(tmp_path), [TOPOLOGY]) == {
        TOPOLOGY: {Scheme.HTTP: 1234, Scheme.HTTPS: 1235}
    }


def test_a_port_that_compose_yaml_no_longer_publishes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "compose.yaml").write_text(f'ports: ["127.0.0.1:${{{HTTP}:-1234}}:80"]')

    with pytest.raises(HoplabError, match=rf"publishes no port as \${{{HTTPS}:-…}}.*set {HTTPS}"):
        published.ports(Workspace(tmp_path), [TOPOLOGY])

    monkeypatch.setenv(HTTPS, "1235")
    assert published.ports(Workspace(tmp_path), [TOPOLOGY])[TOPOLOGY][Scheme.HTTPS] == 1235


def test_by_variable() -> None:
    other = Topology("traefik", "uvicorn", Mode.STRIP)
    given = {TOPOLOGY: {Scheme.HTTP: 1, Scheme.HTTPS: 2}, other: {Scheme.HTTP: 3}}

    assert published.by_variable(given) == {
        HTTP: 1,
        HTTPS: 2,
        "TRAEFIK_UVICORN_STRIP_HTTP": 3,
    }


@pytest.mark.parametrize(("value", "port"), [("1", 1), ("19997", 19997), ("65535", 65535)])
def test_environment_changes_one_port(
    monkeypatch: pytest.MonkeyPatch, value: str, port: int
) -> None:
    monkeypatch.setenv(HTTP, value)

    assert own([TOPOLOGY])[TOPOLOGY] == {Scheme.HTTP: port, Scheme.HTTPS: 9497}


def test_empty_is_the_default_as_for_compose(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(HTTP, "")

    assert own([TOPOLOGY])[TOPOLOGY][Scheme.HTTP] == 9997


@pytest.mark.parametrize(
    "value",
    ["http", "0", "65536", "99999999", "-1", "80.0", " 80", "80 ", "8O80", "²", "\uff18\uff10"],
)
def test_what_is_no_port_is_named(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv(HTTPS, value)

    with pytest.raises(HoplabError) as caught:
        own([TOPOLOGY])

    assert str(caught.value) == f"{HTTPS}={value}: expected a port, 1 to 65535."


def test_free_ports_are_free_and_different() -> None:
    found = ports.free_ports(32)

    assert len(set(found)) == 32
    for port in found:
        socket.create_server((LOOPBACK, port)).close()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux says which ports it gives away")
def test_free_ports_are_none_that_a_client_could_be_given_meanwhile() -> None:
    first, last = Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()

    assert not [port for port in ports.free_ports(64) if int(first) <= port <= int(last)]


@pytest.mark.skipif(sys.platform != "linux", reason="abstract names are Linux's")
def test_two_labs_at_once_draw_from_different_ports() -> None:
    """Between the choice and the server's own bind, another lab could else take the same."""
    code = "from hoplab.system.ports import free_ports; print(*free_ports(600)); input()"
    command = [sys.executable, "-c", code]
    pipe = subprocess.PIPE
    with (
        subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) as one,
        subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) as other,
    ):
        drawn = []
        for lab in (one, other):
            assert lab.stdout
            drawn.append(set(lab.stdout.readline().split()))
        one.communicate("\n")
        other.communicate("\n")

    assert [len(each) for each in drawn] == [600, 600]
    assert not drawn[0] & drawn[1]


def test_taken_ones_are_not_free(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server((LOOPBACK, 0)) as sock:
        taken = sock.getsockname()[1]
        monkeypatch.setattr(ports, "_UNREGISTERED", range(taken, taken + 1))

        assert ports.free_ports(1) != [taken]


def test_free_ones_are_no_error() -> None:
    ports.require_free({HTTP: closed_port()})
    ports.require_free({})


def test_taken_port_is_told_with_variable_holder_and_way_out(taken: int) -> None:
    free = closed_port()

    with pytest.raises(HoplabError) as caught:
        ports.require_free({HTTP: free, HTTPS: taken})

    first, line, last = str(caught.value).splitlines()
    assert first == "These ports on 127.0.0.1 are taken:"
    assert re.fullmatch(rf"  {taken} \({HTTPS}\) by \S.*, process {os.getpid()}", line)
    assert str(free) not in str(caught.value)
    assert re.search(rf"\b{HTTPS}=\d+ hoplab", last)


@pytest.mark.parametrize("port", [1, 9999, 55535, 55536, 65535])
def test_the_way_out_is_a_port(monkeypatch: pytest.MonkeyPatch, port: int) -> None:
    monkeypatch.setattr(ports, "_is_free", lambda _: False)

    with pytest.raises(HoplabError) as caught:
        ports.require_free({HTTP: port})

    [advised] = re.findall(rf"{HTTP}=(\d+)", str(caught.value))
    assert 1024 <= int(advised) <= 65535
    assert int(advised) != port


def test_every_taken_port_is_told(taken: int) -> None:
    with socket.create_server((LOOPBACK, 0)) as sock:
        second = sock.getsockname()[1]
        wanted = {HTTP: taken, "TRAEFIK_UVICORN_STRIP_HTTPS": second}
        with pytest.raises(HoplabError) as caught:
            ports.require_free(wanted)

    assert f"  {taken} ({HTTP})" in str(caught.value)
    assert f"  {second} (TRAEFIK_UVICORN_STRIP_HTTPS)" in str(caught.value)


def test_holder_that_nobody_may_know_is_left_out(
    taken: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    def denied(_kind: str) -> None:
        raise psutil.AccessDenied

    monkeypatch.setattr(psutil, "net_connections", denied)

    with pytest.raises(HoplabError) as caught:
        ports.require_free({HTTP: taken})

    assert f"  {taken} ({HTTP})\n" in str(caught.value)


def test_one_port_for_two_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NGINX_UVICORN_STRIP_HTTP", "9999")
    strip = [topology for topology in CATALOGUE.topologies if topology.mode is Mode.STRIP]

    with pytest.raises(HoplabError) as caught:
        ports.require_free(published.by_variable(own(strip)))

    assert str(caught.value) == (
        "TRAEFIK_UVICORN_STRIP_HTTP and NGINX_UVICORN_STRIP_HTTP are both 9999: "
        "each needs a port of its own."
    )
