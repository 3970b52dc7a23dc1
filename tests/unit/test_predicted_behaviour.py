"""What a made-up proxy or server changes in the predictions: each field of its file, one by one."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from hoplab import forwarded
from hoplab.catalogue import Catalogue, load
from hoplab.catalogue.proxies import (
    Behaviour,
    Boundary,
    Host,
    PathForm,
    Treatment,
    Upgrades,
)
from hoplab.catalogue.servers.server import Address, ForwardedHeaders, RootPath
from hoplab.catalogue.variations import Symptoms
from hoplab.client.target import Target
from hoplab.commands import targets
from hoplab.endpoint import Endpoint
from hoplab.predictions import predict
from hoplab.prefix import parse
from hoplab.suites import SUITES
from hoplab.topology import Cell, Mode, Scheme, Strategy, Topology, Trust
from tests.catalogue import CATALOGUE, ROOT, WORKSPACE
from tests.unit.test_predictions import BY_ID, LABEL, PREDICTED, SCHEME_UNKNOWN, UNREACHABLE

UVICORN_STRIP = "nginx-uvicorn-strip.server-option.proxy.https"
UVICORN_ANY = "nginx-uvicorn-strip.server-option.any.https"
UVICORN_FIXED = "nginx-uvicorn-strip.forwarded-prefix.proxy.https"
HYPERCORN_STRIP = "nginx-hypercorn-strip.forwarded-prefix.proxy.https"
HYPERCORN_PRESERVE = "nginx-hypercorn-preserve.server-option.proxy.https"
HYPERCORN_HEADER = "nginx-hypercorn-preserve.forwarded-prefix.proxy.https"

PASSED, APPENDED = Treatment.PASSED, Treatment.APPENDED
OVERWRITTEN, DROPPED = Treatment.OVERWRITTEN, Treatment.DROPPED

STRANGER = {"bypass": "direct-spoofable"}

DROPS_PORT = {
    "slash-redirect": "redirect-drops-port",
    "url-for": "url-drops-port",
    "mount": "redirect-drops-port",
    "static": "url-drops-port",
    "client": "host-wrong",
}
WRONG_HOST = {
    "slash-redirect": "redirect-wrong-host",
    "url-for": "url-wrong-host",
    "mount": "redirect-wrong-host",
    "static": "url-wrong-host",
    "client": "host-wrong",
}


def treating(behaviour: Behaviour, headers: Mapping[str, Treatment]) -> Behaviour:
    """The same, but for what becomes of some headers."""
    changed = {name: dict.fromkeys(Mode, treatment) for name, treatment in headers.items()}
    return replace(behaviour, headers={**behaviour.headers, **changed})


def behaving(
    proxy: str, *, headers: Mapping[str, Treatment] | None = None, **changes: Any
) -> Catalogue:
    """The catalogue with a made-up proxy in the place of this one."""
    real = CATALOGUE.proxies[proxy]
    behaviour = replace(treating(real.behaviour, headers or {}), **changes)
    return replace(
        CATALOGUE, proxies={**CATALOGUE.proxies, proxy: replace(real, behaviour=behaviour)}
    )


def serving(server: str, catalogue: Catalogue = CATALOGUE, **changes: Any) -> Catalogue:
    """The catalogue with a made-up server in the place of this one."""
    made_up = replace(CATALOGUE.servers[server], **changes)
    return replace(catalogue, servers={**catalogue.servers, server: made_up})


def predicted(cell: str, catalogue: Catalogue) -> Symptoms:
    return predict(BY_ID[cell], catalogue)


# --- a server ---


@pytest.mark.parametrize(
    ("cell", "field", "right", "wrong", "proxy"),
    [
        pytest.param(
            UVICORN_STRIP,
            "root_path",
            (RootPath.PREPENDED, {}),
            (RootPath.LABEL, LABEL),
            {},
            id="a label where the prefix was removed",
        ),
        pytest.param(
            HYPERCORN_PRESERVE,
            "root_path",
            (RootPath.LABEL, {}),
            (RootPath.PREPENDED, UNREACHABLE),
            {},
            id="put in front where the prefix is still there",
        ),
        pytest.param(
            UVICORN_FIXED,
            "sees",
            (Address.PEER, {}),
            (Address.CLIENT, {"prefix-once": "prefix-stripped-twice"}),
            {},
            id="the middleware sees the client: it trusts no header",
        ),
        pytest.param(
            HYPERCORN_HEADER,
            "sees",
            (Address.CLIENT, {"spoof": "forwarded-passed-on"}),
            (Address.PEER, {"spoof": "prefix-spoofable"}),
            {"headers": {"X-Forwarded-Prefix": PASSED}},
            id="the middleware sees the peer: it trusts a header of the client's",
        ),
        pytest.param(
            UVICORN_STRIP,
            "host_header",
            (True, {}),
            (False, WRONG_HOST),
            {"host": Host.UPSTREAM},
            id="X-Forwarded-Host tells the name that Host has lost",
        ),
        pytest.param(
            UVICORN_STRIP,
            "host_header",
            (False, {"spoof": "forwarded-passed-on"}),
            (True, {"spoof": "host-spoofable"}),
            {"headers": {"X-Forwarded-Host": PASSED}},
            id="a client's own X-Forwarded-Host becomes the Host",
        ),
        pytest.param(
            UVICORN_ANY,
            "any_takes_leftmost",
            (False, {"spoof": "forwarded-passed-on", **STRANGER}),
            (True, {"spoof": "client-spoofable", **STRANGER}),
            {"headers": {"X-Forwarded-For": APPENDED}},
            id="the leftmost address is the client's invention",
        ),
        pytest.param(
            UVICORN_STRIP,
            "proto_needs_for",
            (False, {"client": "client-wrong"}),
            (True, SCHEME_UNKNOWN),
            {"headers": {"X-Forwarded-For": DROPPED}},
            id="the scheme is believed beside an address alone",
        ),
        pytest.param(
            UVICORN_STRIP.replace("https", "http"),
            "proto_needs_for",
            (True, {"client": "client-wrong", "spoof": "forwarded-passed-on"}),
            (False, {"client": "client-wrong", "spoof": "scheme-spoofable"}),
            {"headers": {"X-Forwarded-For": DROPPED, "X-Forwarded-Proto": PASSED}},
            id="a client's own scheme is believed without an address",
        ),
        pytest.param(
            UVICORN_STRIP.replace("https", "http"),
            "proto_needs_for",
            (True, {"spoof": "scheme-spoofable"}),
            (False, {"spoof": "scheme-spoofable"}),
            {"headers": {"X-Forwarded-Proto": PASSED}},
            id="a client's own scheme is believed beside the proxy's address",
        ),
        pytest.param(
            UVICORN_STRIP,
            "h2c",
            (False, {}),
            (True, {"boundary": "tunnel-opened"}),
            {"upgrades": Upgrades.ANY},
            id="an upgrade to HTTP/2 is accepted",
        ),
    ],
)
def test_a_field_of_a_server(
    cell: str,
    field: str,
    right: tuple[Any, Symptoms],
    wrong: tuple[Any, Symptoms],
    proxy: dict[str, Any],
) -> None:
    """Two servers that differ in this alone, behind the same proxy."""
    server = BY_ID[cell].topology.server
    catalogue = behaving("nginx", **proxy)

    for value, expected in (right, wrong):
        found = predicted(cell, serving(server, catalogue, **{field: value}))
        assert found == expected, value


def test_who_reads_the_headers_chooses_the_module_and_no_symptom() -> None:
    """With a wrapper, the application is a module of the server's own: app/NAME/."""
    cell = BY_ID[UVICORN_STRIP]
    wrapped = serving("uvicorn", forwarded_headers=ForwardedHeaders.WRAPPER)

    line, right = (
        c.server_command(cell.deployment, ":1", "127.0.0.1") for c in (wrapped, CATALOGUE)
    )

    assert [(a, b) for a, b in zip(line, right, strict=True) if a != b] == [
        ("app.uvicorn.plain:app", "app.plain:app")
    ]
    assert predict(cell, wrapped) == predict(cell, CATALOGUE) == {}


