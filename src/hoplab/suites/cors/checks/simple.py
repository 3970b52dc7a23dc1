from collections.abc import Mapping, Sequence
from itertools import product

from hoplab.client.probe import WRONG, Probe
from hoplab.client.target import Knowledge, needs
from hoplab.suites.cors.checks.judging import Problem, fail_with_the_worst, judge, without_vary
from hoplab.suites.cors.right import ORIGINS, headers, right_of

PATHS = {"/items/": [200], "/metrics": [200, 307], "/metrics/": [200]}


@needs(Knowledge.POLICIES)
def simple(probe: Probe) -> str:
    """May the origins of the path's policy, and no others, read a GET, with and without a cookie?

    And does a cache learn that the answer depends on the origin, even if none was sent? Symptoms:
    `cors-wrong-policy`, `cors-duplicated`, `cors-missing`, `cors-vary-missing`.
    """
    fail_with_the_worst(ask(probe, PATHS))
    return f"{len(PATHS)} paths: every answer is for whom the policy says"


def ask(
    probe: Probe, paths: Mapping[str, Sequence[int]], missing: str = "cors-missing"
) -> list[Problem]:
    """What is wrong on these paths, whose right statuses are given.

    `missing` is what an answer without headers is called.
    """
    problems = []
    right = right_of(probe.target.right)
    for path, statuses in paths.items():
        answers = []
        for cookie, origin in product((False, True), ORIGINS.values()):
            answer = probe.get(path, headers(origin, cookie=cookie))
            if answer.status not in statuses:
                probe.reached(answer)
                probe.fail(WRONG, answer, f"one of {statuses}")
            probe.answered(answer)
            answers.append(answer)
            if origin:
                problems += judge(answer, origin, right.wanted(path))
        problems += without_vary(answers)
    return [p._replace(symptom=missing) if p.symptom == "cors-missing" else p for p in problems]
