"""What follows for the checks that are asked once in each topology, from what the others meet."""

from collections.abc import Mapping

from hoplab.client.probe import WHO_ANSWERED

_SAME = ("requests", "answers", "isolation", "routes", "disconnect", "limits")
_OVER_WEBSOCKET = "websocket-messages"


def unreached(symptoms: Mapping[str, str]) -> dict[str, str]:
    """The symptoms of those that can't be asked, because their route is not reached.

    Their routes are plain ones of the application, as that of `client`: they meet what it meets.
    But for a prefix that only the route of `client` begins with: then the WebSocket is reached.
    """
    met, over_websocket = symptoms.get("client"), symptoms.get("websocket")
    if met not in WHO_ANSWERED or over_websocket is None:
        return {}
    return {**dict.fromkeys(_SAME, met), _OVER_WEBSOCKET: over_websocket}
