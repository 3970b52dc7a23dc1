"""The contract: one question a file.

A check is a function that takes a probe and returns what it saw, as a sentence, if all is well. It
raises Failed with a symptom if not. Whatever else it raises is the lab's own trouble. Its docstring
begins with the question.
"""

from collections.abc import Callable
from typing import TypeAlias

from hoplab.checks.boundary import boundary
from hoplab.checks.client import client
from hoplab.checks.direct import direct
from hoplab.checks.docs import docs
from hoplab.checks.mount import mount
from hoplab.checks.reach import reach
from hoplab.checks.servers import servers
from hoplab.checks.slash_redirect import slash_redirect
from hoplab.checks.spoof import spoof
from hoplab.checks.static import static
from hoplab.checks.stream import stream
from hoplab.checks.url_for import url_for
from hoplab.checks.websocket import websocket
from hoplab.probe import Probe

Check: TypeAlias = Callable[[Probe], str]

CHECKS: dict[str, Check] = {
    check.__name__.replace("_", "-"): check
    for check in (
        reach,
        slash_redirect,
        docs,
        servers,
        url_for,
        mount,
        static,
        websocket,
        client,
        spoof,
        boundary,
        stream,
        direct,
    )
}
"""Every check by its name on the command line and in the results."""
