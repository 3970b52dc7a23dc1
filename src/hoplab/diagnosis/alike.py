"""What questions have in common: an answer that is known, and whether two are alike."""

from urllib.parse import urlsplit

from hoplab.client.wire import Exchange
from hoplab.diagnosis.site import Site, is_ok


def known(site: Site) -> Exchange | None:
    """An answer of a route at its place, that is the same whenever it is asked for."""
    if site.place is None:
        return None
    place = f"{site.place}/"
    found = [site.docs, site.document]
    found += [site.get(site.place + each.path) for each in site.routes[:2] if not any(found)]
    found += [each for each in site.exchanges if each.method == "GET"]
    good = (each for each in found if each is not None and is_ok(each))
    return next((each for each in good if urlsplit(each.url).path.startswith(place)), None)


def same_page(one: Exchange, other: Exchange) -> bool:
    """Whether two answers are the same page, as far as that shows."""
    return one.body == other.body or same_kind(one, other)


def same_kind(one: Exchange, other: Exchange) -> bool:
    """Whether two answers look as if the same program gave them, for the same reason."""
    return (
        one.status == other.status
        and one.header("Content-Type") == other.header("Content-Type")
        and one.header("Server") == other.header("Server")
        and _shape(one) == _shape(other)
    )


def _shape(exchange: Exchange) -> bytes:
    """The body without the path that was asked for, which pages of errors like to quote."""
    path = urlsplit(exchange.url).path
    return exchange.body.replace(path.encode(), b"").replace(path.strip("/").encode(), b"")
