"""The stranger: what it follows, and how it compares URLs."""

from collections.abc import Iterator

import pytest

from hoplab.client.probe import Failed, Probe, compare_urls
from hoplab.topology import PREFIX, Cell, Scheme, Strategy, Trust
from tests.unit.stub import TOPOLOGY, Stub


@pytest.fixture
def probe(stub: Stub) -> Iterator[Probe]:
    probe = Probe(Cell(TOPOLOGY, Strategy.NONE, Trust.NONE, Scheme.HTTP), stub.endpoint)
    yield probe
    probe.client.close()


def test_paths_are_below_the_public_base(probe: Probe, stub: Stub) -> None:
    port = stub.endpoint.ports[Scheme.HTTP]

    assert probe.base == f"http://mysuperapp.com:{port}{PREFIX}"
    assert probe.url("/app") == f"{probe.base}/app"
    assert probe.url("http://x/app") == "http://x/app"
    assert probe.get("/app").url == f"{probe.base}/app"


@pytest.mark.parametrize(
    ("url", "asked"),
    [
        pytest.param("docs", f"{PREFIX}/docs", id="relative"),
        pytest.param("/api/v1/docs", f"{PREFIX}/docs", id="absolute path"),
        pytest.param("/docs#top", "/docs", id="fragment"),
        pytest.param("?q=1", f"{PREFIX}/app?q=1", id="query"),
        pytest.param("//mysuperapp.com:{port}/x", "/x", id="without scheme"),
        pytest.param("http://mysuperapp.com:{port}/x", "/x", id="whole"),
    ],
)
def test_urls_are_followed_as_a_browser_does(
    probe: Probe, stub: Stub, url: str, asked: str
) -> None:
    port = stub.endpoint.ports[Scheme.HTTP]

    answer = probe.follow(url.format(port=port), f"{probe.base}/app")

    assert answer is not None
    assert answer.url == f"http://mysuperapp.com:{port}{asked}"


def test_the_other_scheme_is_followed_too(probe: Probe, stub: Stub) -> None:
    url = stub.endpoint.base(Scheme.HTTPS) + "/app"

    answer = probe.follow(url, probe.base)

    assert answer is not None
    assert probe.answers(answer)


@pytest.mark.parametrize(
    "url",
    ["https://prod.example.com/app", "//cdn.example/x", "http://mysuperapp.com/app", "mailto:a@b"],
)
def test_urls_that_lead_away_are_not_followed(probe: Probe, url: str) -> None:
    assert probe.follow(url, probe.base) is None
    assert probe.client.exchanges == []


def test_only_an_answer_of_the_application_counts(probe: Probe) -> None:
    outside = probe.get(f"{probe.origin}/app")

    assert (probe.from_app(outside), probe.answers(outside, 404)) == (False, False)
    assert probe.answers(probe.get("/nowhere"), 404)


def test_router_has_no_root_path(stub: Stub) -> None:
    told = {
        strategy: Probe(Cell(TOPOLOGY, strategy, Trust.NONE, Scheme.HTTP), stub.endpoint).root_path
        for strategy in Strategy
    }

    assert {strategy for strategy, root_path in told.items() if not root_path} == {Strategy.ROUTER}
    assert set(told.values()) == {"", PREFIX}


RIGHT = "https://mysuperapp.com:9499/api/v1/items/?q=1"


@pytest.mark.parametrize(
    ("given", "symptom"),
    [
        (RIGHT, None),
        ("https://mysuperapp.com:9499/api/v1/other", None),
        ("https://app:9499/api/v1/items/?q=1", "x-wrong-host"),
        ("http://app:8000/items/", "x-wrong-host"),
        ("https://127.0.0.1:9499/api/v1/items/?q=1", "x-wrong-host"),
        ("https://mysuperapp.com.evil.example:9499/api/v1/items/", "x-wrong-host"),
        ("https://mysuperapp.com/api/v1/items/?q=1", "x-drops-port"),
        ("https://mysuperapp.com:443/api/v1/items/?q=1", "x-drops-port"),
        ("https://mysuperapp.com:None/api/v1/items/?q=1", "x-drops-port"),
        ("https://mysuperapp.com:/api/v1/items/?q=1", "x-drops-port"),
        ("http://mysuperapp.com/items/", "x-drops-port"),
        ("http://mysuperapp.com:9499/api/v1/items/?q=1", "x-wrong-scheme"),
        ("http://mysuperapp.com:9499/items/", "x-wrong-scheme"),
        ("https://mysuperapp.com:9499/items/?q=1", "no-prefix"),
        ("https://mysuperapp.com:9499/api/v10/items/", "no-prefix"),
        ("https://mysuperapp.com:9499/", "no-prefix"),
        ("/api/v1/items/", "x-wrong-host"),
    ],
)
def test_the_first_difference_is_named(given: str, symptom: str | None) -> None:
    if symptom is None:
        compare_urls(RIGHT, given, "x", "no-prefix")
        return
    with pytest.raises(Failed) as failed:
        compare_urls(RIGHT, given, "x", "no-prefix")

    assert failed.value.symptom == symptom
    assert failed.value.detail == f"{given}, expected {RIGHT}"
