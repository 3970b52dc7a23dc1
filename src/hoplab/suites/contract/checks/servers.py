from typing import Any
from urllib.parse import urlsplit

from hoplab.client.probe import Failed, Probe, resolved
from hoplab.client.target import Knowledge, needs
from hoplab.client.wire import Exchange, as_sent

_STAGING = "https://stag.example.com"
_PRODUCTION = "https://prod.example.com"
_ABSENT = {404, 405}


@needs(Knowledge.ROOT_PATH, Knowledge.UNSAFE, Knowledge.SERVERS)
def servers(probe: Probe) -> str:
    """Does every operation exist at every server that the OpenAPI document names?

    And are servers that the author added kept in their order after the prefix, and is the prefix
    left out with `root_path_in_servers=False`? Symptoms: `servers-wrong`; and `mount-unreachable`
    where the documented variants, which are mounted, can't be asked.
    """
    document = probe.get("/openapi.json")
    content = document.json()
    if not probe.answers(document) or not isinstance(content, dict) or "paths" not in content:
        probe.fail("servers-wrong", document, "the OpenAPI document")
    bases = [server["url"] for server in content.get("servers", [{"url": "/"}])]
    asked = 0
    for base in bases:
        at = resolved(document.url, base)
        if urlsplit(at)[:2] != urlsplit(document.url)[:2]:
            continue
        for path, operations in content["paths"].items():
            for method in operations:
                answer = _operation(probe, method.upper(), as_sent(at.rstrip("/") + path))
                if not probe.from_app(answer) or answer.status in _ABSENT:
                    probe.fail("servers-wrong", answer, f"an operation, with servers {bases}")
                asked += 1
    if not asked:
        raise Failed("servers-wrong", f"no operation at any server of this origin: {bases}")
    mounted = f"{probe.target.prefix_root}/extra-servers"
    _variant(probe, "extra-servers", [mounted, _STAGING, _PRODUCTION])
    _variant(probe, "no-root-path-in-servers", [_PRODUCTION])
    return f"servers {bases}: {asked} operations exist; extra servers are kept in order"


def _operation(probe: Probe, method: str, url: str) -> Exchange:
    body = b"" if method == "POST" else None
    return probe.request(method, url, body=body)


def _variant(probe: Probe, mount: str, expected: list[str]) -> None:
    document = probe.get(f"/{mount}/openapi.json")
    if not probe.answers(document):
        probe.fail("mount-unreachable", document, "the OpenAPI document of a mounted application")
    content: Any = document.json()
    given = [server["url"] for server in content.get("servers", [])]
    if given != expected:
        raise Failed("servers-wrong", f"{document.url} names {given}, expected {expected}")
