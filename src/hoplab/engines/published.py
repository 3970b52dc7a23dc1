"""The ports that compose.yaml publishes, and the variables that set them."""

import os
import re
from collections.abc import Mapping, Sequence

from hoplab.errors import HoplabError
from hoplab.topology import Scheme, Topology
from hoplab.workspace import Workspace

_DEFAULT = re.compile(r"\$\{(\w+):-(\d+)\}:\d+\b")
_HIGHEST = 65535


def variable(topology: Topology, scheme: Scheme) -> str:
    """The variable of compose.yaml that sets a published port: PROXY_SERVER_STRIP_HTTP."""
    return f"{topology.name}-{scheme}".upper().replace("-", "_")


def ports(
    workspace: Workspace, topologies: Sequence[Topology]
) -> dict[Topology, dict[Scheme, int]]:
    """The ports that the environment gives these topologies, or else compose.yaml."""
    defaults = dict(_DEFAULT.findall((workspace.root / "compose.yaml").read_text()))
    return {
        topology: {
            scheme: _number(variable(topology, scheme), defaults.get(variable(topology, scheme)))
            for scheme in Scheme
        }
        for topology in topologies
    }


def by_variable(given: Mapping[Topology, Mapping[Scheme, int]]) -> dict[str, int]:
    """The same by the names of the variables."""
    return {
        variable(topology, scheme): port
        for topology, each in given.items()
        for scheme, port in each.items()
    }


def _number(name: str, default: str | None) -> int:
    text = os.environ.get(name) or default
    if text is None:
        message = f"compose.yaml publishes no port as ${{{name}:-…}}: put it back, or set {name}."
        raise HoplabError(message)
    if not text.isascii() or not text.isdigit() or not 0 < int(text) <= _HIGHEST:
        message = f"{name}={text}: expected a port, 1 to {_HIGHEST}."
        raise HoplabError(message)
    return int(text)
