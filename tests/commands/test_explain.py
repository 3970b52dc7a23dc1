"""`hoplab explain`: a cell, a variation, a symptom."""

import re

import pytest

from tests.commands.run import hoplab

RIGHT = "nginx-uvicorn-strip.server-option.proxy.https"
WRONG = "nginx-hypercorn-strip.server-option.proxy.https"


def hops(text: str) -> list[str]:
    """What `explain` tells of the wires, without ports."""
    told = text.partition("\nHop by hop, for ")[2].partition("\n\n")[0].splitlines()[1:]
    return [re.sub(r":\d{4,5}\b", ":…", line.strip()) for line in told]


def test_explain_a_cell_follows_a_request_and_its_answer() -> None:
    run = hoplab("explain", WRONG)

    assert run.returncode == 0, run.stderr
    assert hops(run.stdout) == [
        "client -> nginx",
        "GET https://mysuperapp.com:…/api/v1/items?q=1",
        "Host: mysuperapp.com:…",
        "nginx -> hypercorn",
        "GET /items?q=1 HTTP/1.1",
        "Host: mysuperapp.com:…",
        "X-Forwarded-Host: mysuperapp.com:…",
        "X-Forwarded-For: 127.0.0.9",
        "X-Forwarded-Proto: https",
        "X-Forwarded-Prefix: /api/v1",
        "X-Real-IP: 127.0.0.9",
        "hypercorn -> application",
        'scheme: "https"',
        'client: ["127.0.0.9", 0]',
        'root_path: "/api/v1"',
        'path: "/items"',
        'method: "GET"',
        'host: ["mysuperapp.com:…"]',
        "hypercorn -> nginx",
        "HTTP/1.1 307",
        "content-length: 0",
        "location: https://mysuperapp.com:…/items/?q=1",
        "nginx -> client",
        "307",
        "Content-Length: 0",
        "Connection: keep-alive",
        "location: https://mysuperapp.com:…/items/?q=1",
    ]
    order = ["\nHop by hop, ", "\nCause\n", "\nThe smallest fix\n", "\nAll that is wrong\n"]
    assert sorted(order, key=run.stdout.index) == order
    told = " ".join(run.stdout.split())
    assert "asked for /items, and not for /api/v1/items: the proxy strips the prefix" in told
    assert "+ FORWARDED_ALLOW_IPS=PROXY hypercorn app.hypercorn.forwarded_prefix:app" in run.stdout


def test_explain_shows_what_a_proxy_makes_of_an_answer() -> None:
    """nginx rewrites Location: what the application said is not what the client gets."""
    run = hoplab("explain", "nginx-uvicorn-strip.none.proxy.http+nginx-bare")

    assert run.returncode == 0, run.stderr
    told = hops(run.stdout)
    back = told[told.index("uvicorn -> nginx") :]
    assert back.index("location: http://app/items/?q=1") < back.index("nginx -> client")
    assert "Location: http://mysuperapp.com:…/api/v1/items/?q=1" in back
    assert "\nHop by hop, for slash-redirect: pass\n" in run.stdout


def test_explain_shows_both_of_two_proxies() -> None:
    run = hoplab("explain", "nginx-uvicorn-strip.server-option.proxy.https+nginx-behind-traefik")

    assert run.returncode == 0, run.stderr
    told = hops(run.stdout)
    names = [
        *("client -> traefik", "traefik -> nginx", "nginx -> uvicorn", "uvicorn -> application"),
        *("uvicorn -> nginx", "nginx -> traefik", "traefik -> client"),
    ]
    assert [line for line in told if " -> " in line] == names
    places = [told.index(name) for name in names]
    assert "X-Forwarded-Proto: https" in told[places[1] : places[2]]
    assert "X-Forwarded-Proto: http" in told[places[2] : places[3]]


@pytest.mark.parametrize("mode", ["strip", "preserve"])
def test_explain_blames_the_host_of_all_that_a_lost_port_breaks(mode: str) -> None:
    """Neither stripping for the static file, nor the location for the bare prefix."""
    cell = {
        "strip": "nginx-uvicorn-strip.server-option.proxy.http+nginx-host-drops-port",
        "preserve": "nginx-hypercorn-preserve.server-option.proxy.http+nginx-host-drops-port",
    }[mode]

    run = hoplab("explain", cell)

    assert run.returncode == 0, run.stderr
    cause = " ".join(run.stdout.partition("\nCause\n")[2].partition("\n\n")[0].split())
    assert "is told the Host mysuperapp.com, and not mysuperapp.com:" in cause
    checks = ["slash-redirect", "url-for", "mount", "static", "client"]
    for check in [*checks, *(["prefix-once"] if mode == "preserve" else [])]:
        assert f"{check}: " in cause


@pytest.mark.parametrize(
    ("cell", "words"),
    [
        pytest.param(RIGHT, ["pass, as predicted", "nginx -> uvicorn"], id="right"),
        pytest.param(
            "nginx-uvicorn-strip.server-option.any.http",
            ["client -> uvicorn", "X-Forwarded-For: 192.0.2.7", "trust any -> proxy"],
            id="directly",
        ),
        pytest.param(
            "nginx-hypercorn-strip.forwarded-prefix.proxy.https+nginx-no-upgrade",
            ["websocket: websocket-refused", "The variation nginx-no-upgrade", "nginx -> hyper"],
            id="variation, WebSocket",
        ),
        pytest.param(
            "traefik-uvicorn-preserve.none.proxy.http",
            ["application-has-no-route", 'path: "/api/v1/app"', "strategy none -> forwarded"],
            id="preserve",
        ),
    ],
)  # fmt: skip
def test_explain_cells(cell: str, words: list[str]) -> None:
    run = hoplab("explain", cell)

    assert run.returncode == 0, run.stderr
    for word in words:
        assert word in run.stdout


@pytest.mark.parametrize("what", ["redirect-drops-prefix", "nginx-bare"])
def test_explain_starts_nothing_for_a_word(what: str) -> None:
    run = hoplab("explain", what)

    assert (run.returncode, run.stderr) == (0, "")
    assert "\nFix\n" in run.stdout
    assert all(len(line) <= 80 or "://" in line or line[:4] in {"  - ", "  + "}
               for line in run.stdout.splitlines())  # fmt: skip
