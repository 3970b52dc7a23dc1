"""The contract: one question a file.

A check is a function that takes a probe and returns what it saw, as a sentence, if all is well. It
raises Failed with a symptom if not. Whatever else it raises is the lab's own trouble. Its docstring
begins with the question.
"""

from collections.abc import Callable
from typing import TypeAlias

from hoplab.client.probe import Probe
from hoplab.suites.contract.checks.boundary import boundary
from hoplab.suites.contract.checks.client import client
from hoplab.suites.contract.checks.direct import direct
from hoplab.suites.contract.checks.docs import docs
from hoplab.suites.contract.checks.mount import mount
from hoplab.suites.contract.checks.reach import reach
from hoplab.suites.contract.checks.servers import servers
from hoplab.suites.contract.checks.slash_redirect import slash_redirect
from hoplab.suites.contract.checks.spoof import spoof
from hoplab.suites.contract.checks.static import static
from hoplab.suites.contract.checks.stream import stream
from hoplab.suites.contract.checks.url_for import url_for
from hoplab.suites.contract.checks.websocket import websocket

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
