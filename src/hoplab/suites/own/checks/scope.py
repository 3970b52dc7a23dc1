from typing import Any

from hoplab.client.probe import Failed, Probe
from hoplab.client.target import Knowledge, needs
from hoplab.client.wire import Exchange
from hoplab.suites.contract.checks.client import as_the_proxy_saw
from hoplab.suites.own.checks.asked import known
from hoplab.suites.own.explore import scope_of


@needs(Knowledge.INSTANCE, Knowledge.ROOT_PATH)
def scope(probe: Probe) -> str:
    """Does the application see the client's scheme, host and address, and the prefix as root_path?

    Its own routes need not tell: the header that the lab adds does. Symptoms: `root-path-missing`,
    `root-path-wrong`, `scheme-wrong`, `host-wrong`, `client-wrong`.
    """
    path = next((page.path for page in known(probe).pages if page.method == "GET"), "/")
    answer = probe.answered(probe.get(path))
    told = told_of(probe, answer)
    root_path = told.get("root_path") or ""
    if root_path != probe.target.root_path:
        symptom = "root-path-wrong" if root_path else "root-path-missing"
        raise Failed(symptom, f"root_path {root_path!r}, expected {probe.target.root_path!r}")
    seen = as_the_proxy_saw(probe, told["scheme"], told["host"], told["client"])
    return f"{seen}, root_path {root_path!r}"


def told_of(probe: Probe, answer: Exchange) -> dict[str, Any]:
    """What the server told the application."""
    told = scope_of(answer)
    if told is None:
        probe.fail("answer-wrong", answer, "the header X-ASGI-Scope")
    return told
