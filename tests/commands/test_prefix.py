"""`--prefix`: any path is as good as /api/v1, over the wire and in what is printed."""

import json
import re
import shutil
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import urlsplit

import pytest

from hoplab.catalogue import load
from hoplab.prefix import parse
from hoplab.results import Results, Verdict
from hoplab.results_file import load as load_results
from hoplab.suites.contract.checks import CHECKS
from hoplab.topology import Scheme
from tests.catalogue import CATALOGUE, ROOT, WORKSPACE
from tests.commands.run import hoplab
from tests.docker_required import needs_docker

ENCODED: Mapping[str, str] = {
    "/api": "/api",
    "/a/b/c/": "/a/b/c",
    "/café": "/caf%C3%A9",
    "/items": "/items",  # a route begins the same
    "/v1.0+x": "/v1.0+x",  # letters that mean something in expressions
    "/a$b": "/a$b",  # and in nginx's, Traefik's and Caddy's files
    "/a%7Bb": "/a%7Bb",
}
"""What a person writes, and how it stands in a URL."""

WHOLE = "/café"
"""Of this one everything is asked; of the others what is about paths."""

NOT_ABOUT_PATHS = {
    *("stream", "direct", "isolation", "disconnect", "limits", "requests", "answers"),
    "websocket-messages",
}
"""Each waits, or sends much, and that at one path like any other."""

EVERY_PROXY = [word for proxy in CATALOGUE.proxies for word in ("--proxy", proxy)]


def checks_for(prefix: str) -> list[str]:
    return [name for name in CHECKS if prefix == WHOLE or name not in NOT_ABOUT_PATHS]


@cache
def verified(prefix: str, *chosen: str) -> Results:
    """Once for each prefix, with these options."""
    with TemporaryDirectory() as folder:
        file = Path(folder) / "results.json"
        words = ["--engine", "process", "--prefix", prefix, "--format", "json", "-o", str(file)]
        checks = [word for name in checks_for(prefix) for word in ("--check", name)]
        run = hoplab("verify", *words, *EVERY_PROXY, *chosen, *checks)
        assert (run.returncode, run.stdout) == (0, ""), run.stderr
        return load_results(file)


def asked(results: Results) -> list[tuple[str, str, Verdict, set[tuple[str, str]]]]:
    """What was asked of each cell, and what came of it; without ports.

    Not how often: what a busy machine answers too late is asked again.
    """
    return [
        (
            result.cell.id,
            f.check,
            f.verdict,
            {(e.method, urlsplit(e.url).path) for e in f.exchanges},
        )
        for result in results.cells
        for f in result.findings
    ]


@pytest.mark.parametrize("prefix", ENCODED)
def test_every_topology_passes_everything_below_another_prefix(prefix: str) -> None:
    results = verified(prefix)

    catalogue = load(WORKSPACE, parse(prefix))
    assert [r.cell for r in results.cells] == catalogue.recommended_cells(catalogue.composed)
    for result in results.cells:
        assert result.verdict is Verdict.PASS, result
        assert [finding.check for finding in result.findings] == checks_for(prefix)
        [reach] = [finding for finding in result.findings if finding.check == "reach"]
        assert {urlsplit(e.url).path for e in reach.exchanges} == {f"{ENCODED[prefix]}/app"}
        assert parse(reach.exchanges[0].json()["root_path"]) == parse(prefix)


def test_encoded_or_not_is_the_same_prefix() -> None:
    """How it was written is known to `parse` alone: one server is asked again, and not all."""
    encoded = "/caf%C3%A9"
    assert parse(encoded) == parse("/café")

    second = asked(verified(encoded, "--server", "uvicorn"))

    first = [each for each in asked(verified("/café")) if "-uvicorn-" in each[0]]
    assert [each for each in first if each[1] in checks_for(encoded)] == second


def test_without_a_prefix_every_combination_is_as_predicted() -> None:
    """Nobody strips, and nobody has to be told: what is left to get wrong is whom to believe."""
    words = ["--proxy", "nginx", "--proxy", "traefik", "--server", "uvicorn", "--scheme", "https"]
    run = hoplab("matrix", "--prefix", "/", *words)

    assert run.returncode == 0, run.stdout + run.stderr
    assert "6 cells: 2 right, 4 wrong on purpose, as predicted\n" in run.stdout
    rows = [line.split() for line in run.stdout.splitlines()[:4]]
    assert rows == [
        ["preserve", "trust", "uvicorn"],
        ["none", "none", "rws"],
        ["proxy", "✓"],
        ["any", "ds"],
    ]


def test_without_a_prefix_every_topology_passes() -> None:
    checks = [word for name in checks_for("/") for word in ("--check", name)]
    run = hoplab("verify", "--engine", "process", "--prefix", "/", *EVERY_PROXY, *checks)

    assert run.returncode == 0, run.stdout + run.stderr
    cells = len(CATALOGUE.proxies) * len(CATALOGUE.servers) * len(Scheme)
    assert f"{cells} cells: {cells} pass, 0 fail, 0 error" in run.stdout
    assert f"not asked: prefix-once in {cells} cells: not known here: a prefix\n" in run.stdout


