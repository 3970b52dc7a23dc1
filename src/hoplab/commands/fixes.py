"""The way from a wrong cell to a right one, and from a right one to a variation."""

from collections.abc import Sequence
from dataclasses import replace

from hoplab.catalogue import SOCKET, Catalogue
from hoplab.catalogue.placeholders import filled
from hoplab.predictions import predict
from hoplab.recipe import BIND, PROXIES, server_line
from hoplab.system.ports import LOOPBACK
from hoplab.system.sockets import address, unmapped
from hoplab.topology import Cell, Deployment, Mode, Strategy, Trust


def smallest_change(catalogue: Catalogue, cell: Cell) -> Cell | None:
    """The nearest cell of the same topology that must pass: the fewest of strategy and trust."""
    plain = replace(cell, variation="")
    candidates = [
        replace(plain, strategy=strategy, trust=trust) for strategy in Strategy for trust in Trust
    ]
    right = [c for c in candidates if not predict(c, catalogue)]

    def distance(other: Cell) -> tuple[int, bool]:
        changed = (other.strategy is not cell.strategy) + (other.trust is not cell.trust)
        return changed, not catalogue.is_recommended(other)

    return min(right, key=distance, default=None)


def fix_lines(catalogue: Catalogue, cell: Cell, symptoms: Sequence[str] = ()) -> list[str]:
    """What has to change in a wrong cell, as lines: words, and command lines with - and +.

    Where no strategy and no trust is right, what the cell's own proxy and server can do about its
    symptoms.
    """
    if variation := catalogue.variation(cell):
        return [variation.fix]
    right = smallest_change(catalogue, cell)
    if right is None:
        owners = (cell.topology.proxy, cell.topology.server)
        advice = [(name, catalogue.advice[name].get(s)) for s in symptoms for name in owners]
        return [f"{name}: {found.fix}" for name, found in advice if found and found.fix]
    if right == cell:
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


def changed_lines(catalogue: Catalogue, deployment: Deployment) -> list[str]:
    """What a variation changes, as lines: the right ones with -, the variation's with +."""
    variation = catalogue.variation(deployment)
    if variation is None:
        return []
    root, proxy = catalogue.workspace.root, catalogue.proxies[deployment.topology.proxy]
    lines = []
    for change in variation.changes:
        other = next(mode for mode in Mode if mode is not deployment.topology.mode)
        of_other = {*proxy.sources(other)} - {*proxy.sources(deployment.topology.mode)}
        if not variation.outer and root / change.file in of_other:
            continue  # the file of the other mode
        lines.append(filled(change.file, {"mode": deployment.topology.mode}))
        lines += [f"- {line}" for line in change.right.strip("\n").splitlines()]
        lines += [f"+ {line}" for line in change.wrong.strip("\n").splitlines()]
    if variation.has_own_command(deployment.topology.server):
        plain = replace(deployment, variation="")
        lines += [f"- {server_line(catalogue, plain, BIND, PROXIES)}"]
        lines += [f"+ {server_line(catalogue, deployment, BIND, PROXIES)}"]
    if variation.outer:
        lines.append(f"+ {variation.outer} in front, with its `preserve` configuration")
    listens = SOCKET if variation.listens == "unix" else unmapped(variation.listens or LOOPBACK)
    if listens != LOOPBACK:
        lines.append(f"- UPSTREAM={proxy.upstream(LOOPBACK, 8000)}")
        lines.append(f"+ UPSTREAM={proxy.upstream(listens, 8000)}")
    if variation.public:
        lines.append(f"+ {deployment.topology.proxy} listens at {address(variation.public, 443)}")
    return lines
