"""What a symptom is."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Symptom:
    """A symptom's meaning, and the request below the public base URL that shows it best.

    method: GET, POST, OPTIONS or WEBSOCKET.
    """

    name: str
    seen: str
    cause: str
    fix: str
    references: tuple[str, ...]
    path: str = "/app"
    headers: tuple[tuple[str, str], ...] = ()
    method: str = "GET"
