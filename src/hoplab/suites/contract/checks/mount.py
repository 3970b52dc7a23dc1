from hoplab.client.probe import Failed, Probe, compare_urls, resolved
from hoplab.client.target import Knowledge, Purpose, needs
from hoplab.suites.contract.checks.docs import load_docs


@needs(Knowledge.ROOT_PATH, Purpose.MOUNT)
def mount(probe: Probe) -> str:
    """Do a mounted sub-application's route, slash redirect and docs work?

    Symptoms: `mount-unreachable`, `mount-redirect-drops-prefix`, `mount-docs-broken`; and of its
    redirect, as of any, `redirect-wrong-host`, `redirect-drops-port`, `redirect-wrong-scheme`.
    """
    at = probe.route(Purpose.MOUNT)
    answer = probe.get(f"{at}/app")
    expected = {"message": "Hello Sub", "root_path": f"{probe.target.prefix_root}{at}"}
    if not probe.answers(answer):
        probe.fail("mount-unreachable", answer, "200 from the sub-application")
    if answer.json() != expected:
        raise Failed("mount-unreachable", f"{answer.json()}, expected {expected}")

    redirect = probe.get(f"{at}/items")
    given = resolved(redirect.url, redirect.header("location") or "")
    right = f"{probe.base}{at}/items/"
    prefix = probe.target.prefix
    compare_urls(right, given, prefix, "redirect", "mount-redirect-drops-prefix")
    if given != right:
        probe.fail("mount-redirect-drops-prefix", redirect, right)
    landed = probe.get(given)
    if not probe.answers(landed):
        probe.fail("mount-redirect-drops-prefix", landed, "the sub-application's items")

    load_docs(probe, at, "mount-docs-broken", "mount-docs-broken")
    return f"{answer}, its redirect and its docs"
