"""A finding is about the topology; the lab's own trouble is an error and never a finding."""

import gc
import json
import multiprocessing
import re
import signal
import socket
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest

from app.plain import app as plain
from hoplab.client.probe import Failed, NotApplicable, Probe, Recorded
from hoplab.client.target import Direct
from hoplab.commands.targets import jobs
from hoplab.endpoint import Endpoint
from hoplab.errors import HarnessError, HoplabError
from hoplab.results import CellResult, Finding, Verdict
from hoplab.suites import asking
from hoplab.suites.asking import Job
from hoplab.suites.check import Check, slow
from hoplab.suites.contract.checks import CHECKS
from hoplab.system import interrupts
from hoplab.topology import Cell, Mode, Scheme, Strategy, Topology, Trust
from tests.catalogue import CATALOGUE
from tests.unit.stub import (
    CONTRACT,
    LOOPBACK,
    OK,
    PREFIX,
    TOPOLOGY,
    Stub,
    accepting,
    altered,
    as_it_is,
    closed_port,
    header,
    listening,
    right,
)

pytestmark = pytest.mark.usefixtures("quick_checks")

CELL = Cell(TOPOLOGY, Strategy.SERVER_OPTION, Trust.PROXY, Scheme.HTTP)


def silent(_done: int, _of: int) -> None:
    return


def passes(_probe: Probe) -> str:
    return "all is well"


def fails(_probe: Probe) -> str:
    raise Failed("redirect-broken", "404, expected 307")


def is_not_asked(_probe: Probe) -> str:
    raise NotApplicable("nobody can know")


def is_recorded(_probe: Probe) -> str:
    raise Recorded("/app: 200")


def has_trouble(_probe: Probe) -> str:
    raise HarnessError("no answer")


def has_a_bug(_probe: Probe) -> str:
    raise ValueError("not a port: x")


def asks(probe: Probe) -> str:
    return str(probe.get("/app").status)


@pytest.mark.parametrize(
    ("check", "verdict", "symptom", "detail"),
    [
        (passes, Verdict.PASS, None, "all is well"),
        (fails, Verdict.FAIL, "redirect-broken", "404, expected 307"),
        (is_not_asked, Verdict.NOT_APPLICABLE, None, "nobody can know"),
        (is_recorded, Verdict.RECORDED, None, "/app: 200"),
        (has_trouble, Verdict.ERROR, None, "no answer"),
        (has_a_bug, Verdict.ERROR, None, "ValueError: not a port: x"),
    ],
)
def test_what_a_check_does_becomes_a_finding(
    stub: Stub, check: Check, verdict: Verdict, symptom: str | None, detail: str
) -> None:
    finding = asking.ask_one("name", check, stub.target(CELL))

    assert finding.check == "name"
    assert (finding.verdict, finding.symptom, finding.detail) == (verdict, symptom, detail)


def test_evidence_is_kept_when_the_check_breaks(stub: Stub) -> None:
    def breaks(probe: Probe) -> str:
        probe.get("/app")
        raise KeyError("scheme")

    finding = asking.ask_one("name", breaks, stub.target(CELL))

    assert (finding.verdict, finding.detail) == (Verdict.ERROR, "KeyError: 'scheme'")
    assert [exchange.status for exchange in finding.exchanges] == [200]


def ask(stub: Stub, checks: dict[str, Check], *cells: Cell) -> list[CellResult]:
    return asking.ask(everywhere(stub, cells), checks, silent)


def everywhere(stub: Stub, cells: Sequence[Cell]) -> Sequence[Job]:
    """The stub, in the place of every deployment."""
    deployments = {cell.deployment for cell in cells}
    return at(cells, [replace(stub.endpoint, deployment=each) for each in deployments])


def at(cells: Sequence[Cell], endpoints: Sequence[Endpoint]) -> Sequence[Job]:
    return jobs(CATALOGUE, CONTRACT, cells, endpoints)


def named(them: Sequence[Job]) -> list[Job]:
    """With the cell's id in its target, for a check that tells whom it asked."""
    return [j._replace(target=replace(j.target, client=j.cell.id)) for j in them]


def test_a_cell_is_asked_only_what_its_job_names(stub: Stub) -> None:
    [job] = everywhere(stub, [CELL])
    told: list[tuple[int, int]] = []
    checks = {"one": asks, "two": has_a_bug, "three": asks}

    [result] = asking.ask(
        [job._replace(asked=["three", "one"])], checks, lambda *two: told.append(two)
    )

    assert [finding.check for finding in result.findings] == ["three", "one"]
    assert result.verdict is Verdict.PASS
    assert told[-1] == (2, 2)


