"""What a symptom is, and what a proxy or server has to do with it."""

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


@dataclass(frozen=True)
class Advice:
    """What one proxy or server has to do with a symptom: how it comes to it, and what to change."""

    fix: str
    cause: str = ""
    references: tuple[str, ...] = ()
