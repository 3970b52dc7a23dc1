"""The demo that runs, asked from another process: what the page's buttons do, from a terminal."""

import http.client
import json
import time
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote, urlsplit

from hoplab.commands.live import demo_file
from hoplab.commands.live.demo_file import TOKEN_HEADER, NoDemo, Site, Starting
from hoplab.commands.live.model import Change
from hoplab.errors import HoplabError
from hoplab.system import interrupts
from hoplab.workspace import Workspace

_SECONDS = 30.0
_OK = 200
_PAUSE = 0.05


def change(workspace: Workspace, topology: str, name: str) -> None:
    """Change a topology of the demo that runs in place. Raises HoplabError with its message."""
    _ask(demo_file.read(workspace), "/change", {"topology": topology, "name": name})


def fix(workspace: Workspace, topology: str) -> None:
    """Give it its recipe again. Raises HoplabError with its message."""
    _ask(demo_file.read(workspace), "/fix", {"topology": topology})


def possible(workspace: Workspace, topology: str) -> Sequence[Change]:
    """What this topology can be changed to. Raises HoplabError with the demo's message."""
    told = _ask(demo_file.read(workspace), f"/possible?topology={quote(topology)}", None)
    return [Change(**each) for each in told]


def states(site: Site) -> Sequence[Mapping[str, Any]]:
    """The topologies of the demo that is there, as its page is told them."""
    told: list[Mapping[str, Any]] = _ask(site, "/states", None)
    return told


def end(workspace: Workspace) -> bool:
    """End the demo that runs, or starts, and wait for that; False if none does.

    Raises HoplabError if it does not end.
    """
    deadline = time.monotonic() + _SECONDS
    while True:
        interrupts.check()
        try:
            site = demo_file.read(workspace)
            break
        except NoDemo:
            return False
        except Starting:
            if time.monotonic() > deadline:
                raise
            time.sleep(_PAUSE)
    _ask(site, "/end", {})
    deadline = time.monotonic() + _SECONDS
    while workspace.demo.exists():
        interrupts.check()
        if time.monotonic() > deadline:
            raise HoplabError(f"The demo at {site.url} does not end: Ctrl-C where it runs.")
        time.sleep(_PAUSE)
    return True


def _ask(site: Site, path: str, told: dict[str, Any] | None) -> Any:
    """A GET, or with something told a POST; gives its JSON."""
    address = urlsplit(site.url).netloc
    headers = {TOKEN_HEADER: site.token, "Content-Type": "application/json"}
    connection = http.client.HTTPConnection(address, timeout=_SECONDS)
    try:
        if told is None:
            connection.request("GET", path)
        else:
            connection.request("POST", path, json.dumps(told), headers)
        answer = connection.getresponse()
        text = answer.read().decode("utf-8", "replace")
    except (OSError, http.client.HTTPException) as error:
        message = f"The demo at {site.url} does not answer ({error}). Ctrl-C where it runs ends it."
        raise HoplabError(message) from None
    finally:
        connection.close()
    if answer.status != _OK:
        raise HoplabError(_message(text))
    return json.loads(text)


def _message(text: str) -> str:
    try:
        return str(json.loads(text)["error"])
    except (ValueError, KeyError, TypeError):
        return f"The demo refused it: {text.strip()[:200]}"