def test_of_long_answers_the_beginning_is_kept(stub: Stub) -> None:
    """A result has hundreds of exchanges, some of megabytes."""

    def asks_for_much(probe: Probe) -> str:
        return str(len(probe.get("/answer?size=5000").body))

    [result] = ask(stub, {"one": asks_for_much}, CELL)

    [finding] = result.findings
    assert finding.detail == str(len("answer 200\n") + 5000)
    assert finding.exchanges[0].body.decode() == "answer 200\n" + 289 * "." + "…"


def test_one_bug_does_not_stop_the_others(stub: Stub) -> None:
    [result] = ask(stub, {"bug": has_a_bug, "asks": asks, "fails": fails}, CELL)

    assert [(f.check, f.verdict) for f in result.findings] == [
        ("bug", Verdict.ERROR),
        ("asks", Verdict.PASS),
        ("fails", Verdict.FAIL),
    ]
    assert result.verdict is Verdict.ERROR
    assert result.symptoms == ["redirect-broken"]


@pytest.mark.parametrize(
    ("checks", "verdict"),
    [
        ({}, Verdict.ERROR),
        ({"direct": is_recorded}, Verdict.RECORDED),
        ({"client": is_not_asked}, Verdict.NOT_APPLICABLE),
    ],
)
def test_a_cell_of_which_nothing_was_judged_has_not_passed(
    stub: Stub, checks: dict[str, Check], verdict: Verdict
) -> None:
    [result] = ask(stub, checks, CELL)

    assert result.verdict is verdict


def test_many_cells_keep_their_order_and_their_findings(stub: Stub) -> None:
    def names_its_cell(probe: Probe) -> str:
        return f"{probe.target.client} {probe.target.limits.upload == 2**24}"

    cells = [
        Cell(TOPOLOGY, strategy, trust, scheme)
        for strategy in Strategy
        for trust in Trust
        for scheme in Scheme
    ]
    told: list[tuple[int, int]] = []

    results = asking.ask(
        named(everywhere(stub, cells)),
        {"one": names_its_cell, "two": names_its_cell},
        lambda done, of: told.append((done, of)),
    )

    assert [result.cell for result in results] == cells
    for result in results:
        told_by_check = {finding.detail for finding in result.findings}
        assert told_by_check == {f"{result.cell.id} {result.recipe}"}
    assert [result.cell for result in results if result.recipe] == [
        replace(CELL, scheme=scheme) for scheme in Scheme
    ]
    assert told == sorted(told)
    assert told[-1] == (72, 72)


def test_each_cell_is_asked_at_its_own_endpoint(stub: Stub) -> None:
    other = Topology("traefik", "uvicorn", Mode.STRIP)
    others = [
        replace(CELL, topology=other),
        replace(CELL, trust=Trust.ANY),
        replace(CELL, variation="host-dropped"),
    ]
    nowhere = replace(stub.endpoint, ports=dict.fromkeys(Scheme, closed_port()))
    elsewhere = [replace(nowhere, deployment=cell.deployment) for cell in others]

    where = at([CELL, *others], [*elsewhere, stub.endpoint])
    results = asking.ask(where, {"asks": asks}, silent)

    assert [result.verdict for result in results] == [Verdict.PASS, *3 * [Verdict.ERROR]]


def test_slow_checks_of_a_cell_are_asked_at_the_same_time(stub: Stub) -> None:
    together = threading.Barrier(3)

    def meets(_probe: Probe) -> str:
        together.wait(10)
        return "all is well"

    @slow
    def waits(probe: Probe) -> str:
        return meets(probe)

    checks = {"one": waits, "two": meets, "three": waits, "four": asks}
    [result] = ask(stub, checks, CELL)

    assert [finding.check for finding in result.findings] == [*checks]
    assert result.verdict is Verdict.PASS


def test_of_slow_checks_alone_a_cell_is_answered_once(stub: Stub) -> None:
    told: list[tuple[int, int]] = []

    @slow
    def waits(probe: Probe) -> str:
        return asks(probe)

    checks = {"one": waits, "two": waits}
    results = asking.ask(everywhere(stub, [CELL]), checks, lambda *two: told.append(two))

    assert [[finding.check for finding in each.findings] for each in results] == [[*checks]]
    assert told[-1] == (2, 2)


