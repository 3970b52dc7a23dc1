"""One cell by hand: the files and the commands that make it, and the question that shows it."""

import os
import socket
import subprocess
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from textwrap import fill

import psutil

from hoplab.catalogue import Catalogue
from hoplab.catalogue.servers import without_settings
from hoplab.commands.showing import request_of
from hoplab.endpoint import PUBLIC_NAME
from hoplab.engines import configuration
from hoplab.engines.answers import instance
from hoplab.engines.certificates import Certificates
from hoplab.engines.plan import make_plan
from hoplab.engines.process import CLIENT, ROUTE_SECONDS, START_SECONDS
from hoplab.errors import HoplabError
from hoplab.predictions import predict
from hoplab.prefix import Prefix
from hoplab.recipe import script, shell_line
from hoplab.symptom import Symptom
from hoplab.system import interrupts, runs
from hoplab.system.lifeline import die_with_parent
from hoplab.system.ports import LOOPBACK
from hoplab.topology import Cell, Scheme

PORTS = [8000, 9999, 9499, 8080, 8443]
"""The application's, the public ones, and those of the inner proxy, if there are two."""


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
class Reproduction:
    """The proxies' files are written; the steps run side by side, and then somebody asks."""

    cell: Cell
    steps: Sequence[Step]
    question: str
    expected: Sequence[str]
    root: Path

    def script(self) -> str:
        """For a person to copy, a terminal for each step."""
        lines = [f"# {self.cell.id}", "# From the project's folder, in a terminal each:"]
        for number, step in enumerate(self.steps, 1):
            lines += ["", f"# {number}. {step.title}", step.line]
        first, *others = self.expected or ["no symptom"]
        lines += ["", f"# {len(self.steps) + 1}. the question that shows: {first}"]
        if others:
            told = fill(f"also: {', '.join(others)}", 78, break_on_hyphens=False)
            lines += [f"# {line}" for line in told.splitlines()]
        return "\n".join([*lines, self.question])

    def run(self) -> str:
        """Start the steps, ask, stop them; what curl printed.

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
            # The shell, since the question may have a pipe: it is what a person would paste.
            run = subprocess.run(  # noqa: S602
                self.question, shell=True, cwd=self.root, capture_output=True, check=False
            )
            interrupts.check()
        if not run.stdout:
            message = f"Nothing came back.\n{self.question}\n{run.stderr.decode(errors='replace')}"
            raise HoplabError(message)
        return run.stdout.decode("utf-8", "replace")


def reproduction(
    catalogue: Catalogue,
    cell: Cell,
    folder: Path,
    certificates: Certificates,
    *,
    free_ports: bool,
) -> Reproduction:
    """Write the proxies' files into `folder`, and say how to go on.

    On the ports that people know, or on free ones.
    """
    deployment, root = cell.deployment, catalogue.workspace.root
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
        configuration.write(proxy, [route], own, certificates)
        name, *arguments = configuration.command(proxy, own)
        port = route.ports[Scheme.HTTP]
        steps.append(Step(proxy_name, [_short(name, root), *arguments], {}, port))
    prediction = predict(cell, catalogue)
    symptom = request_of(catalogue, cell, list(prediction.values()))
    public = plan.ports[deployment][cell.scheme]
    question = _question(cell, symptom, public, app.port, _short(certificates.authority, root))
    return Reproduction(cell, steps, question, list(dict.fromkeys(prediction.values())), root)


def _question(cell: Cell, symptom: Symptom, port: int, app: int, authority: str) -> str:
    scheme = cell.scheme
    url = f"{scheme}://{PUBLIC_NAME}:{port}{cell.prefix}{symptom.path}"
    words = ["curl", "-si", "--max-time", "10"]
    if symptom.name == "direct-spoofable":
        url = f"http://{LOOPBACK}:{app}{cell.deployment.upstream_prefix}{symptom.path}"
    else:
        words += ["--connect-to", f"{PUBLIC_NAME}:{port}:{LOOPBACK}:{port}"]
        if scheme is Scheme.HTTPS:
            words += ["--cacert", authority]
    if CLIENT:
        words += ["--interface", CLIENT]
    if symptom.method == "WEBSOCKET":
        key = "dGhlIHNhbXBsZSBub25jZQ=="  # the RFC's own (RFC 6455, 1.3)
        words += ["--http1.1", "-H", "Connection: Upgrade", "-H", "Upgrade: websocket"]
        words += ["-H", "Sec-WebSocket-Version: 13", "-H", f"Sec-WebSocket-Key: {key}"]
        words[words.index("--max-time") + 1] = "2"  # a WebSocket stays open
    if symptom.method == "OPTIONS":
        words += ["-X", "OPTIONS"]
    if symptom.method == "POST":
        size = 2**20 + 2**16
        words += ["--data-binary", "@-"]
        return f"head -c {size} /dev/zero | {shell_line([*_headers(words, symptom), url])}"
    return shell_line([*_headers(words, symptom), url])


def _headers(words: Sequence[str], symptom: Symptom) -> list[str]:
    return [
        *words,
        *(word for name, value in symptom.headers for word in ("-H", f"{name}: {value}")),
    ]


def _short(path: Path | str, root: Path) -> str:
    return str(Path(path).relative_to(root)) if Path(path).is_relative_to(root) else str(path)


def _wait(process: psutil.Popen, step: Step, prefix: Prefix) -> None:
    """Until it answers, and a proxy for the application as well, if it does so soon."""
    began = time.monotonic()
    while instance(step.port, prefix) is None:
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
