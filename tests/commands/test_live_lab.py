"""The lab behind the live page: changed, edited and killed, as processes in a clone."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from threading import Thread

import psutil
import pytest

from hoplab.catalogue import load
from hoplab.client.trace import Request
from hoplab.commands.live import place
from hoplab.commands.live.lab import RunningLab, running
from hoplab.commands.live.model import State, TopologyState
from hoplab.commands.session import Session
from hoplab.engines.published import variable
from hoplab.errors import HoplabError
from hoplab.report.progress import Progress
from hoplab.results import Verdict
from hoplab.system import ports
from hoplab.system.ports import free_ports
from hoplab.topology import Mode, Scheme, Topology
from hoplab.workspace import Workspace
from tests.commands.clone import Clone
from tests.commands.launchers import kept_processes

STRIP = Topology("nginx", "uvicorn", Mode.STRIP)
OTHER = Topology("traefik", "hypercorn", Mode.PRESERVE)
STRIPPING = "nginx/strip.conf.template"
ITEMS = Request("GET", "/api/v1/items")
DEADLINE = 90.0
ASKED = ("reach", "slash-redirect", "docs", "limits", "websocket-messages")
"""Of the contract, a part: each change and edit is asked all of it. The last one is slow.

That all of it is asked: tests/unit/test_live_place.py, and test_demo.py of what is up.
"""


class Lab:
    """A lab of two topologies, in a clone whose files a test may edit."""

    def __init__(self, clone: Clone, lab: RunningLab) -> None:
        self.clone = clone
        self.lab = lab

    def state(self, topology: Topology) -> TopologyState:
        return next(each for each in self.lab.states() if each.topology == topology.name)

    def until(
        self, condition: Callable[[TopologyState], bool], topology: Topology = STRIP
    ) -> TopologyState:
        """Its first state of which this holds."""
        revision = -1
        while True:
            found = self.lab.wait(revision, DEADLINE)
            state = self.state(topology)
            if condition(state):
                return state
            assert found > revision, (state.state, state.message)
            revision = found

    def settled(self, wanted: State = State.UP, topology: Topology = STRIP) -> TopologyState:
        """When it is so, and has been asked everything."""
        return self.until(lambda each: each.state is wanted and not each.asking, topology)

    def edit(self, name: str, old: str, new: str) -> None:
        """Replace something in a file, and wait until that is noticed."""
        text = (self.clone.folder / name).read_text()
        assert old in text
        self.save(name, text.replace(old, new))

    def save(self, name: str, text: str) -> None:
        """The same with all of a file; nothing if that is what it has."""
        file = self.clone.folder / name
        if file.read_text() == text:
            return
        before = self.state(STRIP).revision
        file.write_text(text)
        self.until(lambda each: each.revision > before)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    clone = Clone(tmp_path_factory.mktemp("live"))
    names = [variable(topology, scheme) for topology in (STRIP, OTHER) for scheme in Scheme]
    checks = {name: place.CONTRACT.checks[name] for name in ASKED}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(place, "CONTRACT", replace(place.CONTRACT, checks=checks))
        for name, port in zip(names, free_ports(len(names)), strict=True):
            patch.setenv(name, str(port))
        # The lab draws its free ports from other blocks: these are free for as long as it restarts.
        patch.setattr(ports, "_claimed", set())
        session = Session(load(Workspace(clone.folder)), Progress())
        with running(session, [STRIP, OTHER]) as lab:
            yield Lab(clone, lab)
    assert clone.runs() == []
    assert left(clone.folder) == []


@pytest.fixture
def lab(shared: Lab) -> Iterator[Lab]:
    """With both topologies as they are in the recipe, before and after."""
    files = {name: (shared.clone.folder / name).read_text() for name in (STRIPPING, PLAIN)}
    for topology in (STRIP, OTHER):
        shared.settled(topology=topology)
    yield shared
    for name, text in files.items():
        shared.save(name, text)
    if shared.state(STRIP).change or shared.state(STRIP).state is not State.UP:
        shared.lab.fix(STRIP.name)
    assert failing(shared.settled()) == {}


PLAIN = "app/plain.py"


def left(folder: Path) -> list[psutil.Process]:
    """Processes of this clone."""
    return [
        process
        for process in psutil.process_iter(["cmdline"])
        if any(str(folder) in word for word in process.info["cmdline"] or [])
    ]


def masters(lab: Lab) -> list[psutil.Process]:
    """The first of nginx's processes."""
    return [each for each in left(lab.clone.folder) if each.name() == STRIP.proxy]