def test_a_cell_that_takes_longer_than_the_others_is_waited_for(stub: Stub) -> None:
    """Also if nothing is answered for a while."""
    release = threading.Event()
    told: list[tuple[int, int]] = []

    def progress(done: int, of: int) -> None:
        told.append((done, of))
        if told.count((1, 2)) > 2:
            release.set()

    def waits_but_in_one_cell(probe: Probe) -> str:
        if probe.target.client != CELL.id:
            release.wait(30)
        return "all is well"

    cells = [CELL, replace(CELL, trust=Trust.ANY)]
    results = asking.ask(named(everywhere(stub, cells)), {"one": waits_but_in_one_cell}, progress)

    assert [result.cell for result in results] == cells
    assert told[-1] == (2, 2)


def test_what_is_the_same_is_asked_once_in_a_cell(stub: Stub) -> None:
    ask(stub, {"one": asks, "two": asks}, CELL)

    assert [scope["path"] for scope in stub.seen] == [f"{PREFIX}/app"]


def test_what_is_the_same_past_the_proxy_is_asked_once_for_all_cells(
    stub: Stub, monkeypatch: pytest.MonkeyPatch
) -> None:
    def asks_directly(probe: Probe) -> str:
        return str(probe.ask_directly("/app").status)

    cells = [CELL, replace(CELL, scheme=Scheme.HTTPS)]
    port = stub.endpoint.ports[Scheme.HTTP]
    jobs_directly = [
        job._replace(target=replace(job.target, direct=Direct((LOOPBACK, port), "")))
        for job in everywhere(stub, cells)
    ]
    monkeypatch.setattr(asking, "THREADS", 1)  # or two ask at the same moment

    results = asking.ask(jobs_directly, {"one": asks_directly, "two": asks_directly}, silent)

    assert [scope["path"] for scope in stub.seen] == ["/app"]
    assert {finding.detail for each in results for finding in each.findings} == {"404"}


