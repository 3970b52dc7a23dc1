"""The command line: mistakes are one line and exit 2; help and version."""

import subprocess
import sys
from pathlib import Path

import pytest

from hoplab import __version__, cli
from hoplab.suites import SUITES
from hoplab.suites.contract.checks import CHECKS
from hoplab.topology import Strategy
from tests.catalogue import ROOT
from tests.commands.run import HOPLAB
from tests.unit.cli.said import PROXIES, SERVERS, TOPOLOGIES, Call, Said

# --- bad usage ---

A_NAME = "a segment of a prefix is a name: not empty, no dots alone, no encoded slash"
NO_LETTER = "a prefix can't contain {}, which means something in a URL or a page"
NO_PREFIX = {
    "api/v1": "a prefix is a path such as /api/v1, or / for none",
    "": "a prefix is a path such as /api/v1, or / for none",
    "https://x/api": "a prefix is a path such as /api/v1, or / for none",
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
    (["verify", "--format", "xml"], "format 'xml' is unknown; known: table, json, junit, html"),
    (["ps", "--format", ""], "format '' is unknown; known: table, json"),
    (["verify", "--proxy", "squid"], f"proxy 'squid' is unknown; known: {PROXIES}"),
    (["verify", "--proxy", "nginx", "--proxy", "x"], f"proxy 'x' is unknown; known: {PROXIES}"),
    (["verify", "--server", "daphne"], f"server 'daphne' is unknown; known: {SERVERS}"),
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
    (
        ["repro", "x", "--prefix", "x"],
        "--prefix x: a prefix is a path such as /api/v1, or / for none",
    ),
    (
        ["recipe", "nginx", "uvicorn", "preserve", "--prefix", "//"],
        f"--prefix //: {A_NAME}",
    ),
    (["verify", "--prefix"], "Option '--prefix' requires an argument."),
    (["--foo"], "No such option: --foo. See `hoplab --help`."),
    (["foo"], "No such command 'foo'. See `hoplab --help`."),
    (["verify", "--foo"], None),
    (["verify", "foo"], "Got unexpected extra argument(s) (foo). See `hoplab verify --help`."),
    (["up", "strip", "preserve"], None),
    (
        ["up", "strip", "--prefix", "/"],
        "there is no prefix to strip: `hoplab up preserve --prefix /`",
    ),
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


_HEAVY = "suites client report commands.session engines diagnosis"
_IMPORTS = f"""
import sys
from hoplab import cli
print([name for name in "{_HEAVY}".split() if f"hoplab.{{name}}" in sys.modules])
"""


def test_the_command_line_imports_nothing_that_only_a_command_needs() -> None:
    """Every call would pay for it, `hoplab --version` as well."""
    run = subprocess.run(
        [sys.executable, "-c", _IMPORTS], capture_output=True, text=True, check=True, cwd=ROOT
    )

    assert run.stdout == "[]\n"


def test_each_suite_has_its_command() -> None:
    """It is registered without importing the suite."""
    told = [(of.suite, of.name, of.about, of.product) for of in cli.ask.SUITE_COMMANDS]

    assert told == [(s.name, s.command, s.about, s.product) for s in SUITES.values()]


@pytest.mark.parametrize("word", ["version", "--version"])
def test_version(call: Call, word: str) -> None:
    assert call(word) == Said(0, f"hoplab {__version__}\n", "")


@pytest.mark.parametrize("word", ["--version", "-h"])
def test_it_runs_as_a_module(program: Call, call: Call, word: str) -> None:
    assert program(word) == call(word)


def test_the_list_of_commands_cuts_no_sentence_off(call: Call) -> None:
    commands = call("--help").out.partition("\nCommands:\n")[2]

    assert "  up " in commands
    assert "..." not in commands


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full here")
def test_a_full_disk_is_one_line() -> None:
    with Path("/dev/full").open("w") as full:
        ended = subprocess.run(
            [*HOPLAB, "list"],
            cwd=ROOT,
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )

    assert (ended.returncode, ended.stderr) == (3, "hoplab: No space left on device\n")
