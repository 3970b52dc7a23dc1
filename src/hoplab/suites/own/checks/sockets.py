from urllib.parse import unquote

from hoplab.client.probe import Failed, NotApplicable, Probe
from hoplab.client.target import Knowledge, needs
from hoplab.suites.own.checks.asked import explored, named, raise_all
from hoplab.suites.own.explore import handshake

_ACCEPTED = 101


@needs(Knowledge.INSTANCE, Knowledge.ROOT_PATH, Knowledge.EXPLORED)
def sockets(probe: Probe) -> str:
    """Do the WebSockets open that open without a proxy, with the right scheme and root_path?

    Symptoms: `websocket-refused`, `websocket-wrong-scheme`, `websocket-wrong-root-path`.
    """
    routes = explored(probe).sockets
    if not routes:
        raise NotApplicable("it has no WebSocket route that opens without parameters or a login")
    scheme = "ws" + probe.target.scheme.removeprefix("http")
    root = probe.target.prefix_decoded
    found = []
    for route in routes:
        status, told = handshake(probe, route.path)
        symptom = detail = ""
        if status != _ACCEPTED:
            symptom, detail = "websocket-refused", f"status {status}, expected {_ACCEPTED}"
        elif told is None:
            continue  # a server may drop the headers of the handshake
        elif told["scheme"] != scheme:
            symptom = "websocket-wrong-scheme"
            detail = f"scheme {told['scheme']!r}, expected {scheme!r}"
        elif not unquote(str(told["root_path"])).startswith(root):
            symptom = "websocket-wrong-root-path"
            detail = f"root_path {told['root_path']!r}, expected {root!r}"
        if symptom:
            found.append((Failed(symptom, f"WebSocket {route.path}: {detail}"), named(route)))
    raise_all(found)
    return f"{', '.join(route.path for route in routes)} open, scheme {scheme}"
