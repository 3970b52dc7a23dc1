"""Proxies, servers and platforms are recognised by what they show, and never surer than that."""

import re
import time
from typing import Any

import pytest

from hoplab.client.wire import Exchange
from hoplab.diagnosis.programs import (
    Kind,
    Recognised,
    Remedy,
    find,
    guess,
    names,
    no_asgi,
    programs,
    read,
    recognise,
)
from hoplab.diagnosis.words import Known
from tests.catalogue import CATALOGUE

URL = "https://example.com/api/v1/docs"


def answer(status: int = 200, body: str = "", **headers: str) -> Exchange:
    told = [(name.replace("_", "-"), value) for name, value in headers.items()]
    return Exchange("GET", URL, (), status, told, body.encode())


def recognised(*exchanges: Exchange, url: str = URL) -> list[str]:
    return [each.program.name for each in recognise(url, exchanges)]


@pytest.mark.parametrize(
    ("exchange", "name"),
    [
        (answer(server="nginx/1.27.3"), "nginx"),
        (answer(server="openresty"), "nginx"),
        (answer(404, "<hr><center>nginx/1.18.0 (Ubuntu)</center>"), "nginx"),
        (answer(server="Caddy"), "caddy"),
        (answer(via="1.1 Caddy"), "caddy"),
        (answer(404, "404 page not found\n"), "traefik"),
        (answer(502, "Bad Gateway"), "traefik"),
        (answer(server="uvicorn"), "uvicorn"),
        (answer(server="hypercorn-h11"), "hypercorn"),
        (answer(server="granian"), "granian"),
        (answer(server="daphne"), "Daphne"),
        (answer(server="Apache/2.4.62 (Debian)"), "Apache httpd"),
        (
            answer(404, "<address>Apache/2.4.62 (Debian) Server at x Port 80</address>"),
            "Apache httpd",
        ),
        (
            answer(
                503,
                "<html><body><h1>503 Service Unavailable</h1>\nNo server is available to handle"
                " this request.\n</body></html>\n",
            ),
            "HAProxy",
        ),
        (answer(server="istio-envoy"), "Envoy"),
        (answer(503, "no healthy upstream"), "Envoy"),
        (answer(via="1.1 kong/3.9.0"), "Kong"),
        (answer(x_kong_proxy_latency="3"), "Kong"),
        (answer(server="Microsoft-IIS/10.0"), "Microsoft IIS"),
        (answer(via="1.1 varnish (Varnish/7.4)"), "Varnish"),
        (answer(404, "default backend - 404"), "ingress-nginx"),
        (answer(set_cookie="AWSALB=secret; Path=/"), "AWS Application Load Balancer"),
        (answer(apigw_requestid="x"), "AWS API Gateway"),
        (answer(x_amz_cf_id="x"), "Amazon CloudFront"),
        (answer(server="Google Frontend"), "Google Cloud Run"),
        (answer(via="1.1 google"), "Google Cloud Load Balancing"),
        (answer(server="Microsoft-Azure-Application-Gateway/v2"), "Azure Application Gateway"),
        (answer(set_cookie="ARRAffinity=x"), "Azure App Service"),
        (answer(cf_ray="x-FRA"), "Cloudflare"),
        (answer(via="1.1 vegur"), "Heroku"),
        (answer(x_render_origin_server="uvicorn"), "Render"),
        (answer(server="Fly/abc (2026-01-01)"), "Fly.io"),
        (answer(server="railway-edge"), "Railway"),
        (answer(x_jupyterhub_version="5"), "jupyter-server-proxy"),
        (answer(x_served_by="tunnels-prod-rel-euw"), "GitHub Codespaces or dev tunnels"),
        (answer(set_cookie="coder_session_token=x"), "code-server"),
    ],
)
def test_what_shows_what(exchange: Exchange, name: str) -> None:
    assert recognised(exchange) == [name]


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("https://x.execute-api.eu-west-1.amazonaws.com/prod", "AWS API Gateway"),
        ("https://x-1.eu-west-1.elb.amazonaws.com/", "AWS Application Load Balancer"),
        ("https://d1.cloudfront.net/", "Amazon CloudFront"),
        ("https://app-abc-ew.a.run.app/docs", "Google Cloud Run"),
        ("https://x.azurewebsites.net/", "Azure App Service"),
        ("https://x.azurefd.net/", "Azure Front Door"),
        ("https://x.herokuapp.com/", "Heroku"),
        ("https://x.onrender.com/", "Render"),
        ("https://x.fly.dev/", "Fly.io"),
        ("https://x-8000.app.github.dev/", "GitHub Codespaces or dev tunnels"),
        ("https://x-8000.euw.devtunnels.ms/", "GitHub Codespaces or dev tunnels"),
        ("https://hub.example.com/user/me/proxy/8000/docs", "jupyter-server-proxy"),
        ("https://code.example.com/absproxy/8000/", "code-server"),
        ("https://wb.example.com/s/0123456789abcdef/p/89abcdef/docs", "Posit Workbench"),
        ("https://x.hf.space/", "Hugging Face Spaces"),
        ("https://x.ngrok-free.app/", "ngrok"),
    ],
)
def test_what_an_address_shows(url: str, name: str) -> None:
    assert name in recognised(url=url)


@pytest.mark.parametrize(
    "exchange",
    [
        answer(),
        answer(server="my-nginx-like-thing"),
        answer(200, "<center>nginx</center> is what this page is about"),
        answer(404, '{"detail":"Not Found"}'),
        answer(404, "404 page not found, sorry"),
        answer(set_cookie="session=AWSALB"),
        answer(x_powered_by="coffee"),
    ],
)
def test_what_shows_nothing(exchange: Exchange) -> None:
    assert recognised(exchange) == []


