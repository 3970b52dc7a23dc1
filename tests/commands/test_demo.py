"""`demo`, `break` and `fix`, of processes in a clone of their own, and the page's server."""

import json
import signal
import subprocess
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import psutil
import pytest
import requests

from hoplab.commands.live.demo_file import TOKEN_HEADER, Site, read
from hoplab.engines import compose
from hoplab.engines.compose import Compose
from hoplab.engines.published import variable
from hoplab.system.ports import free_ports
from hoplab.topology import Mode, Scheme, Topology
from hoplab.workspace import Workspace
from tests.commands.clone import Clone
from tests.docker_required import needs_docker

STRIP = Topology("nginx", "uvicorn", Mode.STRIP)
PRESERVE = Topology("nginx", "uvicorn", Mode.PRESERVE)
DEADLINE = 90.0

States = Mapping[str, Mapping[str, Any]]


@contextmanager
def demo(clone: Clone, *words: str) -> Iterator["tuple[subprocess.Popen[str], Site]"]:
    """A demo of two topologies; it is killed, if it is still there after the block."""
    names = [variable(topology, scheme) for topology in (STRIP, PRESERVE) for scheme in Scheme]
    page, *ports = map(str, free_ports(1 + len(names)))
    command, options = clone.command(
        *("demo", "--no-open", "--port", page, "--proxy", "nginx", "--server", "uvicorn", *words),
        **dict(zip(names, ports, strict=True)),
    )
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options
    ) as process:
        try:
            assert process.stdout
            assert process.stderr
            line = process.stdout.readline()
            assert line.startswith(f"http://127.0.0.1:{page}/"), line or process.stderr.read()
            yield process, read(Workspace(clone.folder))
        finally:
            process.kill()


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Clone, Site]]:
    clone = Clone(tmp_path_factory.mktemp("demo"))
    with demo(clone) as (_, site):
        wait(site, lambda states: all(verdict(each) == "pass" for each in states.values()))
        yield clone, site


def wait(site: Site, condition: Callable[[States], bool]) -> States:
    """The first states in which it holds, as the page is told them."""
    deadline = time.monotonic() + DEADLINE
    states: States = {}
    with requests.get(f"{site.url}events", stream=True, timeout=DEADLINE) as answer:
        for line in answer.iter_lines(decode_unicode=True):
            if line.startswith("data: ["):
                states = {each["topology"]: each for each in json.loads(line[6:])}
                if condition(states):
                    return states
            assert time.monotonic() < deadline, states
    raise AssertionError(states)


def verdict(state: Mapping[str, Any]) -> str:
    """Of what is up and was asked; else nothing."""
    return state["verdict"] if state["state"] == "up" and not state["asking"] else ""


def is_(topology: Topology, wanted: str) -> Callable[[States], bool]:
    return lambda states: verdict(states[topology.name]) == wanted


def trace(site: Site, path: str, *topologies: Topology) -> list[dict[str, Any]]:
    told = {
        "topologies": [each.name for each in topologies],
        "scheme": "https",
        "method": "GET",
        "path": path,
    }
    headers = {TOKEN_HEADER: site.token}
    answer = requests.post(f"{site.url}trace", json=told, headers=headers, timeout=DEADLINE)
    assert answer.status_code == 200, answer.text
    ways: list[dict[str, Any]] = answer.json()["ways"]
    return ways


def of_kind(way: Mapping[str, Any], kind: str) -> list[dict[str, Any]]:
    return [step for step in way["steps"] if step["kind"] == kind]