def failing(state: TopologyState) -> dict[str, str | None]:
    """Of http: the symptom of each check that fails. Every check was asked."""
    (result,) = [each for each in state.results if each.cell.scheme is Scheme.HTTP]
    assert {finding.check for finding in result.findings} == set(ASKED)
    return {f.check: f.symptom for f in result.findings if f.verdict is Verdict.FAIL}


def test_a_change_is_asked_on_the_same_ports_and_leaves_others_alone(lab: Lab) -> None:
    before, other = lab.state(STRIP), lab.state(OTHER)

    lab.lab.change(STRIP.name, "none.none")
    assert lab.state(STRIP).state is State.STARTING
    changed = lab.settled()

    assert changed.change
    assert (changed.change.name, changed.urls) == ("none.none", before.urls)
    assert failing(changed)["slash-redirect"]
    assert "slash-redirect" in changed.changed_checks
    assert "limits" not in changed.changed_checks
    assert lab.state(OTHER) == other

    lab.lab.fix(STRIP.name)
    fixed = lab.settled()
    assert fixed.change is None
    assert "slash-redirect" in fixed.changed_checks


def test_the_last_of_several_changes_counts(lab: Lab) -> None:
    names = [each.name for each in lab.lab.possible(STRIP.name)]
    for name in (*names[:3], "none.none"):
        lab.lab.change(STRIP.name, name)

    changed = lab.settled()

    assert changed.change
    assert changed.change.name == "none.none"


def test_a_trace_has_the_bytes_of_no_check(lab: Lab) -> None:
    """It is asked while the contract is asked in the background, again and again."""
    lab.lab.change(STRIP.name, "none.none")
    lab.until(lambda each: each.state is State.UP)
    while lab.state(STRIP).asking:
        found = lab.lab.trace(STRIP.name, Scheme.HTTP, ITEMS)
        (hop,) = found.hops
        assert hop.request[0] == "GET /items HTTP/1.1"
        assert hop.answer[0].startswith("HTTP/1.1 307")


def test_an_edit_of_a_proxy_is_asked_again(lab: Lab) -> None:
    other = lab.state(OTHER)

    lab.edit(STRIPPING, "proxy_set_header X-Forwarded-Proto  $scheme;", "")
    edited = lab.settled()

    assert "slash-redirect" in edited.changed_checks
    (https,) = [each for each in edited.results if each.cell.scheme is Scheme.HTTPS]
    assert https.verdict is Verdict.FAIL
    assert lab.state(OTHER) == other


def test_an_edit_of_the_application_leaves_its_proxy_running(lab: Lab) -> None:
    (before,) = masters(lab)

    lab.edit(PLAIN, "app = ", "added = 1\napp = ")
    edited = lab.settled()

    assert failing(edited) == {}
    assert masters(lab) == [before]
    assert lab.lab.trace(STRIP.name, Scheme.HTTP, ITEMS).exchange.status == 307


def test_a_file_that_the_proxy_refuses_leaves_the_last_good_one(lab: Lab) -> None:
    lab.edit(STRIPPING, "proxy_http_version 1.1;", "proxy_htpp_version 1.1;")
    refused = lab.settled(State.REFUSED)

    assert 'unknown directive "proxy_htpp_version"' in refused.message
    assert failing(refused) == {}
    assert refused.changed_checks == []
    assert lab.lab.trace(STRIP.name, Scheme.HTTP, ITEMS).exchange.status == 307

    lab.edit(STRIPPING, "proxy_htpp_version 1.1;", "proxy_http_version 1.1;")
    assert lab.settled().message == ""