@pytest.mark.parametrize(
    ("option", "root"), [("@prefix@", "/caf%C3%A9"), ("@prefix_decoded@", "/café")]
)
def test_the_form_of_the_option_is_that_of_the_root_path(option: str, root: str) -> None:
    """It shows in no symptom, since the checks expect the root_path that was given."""
    catalogue = serving(
        "uvicorn", load(WORKSPACE, parse("/café")), root_path_option=["--root-path", option]
    )
    by_option, by_argument = (
        replace(BY_ID[UVICORN_STRIP], strategy=strategy, prefix=catalogue.prefix)
        for strategy in (Strategy.SERVER_OPTION, Strategy.APP_ARGUMENT)
    )

    assert catalogue.server_command(by_option.deployment, ":1", "")[-1] == root
    assert target(catalogue, by_option).root_path == root
    assert target(catalogue, by_argument).root_path == "/café"
    assert predict(by_option, catalogue) == {}


def target(catalogue: Catalogue, cell: Cell) -> Target:
    ports = dict.fromkeys(Scheme, 1)
    endpoint = Endpoint(cell.deployment, ports, ROOT / "ca.pem", "nonce")
    return targets.target(catalogue, SUITES["contract"], cell, endpoint)


# --- a proxy ---

PASSED_ON = {"spoof": "forwarded-passed-on"}
STRIPPED_TWICE = {"prefix-once": "prefix-stripped-twice"}
IS_PROXY = {"client": "client-wrong"}


