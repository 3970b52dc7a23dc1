"""A person's tables: YAML, TOML and labels; what is changed to run them, and what can't run."""

from pathlib import Path

import pytest
import yaml

from hoplab.catalogue.configurations import (
    BadConfiguration,
    CannotRun,
    Configuration,
    recognised,
    understand,
)
from hoplab.prefix import parse
from hoplab.topology import Mode, Scheme
from tests.catalogue import CATALOGUE

FILES = Path(__file__).parents[1] / "commands/own_configurations"
TRAEFIK = CATALOGUE.proxies["traefik"]
ROUTER = "http:\n  routers:\n    a: {rule: PathPrefix(`/api`), service: s}\n"
SERVICE = "  services:\n    s: {loadBalancer: {servers: [{url: http://x:1}]}}\n"


def own(text: str, name: str = "a.yml") -> Configuration:
    return understand(TRAEFIK, Path(name), text)


def of(name: str) -> Configuration:
    text = (FILES / name).read_text()
    assert recognised(CATALOGUE.proxies, text) == [TRAEFIK]
    return own(text, name)


@pytest.mark.parametrize(
    ("name", "schemes"),
    [
        ("dynamic.yml", [Scheme.HTTPS]),
        ("routes.toml", [Scheme.HTTP]),
        ("compose.yml", [Scheme.HTTPS]),
    ],
)
def test_what_runs(name: str, schemes: list[Scheme]) -> None:
    configuration = of(name)

    data = yaml.safe_load(configuration.text())

    assert (list(configuration.schemes), configuration.prefixes) == (schemes, ["/api"])
    [service] = data["http"]["services"].values()
    [balancer] = service.values()
    assert balancer["servers"] == [{"url": "http://${UPSTREAM}"}]
    points = [
        value
        for router in data["http"]["routers"].values()
        for key, value in router.items()
        if key.lower() == "entrypoints"
    ]
    assert schemes[0].value in [point for some in points for point in some]
    assert "certResolver" not in configuration.text()
    assert "example.com" not in configuration.text()


def test_only_what_has_to_be_is_changed() -> None:
    lines = [line for line in of("dynamic.yml").adapted() if line[0] in "+-"]

    assert lines == [
        "-      - websecure",
        "-      rule: Host(`example.com`) && PathPrefix(`/api`)",
        "+      - https",
        "+      rule: Host(`mysuperapp.com`) && PathPrefix(`/api`)",
        "-      tls:",
        "-        certResolver: letsencrypt",
        "+      tls: {}",
        "-        - url: http://10.0.0.5:8000",
        "+        - url: http://${UPSTREAM}",
        "+tls:",
        "+  stores:",
        "+    default:",
        "+      defaultCertificate:",
        "+        certFile: ${TLS_CERTIFICATE}",
        "+        keyFile: ${TLS_KEY}",
    ]


@pytest.mark.parametrize(
    ("text", "error", "told"),
    [
        ("http:\n  routers: [\n", BadConfiguration, "a.yml:3: "),
        ("- http\n", BadConfiguration, "a.yml has no tables"),
        ("entryPoints: {web: {address: ':80'}}", BadConfiguration, "the static configuration"),
        ("services:\n  a: {labels: [traefik.enable=true]}", BadConfiguration, "no labels of a rou"),
        (ROUTER, CannotRun, "the service s is not in a.yml"),
        (ROUTER.replace("s}", "s, middlewares: [m@file]}") + SERVICE, CannotRun, "middleware m is"),
        (ROUTER + "    b: {rule: Path(`/b`), service: t}\n" + SERVICE, BadConfiguration, "several"),
        (ROUTER + "  services:\n    s: {weighted: {}}\n", CannotRun, "no loadBalancer: weighted"),
        ("[http\n", BadConfiguration, "a.yml is not TOML: "),
    ],
)
def test_what_can_t_be_run(text: str, error: type[Exception], told: str) -> None:
    with pytest.raises(error, match=told):
        own(text)


def test_the_proxy_s_own_page_is_left_out() -> None:
    text = ROUTER + "    d: {rule: Path(`/dashboard`), service: api@internal}\n" + SERVICE

    configuration = own(text)

    assert "dashboard" not in configuration.text()
    assert configuration.notes[0] == "the router d is left out: it is the proxy's own page"


def test_the_lab_s_lines() -> None:
    text = ROUTER.replace("service: s", "service: s, priority: 3, middlewares: [x, c]") + SERVICE
    text += "  middlewares:\n    x: {stripPrefix: {prefixes: [/api/]}}\n    c: {compress: {}}\n"
    configuration = own(text)
    edits = {edit.told: edit for edit in configuration.edits(Mode.STRIP, parse("/api"))}

    def router(*names: str) -> dict[str, object]:
        data = yaml.safe_load(configuration.text([edits[name] for name in names]))
        found: dict[str, object] = data["http"]["routers"]["a"]
        return found

    assert router("rule")["rule"] == (
        "(Path(`${PUBLIC_PREFIX_DECODED}`) || PathPrefix(`${PUBLIC_PREFIX_DECODED}/`))"
    )
    named = router("middleware drop-forwarded", "middleware forwarded-prefix")["middlewares"]
    assert named == ["drop-forwarded", "x", "c", "forwarded-prefix"]
    assert router("without middleware c")["middlewares"] == ["x"]
    assert "priority" not in router("without priority")
    stripping = yaml.safe_load(configuration.text([edits["stripPrefix"]]))["http"]["middlewares"]
    assert stripping["x"] == {"stripPrefix": {"prefixes": ["${PUBLIC_PREFIX_DECODED}"]}}


def test_labels_stay_labels() -> None:
    configuration = of("compose.yml")
    edits = configuration.edits(Mode.PRESERVE, parse("/api"))
    host = next(edit for edit in edits if edit.told == "without passhostheader")

    assert "-traefik.http.services.api.loadbalancer.passhostheader=false" in (
        configuration.change([host], parse("/api"))
    )
