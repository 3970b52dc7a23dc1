"""The topologies, once by testcontainers and once as local processes; and who asks them."""

import asyncio
import fcntl
import json
import pickle
import ssl
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from subprocess import CalledProcessError
from typing import Any, TypeAlias

import pytest
import requests
from requests.adapters import HTTPAdapter
from websockets.asyncio.client import connect

from hoplab.client.wire import Exchange
from hoplab.commands.ask import CONTRACT
from hoplab.commands.session import Session
from hoplab.commands.targets import jobs
from hoplab.endpoint import Endpoint
from hoplab.engines import Engine, certificates
from hoplab.engines.process import ProcessEngine
from hoplab.errors import HoplabError
from hoplab.report.progress import Progress
from hoplab.results import Finding, Verdict
from hoplab.suites import asking
from hoplab.system import runs
from hoplab.topology import Cell, Topology
from tests.catalogue import CATALOGUE, WORKSPACE
from tests.interruptible import interruptible
from tests.topologies.compose import ComposeEngine

TOPOLOGIES = [
    topology
    for topology in CATALOGUE.composed
    # A server that is another one, started otherwise, behind one proxy: that it starts so is new.
    if topology.proxy == "traefik" or not CATALOGUE.servers[topology.server].like
]
CELLS = CATALOGUE.recommended_cells(TOPOLOGIES)
DEPLOYMENTS = [CATALOGUE.recommended(topology) for topology in TOPOLOGIES]
ENGINES = {"docker": ComposeEngine, "process": ProcessEngine}

Findings: TypeAlias = dict[tuple[Cell, str], Finding]

TIMEOUT = 15.0
SHOWN_LINES = 60
SHOWN_EXCHANGES = 2
"""How much of a log and of the contract's exchanges, from their end, a failed test shows."""


@dataclass
class Running:
    """An engine with all topologies running in it."""

    engine: Engine
    endpoints: Sequence[Endpoint]
    _sessions: dict[Cell, requests.Session] = field(default_factory=dict)

    def asked(self) -> Findings:
        """The contract: every check asked of every cell, all at the same time."""
        with interruptible():
            try:
                asked = asking.ask(
                    jobs(CATALOGUE, CONTRACT, CELLS, self.endpoints),
                    CONTRACT.checks,
                    lambda *_: None,
                )
            except asking.Unfinished as unfinished:
                raise unfinished.signal from None
        return {(result.cell, f.check): f for result in asked for f in result.findings}

    def endpoint(self, topology: Topology) -> Endpoint:
        """Where this topology answers."""
        return next(endpoint for endpoint in self.endpoints if endpoint.topology == topology)

    def session(self, cell: Cell) -> requests.Session:
        """Its connections stay open for all tests: a handshake takes longer than most of them."""
        if cell not in self._sessions:
            endpoint = self.endpoint(cell.topology)
            session = requests.Session()
            session.trust_env = False  # no proxy of the machine, no certificates of the machine
            session.verify = str(endpoint.authority)
            if endpoint.source:
                session.mount(origin(endpoint, cell), _From(endpoint.source))
            self._sessions[cell] = session
        return self._sessions[cell]

    def close(self) -> None:
        """End the sessions."""
        for session in self._sessions.values():
            session.close()

    def logs(self, topology: Topology) -> str:
        """The configuration, and the end of the logs."""
        try:
            parts = self.engine.logs(CATALOGUE.recommended(topology)).split("\n--- ")
        except (HoplabError, CalledProcessError) as error:
            return f"There are none: {error}"
        return "\n\n--- ".join("\n".join(_end(part.splitlines())) for part in parts)


