"""The harness that breaks the lab's code: what it mutates, and what it says of the tests."""

import json
import os
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from hoplab.errors import HoplabError
from scripts.mutations import __main__ as mutations
from scripts.mutations import equivalent, mutated, report
from scripts.mutations.mutated import Change
from scripts.mutations.report import Counted
from scripts.sabotage.report import publish
from tests.catalogue import ROOT

# --- what is mutated ---

DECORATED = '''
from functools import cache, lru_cache

class A:
    """Text."""

    @property
    def one(self):
        return 1

    @staticmethod
    def two():
        return 2

    @property
    def three(self):
        return self._three

    @three.setter
    def three(self, value):
        self._three = value

@lru_cache(
    maxsize=3,
)
@cache
def four():
    return 4
'''


def test_decorators_become_calls_that_do_the_same() -> None:
    source = mutated.undecorated(DECORATED)

    assert "@property" not in source
    assert "@staticmethod" in source
    assert "one = property(one)" in source
    assert "lru_cache(" not in source, "a cache that is full when mutmut forks hides mutations"
    names: dict[str, object] = {}
    exec(source, names)  # noqa: S102 - the text above
    assert eval("(A().one, A.two(), four())", names) == (1, 2, 4)  # noqa: S307
    assert eval("setattr(a := A(), 'three', 3) or a.three", names) == 3  # noqa: S307


def test_modules_and_packages_are_found() -> None:
    [wire] = mutated.find(["client.wire"], ROOT)
    assert (wire.name, str(wire.path)) == ("hoplab.client.wire", "src/hoplab/client/wire.py")
    assert wire.short == "client.wire"
    cors = [module.short for module in mutated.find(["suites.cors", "suites.cors.right"], ROOT)]
    assert {"suites.cors", "suites.cors.right", "suites.cors.checks.order"} < {*cors}
    assert len(cors) == len({*cors})
    [peers] = mutated.find(["app.trusted_peers"], ROOT)
    assert (peers.name, str(peers.path)) == ("app.trusted_peers", "app/trusted_peers.py")


def test_all_that_decides_verdicts_is_there() -> None:
    modules = {module.short for module in mutated.find(mutated.VERDICTS, ROOT)}

    assert {"suites.contract.checks.spoof", "predictions.rules", "results_file"} < modules


@pytest.mark.parametrize("name", ["nothing", "client.nothing", "app.nothing", "src"])
def test_what_is_no_module_is_one_line(name: str) -> None:
    with pytest.raises(HoplabError, match=f"{name} is no module; name it as client.wire, suites"):
        mutated.find([name], ROOT)


MUTATED = """
def x_double__mutmut_orig(n):
    two = 2
    return n * two
def x_double__mutmut_1(n):
    two = 3
    return n * two
def x_double__mutmut_2(n):
    two = 2
"""


def test_a_mutation_is_told_by_its_lines(tmp_path: Path) -> None:
    file = tmp_path / "double.py"
    file.write_text(MUTATED)

    assert dict(mutated.changes(file)) == {
        "x_double__mutmut_1": Change("two = 2", "two = 3"),
        "x_double__mutmut_2": Change("return n * two", ""),
    }


# --- what is no mutation ---


@pytest.mark.parametrize(
    ("was", "now"),
    [
        ('a = answer.header("Location")', 'a = answer.header("LOCATION")'),
        ('return body.decode("utf-8", "replace")', 'return body.decode("UTF-8", "replace")'),
        ('cast("socket.socket", a)', 'cast("XXsocket.socketXX", a)'),
        ("cast(Any, a)", "cast(None, a)"),
    ],
)
def test_rules_know_what_changes_nothing(was: str, now: str) -> None:
    assert equivalent.load().why(Change(was, now))


@pytest.mark.parametrize(
    ("was", "now"),
    [
        ('a = answer.header("Location")', 'a = answer.header("XXLocationXX")'),
        ('a = answer.header("Location")', 'a = answer.HEADER("Location")'),
        ('return body.decode("utf-8", "replace")', 'return body.decode("utf-8", "REPLACE")'),
        ('cast("socket.socket", a)', 'cast("socket.socket", None)'),
    ],
)
def test_rules_ignore_nothing_else(was: str, now: str) -> None:
    assert equivalent.load().why(Change(was, now)) is None


