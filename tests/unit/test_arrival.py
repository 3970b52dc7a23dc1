"""Where a URL leads: followed on its host alone, and never for ever."""

import pytest

from hoplab.client.arrival import Arrival, arrive
from hoplab.client.asker import Stop
from hoplab.client.given import connect_to, read
from hoplab.client.polite import PoliteClient
from tests.unit.hostile import LOOPBACK, Behaviour, Visit, answer, site


def redirecting(places: dict[str, str]) -> Behaviour:
    """By target: where it leads. What is not named answers 200."""

    def behave(visit: Visit) -> None:
        if visit.target in places:
            visit.send(answer(b"", "302 Found", f"Location: {places[visit.target]}"))
        else:
            visit.send(answer(b"here"))

    return behave


def arrived(places: dict[str, str], path: str = "/") -> tuple[Arrival, int]:
    with site(redirecting(places)) as found:
        client = PoliteClient(
            read(f"http://a.invalid:{found.port}{path}"),
            connect_to=[connect_to(f"::{LOOPBACK}:")],
        )
        try:
            came = arrive(client)
        finally:
            client.close()
        return came, len(found.heads)


def test_an_answer_is_the_end() -> None:
    came, asked = arrived({})

    assert (came.note, came.loop, came.elsewhere, asked) == ("", False, "", 1)


@pytest.mark.parametrize(
    "places", [{"/": "/"}, {"/": "/a", "/a": "/b", "/b": "/a"}, {"/": "//a.invalid:@/"}]
)
def test_a_loop_is_named(places: dict[str, str]) -> None:
    came, asked = arrived(places)

    if "@" not in places["/"]:
        assert came.loop
        assert "for ever" in came.note
    assert asked <= 4


def test_a_chain_without_an_end_is_given_up() -> None:
    came, asked = arrived({f"/{n}": f"/{n + 1}" for n in range(100)}, "/0")

    assert came.loop
    assert "more than 10 times" in came.note
    assert asked == 10


@pytest.mark.parametrize(
    "to", ["http://b.invalid/x", "//b.invalid/x", "https://b.invalid\\@a.invalid/"]
)
def test_another_host_is_named_and_not_asked(to: str) -> None:
    came, asked = arrived({"/": to})

    assert came.elsewhere.startswith(("http://b.invalid/", "https://b.invalid"))
    assert "another host" in came.note
    assert asked == 1


@pytest.mark.parametrize(
    "to", ["", "::", "http://[", "ftp://a.invalid/", "mailto:x", "javascript:1"]
)
def test_a_location_that_leads_nowhere(to: str) -> None:
    came, asked = arrived({"/": to})

    assert not came.loop
    assert asked <= 2


def test_https_is_gone_to_if_nothing_else_changes() -> None:
    came, _ = _stopping("https://a.invalid/")

    assert "no answer" in came or "TLS" in came or "ended" in came


def _stopping(to: str) -> tuple[str, int]:
    """The client asks over https now, where this site has none."""
    with site(redirecting({"/": to})) as found:
        client = PoliteClient(
            read(f"http://a.invalid:{found.port}/"),
            connect_to=[connect_to(f"::{LOOPBACK}:{found.port}")],
        )
        try:
            came = arrive(client)
        except Stop as stop:
            return str(stop), len(found.heads)
        finally:
            client.close()
        assert client.origin == "https://a.invalid"
        return f"{came.note} no answer", len(found.heads)


def test_https_at_another_path_may_be_what_is_wrong() -> None:
    came, asked = arrived({"/": "https://a.invalid/other"})

    assert came.url.startswith("http://a.invalid:")
    assert asked == 1
