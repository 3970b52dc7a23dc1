from hoplab.client.probe import Failed, Probe
from hoplab.topology import PREFIX

ACCEPTED = 101


def websocket(probe: Probe) -> str:
    """Do WebSockets connect, with the right scheme and root_path, outside and inside a mount?

    Symptoms: `websocket-refused`, `websocket-wrong-scheme`, `websocket-wrong-root-path`.
    """
    scheme = "ws" + probe.cell.scheme.removeprefix("http")
    for path, root_path in (("/ws", probe.root_path), ("/sub/ws", f"{PREFIX}/sub")):
        answer = probe.websocket(path)
        scope = answer.json()
        if not probe.answers(answer, ACCEPTED) or not isinstance(scope, dict):
            probe.fail("websocket-refused", answer, "101 and a message")
        if scope["scheme"] != scheme:
            detail = f"{answer.url}: scheme {scope['scheme']!r}, expected {scheme!r}"
            raise Failed("websocket-wrong-scheme", detail)
        if scope["root_path"] != root_path:
            detail = f"{answer.url}: root_path {scope['root_path']!r}, expected {root_path!r}"
            raise Failed("websocket-wrong-root-path", detail)
    return f"connected at /ws and /sub/ws, scheme {scheme}"