def test_every_single_one_has_a_reason_and_needs_one() -> None:
    known = equivalent.load()

    assert all(known.single.values())
    assert not [each for each in known.single if any(rule.covers(each) for rule in known.rules)]


# --- trying ---

MUTMUT = {
    "__init__": "",
    "state": "class S: _stats = set()\ndef state(): return S",
    "mutation/__init__": "",
    "mutation/trampoline": "chosen = ''\ndef set_mutant_under_test(name):\n"
    "    global chosen\n    chosen = name",
}
"""What the plugin needs of it."""

CODE = """
from mutmut.mutation import trampoline
from mutmut.state import state

def double(n):
    state()._stats.add("code.x_double")
    return n * (3 if trampoline.chosen == "code.x_double__mutmut_1" else 2)
"""

TESTS = """
import subprocess, sys, code_
def test_double():
    left = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(300)", {mark!r}])
    if code_.double(2) == 4:
        left.kill()
        left.wait()
    else:
        assert False

def test_of_the_source():
    assert False
"""


def test_a_mutation_is_tried_with_the_tests_that_reach_it(tmp_path: Path) -> None:
    """The fork that changes nothing survives, and what a failing test leaves is gone."""
    for name, text in MUTMUT.items():
        file = tmp_path / "packages" / "mutmut" / f"{name}.py"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    (tmp_path / "code_.py").write_text(CODE)
    (tmp_path / "test_code.py").write_text(TESTS.format(mark=str(tmp_path)))
    asked = [f"code.x_double__mutmut_{n}" for n in range(2)] + ["code.x_other__mutmut_1"]
    (tmp_path / "asked.json").write_text(json.dumps(asked))
    plugin = ["-p", "scripts.mutations.forks", "-p", "no:cacheprovider"]
    subprocess.run(
        [sys.executable, "-m", "pytest", *plugin, "test_code.py"],
        cwd=tmp_path,
        env={
            **os.environ,
            "PYTHONPATH": os.pathsep.join([str(ROOT), str(tmp_path)]),
            "MUTMUT": str(tmp_path / "packages"),
            "HOPLAB_MUTATIONS": str(tmp_path),
        },
        check=True,
        capture_output=True,
        timeout=120,
    )

    told = [json.loads(line) for line in (tmp_path / "told.jsonl").read_text().splitlines()]
    assert {each["name"].removeprefix("code.x_"): each["outcome"] for each in told} == {
        "double__mutmut_0": "not noticed",
        "double__mutmut_1": "noticed",
        "other__mutmut_1": "not reached",
    }
    left = [
        p for p in psutil.process_iter(["cmdline"]) if str(tmp_path) in (p.info["cmdline"] or [])
    ]
    assert left == []


def test_what_was_noticed_is_kept_until_the_module_changes(tmp_path: Path) -> None:
    file = tmp_path / "kept.txt"
    mutations.Kept(file).add("digest", ["a.x_f__mutmut_1"])
    mutations.Kept(file).add("digest", ["a.x_f__mutmut_1", "a.x_f__mutmut_2"])

    kept = mutations.Kept(file)

    assert kept.noticed == {"digest a.x_f__mutmut_1", "digest a.x_f__mutmut_2"}
    assert len(file.read_text().splitlines()) == 2
    assert mutations.Kept(None).noticed == set()


# --- the report ---


def test_equivalent_mutations_do_not_count() -> None:
    alive = {"a.x_f__mutmut_1": Change("1", "2"), "a.x_f__mutmut_2": Change("return 1", "")}

    told = report.tables({"a": Counted(10, 1, alive), "b": Counted(11)})

    assert "| `a` | 10 | 1 | 7 of 9 (77.8 %) |" in told
    assert "| all | 21 | 1 | 18 of 20 (90.0 %) |" in told
    assert told.endswith("`a`:\n\n```diff\n- 1\n+ 2\n- return 1\n```")


def test_it_is_published_after_the_mark(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(f"Kept.\n{report.MARK}old")

    publish("new", page, report.MARK)

    assert page.read_text() == f"Kept.\n{report.MARK}\nnew\n"