@pytest.mark.parametrize(
    "url",
    ["https://run.app.example.com/", "https://notfly.dev.example/", "https://example.com/proxy/x"],
)
def test_names_that_only_look_like_one(url: str) -> None:
    assert recognised(url=url) == []


def test_the_evidence_is_told_and_can_not_act_on_a_terminal() -> None:
    (found,) = recognise(URL, [answer(server="nginx/\x1b[31m" + "x" * 500)])

    assert found.why.isprintable()
    assert "nginx/" in found.why
    assert len(found.why) < 200


def test_no_secret_of_a_cookie_is_told() -> None:
    (found,) = recognise(URL, [answer(set_cookie="AWSALB=hunter2; Path=/")])

    assert "hunter2" not in found.why
    assert "AWSALB" in found.why


def test_every_program_of_the_catalogue_can_be_recognised() -> None:
    """But for one that runs another's server."""
    known = {each.name for each in programs()}

    assert {*CATALOGUE.proxies, *CATALOGUE.servers} - known == {"fastapi"}


def test_every_other_program_has_something_to_say_and_where_that_is_from() -> None:
    catalogue = {*CATALOGUE.proxies, *CATALOGUE.servers}
    for program in programs():
        assert program.signs
        if program.name in catalogue:
            assert not program.fixes, "it has a file of its own"
            continue
        assert program.does
        assert program.fixes or program.kind is Kind.OTHER
        for fix in program.fixes.values():
            assert fix.advice.references
            assert all(each.startswith("https://") for each in fix.advice.references)


def test_no_sign_takes_long_on_a_page_that_is_made_for_it() -> None:
    pages = ["<h1>503 " + "x" * 60_000, "<center>nginx" + "/" * 60_000, "<address>Apache/" * 4000]
    began = time.monotonic()
    for page in pages:
        recognise("https://x/" + "proxy/8" * 2000, [answer(503, page, via="1.1 " * 10_000)])

    assert time.monotonic() - began < 2


def test_the_surest_come_first_and_a_person_knows_better() -> None:
    found = recognise(URL, [answer(404, "404 page not found\n", server="Caddy")])

    assert [each.program.name for each in found] == ["caddy", "traefik"]
    assert guess(Known(), found).proxy == "caddy"
    assert "Caddy" in guess(Known(), found).why_proxy
    assert guess(Known(proxy="nginx"), found) == Known(proxy="nginx")
    assert guess(Known(), []) == Known()


def test_what_is_no_asgi_application() -> None:
    assert "no ASGI application" in no_asgi(recognise(URL, [answer(server="gunicorn")]))
    assert "no ASGI application" in no_asgi(
        recognise(URL, [answer(server="Werkzeug/3.1 Python/3.13")])
    )
    assert "no ASGI application" in no_asgi(recognise(URL, [answer(x_powered_by="PHP/8.3")]))
    both = [answer(server="uvicorn"), answer(x_powered_by="PHP/8.3")]
    assert no_asgi(recognise(URL, both)) == ""
    assert no_asgi(recognise(URL, [answer(server="nginx")])) == ""


@pytest.mark.parametrize(
    ("told", "name"), [("Apache", "Apache httpd"), ("NGINX", "nginx"), ("fly", "Fly.io")]
)
def test_names_as_people_say_them(told: str, name: str) -> None:
    found = find(told)

    assert found is not None
    assert found.name == name
    assert find("nothing of that kind") is None
    assert "apache" in names() or "httpd" in names()


@pytest.mark.parametrize(
    ("table", "told"),
    [
        ({"name": "x", "kind": "car", "signs": []}, "kind"),
        ({"name": "x", "kind": "proxy", "signs": [{"heder": "x"}]}, "heder"),
        ({"name": "x", "kind": "proxy", "signs": [{"header": "("}]}, "regular expression"),
        ({"name": "x", "kind": "proxy", "signs": [], "fixes": {"prefx": {"text": ""}}}, "prefx"),
        ({"name": "x", "kind": "proxy", "signs": [], "fixes": {"trust": {"txt": ""}}}, "txt"),
        ({"name": "x", "kind": "proxy", "signs": [], "more": 1}, "more"),
    ],
)
def test_a_table_that_is_wrong_is_named(table: dict[str, Any], told: str) -> None:
    with pytest.raises(ValueError, match=re.escape(told)):
        read({"program": [table]})


def test_a_recognised_program_is_a_value() -> None:
    assert Recognised(programs()[0], "why") == Recognised(programs()[0], "why")


def test_what_answers_outside_the_prefix_tells_nothing_of_the_application() -> None:
    """Another site may be there."""
    inside = Exchange("GET", "https://example.com/shop/x", (), 404, [("Server", "nginx")])
    outside = Exchange("GET", "https://example.com/x", (), 404, [("X-Powered-By", "PHP/8.3")])
    beside = Exchange("GET", "https://example.com/shopx/", (), 404, [("Server", "uvicorn")])
    every = [inside, outside, beside]

    def names_of(prefix: str) -> list[str]:
        return [each.program.name for each in recognise(URL, every, prefix)]

    assert names_of("/shop") == ["nginx"]
    assert names_of("") == ["nginx", "uvicorn", "PHP"]


def test_daphne_s_trust_has_nothing_to_do_with_the_prefix() -> None:
    daphne = find("daphne")

    assert daphne is not None
    (line,) = daphne.fixes[Remedy.TRUST].lines
    assert line == "daphne --proxy-headers MODULE:APP"
