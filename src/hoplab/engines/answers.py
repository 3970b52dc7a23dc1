"""Whether a process answers yet, and who."""

import http.client
import socket

from hoplab.prefix import Prefix
from hoplab.system.ports import LOOPBACK


def instance(port: int, prefix: Prefix, host: str = LOOPBACK) -> str | None:
    """The nonce of the application that answers there, itself or through a proxy."""
    answer = get(host, port, prefix)
    return answer.getheader("X-Instance") if answer else None


def get(host: str, port: int, prefix: Prefix) -> http.client.HTTPResponse | None:
    """What comes there, below the prefix; None if nothing does. `host` may be a Unix socket."""
    connection = http.client.HTTPConnection(host, port, timeout=5)
    try:
        if host.startswith("/"):
            connection = http.client.HTTPConnection("localhost", timeout=5)
            connection.sock = socket.socket(socket.AF_UNIX)
            connection.sock.connect(host)
        connection.request("GET", f"{prefix}/app")
        response = connection.getresponse()
        response.read()
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()
    return response
