"""What a check is given: where to ask, and what may be known of who answers there."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any, TypeAlias, TypeVar
from urllib.parse import unquote, urlsplit

from hoplab.client.explored import Explored
from hoplab.client.wire import Headers, as_sent
from hoplab.endpoint import Address

_PORTS = {"http": 80, "https": 443}


class Purpose(StrEnum):
    """What a route is for, in a person's words."""

    GREETING = "a route that tells its root_path"
    REDIRECT = "a route that redirects to itself with a slash"
    SCOPE = "a route that tells the ASGI scope"
    NESTED = "a route whose own path begins with the prefix"
    MOUNT = "a mounted application"
    STATIC = "a mounted static file"
    SOCKET = "a WebSocket that tells its scope"
    EVENTS = "a stream of events"
    LINES = "a stream of lines"
    ECHO = "a route that sends the body back"
    DOCS = "a docs page"
    METRICS = "Prometheus' metrics"
    REQUEST = "a route that tells the request as it came"
    ANSWER = "a route that answers as it is asked to, and tells how often"
    ENDLESS = "a stream without an end, and whether its client has left"
    MIRROR = "a WebSocket that sends back what it gets"


class Knowledge(StrEnum):
    """What else may be known of a target."""

    INSTANCE = "the identity of its instance"
    ROOT_PATH = "the root_path that it should have"
    PREFIX = "a prefix"
    UNSAFE = "that it may be asked with any method"
    SERVERS = "mounted applications whose OpenAPI servers are known"
    POLICIES = "what CORS policies its paths should have"
    EXPLORED = "what its application answers where nothing stands in front of it"


Need: TypeAlias = Purpose | Knowledge


@dataclass(frozen=True)
class Limits:
    """How long to wait for an answer, in seconds; how large bodies may be, in bytes.

    upload: those that are sent. download: how much of those that come is read; None is all.
    """

    seconds: float = 15.0
    upload: int = 256 * 1024
    download: int | None = None


@dataclass(frozen=True)
class Direct:
    """The application's own address, past the proxy; `prefix`: what of it paths have there."""

    address: Address
    prefix: str


@dataclass(frozen=True)
class Target:
    """A deployment as a client reaches it.

    base: the public base URL, with the prefix as in a URL, without a slash at the end.
    addresses: where an origin really listens, for names that nobody can look up.
    authority: a file with the authority's certificate; None for the system's.
    source: the address from which to connect, where it matters.
    unsafe: whether any method may be used. lab_application: whether the lab's own answers there,
    with all that is mounted in it.

    Known or not: `instance`, what its application puts into X-Instance; `root_path`, which it
    should have; `prefix_root`, what stands for the prefix in a root_path; `client`, the client's
    address as the proxy sees it; `direct`; `routes`, by purpose, their paths below the prefix;
    `right`, what the suite's author wants here; `explored`, what its application answers without a
    proxy. `headers` go with every request.
    """

    base: str
    addresses: Mapping[str, Address]
    authority: Path | None = None
    source: str | None = None
    limits: Limits = Limits()
    unsafe: bool = False
    lab_application: bool = False
    instance: str | None = None
    root_path: str | None = None
    prefix_root: str | None = None
    client: str | None = None
    direct: Direct | None = None
    routes: Mapping[Purpose, str] = field(default_factory=dict)
    right: Mapping[str, Any] = field(default_factory=dict)
    explored: Explored | None = None
    headers: Headers = ()

    @property
    def origin(self) -> str:
        """Scheme, name and port of the base URL."""
        return self.base.removesuffix(self.prefix)

    @property
    def scheme(self) -> str:
        """`http` or `https`."""
        return urlsplit(self.base).scheme

    @property
    def prefix(self) -> str:
        """The public prefix as in a URL; empty if there is none."""
        return urlsplit(self.base).path

    @property
    def prefix_decoded(self) -> str:
        """The same as ASGI has paths."""
        return unquote(self.prefix)

    def lacks(self, needs: Collection[Need]) -> Need | None:
        """The first of these that is not known of it."""
        known = {*self.routes}
        missing: dict[Need, bool] = {
            Knowledge.INSTANCE: self.instance is None,
            Knowledge.ROOT_PATH: None in {self.root_path, self.prefix_root},
            Knowledge.PREFIX: not self.prefix,
            Knowledge.UNSAFE: not self.unsafe,
            Knowledge.SERVERS: not self.lab_application,
            Knowledge.POLICIES: not self.right,
            Knowledge.EXPLORED: self.explored is None,
        }
        return next((need for need in needs if missing.get(need, need not in known)), None)


def at(url: str) -> Target:
    """A target of which nothing is known but its public base URL, without query and fragment.

    Raises ValueError for what is no http or https URL.
    """
    parts = urlsplit(as_sent(url))
    if parts.scheme not in _PORTS or not parts.hostname or parts.port == 0:
        message = f"{url!r} is no http or https URL"
        raise ValueError(message)
    if parts.username is not None:
        message = f"{url!r} names a user: send credentials as a header"
        raise ValueError(message)
    # As applications write it: in lower case, without the scheme's own port.
    default = _PORTS[parts.scheme]
    netloc = parts.netloc.lower().removesuffix(f":{default}")
    origin = f"{parts.scheme}://{netloc}"
    address = (parts.hostname, parts.port or default)
    return Target(origin + parts.path.rstrip("/"), {origin: address})


_Function = TypeVar("_Function", bound=Callable[..., str])


def needs(*what: Need) -> Callable[[_Function], _Function]:
    """Say what a check has to know of its target; without it, the check is not applicable."""

    def declare(check: _Function) -> _Function:
        check.needs = what  # type: ignore[attr-defined]
        return check

    return declare


def needs_of(check: Callable[..., str]) -> tuple[Need, ...]:
    """What `needs` declared; nothing if it did not."""
    declared: tuple[Need, ...] = getattr(check, "needs", ())
    return declared