def test_a_request_is_measured_in_what_is_up(shared: tuple[Clone, Site]) -> None:
    """Both modes side by side: the proxy removes the prefix in one, and in the other nobody."""
    _, site = shared

    strip, preserve = trace(site, "/api/v1/items?q=1", STRIP, PRESERVE)

    assert of_kind(strip, "request")[1]["line"]["value"] == "GET /items?q=1 HTTP/1.1"
    assert of_kind(preserve, "request")[1]["line"]["value"] == "GET /api/v1/items?q=1 HTTP/1.1"
    for way in (strip, preserve):
        assert of_kind(way, "request")[1]["line"]["differs"]
        (scope,) = of_kind(way, "scope")
        assert {line["name"]: line["value"] for line in scope["lines"]}["root_path"] == '"/api/v1"'
        (derived,) = of_kind(way, "derived")
        assert derived["lines"][2]["value"].endswith("/api/v1/app")
        (lead,) = way["leads"]
        assert (lead["status"], lead["answered"]) == (200, True)


def test_the_docs_need_no_network(shared: tuple[Clone, Site]) -> None:
    _, site = shared

    (way,) = trace(site, "/api/v1/docs", STRIP)

    assert "cdn." not in of_kind(way, "answer")[-1]["body"]
    (lead,) = way["leads"]
    assert (lead["what"], lead["status"], lead["answered"]) == ("OpenAPI document", 200, True)


def test_it_is_broken_and_fixed_in_place(shared: tuple[Clone, Site]) -> None:
    clone, site = shared
    listed = clone.hoplab("break", STRIP.name)
    assert "nginx-bare: location and proxy_pass, and nothing else" in listed.stdout

    broken = clone.hoplab("break", STRIP.name, "nginx-bare")
    states = wait(site, is_(STRIP, "fail"))
    (way,) = trace(site, "/api/v1/items?q=1", STRIP)

    assert broken.returncode == 0, broken.stderr
    assert "+ " in broken.stdout
    assert "location " in broken.stdout
    assert states[STRIP.name]["change"]["name"] == "nginx-bare"
    assert "slash-redirect" in states[STRIP.name]["changed"]
    assert verdict(states[PRESERVE.name]) == "pass"
    assert way["change"] == "nginx-bare"
    assert not any(lead["answered"] and lead["status"] == 200 for lead in way["leads"])

    fixed = clone.hoplab("fix", STRIP.name)
    states = wait(site, is_(STRIP, "pass"))

    assert fixed.returncode == 0, fixed.stderr
    assert states[STRIP.name]["change"] is None
    assert "slash-redirect" in states[STRIP.name]["changed"]


def test_two_proxies_in_a_row_are_two_hops(shared: tuple[Clone, Site]) -> None:
    clone, site = shared
    clone.hoplab("break", STRIP.name, "nginx-behind-traefik")
    wait(site, is_(STRIP, "fail"))

    (way,) = trace(site, "/api/v1/app", STRIP)
    clone.hoplab("fix", STRIP.name)
    wait(site, is_(STRIP, "pass"))

    assert way["chain"] == ["traefik", "nginx", "uvicorn"]
    assert len(of_kind(way, "request")) == 3
    assert len(of_kind(way, "answer")) == 3


@pytest.mark.parametrize(
    ("words", "status", "told"),
    [
        (("demo", "--no-open"), 3, "A demo is running at http://127.0.0.1:"),
        (("break", "nowhere"), 3, "'nowhere' is not a topology of this lab"),
        (("break", STRIP.name, "nonsense"), 2, "change 'nonsense' is unknown; known: "),
        (("fix", "nowhere"), 3, "'nowhere' is not a topology of this lab"),
        (("demo", "--port", "0"), 2, "Invalid value for '--port'"),
    ],
)
def test_a_mistake_is_one_line(
    shared: tuple[Clone, Site], words: tuple[str, ...], status: int, told: str
) -> None:
    clone, _ = shared

    run = clone.hoplab(*words)

    assert run.returncode == status, run.stderr
    assert told in run.stderr
    assert "Traceback" not in run.stderr


def test_without_a_demo_the_next_step_is_said(tmp_path_factory: pytest.TempPathFactory) -> None:
    run = Clone(tmp_path_factory.mktemp("none")).hoplab("fix", STRIP.name)

    assert run.returncode == 3
    assert run.stderr == "hoplab: No demo is running: start one with `hoplab demo`.\n"


