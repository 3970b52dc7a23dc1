from hoplab.client.probe import WRONG, Failed, Probe
from hoplab.client.target import Knowledge, Purpose, needs

_ACCEPTED = 101


@needs(Knowledge.ROOT_PATH, Purpose.SOCKET, Purpose.MOUNT)
def websocket(probe: Probe) -> str:
    """Do WebSockets connect, with the right scheme and root_path, outside and inside a mount?

    Symptoms: `websocket-refused`, `websocket-closed`, `websocket-wrong-scheme`,
    `websocket-wrong-root-path`.
    """
    target = probe.target
    scheme = "ws" + target.scheme.removeprefix("http")
    path, mount = probe.route(Purpose.SOCKET), probe.route(Purpose.MOUNT)
    inside = f"{target.prefix_root}{mount}"
    refused = "websocket-refused"
    for at, root_path in ((path, target.root_path), (mount + path, inside)):
        answer = probe.expect(probe.websocket(at), _ACCEPTED, wrong=refused, missing=refused)
        scope = answer.json()
        if answer.body.startswith(b"closed without a message"):
            probe.fail("websocket-closed", answer, "a message")
        if not isinstance(scope, dict):
            probe.fail(WRONG, answer, "its scope")
        if scope["scheme"] != scheme:
            detail = f"{answer.url}: scheme {scope['scheme']!r}, expected {scheme!r}"
            raise Failed("websocket-wrong-scheme", detail)
        if scope["root_path"] != root_path:
            detail = f"{answer.url}: root_path {scope['root_path']!r}, expected {root_path!r}"
            raise Failed("websocket-wrong-root-path", detail)
    return f"connected at {path} and {mount}{path}, scheme {scheme}"
