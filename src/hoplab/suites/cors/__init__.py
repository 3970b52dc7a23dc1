"""CORS on a mounted application: which origins may read what."""

from hoplab.client.target import Purpose
from hoplab.suites.cors.checks import CHECKS
from hoplab.suites.cors.symptoms import CORS
from hoplab.suites.cors.tables import LEGEND, cors_grids, cors_tables
from hoplab.suites.suite import Suite

SUITE = Suite(
    name="cors",
    command="cors",
    about="Ask which origins may read what, for each CORS variant.",
    checks=CHECKS,
    symptoms=CORS,
    routes={Purpose.METRICS: "/metrics/", Purpose.SCOPE: "/scope"},
    tables=cors_tables,
    grids=cors_grids,
    legend=LEGEND,
    refuses="^/(metrics|fail|scope)(/|$)",
)
