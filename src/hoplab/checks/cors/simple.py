from collections.abc import Sequence

from hoplab.checks.cors.judging import Problem, fail_with_the_worst, judge, varies
from hoplab.cors import ORIGINS, headers, values, wanted
from hoplab.probe import Probe

PATHS = ("/items/", "/metrics", "/metrics/")


def simple(probe: Probe) -> str:
    """Does a GET let in whom the path's policy names, and nobody else, with and without a cookie?

    And does a cache learn that the answer depends on the origin, even if none was sent? Symptoms:
    `cors-wrong-policy`, `cors-duplicated`, `cors-missing`, `cors-vary-missing`; and `unreachable`
    where the application does not answer.
    """
    fail_with_the_worst(ask(probe, PATHS, cookies=(False, True)))
    return f"{len(PATHS)} paths: every answer is for whom the policy says"


def ask(
    probe: Probe, paths: Sequence[str], *, cookies: Sequence[bool], missing: str = "cors-missing"
) -> list[Problem]:
    """What is wrong on these paths; `missing` names what an answer without headers is called."""
    problems = []
    for path in paths:
        allowed = wanted(probe.cell.variation, path)
        depends = False
        for cookie in cookies:
            for origin in ORIGINS.values():
                answer = probe.get(path, headers(origin, cookie=cookie))
                if not probe.from_app(answer):
                    probe.fail("unreachable", answer, "an answer of the application")
                if origin:
                    problems += judge(answer, origin, allowed)
                depends |= bool(set(values(answer, "Access-Control-Allow-Origin")) - {"*"})
                if not origin and depends and not varies(answer):
                    told = f"GET {answer.url} without Origin: no Vary: Origin"
                    problems.append(Problem("cors-vary-missing", told))
    return [p._replace(symptom=missing) if p.symptom == "cors-missing" else p for p in problems]
