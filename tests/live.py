"""A lab that is not there: what the live page asks of one, in the tests' hands."""

import json
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

import pytest

from hoplab.client.trace import Hop, Request, Trace
from hoplab.client.wire import Exchange
from hoplab.commands.live.demo_file import Site
from hoplab.commands.live.model import Change, LiveLab, State, TopologyState
from hoplab.commands.live.server import serving
from hoplab.errors import HoplabError
from hoplab.results import CellResult, Finding, Verdict
from hoplab.topology import Cell, Scheme, Topology
from tests.catalogue import CATALOGUE

PREFIX = CATALOGUE.prefix.encoded
NAME = "mysuperapp.com"
BARE = Change(
    "nginx-bare",
    "`proxy_pass` and nothing else, as it is copied most.",
    [
        "--- nginx/proxy-headers",
        "+++ nginx/proxy-headers",
        "@@ -1 +0,0 @@",
        "-proxy_set_header Host $host;",
    ],
)
WRONG = Change(
    "none.none", "The application does not know its prefix.", ["- root_path", "+ nothing"]
)


def a_result(topology: Topology, scheme: Scheme, symptoms: Mapping[str, str]) -> CellResult:
    setup = CATALOGUE.recipe(topology)
    cell = Cell(topology, setup.strategy, setup.trust, scheme)
    checks = ["reach", "slash-redirect", "docs", *symptoms]
    findings = [
        Finding(
            check,
            Verdict.FAIL if check in symptoms else Verdict.PASS,
            symptoms.get(check),
            f"detail of {check}",
        )
        for check in dict.fromkeys(checks)
    ]
    return CellResult(cell, recipe=True, findings=findings)


