"""The contract: what every topology is asked."""

from hoplab.client.target import Purpose
from hoplab.suites.contract.checks import CHECKS
from hoplab.suites.contract.symptoms import CONTRACT
from hoplab.suites.contract.tables import matrix_tables
from hoplab.suites.contract.transparency import TRANSPARENCY
from hoplab.suites.suite import Suite

SUITE = Suite(
    name="contract",
    command="matrix",
    about="Ask every combination, right and wrong, the whole contract.",
    checks=CHECKS,
    symptoms=(*CONTRACT, *TRANSPARENCY),
    routes={
        Purpose.GREETING: "/app",
        Purpose.REDIRECT: "/items",
        Purpose.SCOPE: "/scope",
        Purpose.NESTED: "{prefix}/nested",
        Purpose.MOUNT: "/sub",
        Purpose.STATIC: "/static/hello.txt",
        Purpose.SOCKET: "/ws",
        Purpose.EVENTS: "/events",
        Purpose.LINES: "/lines",
        Purpose.ECHO: "/echo",
        Purpose.DOCS: "/docs",
        Purpose.REQUEST: "/request",
        Purpose.ANSWER: "/answer",
        Purpose.ENDLESS: "/endless",
        Purpose.MIRROR: "/ws/mirror",
    },
    tables=matrix_tables,
    product=True,
    refuses="^/(scope|sub)(/|$)|^/(app|static|docs|redoc|ws|events|lines|echo|request|answer)$",
)
