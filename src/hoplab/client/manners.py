"""How much may be asked of a stranger's site, and which answers mean that it wants no more."""

import re
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import cache
from importlib.resources import files
from typing import Any

from hoplab.client.wire import Exchange

TOO_MANY, UNAVAILABLE = 429, 503
_LOGIN = {401, 403, 407}
_READ = 2**17  # bytes of a body in which a challenge is looked for


@dataclass(frozen=True)
class Manners:
    """Limits. Sizes in bytes, times in seconds.

    requests: how many may be sent. per_second: how many in a second, one after the other; as fast
    as they are answered on this machine's own addresses. seconds: for all of them. answer: for one.
    head, body: of one answer; of a body that is larger, so much is read. download: of all.
    refusals: after so many logins and nothing else, no more is asked. silences: after so many
    requests in a row without an answer.
    """

    requests: int = 100
    per_second: float = 10.0
    seconds: float = 60.0
    answer: float = 10.0
    head: int = 64 * 1024
    body: int = 4 * 1024 * 1024
    download: int = 32 * 1024 * 1024
    refusals: int = 24
    silences: int = 3


@dataclass
class Mood:
    """Whether the site still answers."""

    manners: Manners
    statuses: list[int] = field(default_factory=list)
    silences: int = 0

    def hears(self, exchange: Exchange) -> str:
        """Why nothing more may be asked after this answer; empty if it may."""
        self.silences = 0
        self.statuses.append(exchange.status)
        if found := challenge(exchange):
            return (
                f"{found} answers {exchange.url} with a challenge for browsers ({exchange.status});"
                " from outside nothing more can be seen. Let this machine pass it, for example by a"
                " header (--header) that the site's owner allows, or ask past it (--connect-to)"
            )
        if exchange.status == TOO_MANY or (
            exchange.status == UNAVAILABLE and exchange.header("Retry-After")
        ):
            pause = waits(exchange.header("Retry-After"))
            told = f", and asks to wait {pause}" if pause else ""
            return (
                f"{exchange.url} is answered {exchange.status}{told}; nothing more is asked now."
                " Try again later, or with fewer questions: --max-requests"
            )
        refused = {*self.statuses} <= _LOGIN
        if refused and len(self.statuses) >= self.manners.refusals:
            return (
                f"a login everywhere: all of {len(self.statuses)} answers are"
                f" {', '.join(map(str, sorted({*self.statuses})))}. Give what lets you in, for"
                " example --header 'Authorization: Bearer TOKEN'"
            )
        return ""

    def misses(self) -> bool:
        """Whether nothing more should be asked after one more silence."""
        self.silences += 1
        return self.silences >= self.manners.silences


def waits(retry_after: str | None, now: datetime | None = None) -> str:
    """RFC 9110, 10.2.3: how long a site asks to wait, in words; empty if it does not say."""
    told = (retry_after or "").strip()
    if told.isascii() and told.isdecimal():
        return f"{int(told[:9])} s"
    try:
        until = parsedate_to_datetime(told)
    except ValueError:
        return ""
    if until.tzinfo is None:
        until = until.replace(tzinfo=UTC)
    seconds = (until - (now or datetime.now(UTC))).total_seconds()
    return f"{max(0, round(seconds))} s"


def challenge(exchange: Exchange) -> str:
    """Who wants a proof that a person asks, if this is such a page; else empty."""
    for entry in _challenges():
        if _is(entry, exchange):
            return str(entry["of"])
    return ""


@cache
def _challenges() -> Sequence[dict[str, Any]]:
    text = files("hoplab.client").joinpath("challenges.toml").read_text("utf-8")
    found: Sequence[dict[str, Any]] = tomllib.loads(text)["challenge"]
    return found


def _is(entry: dict[str, Any], exchange: Exchange) -> bool:
    if "status" in entry and exchange.status not in entry["status"]:
        return False
    if header := entry.get("header"):
        value = exchange.header(header["name"])
        if value is None or not re.fullmatch(header["value"], value.strip(), re.IGNORECASE):
            return False
    if words := entry.get("body"):
        kind = exchange.header("Content-Type") or ""
        text = exchange.body[:_READ].decode("latin-1").lower()
        return "html" in kind.lower() and any(word in text for word in words)
    return True
