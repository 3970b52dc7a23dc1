"""The contract: one question a file."""

from hoplab.suites.check import by_name
from hoplab.suites.contract.checks.answers import answers
from hoplab.suites.contract.checks.boundary import boundary
from hoplab.suites.contract.checks.bypass import bypass
from hoplab.suites.contract.checks.client import client
from hoplab.suites.contract.checks.direct import direct
from hoplab.suites.contract.checks.disconnect import disconnect
from hoplab.suites.contract.checks.docs import docs
from hoplab.suites.contract.checks.isolation import isolation
from hoplab.suites.contract.checks.limits import limits
from hoplab.suites.contract.checks.mount import mount
from hoplab.suites.contract.checks.prefix_once import prefix_once
from hoplab.suites.contract.checks.reach import reach
from hoplab.suites.contract.checks.requests import requests
from hoplab.suites.contract.checks.routes import routes
from hoplab.suites.contract.checks.servers import servers
from hoplab.suites.contract.checks.slash_redirect import slash_redirect
from hoplab.suites.contract.checks.spoof import spoof
from hoplab.suites.contract.checks.static import static
from hoplab.suites.contract.checks.stream import stream
from hoplab.suites.contract.checks.url_for import url_for
from hoplab.suites.contract.checks.websocket import websocket
from hoplab.suites.contract.checks.websocket_messages import websocket_messages

CHECKS = by_name(
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
    bypass,
    boundary,
    prefix_once,
    stream,
    direct,
    requests,
    answers,
    isolation,
    routes,
    websocket_messages,
    disconnect,
    limits,
)
"""In the order in which they are asked."""
