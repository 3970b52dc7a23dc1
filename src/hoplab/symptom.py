"""What a symptom is, and what a proxy or server has to do with it."""

from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Symptom:
    """A symptom's meaning, and the request below the public base URL that shows it best.

    method: GET, POST, OPTIONS or WEBSOCKET. In path and texts, `{prefix}` is the public prefix.
    """

    name: str
    seen: str
    cause: str
    fix: str
    references: tuple[str, ...]
    path: str = "/app"
    headers: tuple[tuple[str, str], ...] = ()
    method: str = "GET"

    def under(self, prefix: str) -> "Symptom":
        """The same with a prefix in its path and texts."""
        return replace(
            self,
            path=self.path.replace("{prefix}", prefix),
            seen=self.seen.replace("{prefix}", prefix),
            cause=self.cause.replace("{prefix}", prefix),
            fix=self.fix.replace("{prefix}", prefix),
        )


@dataclass(frozen=True)
class Advice:
    """What one proxy or server has to do with a symptom: how it comes to it, and what to change."""

    fix: str
    cause: str = ""
    references: tuple[str, ...] = ()

    def under(self, prefix: str) -> "Advice":
        """The same with a prefix in its texts."""
        fix, cause = (text.replace("{prefix}", prefix) for text in (self.fix, self.cause))
        return replace(self, fix=fix, cause=cause)
