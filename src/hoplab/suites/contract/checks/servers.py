from typing import Any
from urllib.parse import urlsplit

from hoplab.client.probe import WRONG, Failed, Probe, resolved
from hoplab.client.target import Knowledge, needs
from hoplab.client.wire import as_sent
from hoplab.suites.check import Part, independent_of

_STAGING = "https://stag.example.com"
_PRODUCTION = "https://prod.example.com"
_NOT_FOUND, _OTHER_METHOD = 404, 405


@independent_of(Part.TRUST)
@needs(Knowledge.ROOT_PATH, Knowledge.UNSAFE, Knowledge.SERVERS)
def servers(probe: Probe) -> str:
    """Does every operation answer at every server that the OpenAPI document names, without a 5xx?

    And are servers that the author added kept in their order after the prefix, and is the prefix
    left out with `root_path_in_servers=False`? Symptoms: `servers-wrong`; and `mount-unreachable`
    where the documented variants, which are mounted, can't be asked.
    """
    document = probe.expect(probe.get("/openapi.json"))
    content = document.json()
    if not isinstance(content, dict) or "paths" not in content:
        probe.fail(WRONG, document, "the OpenAPI document")
    bases = [server["url"] for server in content.get("servers", [{"url": "/"}])]
    asked = 0
    for base in bases:
        at = resolved(document.url, base)
        if urlsplit(at)[:2] != urlsplit(document.url)[:2]:
            continue
        for path, operations in content["paths"].items():
            for method in operations:
                url = as_sent(at.rstrip("/") + path)
                _ask_operation(probe, method.upper(), url, f"an operation, with servers {bases}")
                asked += 1
    if not asked:
        raise Failed("servers-wrong", f"no operation at any server of this origin: {bases}")
    mounted = f"{probe.target.prefix_root}/extra-servers"
    _variant(probe, "extra-servers", [mounted, _STAGING, _PRODUCTION])
    _variant(probe, "no-root-path-in-servers", [_PRODUCTION])
    return f"servers {bases}: {asked} operations answer; extra servers are kept in order"


def _ask_operation(probe: Probe, method: str, url: str, expected: str) -> None:
    answer = probe.request(method, url, body=b"" if method == "POST" else None)
    elsewhere = not url.startswith(f"{probe.base}/")
    if answer.status in {_NOT_FOUND, _OTHER_METHOD} and (elsewhere or probe.from_app(answer)):
        probe.fail("servers-wrong", answer, expected)
    probe.reached(answer)


def _variant(probe: Probe, mount: str, expected: list[str]) -> None:
    answer = probe.get(f"/{mount}/openapi.json")
    document = probe.expect(answer, missing="mount-unreachable")
    content: Any = document.json()
    if not isinstance(content, dict):
        probe.fail(WRONG, document, "an OpenAPI document")
    given = [server["url"] for server in content.get("servers", [])]
    if given != expected:
        raise Failed("servers-wrong", f"{document.url} names {given}, expected {expected}")
