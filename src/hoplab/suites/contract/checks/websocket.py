from hoplab.client.probe import Failed, Probe
from hoplab.client.target import Knowledge, Purpose, needs

ACCEPTED = 101


@needs(Knowledge.ROOT_PATH, Purpose.SOCKET, Purpose.MOUNT)
def websocket(probe: Probe) -> str:
    """Do WebSockets connect, with the right scheme and root_path, outside and inside a mount?

    Symptoms: `websocket-refused`, `websocket-wrong-scheme`, `websocket-wrong-root-path`.
    """
    target = probe.target
    scheme = "ws" + target.scheme.removeprefix("http")
    path, mount = probe.route(Purpose.SOCKET), probe.route(Purpose.MOUNT)
    inside = f"{target.prefix_root}{mount}"
    for at, root_path in ((path, target.root_path), (mount + path, inside)):
        answer = probe.websocket(at)
        scope = answer.json()
        if not probe.answers(answer, ACCEPTED) or not isinstance(scope, dict):
            probe.fail("websocket-refused", answer, "101 and a message")
        if scope["scheme"] != scheme:
            detail = f"{answer.url}: scheme {scope['scheme']!r}, expected {scheme!r}"
            raise Failed("websocket-wrong-scheme", detail)
        if scope["root_path"] != root_path:
            detail = f"{answer.url}: root_path {scope['root_path']!r}, expected {root_path!r}"
            raise Failed("websocket-wrong-root-path", detail)
    return f"connected at {path} and {mount}{path}, scheme {scheme}"
