from hoplab.client.probe import WRONG, Failed, Probe
from hoplab.client.target import Knowledge, Purpose, needs

_ACCEPTED, _NORMAL = 101, 1000


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
        with probe.conversation(at) as (talk, answer):
            probe.expect(answer, _ACCEPTED, wrong=refused, missing=refused)
            talk.wait_for_end()
        if not answer.body:
            detail = f"{answer}: closed without a message: {talk.ending}"
            raise Failed("websocket-closed", detail)
        if talk.close_code != _NORMAL:
            detail = f"{answer}: closed with {talk.ending}, expected {_NORMAL}"
            raise Failed("websocket-closed", detail)
        scope = answer.json()
        if not isinstance(scope, dict):
            probe.fail(WRONG, answer, "its scope, as text")
        if scope["scheme"] != scheme:
            detail = f"{answer.url}: scheme {scope['scheme']!r}, expected {scheme!r}"
            raise Failed("websocket-wrong-scheme", detail)
        if scope["root_path"] != root_path:
            detail = f"{answer.url}: root_path {scope['root_path']!r}, expected {root_path!r}"
            raise Failed("websocket-wrong-root-path", detail)
    return f"connected at {path} and {mount}{path}, scheme {scheme}"
