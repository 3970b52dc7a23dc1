"""The questions to the CORS variants, one a file, as those of the contract."""

from collections.abc import Mapping

from hoplab.suites.contract.checks import Check
from hoplab.suites.cors.checks.errors import errors
from hoplab.suites.cors.checks.hostile import hostile
from hoplab.suites.cors.checks.metrics import metrics
from hoplab.suites.cors.checks.order import order
from hoplab.suites.cors.checks.preflight import preflight
from hoplab.suites.cors.checks.simple import simple

CORS_CHECKS: Mapping[str, Check] = {
    "preflight": preflight,
    "simple": simple,
    "errors": errors,
    "order": order,
    "hostile": hostile,
    "metrics": metrics,
}
"""Every question by its name on the command line and in the results."""
