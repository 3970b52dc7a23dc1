"""The command line: mistakes are one line and exit 2, failures are one message and exit 1."""

import json
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from io import StringIO
from pathlib import Path

import pytest
import typer

from hoplab import __version__, cli, results_file
from hoplab.catalogue import Catalogue, load
from hoplab.commands import ask, reside, showing
from hoplab.commands.session import Session
from hoplab.commands.showing import every_cell
from hoplab.engines import compose, hints
from hoplab.prefix import DEFAULT_PREFIX, Prefix
from hoplab.report.progress import Progress
from hoplab.report.words import first_sentence
from hoplab.results import CellResult, Finding, Results, Verdict
from hoplab.suites import SUITES, SYMPTOMS
from hoplab.suites.check import Check
from hoplab.suites.contract.checks import CHECKS
from hoplab.suites.suite import Suite
from hoplab.system import interrupts, runs
from hoplab.topology import Cell, Mode, Strategy, Trust
from hoplab.workspace import Workspace
from tests.catalogue import CATALOGUE, ROOT, WORKSPACE, predicted
from tests.commands.clone import Clone

PROXIES = ", ".join(CATALOGUE.proxies)
SERVERS = ", ".join(CATALOGUE.servers)
TOPOLOGIES = ", ".join(topology.name for topology in CATALOGUE.composed)
RECOMMENDED = CATALOGUE.recommended_cells(CATALOGUE.topologies)
CELLS = [*CATALOGUE.product, *CATALOGUE.varied("contract")]
DATA = Path(__file__).parent / "data"
NO_DAEMON = {"DOCKER_HOST": "tcp://127.0.0.1:1"}


@dataclass(frozen=True)
class Said:
    code: int
    out: str
    err: str


Call = Callable[..., Said]


