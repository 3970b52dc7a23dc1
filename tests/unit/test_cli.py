"""The command line: mistakes are one line and exit 2, trouble is one message and exit 1."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
import typer

from hoplab import __version__, cli
from hoplab.catalogue import ROOT, load
from hoplab.commands import lab
from hoplab.commands.lab import Lab
from hoplab.engines import docker
from hoplab.predictions import predict
from hoplab.report.progress import Progress
from hoplab.results import CellResult, Finding, Results, Verdict
from hoplab.suites import SYMPTOMS
from hoplab.suites.contract.checks import CHECKS
from hoplab.system import interrupts, runs
from hoplab.topology import Cell, Strategy

SERVERS = ", ".join(load().servers)
TOPOLOGIES = ", ".join(topology.name for topology in load().topologies)
DATA = Path(__file__).parent / "data"
NO_DAEMON = {"DOCKER_HOST": "tcp://127.0.0.1:1"}


@dataclass(frozen=True)
class Said:
    code: int
    out: str
    err: str


Call = Callable[..., Said]


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The lab's folders, away from the project's own."""
    monkeypatch.setattr(lab, "RUNS", tmp_path / "runs")
    monkeypatch.setattr(lab, "UP", tmp_path / "up" / "hoplab")
    for module in (lab, cli):
        monkeypatch.setattr(module, "CERTIFICATES", tmp_path / "certificates")
    return tmp_path


