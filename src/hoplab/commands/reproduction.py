"""One cell by hand: the files and the commands that make it, and the question that shows it."""

import os
import re
import socket
import subprocess
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from textwrap import fill
from urllib.parse import urlsplit

import psutil

from hoplab.catalogue import Catalogue
from hoplab.catalogue.servers import without_settings
from hoplab.client.trace import Request
from hoplab.commands.showing import questions_of, suite_of
from hoplab.endpoint import PUBLIC_NAME
from hoplab.engines import configuration
from hoplab.engines.certificates import Certificates
from hoplab.engines.plan import make_plan
from hoplab.engines.process import CLIENT, ROUTE_SECONDS
from hoplab.engines.started import START_SECONDS, instance
from hoplab.errors import HoplabError
from hoplab.predictions import body_size
from hoplab.prefix import Prefix
from hoplab.recipe import script, shell_line
from hoplab.report.causes import causes
from hoplab.results import CellResult, Finding
from hoplab.system import interrupts, runs
from hoplab.system.lifeline import die_with_parent
from hoplab.system.ports import LOOPBACK
from hoplab.topology import Cell, Scheme

PORTS = [8000, 9999, 9499, 8080, 8443]
"""The application's, the public ones, and those of the inner proxy, if there are two."""

_EXPECTED = re.compile(", expected ")
_BEFORE = re.compile("[,;] (?:was|asked|sent) ")
"""In a finding's detail: between what came and what should have."""

_WORD = "app"
"""In a file that a person keeps: of a deployment, which is alone."""


@dataclass(frozen=True)
class Step:
    """A command that stays in the foreground, and the port at which it then answers."""

    title: str
    command: Sequence[str]
    environment: Mapping[str, str]
    port: int

    @property
    def line(self) -> str:
        """As a person types it."""
        return shell_line(self.command, self.environment)


@dataclass(frozen=True)
class Question:
    """A command that asks, and what it shows: comments for a person."""

    shows: Sequence[str]
    line: str


@dataclass(frozen=True)
class Reproduction:
    """The proxies' files are written; the steps run side by side, and then somebody asks.

    ports: those at which the steps listen.
    """

    cell: Cell
    steps: Sequence[Step]
    questions: Sequence[Question]
    root: Path
    ports: Sequence[int]

    def script(self) -> str:
        """For a person to copy, a terminal for each step."""
        lines = [f"# {self.cell.id}", f"# In a terminal each, from {self.root}:"]
        for number, step in enumerate(self.steps, 1):
            lines += ["", f"# {number}. {step.title}", step.line]
        for number, question in enumerate(self.questions, len(self.steps) + 1):
            first, *others = question.shows
            lines += ["", f"# {number}. {first}", *(f"#    {line}" for line in others)]
            lines.append(question.line)
        return "\n".join(lines)

    def run(self) -> str:
        """Start the steps, ask, stop them; what curl printed, question by question.

        Raises HoplabError if a step does not come up, or if there is no curl.
        """
        with ExitStack() as stack:
            for step in self.steps:
                process = psutil.Popen(
                    step.command,
                    cwd=self.root,
                    env={**without_settings(os.environ), **step.environment},
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                    start_new_session=True,
                    preexec_fn=partial(die_with_parent, os.getpid()),
                )
                stack.callback(_stop, process)
                _wait(process, step, self.cell.prefix)
            answers = [self._ask(question.line) for question in self.questions]
        numbered = enumerate(zip(self.questions, answers, strict=True), len(self.steps) + 1)
        return "\n\n".join(f"# {n}. {q.shows[0]}\n{answer}" for n, (q, answer) in numbered)

    def _ask(self, line: str) -> str:
        # The shell, since the question may have a pipe: it is what a person would paste.
        run = subprocess.run(line, shell=True, cwd=self.root, capture_output=True, check=False)  # noqa: S602
        interrupts.check()
        if not run.stdout:
            message = f"Nothing came back.\n{line}\n{run.stderr.decode(errors='replace')}"
            raise HoplabError(message)
        return run.stdout.decode("utf-8", "replace")


def reproduction(
    catalogue: Catalogue,
    result: CellResult,
    folder: Path,
    certificates: Certificates,
    *,
    free_ports: bool,
) -> Reproduction:
    """Write the proxies' files into `folder`, and say how to go on, as `result` was found.

    On the ports that people know, or on free ones.
    """
    cell, root = result.cell, catalogue.workspace.root
    deployment = cell.deployment
    variation = catalogue.variation(cell)
    if variation and (variation.listens or variation.public):
        message = f"repro knows 127.0.0.1 alone; `hoplab explain {cell.id}` shows this one."
        raise HoplabError(message)
    plan = make_plan(catalogue, [deployment], {}, numbers=() if free_ports else PORTS)
    (app,) = plan.apps
    name, *arguments = app.command(app.port)
    steps = [
        Step("the application", [script(root, name), *arguments], app.environment, app.port),
    ]
    for proxy_name, route in reversed(plan.routes[deployment].items()):
        proxy, own = catalogue.proxies[proxy_name], folder / proxy_name
        files = configuration.write(proxy, [replace(route, word=_WORD)], own, certificates)
        name, *arguments = configuration.command(proxy, own)
        told = ", ".join(_short(file, root) for file in files)
        port = route.ports[Scheme.HTTP]
        steps.append(Step(f"{proxy_name}: {told}", [_short(name, root), *arguments], {}, port))
    public = plan.ports[deployment]
    authority = _short(certificates.authority, root)
    renamed = _renamed(result, public, app.port)
    questions = [
        Question(
            _shows(catalogue, result, finding, renamed),
            _line(cell, request, public[cell.scheme], app.port, authority, catalogue),
        )
        for request, finding in questions_of(catalogue, result)
    ]
    routes = plan.routes[deployment].values()
    ports = [app.port, *(port for route in routes for port in route.ports.values())]
    return Reproduction(cell, steps, questions, root, ports)