@pytest.mark.parametrize(
    ("cell", "header", "expected"),
    [
        (
            UVICORN_STRIP,
            "X-Forwarded-For",
            {
                OVERWRITTEN: {},
                APPENDED: PASSED_ON,
                PASSED: {**IS_PROXY, "spoof": "client-spoofable"},
                DROPPED: IS_PROXY,
            },
        ),
        (
            UVICORN_ANY,
            "X-Forwarded-For",
            {
                OVERWRITTEN: STRANGER,
                APPENDED: {"spoof": "client-spoofable", **STRANGER},
                PASSED: {**IS_PROXY, "spoof": "client-spoofable", **STRANGER},
                DROPPED: {**IS_PROXY, **STRANGER},
            },
        ),
        (
            UVICORN_STRIP,
            "X-Forwarded-Proto",
            {  # no proxy of ours appends to it, and servers disagree on what two schemes mean
                OVERWRITTEN: {},
                PASSED: {**SCHEME_UNKNOWN, "spoof": "scheme-spoofable"},
                DROPPED: SCHEME_UNKNOWN,
            },
        ),
        (
            UVICORN_STRIP.replace("https", "http"),
            "X-Forwarded-Proto",
            {
                OVERWRITTEN: {},
                APPENDED: PASSED_ON,
                PASSED: {"spoof": "scheme-spoofable"},
                DROPPED: {},
            },
        ),
        (
            UVICORN_STRIP,
            "X-Forwarded-Host",
            {OVERWRITTEN: {}, APPENDED: PASSED_ON, PASSED: PASSED_ON, DROPPED: {}},
        ),
        (
            HYPERCORN_STRIP,
            "X-Forwarded-Host",
            {OVERWRITTEN: {}, APPENDED: PASSED_ON, PASSED: PASSED_ON, DROPPED: {}},
        ),
        (
            HYPERCORN_STRIP,
            "X-Forwarded-Prefix",
            {
                OVERWRITTEN: {},
                APPENDED: PASSED_ON,
                PASSED: {**STRIPPED_TWICE, "spoof": "prefix-spoofable"},
                DROPPED: STRIPPED_TWICE,
            },
        ),
        (
            HYPERCORN_HEADER,
            "X-Forwarded-Prefix",
            {
                OVERWRITTEN: UNREACHABLE,  # nothing was removed, and it says that something was
                PASSED: {"spoof": "prefix-spoofable"},
                DROPPED: {},
            },
        ),
        (HYPERCORN_PRESERVE, "X-Forwarded-Prefix", {PASSED: PASSED_ON}),  # nobody reads it
        *(
            (
                UVICORN_STRIP,
                header,
                {OVERWRITTEN: {}, APPENDED: PASSED_ON, PASSED: PASSED_ON, DROPPED: {}},
            )
            for header in ("X-Forwarded-Port", "X-Forwarded-Prefix", "X-Real-IP", "Forwarded")
        ),
    ],
)
def test_what_becomes_of_a_client_s_header(
    cell: str, header: str, expected: Mapping[Treatment, Symptoms]
) -> None:
    assert header in forwarded.HEADERS
    for treatment, symptoms in expected.items():
        found = predicted(cell, behaving("nginx", headers={header: treatment}))
        assert found == symptoms, treatment


