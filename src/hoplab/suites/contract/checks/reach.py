from hoplab.client.probe import WRONG, Failed, Probe
from hoplab.client.target import Knowledge, Purpose, needs


@needs(Knowledge.ROOT_PATH, Purpose.GREETING)
def reach(probe: Probe) -> str:
    """Does `/app` answer below the public prefix, and does the application know its root_path?

    Symptoms: `root-path-missing`, `root-path-wrong`.
    """
    answer = probe.expect(probe.get(probe.route(Purpose.GREETING)))
    root_path = probe.target.root_path
    content = answer.json()
    expected = {"message": "Hello World", "root_path": root_path}
    if not isinstance(content, dict) or content.get("message") != expected["message"]:
        probe.fail(WRONG, answer, str(expected))
    if content.get("root_path") != root_path:
        symptom = "root-path-wrong" if content.get("root_path") else "root-path-missing"
        raise Failed(symptom, f"{content}, expected {expected}")
    return f"{answer}, root_path {root_path!r}"
