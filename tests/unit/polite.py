"""The client for strangers' sites, with small limits, and a site that it asks."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from hoplab.client.given import read
from hoplab.client.manners import Manners
from hoplab.client.polite import PoliteClient
from tests.unit.hostile import Behaviour, Site, site

QUICK = Manners(answer=1.0, seconds=8.0, head=16 * 1024, body=64 * 1024)
"""Small limits: the tests are about that they hold, and not about how large they are."""


@contextmanager
def asking(url: str, limits: Manners = QUICK, **options: Any) -> Iterator[PoliteClient]:
    client = PoliteClient(read(url), limits, **options)
    try:
        yield client
    finally:
        client.close()


@contextmanager
def against(
    behaviour: Behaviour, limits: Manners = QUICK, **options: Any
) -> Iterator[tuple[Site, PoliteClient]]:
    with site(behaviour) as found, asking(found.url, limits, **options) as client:
        yield found, client
