from hoplab.client.probe import Probe
from hoplab.client.target import Knowledge, needs
from hoplab.suites.cors.checks.judging import fail_with_the_worst
from hoplab.suites.cors.checks.simple import ask

PATHS = {"/metrics/missing": [404], "/metrics/fail": [500], "/missing": [404], "/fail": [500]}


@needs(Knowledge.POLICIES)
def errors(probe: Probe) -> str:
    """Has an error the headers of its path's policy, so that the page learns what it is?

    A 404 and a 500, of the main and of the mounted application. Symptoms: `cors-wrong-policy`,
    `cors-duplicated`, `cors-missing-on-error`, `cors-vary-missing`.
    """
    fail_with_the_worst(ask(probe, PATHS, missing="cors-missing-on-error"))
    return f"{len(PATHS)} errors have the headers of their path's policy"
