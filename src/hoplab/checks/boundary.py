from urllib.parse import urljoin

from hoplab.probe import Failed, Probe
from hoplab.topology import PREFIX

_REDIRECTS = {301, 302, 307, 308}
_ODD_PATH = "/scope/a%2Fb/caf%C3%A9"


def boundary(probe: Probe) -> str:
    """Is the prefix a whole path segment, once, and does the path arrive as it was written?

    Symptoms: `prefix-leaks`, `bare-prefix-broken`, `path-altered`.
    """
    for path in (f"{PREFIX}0/app", "/app"):
        answer = probe.get(probe.origin + path)
        if probe.from_app(answer):
            probe.fail("prefix-leaks", answer, "that the proxy keeps it from the application")
    doubled = probe.get(f"{probe.base}{PREFIX}/app")
    if doubled.status == 200:  # noqa: PLR2004
        probe.fail("prefix-leaks", doubled, "404")

    for path in ("", "/"):
        answer = probe.get(probe.base + path)
        if answer.status in _REDIRECTS:
            given = urljoin(answer.url, answer.header("location") or "")
            if given != f"{probe.base}/":
                probe.fail("bare-prefix-broken", answer, f"{probe.base}/")
            answer = probe.get(given)
        if not probe.answers(answer):
            probe.fail("bare-prefix-broken", answer, "200 from the application")

    scope = probe.scope(_ODD_PATH, symptom="path-altered")
    if not scope["path"].endswith("/scope/a/b/café") or not scope["raw_path"].endswith(_ODD_PATH):
        detail = f"path {scope['path']!r}, raw_path {scope['raw_path']!r}, asked {_ODD_PATH}"
        raise Failed("path-altered", detail)
    return "sibling, missing and doubled prefix, bare prefix, encoded slash and UTF-8"
