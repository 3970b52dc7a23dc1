"""The harness that breaks the lab: its faults fit the files, and it judges right."""

import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from queue import SimpleQueue
from signal import SIGINT
from threading import Event
from typing import cast

import pytest

from hoplab.errors import HoplabError
from hoplab.results import CellResult, Finding, Results, Verdict
from hoplab.system import interrupts
from hoplab.topology import Cell, Mode, Scheme, Strategy, Topology, Trust
from scripts.sabotage import __main__ as sabotage
from scripts.sabotage import faults, report
from scripts.sabotage.faults import Fault
from scripts.sabotage.judged import Judged, of_lab
from scripts.sabotage.judging import Judgement, Outcome, Unbroken, compare
from scripts.sabotage.lab import Ended, Lab, NotStarted
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
        server = f"src/hoplab/catalogue/servers/{topology.server}.toml"
        assert folder in {"app", topology.proxy} or fault.file == server
        others = {mode for mode in Mode if mode is not topology.mode}
        assert not any(rest.startswith(other) for other in others), "another mode's file"


def test_the_faults_are_many_and_each_has_a_name_of_its_own() -> None:
    assert len(FAULTS) >= 130
    assert len({fault.name for fault in FAULTS}) == len(FAULTS)
    assert len({fault.what for fault in FAULTS if fault.file.startswith("nginx")}) > 50


def test_faults_are_chosen_by_their_names() -> None:
    assert {fault.name.partition("/")[0] for fault in faults.load("caddy/*")} == {"caddy"}
    both = faults.load("caddy/lb-cookie nginx/mir*")
    assert {fault.name for fault in both} == {"caddy/lb-cookie", "nginx/mirror"}
    with pytest.raises(HoplabError, match="no fault is named none/such"):
        faults.load("none/such")


def test_a_text_that_is_gone_is_one_line() -> None:
    with pytest.raises(HoplabError, match=r"nginx/x: nginx/x.conf no longer has 'right'; change"):
        A_FAULT.applied("other")


def test_a_file_is_right_again_whatever_happened(tmp_path: Path) -> None:
    lab = Lab(tmp_path, Event())
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


# --- going on after an interruption ---


def test_what_was_judged_is_not_asked_again(tmp_path: Path) -> None:
    file = tmp_path / "judged.jsonl"
    judgement = Judgement(A_FAULT, Outcome.ERROR, ("reach: x",))
    Judged(file, "lab").add(judgement)

    assert Judged(file, "lab").get(A_FAULT) == judgement
    assert Judged(file, "another lab").get(A_FAULT) is None
    assert Judged(file, "lab").get(replace(A_FAULT, edits=(("right", "other"),))) is None
    assert Judged(None, "lab").get(A_FAULT) is None


def test_what_did_not_start_is_asked_again(tmp_path: Path) -> None:
    file = tmp_path / "judged.jsonl"
    Judged(file, "lab").add(Judgement(A_FAULT, Outcome.NOT_STARTED, ()))

    assert Judged(file, "lab").get(A_FAULT) is None


def test_a_finished_run_is_forgotten(tmp_path: Path) -> None:
    file = tmp_path / "judged.jsonl"
    judged = Judged(file, "lab")
    judged.add(Judgement(A_FAULT, Outcome.NOTICED, ()))

    judged.forget()

    assert Judged(file, "lab").get(A_FAULT) is None


def test_a_changed_file_makes_another_lab(tmp_path: Path) -> None:
    (tmp_path / "x").write_text("one")
    before = of_lab([tmp_path])
    assert of_lab([tmp_path]) == before

    (tmp_path / "x").write_text("two")

    assert of_lab([tmp_path]) != before


def test_a_topology_as_it_is_is_asked_once() -> None:
    asked: list[str] = []

    class Asked:
        def verify(self, name: str) -> Results:
            asked.append(name)
            return a_run(("reach", PASS, None))

    unbroken = Unbroken()
    lab = cast("Lab", Asked())

    assert unbroken.of("t", lab) is unbroken.of("t", lab)
    assert asked == ["t"]


def test_a_share_that_is_not_whole_is_not_told_as_whole() -> None:
    judged = [Judgement(A_FAULT, Outcome.NOTICED, ())] * 208
    judged.append(Judgement(A_FAULT, Outcome.ERROR, ()))

    assert report.share(judged) == "208 of 209 noticed (99 %)"


def test_of_what_did_not_start_there_is_no_share() -> None:
    assert report.share([Judgement(A_FAULT, Outcome.NOT_STARTED, ())]) == "0 of 0 noticed"


class Endless:
    """A lab that is asked until it is ended."""

    def __init__(self, ended: Event, asked: SimpleQueue[str], told: list[str]) -> None:
        self._ended = ended
        self._asked = asked
        self._told = told

    def verify(self, name: str) -> Results:
        self._asked.put(name)
        if self._ended.wait(30):
            self._told.append(name)
        raise Ended


def test_ctrl_c_ends_every_lab_and_asks_no_other_fault(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    asked: SimpleQueue[str] = SimpleQueue()
    told: list[str] = []
    received: list[int] = []
    monkeypatch.setattr(sabotage, "Lab", lambda _, ended: Endless(ended, asked, told))
    monkeypatch.setattr(interrupts, "_received", received)
    labs = sabotage.LABS
    each = [replace(A_FAULT, name=str(n), topologies=(str(n),)) for n in range(3 * labs)]

    def press() -> None:
        for _ in range(labs):
            asked.get()
        received.append(SIGINT)

    with ThreadPoolExecutor(1) as pool:
        pressed = pool.submit(press)
        with pytest.raises(interrupts.Interrupted):
            next(sabotage._judge(each, tmp_path, Judged(None, ""), prove=False))
        pressed.result()

    assert len(told) == labs
    assert asked.empty()


def test_a_lab_that_is_asked_ends_its_process(tmp_path: Path) -> None:
    ended = Event()
    lab = Lab(tmp_path, ended)
    log = tmp_path / "verify.log"
    code = """
import signal, time
signal.signal(signal.SIGINT, signal.default_int_handler)  # in the background, it may be ignored
print("up", flush=True)
time.sleep(60)
"""
    sleeping = [sys.executable, "-c", code]
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(lab._run, sleeping)
        while not (log.exists() and "up" in log.read_text()) and not running.done():
            time.sleep(0.01)
        ended.set()
        with pytest.raises(Ended):
            running.result(30)

    assert "KeyboardInterrupt" in log.read_text()