@cache
def loaded(prefix: Prefix) -> Catalogue:
    """Read once for each prefix: it is the same files in every test."""
    return load(WORKSPACE, prefix)


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The lab's folders, away from the project's own."""
    apart = Workspace(ROOT, tmp_path)

    def load_apart(_: Workspace, prefix: Prefix = DEFAULT_PREFIX) -> Catalogue:
        return replace(loaded(prefix), workspace=apart)

    for module in (cli.ask, cli.check, cli.learn, cli.reside):
        monkeypatch.setattr(module, "current", lambda: apart)
        monkeypatch.setattr(module, "load", load_apart)
    return tmp_path


@pytest.fixture
def call(state: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Call:
    """`hoplab …` in this process."""
    assert state.is_dir()
    monkeypatch.setattr(interrupts, "install", lambda: None)
    monkeypatch.setattr(compose, "unavailable", lambda: "there is no `docker` command")

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
    clone = Clone(tmp_path_factory.mktemp("clone"))

    def run(*arguments: str) -> Said:
        ended = clone.program(*arguments, **NO_DAEMON)
        return Said(ended.returncode, ended.stdout, ended.stderr)

    return run


# --- bad usage ---

A_NAME = "a segment of a prefix is a name: not empty, no dots alone, no encoded slash"
NO_LETTER = "a prefix can't contain {}, which means something in a URL or a page"
NO_PREFIX = {
    "api/v1": "a prefix is a path such as /api/v1",
    "/": "a prefix is a path such as /api/v1; / alone is none",
    "": "a prefix is a path such as /api/v1",
    "https://x/api": "a prefix is a path such as /api/v1",
    "//x": A_NAME,
    "/a//b": A_NAME,
    "/../x": A_NAME,
    "/%2e%2E/x": A_NAME,
    "/a%2Fb": A_NAME,
    "/a?b": NO_LETTER.format("'?'"),
    "/a%23b": NO_LETTER.format("'#'"),
    '/a"b': NO_LETTER.format("""'"'"""),
    "/a%25b": NO_LETTER.format("'%'"),
    "/a b": NO_LETTER.format("a space or a control character"),
    "/a%0Ab": NO_LETTER.format("a space or a control character"),
}
UNKNOWN = [
    (["verify", "--engine", "foo"], "engine 'foo' is unknown; known: auto, docker, process"),
    (["up", "--engine", "foo"], "engine 'foo' is unknown; known: auto, docker, process"),
    (["verify", "--format", "xml"], "format 'xml' is unknown; known: table, json, html"),
    (["ps", "--format", ""], "format '' is unknown; known: table, json"),
    (["verify", "--proxy", "squid"], f"proxy 'squid' is unknown; known: {PROXIES}"),
    (["verify", "--proxy", "nginx", "--proxy", "x"], f"proxy 'x' is unknown; known: {PROXIES}"),
    (["verify", "--server", "daphne"], f"server 'daphne' is unknown; known: {SERVERS}"),
    (
        ["verify", "--server", "fastapi", "--mode", "strip", "--scheme", "http"],
        "compose.yaml does not have fastapi; use `hoplab matrix`",
    ),
    (
        ["up", "--server", "fastapi", "--proxy", "nginx"],
        "compose.yaml does not have fastapi; use `hoplab matrix`",
    ),
    (
        [
            *("cors", "--variation", "nginx-too", "--proxy", "traefik", "--server", "uvicorn"),
            *("--mode", "strip", "--scheme", "http"),
        ],
        (
            "no cell has all of that;"
            " near: traefik-uvicorn-strip.server-option.proxy.http+cors-both,"
            " traefik-uvicorn-strip.server-option.proxy.http+cors-inner-only,"
            " nginx-uvicorn-strip.server-option.proxy.http+cors-nginx-too"
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
    (["recipe", "squid", "uvicorn", "strip"], f"proxy 'squid' is unknown; known: {PROXIES}"),
    (["recipe", "nginx", "uvicorn"], None),
    (
        ["explain", "redirect-wrong-shceme"],
        (
            "symptom 'redirect-wrong-shceme' is unknown, and no cell or variation;"
            " near: redirect-wrong-scheme, redirect-wrong-path, redirect-wrong-host"
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
    (["list", "cells", "modus"], None),
    (["up", "both"], "mode 'both' is unknown; known: strip, preserve"),
    (["logs", "nginx"], f"topology 'nginx' is unknown; known: {TOPOLOGIES}"),
    *(
        ([command, "--prefix", prefix], f"--prefix {prefix}: {why}")
        for command in ("verify", "up", "matrix", "cors")
        for prefix, why in NO_PREFIX.items()
    ),
    (["repro", "x", "--prefix", "x"], "--prefix x: a prefix is a path such as /api/v1"),
    (
        ["recipe", "nginx", "uvicorn", "strip", "--prefix", "/"],
        "--prefix /: a prefix is a path such as /api/v1; / alone is none",
    ),
    (["verify", "--prefix"], "Option '--prefix' requires an argument."),
    (["--foo"], "No such option: --foo. See `hoplab --help`."),
    (["foo"], "No such command 'foo'. See `hoplab --help`."),
    (["verify", "--foo"], None),
    (["verify", "foo"], "Got unexpected extra argument(s) (foo). See `hoplab verify --help`."),
    (["up", "strip", "preserve"], None),
    (["verify", "--mode"], "Option '--mode' requires an argument."),
    (["verify", "-o", "/nonexistent/x"], "-o /nonexistent/x: there is no folder /nonexistent"),
    (["verify", "-o", "/"], "-o /: it is a folder"),
    (["report", "x", "-o", "/nonexistent/x"], "-o /nonexistent/x: there is no folder /nonexistent"),
    (["report", "x", "-o", "/"], "-o /: it is a folder"),
    (["report"], None),
    (["ps", "--format", "html"], "format 'html' is unknown; known: table, json"),
    *(
        (
            [command, "nginx-hypercorn-strip"],
            (
                "nginx-hypercorn-strip is a topology; its recipe's cells:"
                " nginx-hypercorn-strip.forwarded-prefix.proxy.http,"
                " nginx-hypercorn-strip.forwarded-prefix.proxy.https (all: `hoplab list cells`)"
            ),
        )
        for command in ("explain", "repro")
    ),
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


@pytest.mark.parametrize("words", [[], ["verify"], ["list"], ["logs"]], ids=str)
def test_short_help_is_the_help(call: Call, words: list[str]) -> None:
    assert call(*words, "-h") == call(*words, "--help")


@pytest.mark.parametrize("word", ["version", "--version"])
def test_version(call: Call, word: str) -> None:
    assert call(word) == Said(0, f"hoplab {__version__}\n", "")


@pytest.mark.parametrize("word", ["--version", "-h"])
def test_it_runs_as_a_module(program: Call, call: Call, word: str) -> None:
    assert program(word) == call(word)


# --- init ---


def test_init_writes_a_lab(call: Call, tmp_path: Path) -> None:
    folder = tmp_path / "my lab"

    said = call("init", str(folder))

    assert (said.code, said.err) == (0, "")
    assert said.out.splitlines() == [
        f"Wrote the lab's files into {folder}. hoplab uses them in there:",
        f"  cd '{folder}' && hoplab verify",
    ]
    assert (folder / "compose.yaml").read_bytes() == (ROOT / "compose.yaml").read_bytes()
    assert call("init", str(folder)) == Said(
        2, "", f"hoplab: {folder} is not empty: name a new folder, or an empty one\n"
    )


def test_init_needs_a_folder(call: Call, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("mine")
    lost = tmp_path / "no" / "lab"

    assert call("init", str(file)) == Said(
        2, "", f"hoplab: {file} is a file: name a new folder, or an empty one\n"
    )
    assert call("init", str(lost)) == Said(3, "", f"hoplab: {lost}: No such file or directory\n")
    assert file.read_text() == "mine"
    assert not lost.parent.exists()


# --- list ---

SECTIONS: dict[str, list[str]] = {
    "proxies": list(CATALOGUE.proxies),
    "servers": list(CATALOGUE.servers),
    "modes": list(Mode),
    "strategies": list(Strategy),
    "trusts": list(Trust),
    "topologies": [topology.name for topology in CATALOGUE.all_topologies],
    "suites": list(SUITES),
    "checks": [name for suite in SUITES.values() for name in suite.checks],
    "symptoms": list(SYMPTOMS),
    "variations": list(CATALOGUE.variations),
    "cells": [cell.id for cell in every_cell(CATALOGUE)],
}


def test_list_has_every_section(call: Call) -> None:
    said = call("list")

    assert (said.code, said.err) == (0, "")
    lines = said.out.splitlines()
    assert [line for line in lines if line and not line.startswith(" ")] == list(SECTIONS)
    assert max(map(len, lines)) <= 80
    for name, every in SECTIONS.items():
        shown = said.out.partition(f"{name}\n")[2].partition("\n\n")[0].splitlines()
        left_out = [line for line in shown if line.startswith("  … and ")]
        names = [line.split()[0] for line in shown if line not in left_out and line[2] != " "]
        assert names == every[: len(names)]
        assert left_out == [f"  … and {len(every) - len(names)} more"] * (names != every)


@pytest.mark.parametrize("section", SECTIONS)
def test_list_of_one_section_is_whole(call: Call, section: str) -> None:
    said = call("list", section)

    assert (said.code, said.err) == (0, "")
    lines = said.out.splitlines()
    assert [line.split()[0] for line in lines if line[2] != " "] == SECTIONS[section]
    assert "… and " not in said.out
    assert [line for line in lines if len(line) > 80 and len(line.split()) > 1] == []


def test_list_cuts_no_description(call: Call) -> None:
    said = call("list", "checks").out + call("list", "variations").out

    told = " ".join(said.split())
    for check in CHECKS.values():
        assert " ".join((check.__doc__ or "").splitlines()[0].split()) in told
    for variation in CATALOGUE.variations.values():
        assert first_sentence(variation.about) in told
    assert "…" not in told.replace("…/", "")


def test_list_of_two_sections(call: Call) -> None:
    said = call("list", "trusts", "modes")

    assert [line for line in said.out.splitlines() if line and not line.startswith(" ")] == [
        "modes",
        "trusts",
    ]


def test_list_of_what_is_unknown(call: Call) -> None:
    assert call("list", "proxys") == Said(
        2, "", f"hoplab: list 'proxys' is unknown; known: {', '.join(SECTIONS)}\n"
    )


# --- what is up ---


def test_nothing_is_up(call: Call) -> None:
    assert call("ps") == Said(
        0, "Nothing is up. Start it with `hoplab up strip` or `hoplab up preserve`.\n", ""
    )
    assert call("ps", "--format", "json") == Said(0, "[]\n", "")
    assert call("logs") == Said(
        3, "", "hoplab: Nothing is up. Start it with `hoplab up strip` or `hoplab up preserve`.\n"
    )


ENTRY = {
    "topology": "nginx-uvicorn-strip",
    "engine": "process",
    "prefix": "/api/v1",
    "http": "http://127.0.0.1:9997/api/v1",
    "https": "https://127.0.0.1:9497/api/v1",
    "ca": "/x/ca.pem",
}


PARTS = ["uvicorn-server-option-proxy", "nginx"]


@pytest.fixture
def up(state: Path, monkeypatch: pytest.MonkeyPatch) -> runs.Run:
    """As `up` leaves it; what runs there is only said to."""
    folder = state / "up" / "hoplab"
    folder.mkdir(parents=True)
    application, proxy = folder / "uvicorn-server-option-proxy.log", folder / "nginx.log"
    proxy.write_text("from the proxy\n")
    application.write_bytes(b"from the server: \xff\n")
    entry = {**ENTRY, "logs": [str(application), str(proxy)], "parts": PARTS, "project": "hoplab"}
    (folder / "up.json").write_text(json.dumps([entry]))
    monkeypatch.setattr(runs.Run, "running", lambda _: set(PARTS))
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
    assert entry == {**ENTRY, "state": "up"}


def test_ps_of_what_was_killed_is_empty(
    call: Call, up: runs.Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert up.folder.exists()
    monkeypatch.setattr(runs.Run, "running", lambda _: set())

    assert call("ps", "--format", "json").out == "[]\n"


@pytest.mark.parametrize("part", PARTS)
def test_ps_says_what_does_not_run(
    call: Call, up: runs.Run, monkeypatch: pytest.MonkeyPatch, part: str
) -> None:
    assert up.folder.exists()
    monkeypatch.setattr(runs.Run, "running", lambda _: set(PARTS) - {part})

    [entry] = json.loads(call("ps", "--format", "json").out)
    assert entry["state"] == f"not running: {part}"
    assert call("ps").out.splitlines()[-1] == f"nginx-uvicorn-strip: not running: {part}"


@pytest.mark.parametrize("content", ["", "{", '[{"topology": "x"}]', '["x"]'])
def test_ps_of_what_it_does_not_understand(call: Call, up: runs.Run, content: str) -> None:
    (up.folder / "up.json").write_text(content)

    assert call("ps", "--format", "json") == Said(0, "[]\n", "")


def test_down_keeps_what_a_person_was_told_to_use(call: Call, state: Path) -> None:
    kept = state / "repro/cell/nginx.conf"
    kept.parent.mkdir(parents=True)
    kept.touch()

    call("down")

    assert kept.exists()


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

    assert (said.code, said.out) == (3, "")
    assert said.err == "hoplab: traefik-uvicorn-strip is not up; up: nginx-uvicorn-strip\n"


def test_down_without_anything_up_is_no_error(call: Call) -> None:
    assert call("down") == Said(0, "", "hoplab: stopping\nhoplab: Nothing was up.\n")


# --- engines ---


def test_docker_that_is_wanted_and_not_there(program: Call) -> None:
    said = program("verify", "--engine", "docker")

    assert (said.code, said.out) == (3, "")
    assert said.err.startswith("hoplab: Docker can't be used: ")
    assert hints.WITHOUT_DOCKER in said.err
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
    monkeypatch.setattr(compose, "unavailable", lambda: reason)
    spy = Spy()

    assert Session(CATALOGUE, spy).choose_engine(wanted) == engine
    assert spy.notices == notices


# --- what verify does with its words ---


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, list[str], list[str]]]:
    """Engine, cells and checks of each call of `verify`, which is answered with a failure."""
    calls: list[tuple[str, list[str], list[str]]] = []

    def verify(
        _session: Session, engine: str, cells: list[Cell], checks: dict[str, object]
    ) -> Results:
        calls.append((engine, [cell.id for cell in cells], list(checks)))
        finding = Finding("reach", Verdict.FAIL, "unreachable", "404")
        results = [CellResult(cell, recipe=True, findings=[finding]) for cell in cells]
        return Results("process", "2026-11-22T03:00:00Z", 1.0, {}, results)

    monkeypatch.setattr(ask, "verify", verify)
    return calls


def test_verify_asks_everything_of_everyone(
    call: Call, asked: list[tuple[str, list[str], list[str]]]
) -> None:
    call("verify")

    [(engine, cells, checks)] = asked
    assert engine == "auto"
    assert cells == [cell.id for cell in RECOMMENDED]
    assert checks == list(CHECKS)


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
    nginx = [topology for topology in CATALOGUE.composed if topology.proxy == "nginx"]
    cells = json.loads(said.out)["cells"]
    assert [cell["id"] for cell in cells] == [c.id for c in CATALOGUE.recommended_cells(nginx)]
    assert {cell["verdict"] for cell in cells} == {"fail"}


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
    every = len(RECOMMENDED)
    assert f"{every} cells: 0 pass, {every} fail" in file.read_text()
    assert "\x1b[" in call("verify").out, "the test proves nothing"


def test_existing_file_is_overwritten(
    call: Call, asked: list[tuple[str, list[str], list[str]]], tmp_path: Path
) -> None:
    file = tmp_path / "results.json"
    file.write_text(10_000 * "old")

    call("verify", "--format", "json", "-o", str(file))

    assert len(asked) == 1
    assert len(json.loads(file.read_text())["cells"]) == len(RECOMMENDED)


@pytest.mark.parametrize(
    ("verdicts", "code"),
    [([Verdict.PASS], 0), ([Verdict.FAIL], 1), ([Verdict.FAIL, Verdict.ERROR], 3), ([], 3)],
)
def test_exit_is_0_only_if_all_pass(
    call: Call, monkeypatch: pytest.MonkeyPatch, verdicts: list[Verdict], code: int
) -> None:
    def verify(_session: Session, _engine: str, cells: list[Cell], _checks: object) -> Results:
        findings = [Finding("reach", verdict, None, "") for verdict in verdicts]
        return Results(
            "process", "", 1.0, {}, [CellResult(c, recipe=True, findings=findings) for c in cells]
        )

    monkeypatch.setattr(ask, "verify", verify)

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
        session: Session,
        cells: Sequence[Cell],
        suite: Suite = SUITES["contract"],
        checks: Mapping[str, Check] | None = None,
    ) -> tuple[Results, interrupts.Interrupted | None]:
        checks = suite.checks if checks is None else checks
        calls.append((list(cells), list(checks)))
        found = []
        for cell in cells:
            prediction = predicted(cell)
            shown = {"reach": symptom} if symptom else prediction
            findings = [
                Finding(
                    name, Verdict.FAIL if shown.get(name) else Verdict.PASS, shown.get(name), ""
                )
                for name in checks
            ]
            recommended = session.catalogue.is_recommended(cell)
            found.append(CellResult(cell, recommended, findings, prediction))
        return Results("process", "2026-11-22T03:00:00Z", 1.0, {}, found), signal

    monkeypatch.setattr(ask, "matrix", answered)
    return calls


def test_matrix_asks_everything_of_every_cell(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = matrix_of(monkeypatch)

    said = call("matrix")

    assert (said.code, said.err) == (0, "")
    assert calls == [(CELLS, list(CHECKS))]


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
        cell.topology.proxy == "nginx" for cell in CELLS
    )


def test_matrix_that_was_interrupted_writes_what_it_has(
    call: Call, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    matrix_of(monkeypatch, signal=interrupts.Interrupted(130))
    file = tmp_path / "matrix.json"

    said = call("matrix", "--proxy", "nginx", "--format", "json", "-o", str(file))

    assert (said.code, said.out) == (130, "")
    assert said.err.endswith("hoplab: interrupted\n")
    assert json.loads(file.read_text())["cells"]
    assert call("matrix", "--proxy", "nginx").out == "", "half a table that looks whole"


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


# --- a page of results files ---


def test_report_writes_a_page(call: Call, tmp_path: Path) -> None:
    file = tmp_path / "page.html"

    said = call("report", str(DATA / "results-schema-1.json"), "-o", str(file))

    assert (said.code, said.out) == (0, "")
    assert said.err.endswith(f"hoplab: {file} (0.1 MB): open it in a browser.\n")
    assert file.read_text().startswith("<!doctype html>")
    file.write_text("old")
    again = call("report", str(DATA / "results-schema-2.json"), "-o", str(file))
    assert (again.code, file.read_text()[:9]) == (0, "<!doctype")
    printed = call("report", str(DATA / "results-schema-2.json"))
    assert printed.out == file.read_text()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "No such file"),
        ("", "is no JSON: "),
        ("<html>", "is no JSON: "),
        ((DATA / "results-schema-2.json").read_text()[:500], "if it was cut off, write one with"),
        ("[]", "is no results file: write one with `hoplab matrix --format json -o FILE`"),
        ('{"hoplab": "9", "schema": 9, "cells": []}', "has schema 9; this hoplab reads 1, 2 and 3"),
        (
            json.dumps(results_file.as_json(Results("process", "", 1.0, {}))),
            "x.json has no cells, so there is nothing to show: the run was interrupted",
        ),
    ],
    ids=["missing", "empty", "html", "cut", "list", "schema", "no cells"],
)
def test_report_of_what_is_no_results_file(
    call: Call, tmp_path: Path, content: str | None, message: str
) -> None:
    file, page = tmp_path / "x.json", tmp_path / "page.html"
    if content is not None:
        file.write_text(content)

    said = call("report", str(DATA / "results-schema-2.json"), str(file), "-o", str(page))

    assert (said.code, said.out) == (2, "")
    assert message in said.err
    assert "x.json" in said.err
    assert len(said.err.splitlines()) == 1
    assert not page.exists()


def test_a_page_is_not_for_a_terminal(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hoplab.cli.options.sys.stdout", Terminal())

    for arguments in (
        ["report", str(DATA / "results-schema-1.json")],
        ["cors", "--format", "html"],
    ):
        said = call(*arguments)
        assert said.code == 2
        assert said.err == (
            "hoplab: a page is for a browser, not for a terminal: add -o FILE.html\n"
        )


class Terminal(StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize("command", ["verify", "matrix", "cors"])
def test_each_command_writes_its_results_as_a_page(
    call: Call,
    asked: list[tuple[str, list[str], list[str]]],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    command: str,
) -> None:
    matrix_of(monkeypatch)
    file = tmp_path / "page.html"

    said = call(command, "--proxy", "nginx", "--format", "html", "-o", str(file))

    assert len(asked) == (1 if command == "verify" else 0)
    assert (said.code, said.out) == (call(command, "--proxy", "nginx").code, "")
    assert f"<title>hoplab: hoplab {command}</title>" in file.read_text()


# --- what is told of a symptom, a cell, a variation ---


@pytest.mark.parametrize("symptom", SYMPTOMS)
def test_explain_a_symptom(call: Call, symptom: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(showing, "predict", lambda cell, _: predicted(cell))

    said = call("explain", symptom)

    assert (said.code, said.err) == (0, "")
    words = " ".join(said.out.split())
    for text in (SYMPTOMS[symptom].seen, SYMPTOMS[symptom].cause, SYMPTOMS[symptom].fix):
        assert " ".join(text.replace("{prefix}", "/api/v1").split()[:8]) in words


@pytest.mark.parametrize("variation", CATALOGUE.variations)
def test_explain_a_variation(call: Call, variation: str) -> None:
    said = call("explain", variation)

    assert (said.code, said.err) == (0, "")
    assert " ".join(CATALOGUE.variations[variation].fix.split()[:8]) in " ".join(said.out.split())


def test_certificates_says_where_the_authority_is(call: Call, state: Path) -> None:
    said = call("certificates")

    assert (said.code, said.err) == (0, "")
    assert said.out == f"{state / 'certificates' / 'ca.pem'}\n"
    assert (state / "certificates" / "ca.pem").is_file()


def test_a_bug_is_not_hidden(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    def breaks(_session: Session) -> None:
        raise KeyError("a bug")

    monkeypatch.setattr(reside, "ps", breaks)

    with pytest.raises(KeyError, match="a bug"):
        call("ps")


def test_exit_codes_of_typer_reach_the_shell(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(_session: Session) -> None:
        raise typer.Exit(130)

    monkeypatch.setattr(reside, "ps", interrupted)

    assert call("ps").code == 130
