from typing import Any
from urllib.parse import urlsplit

from hoplab import forwarded
from hoplab.client.probe import Failed, Probe
from hoplab.client.target import Knowledge, needs
from hoplab.client.wire import Exchange
from hoplab.suites.contract.checks.spoof import believed, lies_of, seen, ways_to_tell
from hoplab.suites.own.checks.asked import known
from hoplab.suites.own.checks.scope import told_of
from hoplab.suites.own.explore import whole
from hoplab.suites.own.links import links

_PAGES = 5


@needs(Knowledge.INSTANCE, Knowledge.EXPLORED)
def forged(probe: Probe) -> str:
    """Does anything change if the client itself sends forwarded headers?

    In what the application sees, and in the URLs that it gives. Asked plain, doubled, in odd case
    and with underscores. Symptoms: `client-spoofable`, `scheme-spoofable`, `prefix-spoofable`,
    `host-spoofable`, `forwarded-misread`.
    """
    lies = lies_of(probe)
    pages = [page for page in known(probe).pages if page.method == "GET"]
    with_urls = sorted(pages, key=lambda page: not page.links)
    for path in [page.path for page in with_urls][:_PAGES] or ["/"]:
        honest = probe.answered(probe.get(path))
        for way, headers in ways_to_tell(lies).items():
            lied = probe.answered(probe.get(path, headers))
            before, after = _seen(probe, honest), _seen(probe, lied)
            if difference := believed(before, after, lies):
                symptom, told = difference
                raise Failed(symptom, f"forwarded headers ({way}) to {path}: {told}")
            _given(path, way, honest, lied)
    return f"{len(lies)} headers, {len(ways_to_tell(lies))} ways: nothing changed"


def _seen(probe: Probe, answer: Exchange) -> dict[str, str | None]:
    told: dict[str, Any] = told_of(probe, answer)
    url = f"{told['scheme']}://{(told['host'] or [''])[0]}{told['path']}"
    return seen({**told, "url": url, "root_path": told.get("root_path") or ""})


def _given(path: str, way: str, honest: Exchange, lied: Exchange) -> None:
    """A lie in a URL that was not there before."""
    before = {whole(link) for link in links(honest)}
    for url in (whole(link) for link in links(lied)):
        if url in before:
            continue
        parts = urlsplit(url)
        symptom = None
        if forwarded.LIES[forwarded.Claim.HOST] in parts.netloc:
            symptom = "host-spoofable"
        elif parts.path.startswith(forwarded.LIES[forwarded.Claim.PREFIX]):
            symptom = "prefix-spoofable"
        if symptom:
            raise Failed(symptom, f"forwarded headers ({way}) to {path}: it gives the URL {url}")
