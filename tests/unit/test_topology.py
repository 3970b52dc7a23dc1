"""The lab's words as types: how they are named, and how one is made of another."""

from hoplab.prefix import DEFAULT_PREFIX, Prefix
from hoplab.topology import Cell, Deployment, Mode, Scheme, Setup, Strategy, Topology, Trust

STRIP = Topology("proxy", "server", Mode.STRIP)
SETUP = Setup(Strategy.SERVER_OPTION, Trust.PROXY)


def test_a_deployment_s_names_say_what_it_is() -> None:
    plain, varied = Deployment(STRIP, SETUP), Deployment(STRIP, SETUP, "X-varied-X")

    assert STRIP.name == "proxy-server-strip"
    assert plain.name == varied.name == "proxy-server-strip.server-option.proxy"
    assert plain.word == "proxy-server-strip-server-option-proxy"
    assert varied.word == "proxy-server-strip-server-option-proxy-X-varied-X"


def test_a_cell_is_a_deployment_over_a_scheme() -> None:
    deployment = Deployment(STRIP, SETUP, "varied", Prefix("/items"))
    cell = deployment.cell(Scheme.HTTPS)

    assert cell == Cell(
        STRIP, Strategy.SERVER_OPTION, Trust.PROXY, Scheme.HTTPS, "varied", Prefix("/items")
    )
    assert cell.deployment == deployment
    assert cell.id == "proxy-server-strip.server-option.proxy.https+varied"


def test_without_more_a_cell_has_the_default_prefix_and_no_variation() -> None:
    cell = Deployment(STRIP, SETUP).cell(Scheme.HTTP)

    assert (cell.variation, cell.prefix) == ("", DEFAULT_PREFIX)
    assert cell.id == "proxy-server-strip.server-option.proxy.http"


def test_what_of_the_prefix_the_application_is_asked_for() -> None:
    preserve = Topology("proxy", "server", Mode.PRESERVE)

    assert Deployment(preserve, SETUP, prefix=Prefix("/caf%C3%A9")).upstream_prefix == "/caf%C3%A9"
    assert Deployment(STRIP, SETUP, prefix=Prefix("/caf%C3%A9")).upstream_prefix == ""
