"""The questions to the CORS variants, one a file, as those of the contract."""

from collections.abc import Mapping

from hoplab.checks import Check
from hoplab.checks.cors.errors import errors
from hoplab.checks.cors.hostile import hostile
from hoplab.checks.cors.metrics import metrics
from hoplab.checks.cors.order import order
from hoplab.checks.cors.preflight import preflight
from hoplab.checks.cors.simple import simple

CORS_CHECKS: Mapping[str, Check] = {
    "preflight": preflight,
    "simple": simple,
    "errors": errors,
    "order": order,
    "hostile": hostile,
    "metrics": metrics,
}
"""Every question by its name on the command line and in the results."""