class Labs:
    """Both labs, each started when it is first asked for, and stopped at the end.

    folder: one for all of pytest's processes.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._findings: dict[str, Findings] = {}
        self._running: dict[str, Running] = {}
        self._broken: set[str] = set()
        self._stack = ExitStack()
        Session(CATALOGUE, Progress()).clean_up()

    def __getitem__(self, name: str) -> Running:
        if name in self._broken:
            pytest.fail(f"The {name} lab did not start: see the first error.", pytrace=False)
        if name not in self._running:
            self._broken.add(name)
            self._running[name] = self._start(name)
            self._broken.remove(name)
        return self._running[name]

    def findings(self, name: str) -> Findings:
        """The contract's, asked once: by the first of pytest's processes that needs them."""
        if name not in self._findings:
            file = self._folder / f"findings-{name}"
            with file.with_suffix(".lock").open("w") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX)
                if not file.exists():
                    file.write_bytes(pickle.dumps(self[name].asked()))
            self._findings[name] = pickle.loads(file.read_bytes())  # noqa: S301 - our own
        return self._findings[name]

    def stop(self) -> None:
        """Stop what was started, whole or in part, and let nothing interrupt it."""
        for running in self._running.values():
            running.close()
        with suppress(KeyboardInterrupt), interruptible():
            self._stack.close()

    def _start(self, name: str) -> Running:
        why = ""
        try:
            with interruptible():
                files = certificates.ensure(WORKSPACE.certificates)
                engine = ENGINES[name](CATALOGUE, DEPLOYMENTS, runs.new(WORKSPACE.runs), files)
                self._stack.callback(engine.stop)
                return Running(engine, engine.start())
        except HoplabError as error:
            why = str(error)
        pytest.fail(f"The {name} lab did not start: {why}", pytrace=False)


class Public:
    """A person's client of one cell: `requests`, at https://127.0.0.1:PORT, nothing followed.

    client: the address from which the proxy sees it.
    """

    def __init__(self, labs: Labs, engine: str, cell: Cell) -> None:
        self.lab = lab = labs[engine]
        self.cell = cell
        self.endpoint = lab.endpoint(cell.topology)
        self.scheme = cell.scheme.value
        self.host = f"127.0.0.1:{self.endpoint.ports[cell.scheme]}"
        self.origin = origin(self.endpoint, cell)
        self.client = self.endpoint.client or "127.0.0.1"
        self._labs, self._engine = labs, engine
        self._findings: list[Finding] = []
        self._session = lab.session(cell)

    def get(self, path: str, **options: Any) -> requests.Response:
        """GET a path of this origin, or a whole URL."""
        return self.request("GET", path, **options)

    def request(self, method: str, path: str, **options: Any) -> requests.Response:
        """Ask with the options of `requests`; follow no redirect unless they say so."""
        if path.startswith("/"):
            path = self.origin + path
        if not path.startswith(f"{self.origin}/"):
            # Past the proxy: a server closes what is idle, and that in the middle of a test.
            options = {"headers": {"Connection": "close"}, **options}
        return self._session.request(
            method, path, **{"allow_redirects": False, "timeout": TIMEOUT, **options}
        )

    def receive(self, path: str, headers: dict[str, str] | None = None) -> Any:
        """The first message, JSON, of a WebSocket of this origin."""
        return asyncio.run(self._receive(path, headers))

    def scope(self, **options: Any) -> Any:
        """What the server told the application of a request to `/api/v1/scope`."""
        return self.get("/api/v1/scope", **options).json()

    def finding(self, check: str) -> Finding:
        """The contract's."""
        return self._labs.findings(self._engine)[self.cell, check]

    def verdict(self, check: str) -> str:
        """The contract's finding: `pass`, `recorded`, or else what it says."""
        finding = self.finding(check)
        self._findings.append(finding)
        if finding.verdict in {Verdict.PASS, Verdict.RECORDED}:
            return finding.verdict.value
        return f"{finding.verdict}: {finding.symptom}: {finding.detail}"

    def evidence(self) -> list[tuple[str, str]]:
        """For the report of a failed test: the contract's exchanges, logs, configuration."""
        name = f"{self.lab.engine.name}: {self.cell.topology.name}"
        asked = [
            (f"{name}: {finding.check}", _shown(finding.exchanges[-SHOWN_EXCHANGES:]))
            for finding in self._findings
        ]
        return [*asked, (name, self.lab.logs(self.cell.topology))]

    async def _receive(self, path: str, headers: dict[str, str] | None) -> Any:
        # Not websockets.sync: it reads and writes in two threads, and OpenSSL's connections are
        # not made for that. One wss connection in a hundred hung.
        tls = ssl.create_default_context(cafile=self.endpoint.authority)
        async with connect(
            self.origin.replace("http", "ws", 1) + path,
            ssl=tls if self.scheme == "https" else None,
            local_addr=(self.endpoint.source, 0) if self.endpoint.source else None,
            additional_headers=headers,
            proxy=None,
            open_timeout=TIMEOUT,
        ) as websocket:
            return json.loads(await asyncio.wait_for(websocket.recv(), TIMEOUT))


def origin(endpoint: Endpoint, cell: Cell) -> str:
    """Where a person finds this cell."""
    return f"{cell.scheme}://127.0.0.1:{endpoint.ports[cell.scheme]}"


class _From(HTTPAdapter):
    """Connects from an address of this machine."""

    def __init__(self, address: str) -> None:
        self._address = address
        super().__init__()

    def init_poolmanager(self, *arguments: Any, **options: Any) -> None:
        super().init_poolmanager(*arguments, source_address=(self._address, 0), **options)


def _shown(exchanges: Sequence[Exchange]) -> str:
    lines = []
    for exchange in exchanges:
        lines.append(str(exchange))
        lines += [f"> {name}: {value}" for name, value in exchange.sent]
        lines += [f"< {name}: {value}" for name, value in exchange.headers]
        lines.append(exchange.shown_body())
    return "\n".join(lines)


def _end(lines: list[str]) -> list[str]:
    left_out = len(lines) - SHOWN_LINES
    if left_out <= 0:
        return lines
    return [lines[0], f"({left_out} lines left out)", *lines[-SHOWN_LINES:]]
