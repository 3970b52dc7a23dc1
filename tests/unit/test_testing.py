"""What a marker and the fixtures of the pytest plugin take: one list of options."""

import inspect

import pytest

from hoplab import testing
from hoplab.interface import check

OPTIONS = set(inspect.signature(check).parameters) - {"application"}
COMMAND = "uvicorn main:app --host {host} --port {port}"


def test_an_unknown_option_is_an_error_everywhere_and_names_the_known_ones() -> None:
    with pytest.raises(pytest.fail.Exception) as marked:
        testing.chosen({"application": "main:app", "envfile": "x"})
    with testing.Running() as running, pytest.raises(pytest.fail.Exception) as started:
        running.start("main:app", envfile="x")
    checked, _ = testing.check("main:app", {"envfile": "x"})

    for told in (str(marked.value), str(started.value), checked):
        assert "there is no option 'envfile'; known: proxy, server, mode, scheme, prefix" in told
        assert all(option in told for option in OPTIONS)


def test_what_starts_an_application_is_the_same_for_a_marker() -> None:
    """And what is to be asked is not in its way: the marker may be of a module that checks too."""
    marked = {
        "application": "main:app", "proxy": ["nginx", "caddy"], "mode": "strip",
        "server": "uvicorn", "scheme": "https", "prefix": "/shop", "env_file": "shop.env",
        "start_seconds": 60, "headers": ["A: b"], "skip": ["/admin/*"],
    }  # fmt: skip

    found = testing.chosen(marked)

    assert found == [{**marked, "proxy": proxy} for proxy in ("nginx", "caddy")]
    assert [testing.name(each) for each in found] == ["nginx-uvicorn-strip", "caddy-uvicorn-strip"]


def test_a_command_takes_the_place_of_the_servers() -> None:
    marked = {"application": "main:app", "proxy": "nginx", "command": COMMAND}

    found = testing.chosen(marked)

    assert found == [{**marked, "mode": mode} for mode in ("strip", "preserve")]
    assert [testing.name(each) for each in found] == ["nginx-own-strip", "nginx-own-preserve"]