def test_a_header_of_which_nothing_is_said_passes() -> None:
    assert predicted(UVICORN_STRIP.replace("https", "http"), behaving_without_headers()) == {
        **IS_PROXY,
        "spoof": "client-spoofable",
    }


def behaving_without_headers() -> Catalogue:
    nginx = CATALOGUE.proxies["nginx"]
    made_up = replace(nginx, behaviour=replace(nginx.behaviour, headers={}))
    return replace(CATALOGUE, proxies={**CATALOGUE.proxies, "nginx": made_up})


NO_WEBSOCKET = {"websocket": "websocket-refused", "websocket-messages": "websocket-refused"}


@pytest.mark.parametrize(
    ("cell", "changes", "symptoms"),
    [
        (UVICORN_STRIP, {"host": Host.KEPT}, {}),
        (UVICORN_STRIP, {"host": Host.WITHOUT_PORT}, DROPS_PORT),
        (HYPERCORN_STRIP, {"host": Host.WITHOUT_PORT}, DROPS_PORT),  # -Host has none either
        (
            HYPERCORN_PRESERVE,  # Starlette redirects the bare prefix, without the port
            {"host": Host.WITHOUT_PORT},
            {**DROPS_PORT, "prefix-once": "bare-prefix-broken"},
        ),
        (UVICORN_STRIP, {"host": Host.UPSTREAM}, WRONG_HOST),
        (HYPERCORN_STRIP, {"host": Host.UPSTREAM}, WRONG_HOST),  # behind_proxy without host=True
        (UVICORN_STRIP, {"upgrades": Upgrades.WEBSOCKET}, {}),
        (UVICORN_STRIP, {"upgrades": Upgrades.NONE}, NO_WEBSOCKET),
        (UVICORN_STRIP, {"upgrades": Upgrades.ANY}, {}),
        (HYPERCORN_STRIP, {"upgrades": Upgrades.ANY}, {"boundary": "tunnel-opened"}),
        (UVICORN_STRIP, {"path": PathForm.AS_SENT}, {}),
        (UVICORN_STRIP, {"path": PathForm.DECODED}, {"boundary": "path-altered"}),
        (UVICORN_STRIP, {"boundary": Boundary.SEGMENT}, {}),
        (UVICORN_STRIP, {"boundary": Boundary.LETTERS}, {"boundary": "prefix-leaks"}),
        (UVICORN_STRIP, {"body_limit": None}, {}),
        (UVICORN_STRIP, {"body_limit": 16 * 2**20}, {}),
        (UVICORN_STRIP, {"body_limit": 16 * 2**20 - 1}, {"stream": "body-refused"}),
        (UVICORN_STRIP, {"body_limit": 0}, {"stream": "body-refused"}),
        (UVICORN_ANY, {"body_limit": 2**18}, STRANGER),  # a smaller body
        (
            UVICORN_ANY,
            {"body_limit": 2**18 - 1},
            {**STRANGER, "stream": "body-refused"},
        ),
        (UVICORN_STRIP, {"buffers": True}, {"stream": "stream-buffered"}),
        (UVICORN_STRIP, {"buffers": True, "body_limit": 0}, {"stream": "stream-buffered"}),
    ],
)
def test_a_field_of_a_proxy(cell: str, changes: dict[str, Any], symptoms: Symptoms) -> None:
    assert predicted(cell, behaving("nginx", **changes)) == symptoms


# --- what a variation's file says of its proxy ---

ALL_PASS = dict.fromkeys(forwarded.HEADERS, PASSED)
TRAEFIK = "traefik-uvicorn-strip.server-option.proxy.https"