def test_a_file_without_what_is_replaced_in_it_is_named_as_a_person_knows_it(lab: Lab) -> None:
    lab.edit(STRIPPING, "listen ${LISTEN_HTTP};", "listen 127.0.0.1:1;")
    refused = lab.settled(State.REFUSED)

    assert refused.message.startswith(f"{lab.clone.folder / STRIPPING} has no '${{LISTEN_HTTP}}'")


@pytest.mark.parametrize(
    ("wrong", "message"),
    [("import nothing_of_this_name", "No module named"), ("def (", "SyntaxError")],
)
def test_python_that_does_not_import_leaves_the_last_good_one(
    lab: Lab, wrong: str, message: str
) -> None:
    name = PLAIN
    text = (lab.clone.folder / name).read_text()

    lab.edit(name, text, f"{text}\n{wrong}\n")
    refused = lab.settled(State.REFUSED)

    assert message in refused.message
    assert str(lab.clone.folder / name) in refused.message
    assert "runs/" not in refused.message
    assert lab.lab.trace(STRIP.name, Scheme.HTTP, ITEMS).exchange.status == 307

    lab.edit(name, f"{text}\n{wrong}\n", text)
    lab.settled()


def test_a_change_that_an_edit_makes_impossible_is_refused(lab: Lab) -> None:
    variation = next(e for e in lab.lab.possible(STRIP.name) if e.name == "nginx-bare")
    lab.edit(STRIPPING, "proxy_pass http://app$stripped;", "proxy_pass  http://app$stripped;")
    lab.settled()

    lab.lab.change(STRIP.name, variation.name)
    refused = lab.settled(State.REFUSED)

    assert "which the variation changes" in refused.message
    assert refused.change is None


def test_what_is_killed_by_hand_is_down_until_it_is_fixed(lab: Lab) -> None:
    # Its worker outlives it, and would still answer.
    (proxy,) = masters(lab)

    proxy.kill()
    down = lab.until(lambda each: each.state is State.DOWN)

    assert "nginx died" in down.message
    with pytest.raises(HoplabError, match="nginx died"):
        lab.lab.trace(STRIP.name, Scheme.HTTP, ITEMS)
    lab.lab.fix(STRIP.name)
    assert lab.settled().message == ""


def test_an_application_that_is_killed_is_down_too(lab: Lab) -> None:
    apps = [
        process
        for process in psutil.Process().children(recursive=True)
        if process.pid not in kept_processes()
        and "hoplab.engines.launcher" in process.cmdline()
        and not process.children()
    ]
    assert len(apps) == 2

    for process in apps:
        process.kill()
    down = [lab.until(lambda each: each.state is State.DOWN, each) for each in (STRIP, OTHER)]

    assert all("died" in each.message for each in down)
    for topology in (STRIP, OTHER):
        lab.lab.fix(topology.name)
        lab.settled(topology=topology)


def test_what_does_not_exist_is_said(lab: Lab) -> None:
    with pytest.raises(HoplabError, match="'nowhere' is not a topology of this lab"):
        lab.lab.trace("nowhere", Scheme.HTTP, ITEMS)
    with pytest.raises(HoplabError, match=r"can't be changed to 'nothing'\. To one of: "):
        lab.lab.change(STRIP.name, "nothing")


def test_many_traces_at_once_are_told_apart(lab: Lab) -> None:
    paths = [f"/api/v1/app?n={number}" for number in range(20)]
    found: dict[str, Sequence[str]] = {}

    def ask(path: str) -> None:
        (hop,) = lab.lab.trace(STRIP.name, Scheme.HTTPS, Request("GET", path)).hops
        found[path] = hop.request

    threads = [Thread(target=ask, args=(path,)) for path in paths]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert {path: head[0] for path, head in found.items()} == {
        path: f"GET {path.removeprefix('/api/v1')} HTTP/1.1" for path in paths
    }