@needs_docker
def test_without_a_prefix_every_proxy_passes_in_containers() -> None:
    """With the servers whose options have an empty value then."""
    servers = ["--server", "hypercorn", "--server", "granian"]
    proxies = [word for name in CATALOGUE.proxies for word in ("--proxy", name)]
    checks = [word for name in checks_for("/") for word in ("--check", name)]
    run = hoplab("verify", "--engine", "docker", "--prefix", "/", *servers, *proxies, *checks)

    assert run.returncode == 0, run.stdout + run.stderr
    cells = len(servers) // 2 * len(CATALOGUE.proxies) * len(Scheme)
    assert f"{cells} cells: {cells} pass, 0 fail, 0 error (docker engine" in run.stdout


def test_what_is_about_a_prefix_alone_is_not_asked_without_one() -> None:
    words = ["--proxy", "nginx", "--server", "uvicorn", "--engine", "process"]
    run = hoplab("verify", "--prefix", "/", *words, "--check", "prefix-once")

    assert run.returncode == 3, run.stdout + run.stderr
    assert "2 not-applicable" in run.stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        pytest.param(
            ["cors"],
            "there is nothing to ask without a prefix: choose one with --prefix",
            id="cors",
        ),
        pytest.param(["matrix", "--mode", "strip"], "no cell has all of that; near: ", id="strip"),
        pytest.param(
            ["explain", "nginx-uvicorn-preserve.router.proxy.http"],
            "near: nginx-uvicorn-preserve.none.proxy.http",
            id="strategy",
        ),
    ],
)
def test_what_there_is_not_without_a_prefix(arguments: list[str], message: str) -> None:
    run = hoplab(*arguments, "--prefix", "/")

    assert (run.returncode, run.stdout) == (2, ""), run.stderr
    [line] = run.stderr.splitlines()
    assert message in line


@pytest.mark.parametrize("strategy", ["router", "mount"])
def test_what_a_strategy_can_not_have_is_refused(strategy: str) -> None:
    run = hoplab("matrix", "--prefix", "/a{b}", "--strategy", strategy)

    assert (run.returncode, run.stdout) == (2, "")
    first, second = run.stderr.splitlines()
    assert first == (
        f"hoplab: the strategy {strategy} can't have the prefix /a{{b}}:"
        " Starlette takes {…} in a route's path for a parameter."
    )
    assert second == "Choose another prefix, or leave these out."


def test_another_strategy_may_have_it() -> None:
    words = ["--strategy", "forwarded-prefix", "--trust", "proxy", "--variation", "none"]
    run = hoplab("matrix", "--prefix", "/a{b}", "--proxy", "nginx", *words, "--check", "reach")

    assert run.returncode == 0, run.stdout + run.stderr
    assert ", as predicted\n" in run.stdout


@pytest.mark.parametrize("server", ["uvicorn", "hypercorn"])
def test_recipe_has_the_prefix_and_is_asked_with_it(server: str) -> None:
    run = hoplab("recipe", "nginx", server, "strip", "--prefix", "/café")

    assert run.returncode == 0, run.stderr
    [line] = [line for line in run.stdout.splitlines() if re.search(rf"\b{server} app\.", line)]
    assert line.startswith("PUBLIC_PREFIX=/caf%C3%A9 ") or " PUBLIC_PREFIX=/caf%C3%A9 " in line
    assert ("--root-path /caf%C3%A9" in line) == (server == "uvicorn")
    assert (ROOT / "nginx/strip.conf.template").read_text().rstrip() in run.stdout
    told = " ".join(run.stdout.replace("\n#  ", "").split())
    every = ", ".join(name for name in CHECKS if name not in {"direct", "limits"})
    assert f"# http: passed {every} # https: passed {every} # with python" in told


@pytest.mark.skipif(not shutil.which("curl"), reason="no curl")
@pytest.mark.parametrize(
    ("cell", "word"),
    [
        ("nginx-uvicorn-preserve.none.proxy.http", r'"path": "/caf\u00e9/app"'),
        (
            "traefik-hypercorn-strip.server-option.proxy.https",
            "location: https://mysuperapp.com:PORT/items/?q=1",
        ),
    ],
)
def test_repro_with_a_prefix_runs_what_it_prints(cell: str, word: str) -> None:
    run = hoplab("repro", "--run", cell, "--prefix", "/café")

    assert run.returncode == 0, run.stderr
    assert f"# {cell}\n" in run.stdout
    assert re.search(r"curl .*https?://mysuperapp\.com:\d+/caf%C3%A9/", run.stdout)
    assert word in re.sub(r"mysuperapp\.com:\d+", "mysuperapp.com:PORT", run.stdout), run.stdout


def test_show_of_results_with_another_prefix(tmp_path: Path) -> None:
    file = tmp_path / "results.json"
    words = ["--proxy", "nginx", "--server", "uvicorn", "--mode", "strip", "--prefix", "/café"]
    words += ["--engine", "process", "--check", "reach"]
    run = hoplab("verify", *words, "--format", "json", "-o", str(file))
    assert run.returncode == 0, run.stderr

    shown = hoplab("show", str(file))

    assert (shown.returncode, shown.stderr) == (0, "")
    assert "nginx-uvicorn-strip" in shown.stdout
    assert [cell["prefix"] for cell in json.loads(file.read_text())["cells"]] == ["/caf%C3%A9"] * 2
    assert len(load_results(file).cells) == 2
    assert CATALOGUE.prefix.encoded not in file.read_text()
