from urllib.parse import urljoin

from hoplab.client.probe import Failed, Probe, compare_urls
from hoplab.suites.contract.checks.docs import load_docs
from hoplab.topology import PREFIX


def mount(probe: Probe) -> str:
    """Do a mounted sub-application's route, slash redirect and docs work?

    Symptoms: `mount-unreachable`, `mount-redirect-drops-prefix`, `mount-docs-broken`; and of its
    redirect, as of any, `redirect-wrong-host`, `redirect-drops-port`, `redirect-wrong-scheme`.
    """
    answer = probe.get("/sub/app")
    expected = {"message": "Hello Sub", "root_path": f"{PREFIX}/sub"}
    if not probe.answers(answer):
        probe.fail("mount-unreachable", answer, "200 from the sub-application")
    if answer.json() != expected:
        raise Failed("mount-unreachable", f"{answer.json()}, expected {expected}")

    redirect = probe.get("/sub/items")
    given = urljoin(redirect.url, redirect.header("location") or "")
    compare_urls(f"{probe.base}/sub/items/", given, "redirect", "mount-redirect-drops-prefix")
    if given != f"{probe.base}/sub/items/":
        probe.fail("mount-redirect-drops-prefix", redirect, f"{probe.base}/sub/items/")
    landed = probe.get(given)
    if not probe.answers(landed):
        probe.fail("mount-redirect-drops-prefix", landed, "the sub-application's items")

    load_docs(probe, "/sub", "mount-docs-broken", "mount-docs-broken")
    return f"{answer}, its redirect and its docs"
