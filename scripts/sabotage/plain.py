"""A plain client: what a fault changes, seen from outside without any of hoplab's checks.

It sends bytes over sockets and writes down what comes back. Nothing is judged: the broken lab is
compared with the unbroken one. Of times, only "at once" and "apart" are written down.
"""

import re
import socket
import ssl
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass

from hoplab.catalogue import load
from hoplab.endpoint import PUBLIC_NAME, Endpoint
from hoplab.engines import certificates
from hoplab.engines.process import ProcessEngine
from hoplab.system import runs
from hoplab.topology import Scheme
from hoplab.workspace import Workspace
from scripts.sabotage.faults import Fault
from scripts.sabotage.lab import Lab
from scripts.sabotage.questions import CLOSE, Question, questions

SECONDS = 5.0
"""How long an answer may take; then it is written down as far as it came."""

CLIENTS = 8
SHOWN = 20_000
"""Bytes of a body that are compared; of the rest, only how many there are."""

APART = 0.5
"""Seconds from the first piece of a stream to the last; less is at once."""

_EACH_TIME = (
    (re.compile(r"(?im)^date: .*$"), "Date"),
    (re.compile(r"(?im)^sec-websocket-accept: .*$"), "Accept"),
    (re.compile(r'(\["127\.0\.0\.\d+", ?)[1-9]\d*'), r"\1PORT"),
    (re.compile(r'("sent": )[\d.]+'), r"\1SENT"),
    (re.compile(r"\b\d{5}\b"), "PORT"),
    (re.compile(r"(?m)^[23][0-9a-f]\r$"), "CHUNK"),  # the time's digits are more or fewer
    (re.compile(r"\b[0-9a-f]{16}\."), "INSTANCE."),
    (re.compile(r'(?i)"(sec-websocket-key|x-request-id)", ?"[^"]*"'), r"\1"),
)


@dataclass(frozen=True)
class _Place:
    """Where to ask."""

    address: tuple[str, int]
    source: str | None
    tls: ssl.SSLContext | None

    def connect(self) -> socket.socket:
        source = (self.source, 0) if self.source else None
        sock = socket.create_connection(self.address, SECONDS, source)
        return self.tls.wrap_socket(sock, server_hostname=PUBLIC_NAME) if self.tls else sock


class Differences:
    """What the plain client sees of a fault."""

    def __init__(self, lab: Lab) -> None:
        self._lab = lab
        self._right: dict[str, dict[str, str]] = {}

    def of(self, fault: Fault) -> Callable[[str], tuple[str, ...]]:
        """A function of a topology's name: the questions with another answer than unbroken.

        It has to be called while the lab is broken. What differs from one time to the next without
        any fault does not count.
        """
        for name in fault.topologies:
            if name not in self._right:
                first, second = self._ask(name), self._ask(name)
                same = {key for key, told in first.items() if told == second[key]}
                self._right[name] = {key: first[key] for key in same}

        def differences(name: str) -> tuple[str, ...]:
            right, broken = self._right[name], self._ask(name)
            return tuple(sorted(key for key in right if right[key] != broken[key]))

        return differences

    def _ask(self, name: str) -> dict[str, str]:
        workspace = Workspace(self._lab.folder)
        catalogue = load(workspace)
        deployment = catalogue.recommended(self._lab.topology(name))
        files = certificates.ensure(workspace.certificates)
        run = runs.new(workspace.runs)
        engine = ProcessEngine(catalogue, [deployment], run, files)
        try:
            [endpoint] = engine.start()
            return ask(endpoint, self._lab.check)
        finally:
            engine.stop()


def ask(endpoint: Endpoint, check: Callable[[], None]) -> dict[str, str]:
    """Every question over each scheme, and what came back; `check` may end it."""
    tls = ssl.create_default_context(cafile=endpoint.authority)
    asked: dict[str, tuple[_Place, Question]] = {}
    for scheme in Scheme:
        secure = tls if scheme is Scheme.HTTPS else None
        place = _Place((endpoint.host, endpoint.ports[scheme]), endpoint.source, secure)
        host = f"{PUBLIC_NAME}:{endpoint.ports[scheme]}"
        for question in questions(endpoint.deployment.prefix.encoded, host):
            asked[f"{question.name} ({scheme})"] = (place, question)
    with ThreadPoolExecutor(CLIENTS) as pool:
        answers = {name: pool.submit(_answer, *each) for name, each in asked.items()}
        while not all(answer.done() for answer in answers.values()):
            check()
            time.sleep(0.02)
    told = {name: answer.result() for name, answer in answers.items()}
    for name, (place, question) in asked.items():
        if question.name == "GET /app":
            statuses = [_answer(place, question).partition("\r\n")[0] for _ in range(30)]
            told[f"thirty times {name}"] = "\n".join(statuses)
    return told


def _answer(place: _Place, question: Question) -> str:
    pieces: list[tuple[float, bytes]] = []
    end = "open"
    try:
        with place.connect() as sock:
            for number, part in enumerate(question.parts):
                if number:
                    time.sleep(question.pause)
                sock.sendall(part)
            if question.websocket:
                _read(sock, pieces, until=b"\x88")
                with suppress(OSError):  # it may be gone
                    sock.sendall(CLOSE)
            else:
                _read(sock, pieces)
            end = "closed"
    except TimeoutError:
        pass
    except OSError as error:
        end = type(error).__name__
    raw = b"".join(piece for _, piece in pieces)
    rhythm = f"; {_rhythm(pieces)}" if question.apart else ""
    return f"{_quiet(raw)}\n[{end}{rhythm}]"


def _read(sock: socket.socket, pieces: list[tuple[float, bytes]], until: bytes = b"") -> None:
    deadline = time.monotonic() + SECONDS
    while piece := sock.recv(2**16):
        pieces.append((time.monotonic(), piece))
        if until and until in b"".join(piece for _, piece in pieces):
            return
        if time.monotonic() > deadline:
            raise TimeoutError


def _rhythm(pieces: list[tuple[float, bytes]]) -> str:
    """Whether a stream came as it was sent, or all at once; and its first event at once."""
    times = [at for at, _ in pieces]
    first = next((at for at, piece in pieces if b"data:" in piece), None)
    told = "apart" if times and times[-1] - times[0] > APART else "at once"
    return told + ", late" * (first is not None and first - times[0] > APART)


def _quiet(raw: bytes) -> str:
    head, _, body = raw.partition(b"\r\n\r\n")
    text = head.decode("latin-1") + "\r\n\r\n" + body[:SHOWN].decode("latin-1")
    for pattern, instead in _EACH_TIME:
        text = pattern.sub(instead, text)
    return f"{text}\n[{len(body)} bytes]" if len(body) > SHOWN else text
