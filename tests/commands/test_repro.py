"""`hoplab recipe` and `repro`: files and commands that a person would keep."""

import re
import shutil
import socket
from contextlib import suppress

import pytest

from hoplab.suites.contract.checks import CHECKS
from tests.catalogue import CATALOGUE, ROOT
from tests.commands.run import hoplab

WRONG = "nginx-hypercorn-strip.server-option.proxy.https"


def test_recipe_prints_the_files_and_what_they_passed() -> None:
    run = hoplab("recipe", "nginx", "hypercorn", "strip")

    assert run.returncode == 0, run.stderr
    assert (ROOT / "nginx/strip.conf.template").read_text().rstrip() in run.stdout
    assert (ROOT / "app/hypercorn/forwarded_prefix.py").read_text().rstrip() in run.stdout
    assert "hypercorn app.hypercorn.forwarded_prefix:app" in run.stdout
    told = " ".join(run.stdout.replace("\n#  ", "").split())
    every = ", ".join(name for name in CHECKS if name not in {"direct", "limits"})
    assert f"# http: passed {every} # https: passed {every} # with python" in told


@pytest.mark.skipif(not shutil.which("curl"), reason="no curl")
@pytest.mark.parametrize(
    ("cell", "word"),
    [
        (WRONG, r"location: https://mysuperapp.com:\d+/items/\?q=1"),
        ("traefik-uvicorn-preserve.server-option.proxy.http", '"path": "/api/v1/api/v1/app"'),
        ("nginx-uvicorn-strip.server-option.proxy.https+nginx-behind-traefik", "location: http://"),
        ("nginx-uvicorn-strip.server-option.proxy.http+nginx-no-upgrade", "HTTP/1.1 404"),
    ],
)
def test_repro_runs_what_it_prints(cell: str, word: str) -> None:
    run = hoplab("repro", "--run", cell)

    assert run.returncode == 0, run.stderr
    assert f"# {cell}" in run.stdout
    assert re.search(word, run.stdout), run.stdout


def test_repro_says_which_of_its_ports_is_taken() -> None:
    with suppress(OSError), socket.create_server(("127.0.0.1", 9999)):  # else somebody has it
        run = hoplab("repro", "nginx-uvicorn-strip.app-argument.proxy.https")

    assert run.returncode == 0, run.stderr
    [told] = [line for line in run.stderr.splitlines() if "Taken now" in line]
    assert told.startswith("hoplab: Taken now: port 9999")
    assert "hoplab down" in told


def test_repro_says_what_each_curl_shows_what_is_expected_and_what_came() -> None:
    run = hoplab("repro", "nginx-uvicorn-strip.none.proxy.http+nginx-bare")

    assert run.returncode == 0, run.stderr
    redirect, *others = run.stdout.split("\n# 3. ")[1].split("\n\n")
    assert redirect.startswith("ask: slash-redirect: pass\n#    expected: yes. Does `/items?q=1`")
    assert redirect.endswith("'http://mysuperapp.com:9999/api/v1/items?q=1'")
    [links] = [question for question in others if " url-for: " in question.splitlines()[0]]
    assert [line for line in links.splitlines() if "also" not in line][1:3] == [
        "#    expected: http://mysuperapp.com:9999/api/v1/scope?q=1",
        "#    came:     http://app/scope?q=1",
    ]
    assert links.endswith("'http://mysuperapp.com:9999/api/v1/scope?q=1'")


def test_repro_of_a_route_that_begins_with_the_prefix() -> None:
    run = hoplab("repro", "nginx-hypercorn-strip.server-option.proxy.http+root-path-is-a-route")

    assert run.returncode == 0, run.stderr
    [question] = run.stdout.split("\n# 3. ")[1:]
    assert question.startswith("ask: prefix-once: prefix-")
    assert question.rstrip().endswith("http://mysuperapp.com:9999/api/v1/api/v1/nested")


@pytest.mark.parametrize("proxy", CATALOGUE.proxies)
def test_repro_writes_files_that_a_person_would_keep(proxy: str) -> None:
    """No name of the lab's in them, and the proxy starts with them: `--run` does the same."""
    cell = f"{proxy}-uvicorn-strip.server-option.proxy.https"

    run = hoplab("repro", cell)

    assert run.returncode == 0, run.stderr
    [named] = re.findall(rf"^# 2\. {proxy}: (.*)$", run.stdout, re.MULTILINE)
    for name in named.split(", "):
        text = (ROOT / name).read_text()
        own = text.replace(cell, "")  # the folder's name
        assert not re.search(r"uvicorn.strip|server.option", own), name
