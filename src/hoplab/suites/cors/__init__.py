"""CORS on a mounted application: who gets in where."""

from hoplab.client.target import Purpose
from hoplab.suites.cors.checks import CHECKS
from hoplab.suites.cors.symptoms import CORS
from hoplab.suites.cors.tables import cors_tables
from hoplab.suites.suite import Suite

SUITE = Suite(
    name="cors",
    command="cors",
    about="Ask the CORS variants who gets in where.",
    checks=CHECKS,
    symptoms=CORS,
    routes={Purpose.POLICIES: "/", Purpose.METRICS: "/metrics/", Purpose.SCOPE: "/scope"},
    tables=cors_tables,
)
