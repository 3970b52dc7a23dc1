from hoplab.client.probe import Failed, Probe
from hoplab.client.target import Knowledge, Purpose, needs


@needs(Knowledge.ROOT_PATH, Purpose.GREETING)
def reach(probe: Probe) -> str:
    """Does `/app` answer below the public prefix, and does the application know its root_path?

    Symptoms: `unreachable`, `root-path-missing`.
    """
    answer = probe.get(probe.route(Purpose.GREETING))
    root_path = probe.target.root_path
    content = answer.json()
    if not probe.answers(answer) or not isinstance(content, dict):
        probe.fail("unreachable", answer, "200 from the application")
    expected = {"message": "Hello World", "root_path": root_path}
    if content.get("message") != expected["message"]:  # another page of the application
        raise Failed("unreachable", f"{content}, expected {expected}")
    if content.get("root_path") != root_path:
        raise Failed("root-path-missing", f"{content}, expected {expected}")
    return f"{answer}, root_path {root_path!r}"
