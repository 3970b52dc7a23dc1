from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import unquote

from hoplab.client.probe import Failed, Probe, scope_of
from hoplab.client.target import Knowledge, needs
from hoplab.client.wire import Exchange
from hoplab.suites.contract.checks.client import as_the_proxy_saw
from hoplab.suites.own.checks.asked import known, raise_all


@needs(Knowledge.INSTANCE, Knowledge.ROOT_PATH)
def scope(probe: Probe) -> str:
    """Does the application see the client's scheme, host and address, the prefix and the path?

    Its own routes need not tell: the header that the lab adds does. Symptoms: `root-path-missing`,
    `root-path-wrong`, `scope-path-wrong`, `scheme-wrong`, `host-wrong`, `client-wrong`.
    """
    path = next((page.path for page in known(probe).pages if page.method == "GET"), "/")
    answer = probe.answered(probe.get(path))
    told = told_of(probe, answer)
    failures = list(_of_the_prefix(probe, told, path.partition("?")[0]))
    seen = ""
    try:
        seen = as_the_proxy_saw(probe, told["scheme"], told["host"], told["client"])
    except Failed as failure:
        failures.append(failure)
    raise_all((failure, f"asked for {path}") for failure in failures)
    return f"{seen}, root_path {told.get('root_path')!r}"


def _of_the_prefix(probe: Probe, told: Mapping[str, Any], asked: str) -> Iterator[Failed]:
    """root_path is the prefix, and path begins with it (ASGI). Some servers pass it on encoded."""
    prefix, root_path, path = probe.target.prefix_decoded, told.get("root_path") or "", told["path"]
    if unquote(root_path) != prefix:
        symptom = "root-path-wrong" if root_path else "root-path-missing"
        yield Failed(symptom, f"root_path {root_path!r}, expected {prefix!r}")
    right = prefix + unquote(asked)
    if unquote(path).rstrip("/") != right.rstrip("/"):
        yield Failed("scope-path-wrong", f"path {path!r}, expected {right!r}")


def told_of(probe: Probe, answer: Exchange) -> dict[str, Any]:
    """What the server told the application."""
    told = scope_of(answer)
    if told is None:
        probe.fail("answer-wrong", answer, "the header X-ASGI-Scope")
    return told
