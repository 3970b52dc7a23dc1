from hoplab.client.probe import WRONG, Failed, Probe
from hoplab.client.target import Knowledge, Purpose, needs
from hoplab.suites.contract.checks.docs import load_docs
from hoplab.suites.contract.checks.slash_redirect import follow_slash


@needs(Knowledge.ROOT_PATH, Purpose.MOUNT)
def mount(probe: Probe) -> str:
    """Do a mounted sub-application's route, slash redirect and docs work?

    And does its own OpenAPI document name its own server? Symptoms: `mount-unreachable`,
    `mount-wrong-root-path`, `mount-docs-broken`, `servers-wrong`; and of its redirect, as of any,
    `redirect-missing`, `redirect-wrong-status`, `redirect-wrong-host`, `redirect-drops-port`,
    `redirect-wrong-port`, `redirect-wrong-scheme`, `redirect-drops-prefix`, `redirect-wrong-path`,
    `redirect-wrong-query`.
    """
    at = probe.route(Purpose.MOUNT)
    answer = probe.expect(probe.get(f"{at}/app"), missing="mount-unreachable")
    content = answer.json()
    root_path = f"{probe.target.prefix_root}{at}"
    if not isinstance(content, dict) or content.get("message") != "Hello Sub":
        probe.fail(WRONG, answer, "the sub-application")
    if content.get("root_path") != root_path:
        raise Failed("mount-wrong-root-path", f"{content}, expected root_path {root_path!r}")

    _, to = follow_slash(probe, f"{at}/items", f"{at}/items/")
    landed = probe.expect(probe.get(to))
    if landed.json() != ["fleeb", "schleem"]:
        probe.fail(WRONG, landed, "the sub-application's items")

    _, document = load_docs(probe, at, *["mount-docs-broken"] * 4)
    named = [server.get("url") for server in document.json().get("servers", [])]
    if named != [root_path]:
        raise Failed("servers-wrong", f"{document.url} names {named}, expected {[root_path]}")
    return f"{answer}, its redirect and its docs"
