"""What to copy: the files and command lines of a deployment, and the way from a wrong one."""

import shlex
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from hoplab.catalogue import ROOT, Catalogue
from hoplab.predictions import predict
from hoplab.suites import HEALTHY, SYMPTOMS, Symptom
from hoplab.topology import Cell, Deployment, Mode, Strategy, Trust

BIND = "127.0.0.1:8000"
PROXIES = "PROXY"
"""In a printed command: the address or network that the proxy comes from."""


@dataclass(frozen=True)
class Recipe:
    """Files below the project's folder, and the line that starts the server.

    proxy: the proxy's configuration. application: the module that the server runs, first, and those
    which it needs of ours.
    """

    deployment: Deployment
    proxy: Sequence[Path]
    server: str
    application: Sequence[Path]


def recipe(catalogue: Catalogue, deployment: Deployment) -> Recipe:
    """How this deployment is made."""
    proxy = catalogue.proxies[deployment.topology.proxy]
    return Recipe(
        deployment,
        [file.relative_to(ROOT) for file in proxy.sources(deployment.topology.mode)],
        server_line(catalogue, deployment, BIND, PROXIES),
        _modules(catalogue.server_command(deployment, BIND, PROXIES)),
    )


def server_line(catalogue: Catalogue, deployment: Deployment, bind: str, proxies: str) -> str:
    """What a person types to start the application."""
    server = catalogue.servers[deployment.topology.server]
    environment = server.environment(deployment.recipe.trust, proxies)
    command = catalogue.server_command(deployment, bind, proxies)
    return shell_line(command, environment)


def shell_line(command: Sequence[str], environment: Mapping[str, str] | None = None) -> str:
    """A command line, quoted for the shell, with the variables that are set for it."""
    variables = [f"{k}={shlex.quote(v)}" for k, v in (environment or {}).items() if v]
    return " ".join([*variables, shlex.join(command)])


def smallest_change(catalogue: Catalogue, cell: Cell) -> Cell | None:
    """The nearest cell of the same topology that must pass: the fewest of strategy and trust."""
    plain = replace(cell, variation="")
    candidates = [
        replace(plain, strategy=strategy, trust=trust) for strategy in Strategy for trust in Trust
    ]
    right = [c for c in candidates if not predict(c, catalogue.every_variation)]

    def distance(other: Cell) -> tuple[int, bool]:
        changed = (other.strategy is not cell.strategy) + (other.trust is not cell.trust)
        return changed, not catalogue.is_recommended(other)

    return min(right, key=distance, default=None)


def mend(catalogue: Catalogue, cell: Cell) -> list[str]:
    """What has to change in a wrong cell, as lines: words, and command lines with - and +."""
    if cell.variation:
        return [catalogue.every_variation[cell.variation].fix]
    right = smallest_change(catalogue, cell)
    if right is None or right == cell:
        return []
    lines = []
    if right.strategy is not cell.strategy:
        lines.append(f"strategy {cell.strategy} -> {right.strategy}")
    if right.trust is not cell.trust:
        lines.append(f"trust {cell.trust} -> {right.trust}")
    before, after = (
        server_line(catalogue, each.deployment, BIND, PROXIES) for each in (cell, right)
    )
    if before != after:
        lines += [f"- {before}", f"+ {after}"]
    return lines


def request_of(catalogue: Catalogue, cell: Cell, symptoms: Sequence[str]) -> Symptom:
    """The first of these symptoms, with the request by which it shows in this cell."""
    symptom = SYMPTOMS[symptoms[0]] if symptoms else HEALTHY
    variation = catalogue.every_variation.get(cell.variation)
    if variation is None:
        return symptom
    return replace(
        symptom,
        path=variation.path or symptom.path,
        method=variation.method or symptom.method,
        headers=tuple(variation.headers) or symptom.headers,
    )


def shown_by(catalogue: Catalogue, symptom: str, count: int = 3) -> list[str]:
    """Cells in which a symptom must show: where a person meets it first, with the fewest others."""
    shown = {}
    for cell in catalogue.every_cell:
        symptoms = list(predict(cell, catalogue.every_variation).values())
        if symptom in symptoms:
            shown[cell.id] = (symptoms.index(symptom), len(symptoms))
    return sorted(shown, key=lambda name: shown[name])[:count]


def changed_lines(catalogue: Catalogue, deployment: Deployment) -> list[str]:
    """What a variation changes, as lines: the right ones with -, the variation's with +."""
    if not deployment.variation:
        return []
    variation = catalogue.every_variation[deployment.variation]
    lines = []
    for change in variation.changes:
        other = next(mode for mode in Mode if mode is not deployment.topology.mode)
        if not variation.outer and Path(change.file).name.startswith(other):
            continue  # the file of the other mode
        lines.append(change.file.format(mode=deployment.topology.mode))
        lines += [f"- {line}" for line in change.right.strip("\n").splitlines()]
        lines += [f"+ {line}" for line in change.wrong.strip("\n").splitlines()]
    if variation.has_own_command(deployment.topology.server):
        plain = replace(deployment, variation="")
        lines += [f"- {server_line(catalogue, plain, BIND, PROXIES)}"]
        lines += [f"+ {server_line(catalogue, deployment, BIND, PROXIES)}"]
    if variation.outer:
        lines.append(f"+ {variation.outer} in front, with its `preserve` configuration")
    return lines


def _modules(command: Sequence[str]) -> list[Path]:
    """The application's module, and what it imports of ours but for the shared routes."""
    module = next(a.partition(":")[0] for a in command if a.startswith("app.") and ":" in a)
    files = [_file(module)]
    for file in files:  # grows meanwhile
        for line in (ROOT / file).read_text().splitlines():
            if line.startswith("from app import "):
                needed = [f"app.{name.strip()}" for name in line.split(" import ")[1].split(",")]
            elif line.startswith("from app."):
                needed = [line.split()[1]]
            else:
                continue
            found = [_file(name) for name in needed]
            files += [f for f in found if f.stem not in _SHARED and f not in files]
    return files


_SHARED = {"shared", "instance"}


def _file(module: str) -> Path:
    return Path(*module.split(".")).with_suffix(".py")


def script(name: str) -> str:
    """A console script of this virtual environment, as called from the project's folder."""
    path = Path(sys.executable).with_name(name)
    return str(path.relative_to(ROOT)) if path.is_relative_to(ROOT) else name