def listening_at(port: int) -> psutil.Process:
    """The proxy's first process: a worker, which listens as well, would be replaced."""
    found = next(
        psutil.Process(each.pid)
        for each in psutil.net_connections("tcp")
        if each.pid and each.status == psutil.CONN_LISTEN and each.laddr[1:] == (port,)
    )
    parent = found.parent()
    return parent if parent and parent.name() == found.name() else found


def test_what_is_killed_by_hand_is_said_and_comes_back(shared: tuple[Clone, Site]) -> None:
    clone, site = shared
    urls = wait(site, is_(PRESERVE, "pass"))[PRESERVE.name]["urls"]
    proxy = listening_at(urlsplit(urls["http"]).port or 0)

    proxy.kill()

    states = wait(site, lambda states: states[PRESERVE.name]["state"] == "down")
    assert "nginx died" in states[PRESERVE.name]["message"]
    (way,) = trace(site, "/api/v1/app", PRESERVE)
    assert "error" in way
    clone.hoplab("fix", PRESERVE.name)
    wait(site, is_(PRESERVE, "pass"))


@pytest.fixture
def own(tmp_path_factory: pytest.TempPathFactory) -> Clone:
    return Clone(tmp_path_factory.mktemp("own"))


def left(clone: Clone) -> list[psutil.Process]:
    """Processes of this clone."""
    found = []
    for process in psutil.process_iter(["cmdline", "cwd"]):
        told = [process.info["cwd"] or "", *(process.info["cmdline"] or [])]
        if any(str(clone.folder) in each for each in told):
            found.append(process)
    return found


def gone(clone: Clone) -> bool:
    deadline = time.monotonic() + DEADLINE
    while left(clone) and time.monotonic() < deadline:
        time.sleep(0.05)
    return not left(clone)


@pytest.mark.parametrize("how", ["SIGINT", "SIGTERM", "SIGKILL", "down", "SIGINT at once"])
def test_nothing_is_left_however_it_ends(own: Clone, how: str) -> None:
    with demo(own) as (process, site):
        if how != "SIGINT at once":
            wait(site, lambda states: any(each["state"] == "up" for each in states.values()))
        if how == "down":
            down = own.hoplab("down")
            assert "Ended the demo." in down.stderr
        else:
            process.send_signal(signal.Signals[how.split(maxsplit=1)[0]])
        status = process.wait(DEADLINE)
        assert process.stderr
        assert "Traceback" not in process.stderr.read()

    assert status == {"down": 0, "SIGTERM": 143, "SIGKILL": -9}.get(how, 130)
    assert gone(own)
    if how != "SIGKILL":
        assert not Workspace(own.folder).demo.exists()
        assert own.runs() == []


def projects(clone: Clone) -> set[str]:
    """The Compose projects of which something is there: of this clone, or of its copies."""
    every = ["ps", "--all", "--quiet", "--filter", "label=com.docker.compose.project"]
    labels = [each["Config"]["Labels"] for each in compose.inspected(every, ["inspect"])]
    folder = "com.docker.compose.project.working_dir"
    return {
        each["com.docker.compose.project"]
        for each in labels
        if each[folder].startswith(str(clone.folder))
    }


def containers(clone: Clone) -> dict[str, dict[str, Any]]:
    """Those of all topologies, by service: each topology has services of its own names."""
    found: dict[str, dict[str, Any]] = {}
    for project in projects(clone):
        found |= Compose(project, clone.folder).containers()
    return found


def starts(clone: Clone) -> dict[str, str]:
    """When each container started last. More of what Docker tells changes with a health check."""
    return {name: each["State"]["StartedAt"] for name, each in containers(clone).items()}


def networks(names: Collection[str]) -> list[str]:
    told = compose.docker("network", "ls", "--format", "{{.Name}}").split()
    return [each for each in told if each.partition("_")[0] in names]


