"""The questions to the CORS variants, one a file."""

from hoplab.suites.check import by_name
from hoplab.suites.cors.checks.errors import errors
from hoplab.suites.cors.checks.hostile import hostile
from hoplab.suites.cors.checks.metrics import metrics
from hoplab.suites.cors.checks.order import order
from hoplab.suites.cors.checks.preflight import preflight
from hoplab.suites.cors.checks.simple import simple

CHECKS = by_name(preflight, simple, errors, order, hostile, metrics)
"""In the order in which they are asked."""