@pytest.mark.parametrize(
    ("name", "cell", "expected"),
    [
        ("nginx-appends", UVICORN_STRIP, PASSED_ON),
        ("nginx-appends", UVICORN_ANY, {"spoof": "client-spoofable", **STRANGER}),
        ("nginx-upgrade-anything", HYPERCORN_PRESERVE, {"boundary": "tunnel-opened"}),
        ("nginx-upgrade-anything", UVICORN_STRIP, {}),
        ("nginx-no-upgrade", HYPERCORN_STRIP, NO_WEBSOCKET),
        ("nginx-no-body-size", HYPERCORN_PRESERVE, {"stream": "body-refused"}),
        ("nginx-host-drops-port", UVICORN_STRIP, DROPS_PORT),
        ("nginx-proxy-pass-slash", HYPERCORN_STRIP, {"boundary": "path-altered"}),
        (
            "nginx-header-in-location",
            UVICORN_STRIP,
            {
                **WRONG_HOST,
                "client": "scheme-wrong",  # asked before the Host
                **NO_WEBSOCKET,
                "spoof": "client-spoofable",
            },
        ),
        ("nginx-behind-traefik", UVICORN_STRIP, SCHEME_UNKNOWN),
        ("nginx-behind-traefik", UVICORN_STRIP.replace("https", "http"), IS_PROXY),
        ("nginx-behind-traefik-trusted", HYPERCORN_STRIP, {}),
        ("no-forwarded-allow-ips", UVICORN_STRIP, SCHEME_UNKNOWN),
        ("traefik-no-boundary", TRAEFIK, {"boundary": "prefix-leaks"}),
        ("traefik-trusts-client", TRAEFIK, {"spoof": "scheme-spoofable"}),
        (
            "traefik-trusts-client",
            TRAEFIK.replace("proxy", "any"),
            {"spoof": "client-spoofable", **STRANGER},
        ),
        ("traefik-behind-nginx", TRAEFIK, SCHEME_UNKNOWN),
    ],
)
def test_a_variation_that_the_rules_reach(name: str, cell: str, expected: Symptoms) -> None:
    varied = replace(BY_ID[cell], variation=name)

    assert CATALOGUE.variations[name].symptoms[varied] is None, "its file says what must show"
    assert predict(varied, CATALOGUE) == expected


# --- prefixes that a route of the application begins with ---


ITEMS = load(WORKSPACE, parse("/items"))


def in_items(cell: str) -> Symptoms:
    proxy_server, strategy, trust, scheme = cell.split(".")
    proxy, server, mode = proxy_server.split("-")
    topology = Topology(proxy, server, Mode(mode))
    return predict(
        Cell(topology, Strategy(strategy), Trust(trust), Scheme(scheme), prefix=ITEMS.prefix), ITEMS
    )


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("nginx-uvicorn-strip.server-option.proxy.https", {}),
        ("nginx-hypercorn-strip.forwarded-prefix.proxy.http", {}),
        ("nginx-uvicorn-preserve.forwarded-prefix.proxy.https", {}),
        # /items without the slash looks like the bare prefix, and is redirected to it.
        (
            "nginx-uvicorn-strip.forwarded-prefix.proxy.https",
            {**STRIPPED_TWICE, "slash-redirect": "redirect-drops-prefix"},
        ),
        # The same with http in its place, which the check meets first.
        (
            "nginx-uvicorn-strip.forwarded-prefix.none.https",
            {**SCHEME_UNKNOWN, **STRIPPED_TWICE},
        ),
        (
            "nginx-hypercorn-strip.server-option.proxy.http",
            {**LABEL, "slash-redirect": "redirect-drops-prefix"},
        ),
        # Routes below /items are asked for /items: the mount's redirect, and not that of its route.
        (
            "nginx-uvicorn-strip.mount.none.https",
            {
                **UNREACHABLE,
                "slash-redirect": "redirect-wrong-scheme",
                "prefix-once": "prefix-leaks",
            },
        ),
        # /items/ is a route: the bare prefix answers, and nothing below it does.
        ("nginx-uvicorn-preserve.none.proxy.http", {**UNREACHABLE, "prefix-once": "answer-wrong"}),
    ],
)
def test_a_prefix_that_is_the_beginning_of_a_route(cell: str, expected: Symptoms) -> None:
    assert in_items(cell) == expected


@pytest.mark.parametrize("prefix", ["/café", "/v1.0+x", "/a"])
def test_any_other_prefix_makes_no_difference(prefix: str) -> None:
    catalogue = replace(CATALOGUE, prefix=parse(prefix))
    cells = [cell for cell in catalogue.product if cell.topology.proxy == "nginx"]

    assert {cell.id: predict(cell, catalogue) for cell in cells} == {
        cell.id: PREDICTED[BY_ID[cell.id]] for cell in cells
    }