@needs_docker
def test_in_containers_it_is_asked_broken_edited_and_nothing_is_left(own: Clone) -> None:
    with demo(own, "--engine", "docker") as (process, site):
        before = wait(site, lambda states: all(verdict(each) == "pass" for each in states.values()))
        names = projects(own)
        assert len(names) == len(before)

        (way,) = trace(site, "/api/v1/items?q=1", STRIP)
        assert [step["kind"] for step in way["steps"]] == ["request", "scope", "derived", "answer"]
        assert "What nginx passed on was not measured" in way["steps"][0]["note"]

        own.hoplab("break", STRIP.name, "nginx-bare")
        states = wait(site, is_(STRIP, "fail"))
        assert states[STRIP.name]["urls"] == before[STRIP.name]["urls"]
        own.edit("app/plain.py", "create_app()", "create_ap()")
        states = wait(site, lambda states: "NameError" in states[STRIP.name]["message"])
        assert f'File "{own.folder}/app/plain.py"' in states[STRIP.name]["message"]
        assert states[PRESERVE.name] == before[PRESERVE.name]

        own.edit("app/plain.py", "create_ap()", "create_app()")
        wait(site, is_(STRIP, "fail"))
        own.hoplab("fix", STRIP.name)
        states = wait(site, is_(STRIP, "pass"))
        assert states[STRIP.name]["change"] is None

        started = starts(own)
        own.edit(
            "nginx/strip.conf.template", "X-Forwarded-Proto  $scheme", "X-Forwarded-Proto  ftp"
        )
        wait(site, is_(STRIP, "fail"))
        restarted = starts(own)
        assert {name for name in started if restarted[name] != started[name]} == {STRIP.name}
        own.edit("nginx/strip.conf.template", "proxy_http_version", "proxy_htpp_version")
        states = wait(site, lambda states: states[STRIP.name]["state"] == "refused")
        assert 'unknown directive "proxy_htpp_version"' in states[STRIP.name]["message"]

        process.kill()
        process.wait()
    assert gone(own)
    assert (projects(own), networks(names)) == (set(), [])


@needs_docker
def test_a_container_that_is_killed_is_down_until_it_is_started_again(own: Clone) -> None:
    with demo(own, "--engine", "docker") as (_, site):
        wait(site, lambda states: all(verdict(each) == "pass" for each in states.values()))
        for service in (STRIP.name, f"{STRIP.server}-strip"):
            container = containers(own)[service]["Id"]

            compose.docker("kill", container)
            states = wait(site, lambda states: states[STRIP.name]["state"] == "down")
            assert f"{service} died" in states[STRIP.name]["message"]
            assert verdict(states[PRESERVE.name]) == "pass"

            compose.docker("start", container)
            states = wait(site, is_(STRIP, "pass"))
            assert states[STRIP.name]["message"] == ""
            (way,) = trace(site, "/api/v1/app", STRIP)
            assert way["status"] == 200

        compose.docker("kill", containers(own)[STRIP.name]["Id"])
        wait(site, lambda states: states[STRIP.name]["state"] == "down")
        own.hoplab("fix", STRIP.name)
        wait(site, is_(STRIP, "pass"))


@needs_docker
def test_in_containers_it_is_ended_while_it_starts(own: Clone) -> None:
    with demo(own, "--engine", "docker") as (process, _):
        assert "Ended the demo." in own.hoplab("down").stderr
        assert process.wait(DEADLINE) == 0
    assert (projects(own), own.runs()) == (set(), [])


@needs_docker
def test_in_containers_without_a_prefix(own: Clone) -> None:
    with demo(own, "--engine", "docker", "--prefix", "/") as (_, site):
        states = wait(site, is_(PRESERVE, "pass"))
        assert [*states] == [PRESERVE.name]
        (way,) = trace(site, "/app", PRESERVE)
        assert way["status"] == 200
