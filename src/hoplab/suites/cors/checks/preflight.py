from hoplab.client.probe import Probe
from hoplab.client.target import Knowledge, needs
from hoplab.suites.cors.checks.judging import fail_with_the_worst, judge
from hoplab.suites.cors.right import ORIGINS, headers, right_of

PATHS = ("/items/", "/metrics", "/metrics/", "/metrics/missing", "/metrics/fail")

_NO_POLICY = {404, 413, 429, *range(500, 600)}
"""What a proxy says that has no policy of its own: of one that it refuses, 400, 403 or 405."""


@needs(Knowledge.POLICIES)
def preflight(probe: Probe) -> str:
    """Does a preflight allow the origins of the path's policy, and no others?

    A layer of the application may answer it, or the proxy. Symptoms: `cors-wrong-policy`,
    `cors-duplicated`, `cors-preflight-redirected`, `cors-missing`.
    """
    problems = []
    right = right_of(probe.target.right)
    for path in PATHS:
        for origin in filter(None, ORIGINS.values()):
            answer = probe.request("OPTIONS", path, headers(origin, preflight=True))
            if answer.status in _NO_POLICY:
                probe.answered(answer)
            problems += judge(answer, origin, right.wanted(path))
    fail_with_the_worst(problems)
    return f"{len(PATHS)} paths: every preflight is answered as the policy says"
