"""One cell by hand: the files and the commands that make it, and the question that shows it."""

import socket
import subprocess
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import psutil

from hoplab import interrupts
from hoplab.catalogue import ROOT, Catalogue
from hoplab.endpoint import PUBLIC_NAME
from hoplab.engines import configuration, runs
from hoplab.engines.certificates import Certificates
from hoplab.engines.configuration import LOOPBACK, Route
from hoplab.engines.ports import free_ports
from hoplab.engines.process import CLIENT, ROUTE_SECONDS, START_SECONDS, instance
from hoplab.errors import HoplabError
from hoplab.predictions import predict
from hoplab.recipes import script, server_line, shell_line
from hoplab.symptoms import HEALTHY, SYMPTOMS, Symptom
from hoplab.topology import PREFIX, Cell, Mode, Scheme

APP, PUBLIC, INNER = (
    8000,
    {Scheme.HTTP: 9999, Scheme.HTTPS: 9499},
    {Scheme.HTTP: 8080, Scheme.HTTPS: 8443},
)


@dataclass(frozen=True)
class Step:
    """A command line that stays in the foreground, and the port at which it then listens."""

    title: str
    line: str
    port: int


@dataclass(frozen=True)
class Reproduction:
    """`files` are written already; the steps run side by side, and then somebody asks."""

    cell: Cell
    files: Sequence[Path]
    steps: Sequence[Step]
    question: str
    expected: str

    def script(self) -> str:
        """For a person to copy, a terminal for each step."""
        lines = [f"# {self.cell.id}", "# From the project's folder, in a terminal each:"]
        for number, step in enumerate(self.steps, 1):
            lines += ["", f"# {number}. {step.title}", step.line]
        lines += ["", f"# {len(self.steps) + 1}. the question; expected: {self.expected}"]
        return "\n".join([*lines, self.question])

    def run(self) -> str:
        """Start the steps, ask, stop them; what curl printed.

        Raises HoplabError if a step does not come up, or if there is no curl.
        """
        with ExitStack() as stack:
            for step in self.steps:
                process = psutil.Popen(  # noqa: S604 - what it prints, as a person would run it
                    step.line,
                    shell=True,
                    cwd=ROOT,
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                    start_new_session=True,
                )
                stack.callback(_stop, process)
                _wait(process, step)
            run = subprocess.run(  # noqa: S602 - the same
                self.question, shell=True, cwd=ROOT, capture_output=True, check=False
            )
        if not run.stdout:
            message = f"{self.question}\n{run.stderr.decode(errors='replace')}"
            raise HoplabError(message)
        return run.stdout.decode("utf-8", "replace")


def reproduction(
    catalogue: Catalogue,
    cell: Cell,
    folder: Path,
    certificates: Certificates,
    *,
    own_ports: bool,
) -> Reproduction:
    """Write the proxies' files into `folder`, and say how to go on.

    Without `own_ports`, on the ports that people know; with, on free ones.
    """
    free = free_ports(5) if own_ports else [APP, *PUBLIC.values(), *INNER.values()]
    app, public, inner = free[0], _ports(free[1:3]), _ports(free[3:5])
    deployment, topology = cell.deployment, cell.topology
    variation = catalogue.variations.get(cell.variation)
    changes = variation.changes if variation else ()
    outer = variation.outer if variation else None
    routes = {
        topology.proxy: Route(
            deployment.word, topology.mode, f"{LOOPBACK}:{app}", inner if outer else public, changes
        )
    }
    if outer:
        upstream = f"{LOOPBACK}:{inner[Scheme.HTTP]}"
        routes[outer] = Route(f"{deployment.word}-outer", Mode.PRESERVE, upstream, public, changes)
    steps = [
        Step(
            "the application",
            _with_scripts(server_line(catalogue, deployment, f"{LOOPBACK}:{app}", LOOPBACK)),
            app,
        )
    ]
    files: list[Path] = []
    for name, route in routes.items():
        proxy, own = catalogue.proxies[name], folder / name
        for path, text in configuration.render(proxy, [route], own, certificates).items():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
            files.append(path)
        line = shell_line([script(proxy.command[0]), *configuration.command(proxy, own)[1:]])
        steps.append(Step(f"{name}", line, route.ports[Scheme.HTTP]))
    prediction = predict(cell, catalogue.variations)
    symptom = next((SYMPTOMS[s] for s in prediction.values()), HEALTHY)
    question = _question(cell, symptom, public[cell.scheme], app, certificates)
    told = ", ".join(dict.fromkeys(prediction.values())) or "no symptom"
    return Reproduction(cell, files, steps, question, told)


def _ports(pair: Sequence[int]) -> dict[Scheme, int]:
    return dict(zip(Scheme, pair, strict=True))


def _with_scripts(line: str) -> str:
    """The server's console script is this virtual environment's."""
    words = line.split(" ")
    place = next(i for i, word in enumerate(words) if "=" not in word)
    return " ".join([*words[:place], script(words[place]), *words[place + 1 :]])


def _question(cell: Cell, symptom: Symptom, port: int, app: int, certificates: Certificates) -> str:
    scheme = cell.scheme
    url = f"{scheme}://{PUBLIC_NAME}:{port}{PREFIX}{symptom.path}"
    words = ["curl", "-si", "--max-time", "10"]
    if symptom.name == "direct-spoofable":
        prefix = PREFIX if cell.topology.mode is Mode.PRESERVE else ""
        url = f"http://{LOOPBACK}:{app}{prefix}{symptom.path}"
    else:
        words += ["--connect-to", f"{PUBLIC_NAME}:{port}:{LOOPBACK}:{port}"]
        if scheme is Scheme.HTTPS:
            words += ["--cacert", _short(certificates.authority)]
    if CLIENT:
        words += ["--interface", CLIENT]
    if symptom.method == "WEBSOCKET":
        key = "dGhlIHNhbXBsZSBub25jZQ=="  # the RFC's own (RFC 6455, 1.3)
        words += ["--http1.1", "-H", "Connection: Upgrade", "-H", "Upgrade: websocket"]
        words += ["-H", "Sec-WebSocket-Version: 13", "-H", f"Sec-WebSocket-Key: {key}"]
        words[3] = "2"
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


def _short(path: Path) -> str:
    return str(path.relative_to(ROOT)) if path.is_relative_to(ROOT) else str(path)


def _wait(process: psutil.Popen, step: Step) -> None:
    """Until it answers, and a proxy for the application as well, if it does so soon."""
    began = time.monotonic()
    while instance(step.port) is None:
        interrupts.check()
        waited = time.monotonic() - began
        if waited > ROUTE_SECONDS and _listens(step.port):
            return  # it is the cell's own trouble, and what it is about
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