def test_a_bug_in_the_asking_itself_ends_it(stub: Stub, monkeypatch: pytest.MonkeyPatch) -> None:
    def is_broken(*_arguments: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(asking, "_ask", is_broken)
    with pytest.raises(ZeroDivisionError):
        ask(stub, {"asks": asks}, CELL)


# --- connections ---


def peers(finding: Finding) -> set[tuple[str, int]]:
    """Where the application was asked from, as its server told it."""
    told = [json.loads(each.header("X-ASGI-Scope") or "{}") for each in finding.exchanges]
    return {(host, port) for host, port in (each["client"] for each in told)}


def test_connections_are_shared_within_a_cell(stub: Stub) -> None:
    cells = [CELL, replace(CELL, trust=Trust.ANY), replace(CELL, scheme=Scheme.HTTPS)]

    results = ask(stub, {"one": asks, "two": asks, "three": asks}, *cells)

    from_where = [set.union(*map(peers, result.findings)) for result in results]
    assert [len(each) for each in from_where] == [1, 1, 1]
    assert len(set.union(*from_where)) == 3


def test_connections_of_a_cell_are_closed_after_it(stub: Stub) -> None:
    """They are hundreds, and a server that ends waits for them."""
    closed = threading.Event()

    def until_the_end(connection: socket.socket) -> None:
        with connection:
            while connection.recv(2**16):
                connection.sendall(OK)
            closed.set()

    with accepting(until_the_end) as port:
        where = replace(stub.endpoint, ports=dict.fromkeys(Scheme, port))
        [result] = asking.ask(at([CELL], [where]), {"asks": asks}, silent)

        assert result.verdict is Verdict.PASS
        assert closed.wait(5)


def test_one_check_alone_closes_its_own(stub: Stub) -> None:
    findings = [asking.ask_one("name", asks, stub.target(CELL)) for _ in range(2)]

    assert len(set.union(*map(peers, findings))) == 2


@pytest.mark.skipif(sys.platform != "linux", reason="no other address on loopback")
def test_who_asks_stays_who_it_is_after_a_check_that_asks_as_somebody_else(stub: Stub) -> None:
    """`direct` comes from this machine itself, all others from the client's address."""

    def asks_directly(probe: Probe) -> str:
        direct = probe.target.direct
        assert direct is not None
        host, port = direct.address
        probe.client.origins[f"http://{host}:{port}"] = (host, port)
        return str(probe.get(f"http://{host}:{port}/app").status)

    checks = {"one": asks_directly, "direct": CHECKS["direct"], "two": asks_directly, "asks": asks}
    with listening(plain, root_path=PREFIX) as port:
        where = replace(stub.endpoint, source="127.0.0.9", direct=(LOOPBACK, port))
        [result] = asking.ask(at([CELL], [where]), checks, silent)

    clients = {finding.check: {host for host, _ in peers(finding)} for finding in result.findings}
    assert clients == {
        "one": {"127.0.0.9"},
        "direct": {LOOPBACK},
        "two": {"127.0.0.9"},
        "asks": {"127.0.0.9"},
    }


# --- interrupted ---


@pytest.fixture
def interrupted_after_a_cell(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The signal comes when the first cell is answered."""

    def first(*arguments: Any) -> CellResult:
        interrupts._remember(signal.SIGTERM, None)
        return CellResult(*arguments)

    monkeypatch.setattr(asking, "CellResult", first)
    yield
    interrupts._received.clear()


@pytest.mark.usefixtures("interrupted_after_a_cell")
def test_what_was_answered_before_a_signal_is_kept(stub: Stub) -> None:
    release = threading.Event()

    def waits_but_in_one_cell(probe: Probe) -> str:
        if probe.target.client != CELL.id:
            release.wait(30)
        return "all is well"

    others = [replace(CELL, trust=trust) for trust in (Trust.NONE, Trust.ANY)]
    try:
        with pytest.raises(asking.Unfinished) as caught:
            asking.ask(
                named(everywhere(stub, [others[0], CELL, others[1]])),
                {"one": passes, "two": waits_but_in_one_cell},
                silent,
            )
    finally:
        release.set()

    assert [result.cell for result in caught.value.results] == [CELL]
    assert [finding.check for finding in caught.value.results[0].findings] == ["one", "two"]
    assert caught.value.signal.code == 128 + signal.SIGTERM


@pytest.mark.usefixtures("interrupted_after_a_cell")
def test_after_a_signal_nothing_more_is_asked(stub: Stub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asking, "THREADS", 1)
    release = threading.Event()
    asked: list[str | None] = []

    def waits_from_the_second_on(probe: Probe) -> str:
        asked.append(probe.target.client)
        if len(asked) > 1:
            release.wait(30)
        return "all is well"

    cells = [replace(CELL, variation=str(number)) for number in range(5)]
    before = {*threading.enumerate()}
    try:
        with pytest.raises(asking.Unfinished, match="interrupted with 1 cells finished"):
            asking.ask(named(everywhere(stub, cells)), {"one": waits_from_the_second_on}, silent)
    finally:
        release.set()
    for thread in {*threading.enumerate()} - before:
        thread.join(30)

    assert asked[:1] == [cells[0].id]
    assert len(asked) <= 2


@pytest.mark.usefixtures("interrupted_after_a_cell")
def test_a_signal_that_comes_with_the_last_answer_is_obeyed(stub: Stub) -> None:
    with pytest.raises(asking.Unfinished) as caught:
        ask(stub, {"one": passes}, CELL)

    assert [result.cell for result in caught.value.results] == [CELL]


# --- the same for every check of the contract ---


@pytest.mark.parametrize("check", [name for name in CHECKS if name not in {"direct", "bypass"}])
@pytest.mark.parametrize("scheme", Scheme)
def test_answer_of_another_instance_is_an_error(stub: Stub, check: str, scheme: Scheme) -> None:
    finding = stub.ask(check, scheme, nonce="0123456789abcdef.uvicorn-strip")

    assert (finding.verdict, finding.symptom) == (Verdict.ERROR, None), finding.detail
    assert "answered by the instance" in finding.detail
    assert "0123456789abcdef.uvicorn-strip" in finding.detail


@pytest.mark.parametrize("check", ["direct", "bypass"])
def test_direct_answer_of_another_instance_is_an_error(stub: Stub, check: str) -> None:
    with listening(right(stub.deployment), root_path=PREFIX) as port:
        known: dict[str, Any] = {"direct": (LOOPBACK, port), "source": LOOPBACK}
        finding = stub.ask(check, nonce="another", **known)

    assert (finding.verdict, finding.symptom) == (Verdict.ERROR, None)


def test_another_instance_in_the_middle_of_a_check_is_an_error(stub: Stub) -> None:
    """Two applications on one port, say, or a proxy that balances: the redirect's target only."""
    stub.serve(as_it_is, altered("/items/", header("x-instance", lambda _: "another")))

    finding = stub.ask("slash-redirect")

    assert (finding.verdict, finding.symptom) == (Verdict.ERROR, None)
    assert "answered by the instance 'another'" in finding.detail


@pytest.mark.parametrize("check", CHECKS)
@pytest.mark.parametrize("scheme", Scheme)
def test_nobody_at_the_port_is_an_error(stub: Stub, check: str, scheme: Scheme) -> None:
    port = closed_port()

    nobody: dict[str, Any] = {"ports": dict.fromkeys(Scheme, port), "direct": (LOOPBACK, port)}
    finding = stub.ask(check, scheme, source=LOOPBACK, **nobody)

    # An application that can't be asked past its proxy is no trouble: nothing needs it.
    expected = Verdict.NOT_APPLICABLE if check == "direct" else Verdict.ERROR
    assert (finding.verdict, finding.symptom) == (expected, None)
    assert re.search("Connection refused|Connect call failed", finding.detail)
    assert len(finding.exchanges) == 1


# --- several processes ---


def many(stub: Stub) -> list[Job]:
    """As many as need several processes; half of them over https, as if of another application."""
    cells = [
        replace(CELL, variation=f"variation-{number}", scheme=list(Scheme)[number % 2])
        for number in range(100)
    ]
    found = everywhere(stub, cells)
    return [job._replace(target=replace(job.target, instance=None)) for job in found]


def test_one_application_s_cells_are_asked_by_one_process(stub: Stub) -> None:
    """They share what it answers past the proxy."""
    them = [
        job._replace(target=replace(job.target, instance=f"instance {number % 5}"))
        for number, job in enumerate(many(stub))
    ]

    parts = asking._parts(sorted(them, key=asking._application))

    asked = [{job.target.instance for job in part} for part in parts]
    assert sorted(map(len, asked)) == [2, 3]
    assert not set.intersection(*asked)
    everybody = [job.cell.id for part in parts for job in part]
    assert sorted(everybody) == sorted(job.cell.id for job in them)


def test_many_cells_are_asked_by_several_processes(stub: Stub) -> None:
    them = many(stub)
    told: list[tuple[int, int]] = []
    checks = {"reach": CHECKS["reach"], "client": CHECKS["client"]}
    workers: set[int] = set()
    meanwhile = set()

    def progress(done: int, of: int) -> None:
        told.append((done, of))
        meanwhile.add(gc.get_threshold())
        workers.update(child.pid for child in multiprocessing.active_children() if child.pid)

    before = gc.get_threshold()
    gc.set_threshold(700, 11, 12)
    try:
        results = asking.ask(them, checks, progress)
        after = gc.get_threshold()
    finally:
        gc.set_threshold(*before)

    assert [result.cell for result in results] == [job.cell for job in them]
    assert {result.verdict for result in results} == {Verdict.PASS}
    assert told == sorted(told)
    assert told[-1] == (200, 200)
    assert len(workers) == 2
    assert (meanwhile, after) == ({(100_000, 11, 12)}, (700, 11, 12))
    assert not multiprocessing.active_children()


def test_a_client_process_tells_of_its_cells_one_by_one(
    stub: Stub, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What such a process does, in this one."""
    parents: list[int] = []
    monkeypatch.setattr(asking, "die_with_parent", parents.append)
    them = many(stub)[:3]
    ours, theirs = multiprocessing.Pipe(duplex=False)

    asking._work(4711, theirs, them, {"reach": CHECKS["reach"]})

    theirs.close()
    told: list[asking.Told] = []
    with suppress(EOFError):
        while True:
            told.append(ours.recv())
    assert parents == [4711]
    assert sum(answered for answered, _ in told) == 3
    finished = {result.cell for _, results in told for result in results}
    assert finished == {job.cell for job in them}


def test_a_client_process_that_dies_is_the_labs_own_trouble(stub: Stub) -> None:
    def kill(_done: int, _of: int) -> None:
        for child in multiprocessing.active_children():
            child.kill()

    with pytest.raises(HoplabError, match="client process of the lab ended"):
        asking.ask(many(stub), {"stream": CHECKS["stream"]}, kill)
    assert not multiprocessing.active_children()


def test_a_signal_ends_the_client_processes(stub: Stub) -> None:
    def interrupt(done: int, _of: int) -> None:
        if done:
            interrupts._remember(signal.SIGINT, None)

    checks = {"stream": CHECKS["stream"]}
    with pytest.raises(asking.Unfinished) as unfinished:
        asking.ask(many(stub), checks, interrupt)

    assert len(unfinished.value.results) < 100
    assert unfinished.value.signal.code == 128 + signal.SIGINT
    assert not multiprocessing.active_children()