def _shows(
    catalogue: Catalogue,
    result: CellResult,
    finding: Finding | None,
    renamed: Mapping[str, str],
) -> list[str]:
    """What a question shows, what is expected, and what came when it was asked."""
    if finding is None:
        variation = result.cell.variation
        return [f"ask: what the variation {variation} is about" if variation else "ask: a request"]
    told = finding.detail
    for old, new in renamed.items():
        told = told.replace(old, new)
    by = _EXPECTED if _EXPECTED.search(told) else _BEFORE
    came, *expected = by.split(told, maxsplit=1)
    question = (suite_of(catalogue, result.cell).checks[finding.check].__doc__ or "").splitlines()
    lines = [f"ask: {finding.check}: {finding.symptom or finding.verdict}"]
    if finding.symptom and expected:
        lines += _folded("expected: ", expected[0])
    elif question:
        lines += _folded("expected: ", f"yes. {question[0]}")
    lines += _folded("came:     ", came if finding.symptom else told)
    same = [
        f"{other.check}: {other.symptom}"
        for cause in causes([result])
        if finding in [found for _, found in cause.found]
        for _, other in cause.found
        if other is not finding
    ]
    return lines + (_folded("also:     ", "; ".join(same)) if same else [])


def _folded(label: str, text: str) -> list[str]:
    return fill(
        " ".join(text.split()),
        76,
        initial_indent=label,
        subsequent_indent=" " * len(label),
        break_long_words=False,
        break_on_hyphens=False,
    ).splitlines()


def _renamed(result: CellResult, public: Mapping[Scheme, int], app: int) -> dict[str, str]:
    """Names and ports of the run that asked, and those of the commands."""
    found = {}
    for url in (urlsplit(e.url) for f in result.findings for e in f.exchanges):
        scheme = Scheme.HTTPS if url.scheme in {"https", "wss"} else Scheme.HTTP
        direct = url.hostname == LOOPBACK
        found[url.netloc] = f"{url.hostname}:{app if direct else public[scheme]}"
    return found


def _line(
    cell: Cell, request: Request, port: int, app: int, authority: str, catalogue: Catalogue
) -> str:
    scheme = cell.scheme
    words = ["curl", "-si", "--max-time", "10"]
    if request.direct:
        url = f"http://{LOOPBACK}:{app}{request.path}"
    else:
        url = f"{scheme}://{PUBLIC_NAME}:{port}{request.path}"
        words += ["--connect-to", f"{PUBLIC_NAME}:{port}:{LOOPBACK}:{port}"]
        if scheme is Scheme.HTTPS:
            words += ["--cacert", authority]
    if ".." in request.path:
        words += ["--path-as-is"]
    if CLIENT:
        words += ["--interface", CLIENT]
    if request.method == "WEBSOCKET":
        key = "dGhlIHNhbXBsZSBub25jZQ=="  # the RFC's own (RFC 6455, 1.3)
        words += ["--http1.1", "-H", "Connection: Upgrade", "-H", "Upgrade: websocket"]
        words += ["-H", "Sec-WebSocket-Version: 13", "-H", f"Sec-WebSocket-Key: {key}"]
        words[words.index("--max-time") + 1] = "2"  # a WebSocket stays open
    elif request.method == "HEAD":
        words[1] = "-sI"
    elif request.method != "GET":
        words += ["-X", request.method]
    words += [word for name, value in request.headers for word in ("-H", f"{name}: {value}")]
    if request.has_body:
        size = body_size(cell, catalogue)
        return f"head -c {size} /dev/zero | {shell_line([*words, '--data-binary', '@-', url])}"
    return shell_line([*words, url])


def _short(path: Path | str, root: Path) -> str:
    return str(Path(path).relative_to(root)) if Path(path).is_relative_to(root) else str(path)


def _wait(process: psutil.Popen, step: Step, prefix: Prefix) -> None:
    """Until it answers, and a proxy for the application as well, if it does so soon."""
    began = time.monotonic()
    while instance(LOOPBACK, step.port, prefix) is None:
        interrupts.check()
        waited = time.monotonic() - began
        if waited > ROUTE_SECONDS and _listens(step.port):
            return  # that is what the cell is about
        if process.poll() is not None or waited > START_SECONDS:
            message = f"{step.title} does not answer at {step.port}. Try it by hand:\n{step.line}"
            raise HoplabError(message)
        time.sleep(0.02)


def _listens(port: int) -> bool:
    try:
        socket.create_connection((LOOPBACK, port), 1).close()
    except OSError:
        return False
    return True


def _stop(process: psutil.Popen) -> None:
    with interrupts.held():
        runs.stop([*process.children(recursive=True), process])
        process.wait()