class FakeLab:
    """Every topology answers at once, as nginx with Uvicorn would; a test alters it."""

    def __init__(self) -> None:
        self.condition = threading.Condition()
        self.revision = 0
        self.topologies = {topology.name: topology for topology in CATALOGUE.topologies}
        self.reset()

    def reset(self) -> None:
        """As at the start, but for the revision, which only grows."""
        self.asked: list[tuple[str, Scheme, Request]] = []
        self.called: list[tuple[str, ...]] = []
        self.refusing: dict[str, str] = {}
        self.unwilling = ""
        self.more: list[Change] = []
        self.answer: Callable[[str, Scheme, Request], Trace] = self.usual
        with self.condition:
            self.revision += 1
            self.all = self._untouched()
            self.condition.notify_all()

    def _untouched(self) -> dict[str, TopologyState]:
        return {
            name: TopologyState(
                name,
                State.UP,
                {
                    Scheme.HTTP: f"http://127.0.0.1:{9999 - number}{PREFIX}",
                    Scheme.HTTPS: f"https://127.0.0.1:{9499 - number}{PREFIX}",
                },
                results=[a_result(topology, scheme, {}) for scheme in Scheme],
                revision=self.revision,
            )
            for number, (name, topology) in enumerate(self.topologies.items())
        }

    def alter(self, name: str, **changed: Any) -> None:
        with self.condition:
            self.revision += 1
            self.all[name] = replace(self.all[name], revision=self.revision, **changed)
            self.condition.notify_all()

    def states(self) -> Sequence[TopologyState]:
        with self.condition:
            return [*self.all.values()]

    def wait(self, revision: int, seconds: float) -> int:
        with self.condition:
            self.condition.wait_for(lambda: self.revision > revision, seconds)
            return self.revision

    def possible(self, topology: str) -> Sequence[Change]:
        own = [WRONG, BARE] if topology.startswith("nginx") else [WRONG]
        return [*own, *self.more]

    def change(self, topology: str, name: str) -> None:
        self.called.append(("change", topology, name))
        change = next((each for each in self.possible(topology) if each.name == name), None)
        if self.unwilling:
            raise HoplabError(self.unwilling)
        if change is None:
            raise HoplabError(f"{topology} can't be changed to {name!r}.")
        symptoms = {"slash-redirect": "redirect-wrong-scheme"}
        results = [a_result(self.topologies[topology], scheme, symptoms) for scheme in Scheme]
        self.alter(topology, change=change, results=results, changed_checks=["slash-redirect"])
        self.restart(topology)

    def restart(self, topology: str) -> None:
        """As an edit does."""
        self.alter(topology, start=self.all[topology].start + 1)

    def fix(self, topology: str) -> None:
        self.called.append(("fix", topology))
        results = [a_result(self.topologies[topology], scheme, {}) for scheme in Scheme]
        self.alter(topology, change=None, results=results, changed_checks=["slash-redirect"])
        self.restart(topology)

    def trace(self, topology: str, scheme: Scheme, request: Request) -> Trace:
        self.asked.append((topology, scheme, request))
        if topology in self.refusing:
            raise HoplabError(self.refusing[topology])
        return self.answer(topology, scheme, request)

    def origin(self, topology: str, scheme: Scheme) -> str:
        return f"{scheme}://{NAME}:{urlsplit(self.all[topology].urls[scheme]).port}"

    def usual(self, topology: str, scheme: Scheme, request: Request) -> Trace:
        """A proxy that strips and sets X-Forwarded-*; /items redirects, /scope tells its scope."""
        origin = self.origin(topology, scheme)
        host = origin.partition("://")[2]
        sent = [("Host", host), *request.headers]
        if not request.path.startswith(PREFIX + "/"):
            own = [("Server", "nginx"), ("Content-Length", "9")]
            return Trace(
                Exchange(request.method, origin + request.path, sent, 404, own, b"not found")
            )
        path = request.path.removeprefix(PREFIX)
        server = self.topologies[topology].server
        scope = {
            "scheme": scheme,
            "client": ["127.0.0.9", 40312],
            "root_path": PREFIX,
            "path": PREFIX + path if server == "uvicorn" else path,
            "host": [host],
        }
        own = [("server", server), ("X-ASGI-Scope", json.dumps(scope)), ("X-Instance", "a1b2")]
        status, body = 200, b'{"message": "Hello World"}'
        if path.partition("?")[0] == "/items":
            status, body = 307, b""
            own.append(("location", f"{origin}{PREFIX}/items/?q=1"))
        if path == "/scope":
            body = json.dumps(
                {
                    "url": f"{origin}{PREFIX}/scope",
                    "base_url": f"{origin}{PREFIX}/",
                    "url_for": f"{origin}{PREFIX}/app",
                }
            ).encode()
        hop = Hop(
            [
                f"{request.method} {path} HTTP/1.1",
                f"Host: {host}",
                *(f"{k}: {v}" for k, v in request.headers if not k.startswith("X-Forwarded")),
                "X-Forwarded-For: 127.0.0.9",
                f"X-Forwarded-Proto: {scheme}",
            ],
            [f"HTTP/1.1 {status} OK", *(f"{name}: {value}" for name, value in own)],
        )
        answered = [("Server", "nginx"), *own[1:]]
        exchange = Exchange(request.method, origin + request.path, sent, status, answered, body)
        return Trace(exchange, [hop])


@contextmanager
def served(lab: LiveLab) -> Iterator[Site]:
    """The page of a lab, on a free port."""
    with serving(lab, CATALOGUE, 0) as site:
        yield site


@pytest.fixture(scope="module")
def shared() -> Iterator[tuple[FakeLab, Site]]:
    """One for a module."""
    lab = FakeLab()
    with served(lab) as site:
        yield lab, site


@pytest.fixture
def lab(shared: tuple[FakeLab, Site]) -> FakeLab:
    """As at the start."""
    shared[0].reset()
    return shared[0]


@pytest.fixture
def site(shared: tuple[FakeLab, Site], lab: FakeLab) -> Site:  # noqa: ARG001 - as at the start
    """Its page."""
    return shared[1]
