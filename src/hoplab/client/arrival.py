"""Where a person's URL leads: to https, to another host, or to itself for ever."""

from dataclasses import dataclass
from urllib.parse import urljoin, urlsplit

from hoplab.client.asker import Silence
from hoplab.client.given import BadGiven, Given, as_browsers_read, read
from hoplab.client.polite import PoliteClient
from hoplab.client.wire import Exchange, as_sent

_REDIRECTS = {301, 302, 303, 307, 308}
_MOST = 10


@dataclass(frozen=True)
class Arrival:
    """url: where to ask. note: what happened on the way; empty if nothing did.

    loop: the redirects never end. elsewhere: where they lead, if that is another host.
    """

    url: str
    note: str = ""
    loop: bool = False
    elsewhere: str = ""


def arrive(client: PoliteClient) -> Arrival:
    """Follow the redirects of the client's URL, on its host alone. Raises Stop as `ask` does.

    Only one from http to https, of the same path, changes what is asked from then on: any other may
    be what is wrong with the site.
    """
    url = start = client.given.url
    told = ""
    seen: set[str] = set()
    while url not in seen:
        seen.add(url)
        if len(seen) > _MOST:
            return Arrival(start, f"{start} redirects more than {_MOST} times", loop=True)
        exchange = _asked(client, url)
        to = _target(exchange) if exchange else None
        if to is None:
            return Arrival(start, told)
        if to.host != client.given.host:
            told = "; ".join(filter(None, (told, f"{exchange}: another host, which is not asked")))
            return Arrival(start, told, elsewhere=to.url)
        if to.origin != client.origin:
            if not _is_upgrade(url, to.url):
                return Arrival(start, told)
            client.move_to(to)
            told = f"{url} redirects to https: asked there"
            start = to.url
        url = to.url
    return Arrival(start, f"{url} redirects to itself, for ever", loop=True)


def _asked(client: PoliteClient, url: str) -> Exchange | None:
    try:
        return client.ask(url)
    except Silence:
        return None


def _target(exchange: Exchange) -> Given | None:
    """Where a redirect leads; None if it is none, or to no URL."""
    location = exchange.header("Location")
    if exchange.status not in _REDIRECTS or not location:
        return None
    try:
        return read(urljoin(exchange.url, as_sent(as_browsers_read(location.strip()))))
    except (BadGiven, ValueError):
        return None


def _is_upgrade(url: str, to: str) -> bool:
    before, after = urlsplit(url), urlsplit(to)
    same = before.path.rstrip("/") == after.path.rstrip("/")
    return before.scheme == "http" and after.scheme == "https" and same
