"""Where an application listens, and what its proxies are told of that."""

from pathlib import Path

import pytest

from hoplab.engines.plan import make_plan
from hoplab.errors import HoplabError
from hoplab.system.ports import LOOPBACK
from hoplab.topology import Deployment
from tests.catalogue import CATALOGUE


def deployment(variation: str, proxy: str, server: str) -> Deployment:
    cells = CATALOGUE.variations[variation].symptoms
    return next(
        cell.deployment
        for cell in cells
        if (cell.topology.proxy, cell.topology.server) == (proxy, server)
    )


@pytest.mark.parametrize(
    ("variation", "host", "upstream", "believed"),
    [
        ("upstream-ipv6", "::1", "[::1]:{port}", "::1"),
        ("peer-ipv4-mapped", "::ffff:127.0.0.1", "127.0.0.1:{port}", LOOPBACK),
    ],
)
def test_another_address(variation: str, host: str, upstream: str, believed: str) -> None:
    of = deployment(variation, "nginx", "hypercorn")
    plan = make_plan(CATALOGUE, [of], {})
    app = plan.app_of[of]

    assert app.host == host
    assert app.environment["FORWARDED_ALLOW_IPS"] == believed
    assert plan.routes[of]["nginx"].upstream == upstream.format(port=app.port)
    assert plan.routes[of]["nginx"].host == LOOPBACK


@pytest.mark.parametrize(("proxy", "upstream"), [("nginx", "unix:{}"), ("caddy", "unix/{}")])
def test_a_unix_socket(tmp_path: Path, proxy: str, upstream: str) -> None:
    of = deployment("upstream-unix-socket", proxy, "uvicorn")
    plan = make_plan(CATALOGUE, [of], {}, folder=tmp_path)
    app = plan.app_of[of]

    assert Path(app.host).parent == tmp_path
    assert app.host in app.command(1)
    assert plan.routes[of][proxy].upstream == upstream.format(app.host)


def test_a_proxy_that_can_have_none_is_told() -> None:
    of = deployment("upstream-unix-socket", "nginx", "uvicorn")
    topology = type(of.topology)("traefik", "uvicorn", of.topology.mode)

    with pytest.raises(HoplabError, match="traefik can have no upstream at a Unix socket"):
        make_plan(CATALOGUE, [Deployment(topology, of.setup, of.variation)], {})


@pytest.mark.parametrize(
    ("variation", "server", "host"),
    [
        ("upstream-ipv6", "uvicorn", "::1"),
        ("peer-ipv4-mapped", "hypercorn", LOOPBACK),
        ("upstream-unix-socket", "uvicorn", "/run/"),
    ],
)
def test_a_tap_is_told_where_the_application_is(variation: str, server: str, host: str) -> None:
    asked: list[tuple[str, int]] = []

    def tap(there: str, port: int) -> int:
        asked.append((there, port))
        return 4711

    of = deployment(variation, "nginx", server)
    plan = make_plan(CATALOGUE, [of], {}, tap=tap)

    assert plan.routes[of]["nginx"].upstream == f"{LOOPBACK}:4711"
    assert [port for _, port in asked] == [plan.app_of[of].port]
    assert asked[0][0].startswith(host)


def test_the_public_address() -> None:
    of = deployment("public-ipv6", "traefik", "uvicorn")

    assert make_plan(CATALOGUE, [of], {}).routes[of]["traefik"].host == "::1"
