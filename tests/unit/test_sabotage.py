"""The harness that breaks the lab: its faults fit the files, and it judges right."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from hoplab.errors import HoplabError
from hoplab.results import CellResult, Finding, Results, Verdict
from hoplab.topology import Cell, Mode, Scheme, Strategy, Topology, Trust
from scripts.sabotage import faults, mutations, report
from scripts.sabotage.faults import Fault
from scripts.sabotage.judging import Judgement, Outcome, compare
from scripts.sabotage.lab import Lab, NotStarted
from tests.catalogue import CATALOGUE, ROOT

FAULTS = faults.load()
TOPOLOGIES = {topology.name: topology for topology in CATALOGUE.composed}
CELL = Cell(Topology("nginx", "uvicorn", Mode.STRIP), Strategy.NONE, Trust.PROXY, Scheme.HTTP)
A_FAULT = Fault("nginx/x", "paths", "What.", "nginx/x.conf", (("right", "wrong"),), ("t",))


# --- the faults ---


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_a_fault_fits_its_file_and_its_topologies(fault: Fault) -> None:
    right = (ROOT / fault.file).read_text()

    assert fault.applied(right) != right
    folder, _, rest = fault.file.partition("/")
    for topology in [TOPOLOGIES[name] for name in fault.topologies]:
        assert folder in {"app", topology.proxy}
        others = {mode for mode in Mode if mode is not topology.mode}
        assert not any(rest.startswith(other) for other in others), "another mode's file"


def test_the_faults_are_many_and_each_has_a_name_of_its_own() -> None:
    assert len(FAULTS) >= 130
    assert len({fault.name for fault in FAULTS}) == len(FAULTS)
    assert len({fault.what for fault in FAULTS if fault.file.startswith("nginx")}) > 50


def test_faults_are_chosen_by_their_names() -> None:
    assert {fault.name.partition("/")[0] for fault in faults.load("caddy/*")} == {"caddy"}
    with pytest.raises(HoplabError, match="no fault is named none/such"):
        faults.load("none/such")


def test_a_text_that_is_gone_is_one_line() -> None:
    with pytest.raises(HoplabError, match=r"nginx/x: nginx/x.conf no longer has 'right'; change"):
        A_FAULT.applied("other")


def test_a_file_is_right_again_whatever_happened(tmp_path: Path) -> None:
    lab = Lab(tmp_path)
    file = tmp_path / "app/plain.py"
    right = file.read_text()
    fault = Fault("x", "x", "x", "app/plain.py", (("create_app()", "None"),), ())

    def fail() -> None:
        with lab.broken(fault):
            assert file.read_text() == right.replace("create_app()", "None")
            raise NotStarted

    with pytest.raises(NotStarted):
        fail()

    assert file.read_text() == right == (ROOT / "app/plain.py").read_text()


# --- judging ---


def a_run(*findings: tuple[str, Verdict, str | None]) -> Results:
    told = [Finding(check, verdict, symptom, "detail") for check, verdict, symptom in findings]
    return Results("process", "", 0.0, {}, [CellResult(CELL, recipe=True, findings=told)])


PASS, FAIL, ERROR = Verdict.PASS, Verdict.FAIL, Verdict.ERROR
RIGHT = a_run(("reach", PASS, None), ("direct", Verdict.RECORDED, None))


@pytest.mark.parametrize(
    ("findings", "outcome", "by"),
    [
        ([("reach", PASS, None), ("direct", Verdict.RECORDED, None)], Outcome.NOT_NOTICED, ()),
        ([("reach", FAIL, "gone")], Outcome.NOTICED, ("reach: gone",)),
        ([("reach", ERROR, None)], Outcome.ERROR, ("reach: detail (error)",)),
        (
            [("reach", Verdict.NOT_APPLICABLE, None)],
            Outcome.ERROR,
            ("reach: detail (not-applicable)",),
        ),
        ([("reach", FAIL, "gone"), ("direct", ERROR, None)], Outcome.NOTICED, ("reach: gone",)),
    ],
)
def test_what_is_noticed(
    findings: list[tuple[str, Verdict, str | None]], outcome: Outcome, by: Sequence[str]
) -> None:
    assert compare(RIGHT, a_run(*findings)) == (outcome, by)


def test_the_report_names_what_was_not_noticed() -> None:
    judged = [
        Judgement(A_FAULT, Outcome.NOTICED, ("reach: gone",)),
        Judgement(A_FAULT, Outcome.NOT_NOTICED, (), ()),
        Judgement(A_FAULT, Outcome.NOT_STARTED, ("no",)),
    ]

    told = report.tables(judged, {"nginx/x": "noticed"})

    assert told.startswith("1 of 2 noticed (50 %).")
    assert "| paths | 3 | 1 |  | 1 | 1 |" in told
    assert "* `nginx/x`: What. (No difference was seen by a plain client.)" in told


def test_the_report_is_published_after_the_mark(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(f"Kept.\n{report.MARK}old")

    report.publish("new", page)

    assert page.read_text() == f"Kept.\n{report.MARK}\nnew\n"


def test_judgements_are_read_as_they_were_written(tmp_path: Path) -> None:
    report.write_json([Judgement(A_FAULT, Outcome.NOTICED, ("x",))], tmp_path / "x.json")

    assert report.read_json(tmp_path / "x.json") == {"nginx/x": "noticed"}


# --- mutations ---

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
    source = mutations.undecorated(DECORATED)

    assert "@property" not in source
    assert "@staticmethod" in source
    assert "one = property(one)" in source
    assert "lru_cache(" not in source, "a cache that is full when mutmut forks hides mutations"
    names: dict[str, object] = {}
    exec(source, names)  # noqa: S102 - the text above
    assert eval("(A().one, A.two(), four())", names) == (1, 2, 4)  # noqa: S307
    assert eval("setattr(a := A(), 'three', 3) or a.three", names) == 3  # noqa: S307


def test_a_module_is_found_with_its_tests() -> None:
    module = mutations.find("client.wire", ROOT)

    assert (module.source, module.test) == ("src/hoplab/client/wire.py", "tests/unit/test_wire.py")
    assert mutations.find("wire", ROOT) == module


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("nothing", r"no one module of hoplab \(none\)"),
        ("ask", r"no one module of hoplab \(cli/ask.py, commands/ask.py\)"),
        ("errors", "there is no tests/unit/test_errors.py"),
    ],
)
def test_what_is_no_module_is_one_line(name: str, why: str) -> None:
    with pytest.raises(HoplabError, match=why):
        mutations.find(name, ROOT)


def test_equivalent_mutations_do_not_count() -> None:
    [((was, now), why), *_] = mutations.equivalents().items()
    alive = [mutations.Survivor("a", was, now), mutations.Survivor("b", "1", "2")]

    told = mutations.report(10, alive, mutations.equivalents())

    assert why
    assert told.splitlines() == [
        "10 mutations, 1 of them equivalent; 8 of 9 noticed (88.9%)",
        "b",
        "  - 1",
        "  + 2",
    ]