@pytest.fixture
def call(state: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Call:
    """`hoplab …` in this process."""
    assert state.is_dir()
    monkeypatch.setattr(interrupts, "install", lambda: None)
    monkeypatch.setattr(docker, "unavailable", lambda: "there is no `docker` command")

    def run(*arguments: str) -> Said:
        monkeypatch.setattr(sys, "argv", ["hoplab", *arguments])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        out, err = capsys.readouterr()
        code = ended.value.code
        assert isinstance(code, int)
        return Said(code, out, err)

    return run


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Call:
    """`hoplab …` as a program, from a copy of the project with a state of its own."""
    clone = tmp_path_factory.mktemp("clone")
    for name in ("src", "app", "nginx", "traefik"):
        shutil.copytree(ROOT / name, clone / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "compose.yaml", clone)

    def run(*arguments: str) -> Said:
        ended = subprocess.run(
            [sys.executable, "-m", "hoplab", *arguments],
            cwd=clone,
            env={**os.environ, **NO_DAEMON, "PYTHONPATH": str(clone / "src")},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        return Said(ended.returncode, ended.stdout, ended.stderr)

    return run


# --- bad usage ---

UNKNOWN = [
    (["verify", "--engine", "foo"], "engine 'foo' is unknown; known: auto, docker, process"),
    (["up", "--engine", "foo"], "engine 'foo' is unknown; known: auto, docker, process"),
    (["verify", "--format", "xml"], "format 'xml' is unknown; known: table, json"),
    (["ps", "--format", ""], "format '' is unknown; known: table, json"),
    (["verify", "--proxy", "caddy"], "proxy 'caddy' is unknown; known: traefik, nginx"),
    (["verify", "--proxy", "nginx", "--proxy", "x"], "proxy 'x' is unknown; known: traefik, nginx"),
    (["verify", "--server", "daphne"], f"server 'daphne' is unknown; known: {SERVERS}"),
    (
        ["verify", "--server", "fastapi", "--mode", "strip", "--scheme", "http"],
        (
            "no cell has all of that; near: traefik-uvicorn-strip.server-option.proxy.http,"
            " traefik-hypercorn-strip.forwarded-prefix.proxy.http,"
            " nginx-uvicorn-strip.server-option.proxy.http"
        ),
    ),
    (["verify", "--mode", "Strip"], "mode 'Strip' is unknown; known: strip, preserve"),
    (["verify", "--scheme", "ws"], "scheme 'ws' is unknown; known: http, https"),
    (["verify", "--check", "cors"], f"check 'cors' is unknown; known: {', '.join(CHECKS)}"),
    (["matrix", "--strategy", "x"], f"strategy 'x' is unknown; known: {', '.join(Strategy)}"),
    (["matrix", "--trust", "all"], "trust 'all' is unknown; known: none, proxy, any"),
    (["matrix", "--variation", "x"], None),
    (["matrix", "--engine", "process"], None),
    (["matrix", "-o", "/nonexistent/x"], None),
    (["recipe", "caddy", "uvicorn", "strip"], "proxy 'caddy' is unknown; known: traefik, nginx"),
    (["recipe", "nginx", "uvicorn"], None),
    (
        ["explain", "redirect-wrong-shceme"],
        (
            "symptom 'redirect-wrong-shceme' is unknown, and no cell or variation;"
            " near: redirect-wrong-scheme, redirect-wrong-host, url-wrong-scheme"
        ),
    ),
    (
        ["explain", "nginx-uvicorn-strip.router.proxy.htp"],
        (
            "cell 'nginx-uvicorn-strip.router.proxy.htp' is unknown;"
            " near: nginx-uvicorn-strip.router.proxy.http, nginx-uvicorn-strip.router.proxy.https,"
            " nginx-uvicorn-strip.mount.proxy.http"
        ),
    ),
    (["repro", "x"], None),
    (["up", "both"], "mode 'both' is unknown; known: strip, preserve"),
    (["logs", "nginx"], f"topology 'nginx' is unknown; known: {TOPOLOGIES}"),
    (["--foo"], "No such option: --foo. See `hoplab --help`."),
    (["foo"], "No such command 'foo'. See `hoplab --help`."),
    (["verify", "--foo"], None),
    (["verify", "foo"], "Got unexpected extra argument(s) (foo). See `hoplab verify --help`."),
    (["up", "strip", "preserve"], None),
    (["verify", "--mode"], "Option '--mode' requires an argument."),
    (["verify", "-o", "/nonexistent/x"], None),
    (["verify", "-o", "/"], None),
]


@pytest.mark.parametrize(("arguments", "line"), UNKNOWN, ids=lambda value: str(value)[:40])
def test_bad_usage_is_one_line(call: Call, arguments: list[str], line: str | None) -> None:
    said = call(*arguments)

    assert (said.code, said.out) == (2, "")
    assert said.err.count("\n") == 1
    assert said.err.startswith("hoplab: ")
    if line is not None:
        assert said.err == f"hoplab: {line}\n"


def test_bad_usage_of_the_program(program: Call) -> None:
    said = program("verify", "--engine", "podman")

    assert said == Said(2, "", "hoplab: engine 'podman' is unknown; known: auto, docker, process\n")


def test_output_that_can_not_be_written_is_told_before_the_run(call: Call, state: Path) -> None:
    said = call("verify", "-o", "/nonexistent/x", "--engine", "process")

    assert "/nonexistent/x" in said.err
    assert not (state / "runs").exists()


# --- help ---


def test_without_arguments_it_is_the_help(call: Call) -> None:
    said = call()

    assert (said.code, said.out) == (2, "")
    assert said.err.startswith("Usage: hoplab ")


def test_help_names_every_command(call: Call) -> None:
    said = call("--help")

    assert (said.code, said.err) == (0, "")
    for command in cli.app.registered_commands:
        function = command.callback
        assert function is not None
        assert f"  {command.name or function.__name__} " in said.out
        assert function.__doc__


def test_help_of_a_command_lists_the_values(call: Call) -> None:
    said = call("verify", "--help")

    assert "auto|docker|process" in said.out
    assert "table|json" in said.out


def test_version(call: Call) -> None:
    assert call("version") == Said(0, f"hoplab {__version__}\n", "")


# --- what is up ---


def test_nothing_is_up(call: Call) -> None:
    assert call("ps") == Said(
        0, "Nothing is up. Start it with `make up-strip` or `make up-preserve`.\n", ""
    )
    assert call("ps", "--format", "json") == Said(0, "[]\n", "")
    assert call("logs") == Said(
        1, "", "hoplab: Nothing is up. Start it with `make up-strip` or `make up-preserve`.\n"
    )


ENTRY = {
    "topology": "nginx-uvicorn-strip",
    "engine": "process",
    "http": "http://127.0.0.1:9997/api/v1",
    "https": "https://127.0.0.1:9497/api/v1",
    "ca": "/x/ca.pem",
}


@pytest.fixture
def up(state: Path, monkeypatch: pytest.MonkeyPatch) -> runs.Run:
    """As `up` leaves it; what runs there is only said to."""
    folder = state / "up" / "hoplab"
    folder.mkdir(parents=True)
    application, proxy = folder / "uvicorn-server-option-proxy.log", folder / "nginx.log"
    proxy.write_text("from the proxy\n")
    application.write_bytes(b"from the server: \xff\n")
    entry = {**ENTRY, "logs": [str(application), str(proxy)]}
    (folder / "up.json").write_text(json.dumps([entry]))
    monkeypatch.setattr(runs.Run, "processes", lambda _: ["alive"])
    return runs.Run(folder)


def test_ps_lists_what_is_up(call: Call, up: runs.Run) -> None:
    assert up.name == "hoplab"
    said = call("ps")

    assert said.code == 0
    assert said.out.splitlines()[1].split() == [
        "nginx-uvicorn-strip",
        "process",
        "http://127.0.0.1:9997/api/v1/app",
    ]
    [entry] = json.loads(call("ps", "--format", "json").out)
    assert {key: entry[key] for key in ENTRY} == ENTRY


def test_ps_of_what_was_killed_is_empty(
    call: Call, up: runs.Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert up.folder.exists()
    monkeypatch.setattr(runs.Run, "processes", lambda _: [])

    assert call("ps", "--format", "json").out == "[]\n"


def test_logs(call: Call, up: runs.Run) -> None:
    assert up.folder.exists()
    said = call("logs", "nginx-uvicorn-strip")

    assert (said.code, said.err) == (0, "")
    assert said.out.splitlines() == [
        "--- uvicorn-server-option-proxy",
        "from the server: \ufffd",
        "",
        "--- nginx",
        "from the proxy",
        "",
    ]


def test_log_that_topologies_share_is_shown_once(call: Call, up: runs.Run) -> None:
    """One proxy process serves all of them."""
    file = up.folder / "up.json"
    [entry] = json.loads(file.read_text())
    other = {**entry, "topology": "nginx-uvicorn-preserve", "logs": entry["logs"][1:]}
    file.write_text(json.dumps([entry, other]))

    assert call("logs").out.count("from the proxy") == 1
    assert "from the server" not in call("logs", "nginx-uvicorn-preserve").out


def test_logs_of_a_topology_that_is_not_up(call: Call, up: runs.Run) -> None:
    assert up.folder.exists()
    said = call("logs", "traefik-uvicorn-strip")

    assert (said.code, said.out) == (1, "")
    assert said.err == "hoplab: traefik-uvicorn-strip is not up; up: nginx-uvicorn-strip\n"


def test_down_without_anything_up_is_no_error(call: Call) -> None:
    assert call("down") == Said(0, "", "hoplab: stopping\nhoplab: Nothing was up.\n")


# --- engines ---


def test_docker_that_is_wanted_and_not_there(program: Call) -> None:
    said = program("verify", "--engine", "docker")

    assert (said.code, said.out) == (1, "")
    assert said.err.startswith("hoplab: Docker can't be used: ")
    assert docker.WITHOUT_DOCKER in said.err
    assert "Traceback" not in said.err
    assert len(said.err.splitlines()) == 2


class Spy(Progress):
    """Hears the notices."""

    def __init__(self) -> None:
        super().__init__()
        self.notices: list[str] = []

    def notice(self, text: str) -> None:
        self.notices.append(text)


@pytest.mark.parametrize(
    ("wanted", "reason", "engine", "notices"),
    [
        ("auto", None, "docker", []),
        ("docker", None, "docker", []),
        ("process", None, "process", []),
        ("process", "no daemon", "process", []),
        ("auto", "no daemon", "process", ["No Docker (no daemon): using local processes."]),
    ],
)
def test_auto_takes_docker_if_a_daemon_answers_and_says_if_not(
    monkeypatch: pytest.MonkeyPatch,
    wanted: str,
    reason: str | None,
    engine: str,
    notices: list[str],
) -> None:
    monkeypatch.setattr(docker, "unavailable", lambda: reason)
    spy = Spy()

    assert Lab(load(), spy).choose_engine(wanted) == engine
    assert spy.notices == notices


# --- what verify does with its words ---


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, list[str], list[str]]]:
    """Engine, cells and checks of each call of `verify`, which is answered with a failure."""
    calls: list[tuple[str, list[str], list[str]]] = []

    def verify(_lab: Lab, engine: str, cells: list[Cell], checks: dict[str, object]) -> Results:
        calls.append((engine, [cell.id for cell in cells], list(checks)))
        finding = Finding("reach", Verdict.FAIL, "unreachable", "404")
        results = [CellResult(cell, recipe=True, findings=[finding]) for cell in cells]
        return Results("process", "2026-11-22T03:00:00Z", 1.0, {}, results)

    monkeypatch.setattr(Lab, "verify", verify)
    return calls


def test_verify_asks_everything_of_everyone(
    call: Call, asked: list[tuple[str, list[str], list[str]]]
) -> None:
    call("verify")

    [(engine, cells, checks)] = asked
    assert (engine, len(cells), checks) == ("auto", 16, list(CHECKS))


def test_filters(call: Call, asked: list[tuple[str, list[str], list[str]]]) -> None:
    call(
        *("verify", "--engine", "process", "--proxy", "nginx", "--server", "hypercorn"),
        *("--server", "uvicorn", "--mode", "preserve", "--scheme", "https"),
        *("--check", "docs", "--check", "reach"),
    )

    assert asked == [
        (
            "process",
            [
                "nginx-uvicorn-preserve.forwarded-prefix.proxy.https",
                "nginx-hypercorn-preserve.server-option.proxy.https",
            ],
            ["reach", "docs"],
        )
    ]


def test_json_on_standard_output(call: Call, asked: list[tuple[str, list[str], list[str]]]) -> None:
    said = call("verify", "--format", "json", "--proxy", "nginx")

    assert len(asked) == 1
    assert said.code == 1
    assert [cell["verdict"] for cell in json.loads(said.out)["cells"]] == 8 * ["fail"]


def test_table_in_a_file_has_no_colours(
    call: Call,
    asked: list[tuple[str, list[str], list[str]]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    file = tmp_path / "table.txt"

    said = call("verify", "-o", str(file))

    assert len(asked) == 1
    assert (said.code, said.out) == (1, "")
    assert "\x1b" not in file.read_text()
    assert "16 cells: 0 pass, 16 fail" in file.read_text()
    assert "\x1b[" in call("verify").out, "the test proves nothing"


def test_existing_file_is_overwritten(
    call: Call, asked: list[tuple[str, list[str], list[str]]], tmp_path: Path
) -> None:
    file = tmp_path / "results.json"
    file.write_text(10_000 * "old")

    call("verify", "--format", "json", "-o", str(file))

    assert len(asked) == 1
    assert len(json.loads(file.read_text())["cells"]) == 16


@pytest.mark.parametrize(
    ("verdicts", "code"),
    [([Verdict.PASS], 0), ([Verdict.FAIL], 1), ([Verdict.ERROR], 1), ([], 1)],
)
def test_exit_is_0_only_if_all_pass(
    call: Call, monkeypatch: pytest.MonkeyPatch, verdicts: list[Verdict], code: int
) -> None:
    def verify(_lab: Lab, _engine: str, cells: list[Cell], _checks: object) -> Results:
        findings = [Finding("reach", verdict, None, "") for verdict in verdicts]
        return Results(
            "process", "", 1.0, {}, [CellResult(c, recipe=True, findings=findings) for c in cells]
        )

    monkeypatch.setattr(Lab, "verify", verify)

    assert call("verify").code == code


# --- what matrix does with its words ---


def matrix_of(
    monkeypatch: pytest.MonkeyPatch,
    symptom: str | None = None,
    signal: interrupts.Interrupted | None = None,
) -> list[tuple[list[Cell], list[str]]]:
    """Each call's cells and checks; every cell shows what was predicted, or this symptom."""
    calls: list[tuple[list[Cell], list[str]]] = []

    def answered(
        lab: Lab, cells: list[Cell], checks: Mapping[str, object] = CHECKS
    ) -> tuple[Results, interrupts.Interrupted | None]:
        calls.append((cells, list(checks)))
        found = []
        for cell in cells:
            prediction = predict(cell, lab.catalogue.every_variation)
            shown = {"reach": symptom} if symptom else prediction
            findings = [
                Finding(
                    name, Verdict.FAIL if shown.get(name) else Verdict.PASS, shown.get(name), ""
                )
                for name in checks
            ]
            recommended = lab.catalogue.is_recommended(cell)
            found.append(CellResult(cell, recommended, findings, prediction))
        return Results("process", "2026-11-22T03:00:00Z", 1.0, {}, found), signal

    monkeypatch.setattr(Lab, "matrix", answered)
    return calls


def test_matrix_asks_everything_of_every_cell(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = matrix_of(monkeypatch)

    said = call("matrix")

    assert (said.code, said.err) == (0, "")
    assert calls == [(load().cells, list(CHECKS))]


def test_filters_of_the_matrix(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = matrix_of(monkeypatch)

    call(
        *("matrix", "--proxy", "nginx", "--server", "fastapi", "--mode", "strip"),
        *("--strategy", "router", "--strategy", "none", "--trust", "any", "--scheme", "https"),
        *("--variation", "none", "--check", "docs"),
    )

    [(cells, checks)] = calls
    assert [cell.id for cell in cells] == [
        "nginx-fastapi-strip.none.any.https",
        "nginx-fastapi-strip.router.any.https",
    ]
    assert checks == ["docs"]


@pytest.mark.parametrize(("symptom", "code"), [(None, 0), ("root-path-missing", 1)])
def test_matrix_exits_0_only_if_all_is_as_predicted(
    call: Call, monkeypatch: pytest.MonkeyPatch, symptom: str | None, code: int
) -> None:
    matrix_of(monkeypatch, symptom)

    said = call("matrix", "--proxy", "nginx", "--format", "json")

    assert said.code == code
    assert ("surprise\n  reach: predicted pass, found root-path-missing" in said.err) == bool(code)
    assert " cells: " in said.err, "a person who gets a file learns what came of it"
    assert len(json.loads(said.out)["cells"]) == sum(
        cell.topology.proxy == "nginx" for cell in load().cells
    )


def test_matrix_that_was_interrupted_writes_what_it_has(
    call: Call, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    matrix_of(monkeypatch, signal=interrupts.Interrupted(130))
    file = tmp_path / "matrix.json"

    said = call("matrix", "--format", "json", "-o", str(file))

    assert (said.code, said.out) == (130, "")
    assert said.err.endswith("hoplab: interrupted\n")
    assert json.loads(file.read_text())["cells"]
    assert call("matrix").out == "", "half a table that looks whole"


# --- a results file ---


def test_show_prints_what_the_run_printed(call: Call) -> None:
    said = call("show", str(DATA / "results-schema-1.json"))

    assert said == Said(0, (DATA / "results-schema-1.txt").read_text(), "")


@pytest.mark.parametrize("command", ["verify", "matrix", "cors"])
def test_show_prints_the_tables_of_each_command(
    call: Call,
    asked: list[tuple[str, list[str], list[str]]],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    command: str,
) -> None:
    matrix_of(monkeypatch)
    file = tmp_path / "results.json"
    printed = call(command)
    written = call(command, "--format", "json", "-o", str(file))

    said = call("show", str(file))

    assert len(asked) == (2 if command == "verify" else 0)
    assert (written.code, said.code, said.err) == (printed.code, 0, "")
    assert said.out == printed.out


@pytest.mark.parametrize(
    ("content", "message"),
    [(None, "No such file"), ("{", "is no JSON"), ("{}", "is no results file: write one with ")],
)
def test_show_of_what_is_no_results_file(
    call: Call, tmp_path: Path, content: str | None, message: str
) -> None:
    file = tmp_path / "results.json"
    if content is not None:
        file.write_text(content)

    said = call("show", str(file))

    assert (said.code, said.out) == (2, "")
    assert message in said.err
    assert len(said.err.splitlines()) == 1


# --- what is told of a symptom, a cell, a variation ---


@pytest.mark.parametrize("symptom", SYMPTOMS)
def test_explain_a_symptom(call: Call, symptom: str) -> None:
    said = call("explain", symptom)

    assert (said.code, said.err) == (0, "")
    words = " ".join(said.out.split())
    for text in (SYMPTOMS[symptom].seen, SYMPTOMS[symptom].cause, SYMPTOMS[symptom].fix):
        assert " ".join(text.split()[:8]) in words


@pytest.mark.parametrize("variation", load().variations)
def test_explain_a_variation(call: Call, variation: str) -> None:
    said = call("explain", variation)

    assert (said.code, said.err) == (0, "")
    assert " ".join(load().variations[variation].fix.split()[:8]) in " ".join(said.out.split())


def test_repro_prints_what_to_run(call: Call) -> None:
    said = call("repro", "nginx-uvicorn-strip.app-argument.proxy.https")

    assert said.code == 0
    for words in ("uvicorn app.app_argument:app", "nginx", "curl", "/api/v1"):
        assert words in said.out


def test_certificates_says_where_the_authority_is(call: Call, state: Path) -> None:
    said = call("certificates")

    assert (said.code, said.err) == (0, "")
    assert said.out == f"{state / 'certificates' / 'ca.pem'}\n"
    assert (state / "certificates" / "ca.pem").is_file()


def test_a_bug_is_not_hidden(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    def breaks(_lab: Lab) -> None:
        raise KeyError("a bug")

    monkeypatch.setattr(Lab, "ps", breaks)

    with pytest.raises(KeyError, match="a bug"):
        call("ps")


def test_exit_codes_of_typer_reach_the_shell(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(_lab: Lab) -> None:
        raise typer.Exit(130)

    monkeypatch.setattr(Lab, "ps", interrupted)

    assert call("ps").code == 130
