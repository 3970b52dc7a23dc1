"""Questions to any application: one a file."""

from hoplab.suites.check import by_name
from hoplab.suites.own.checks.docs import docs
from hoplab.suites.own.checks.edges import edges
from hoplab.suites.own.checks.events import events
from hoplab.suites.own.checks.forged import forged
from hoplab.suites.own.checks.paths import paths
from hoplab.suites.own.checks.scope import scope
from hoplab.suites.own.checks.sockets import sockets
from hoplab.suites.own.checks.urls import urls

CHECKS = by_name(paths, scope, urls, docs, forged, edges, sockets, events)
"""In the order in which they are asked."""
