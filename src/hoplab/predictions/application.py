"""The application under test, as far as routes and URLs go: which symptom each check must find."""

from collections.abc import Sequence
from dataclasses import replace

from hoplab import forwarded
from hoplab.catalogue.proxies import Boundary, Host, PathForm, Upgrades
from hoplab.catalogue.servers.server import Address
from hoplab.client.probe import NO_ROUTE, WRONG
from hoplab.predictions.rules import Case, Rule, Seen, reads_prefix_header, under
from hoplab.topology import Strategy, Trust

_PAGES = ("/", "/app", "/items/", "/scope", "/docs")
"""Routes that a prefix may look like, or lead to: `/items/` below `/items` is `/` of the rest."""


class Application:
    """Starlette and FastAPI, in one case.

    Starlette (`get_route_path`) removes root_path from a path that begins with it, and looks for a
    route at the rest. A Mount adds its own path to root_path. `request.url`, redirects and
    `url_for` begin with scheme, Host and path or root_path of the scope; FastAPI's docs pages and
    `servers` know root_path alone. See https://github.com/Kludex/starlette/pull/2400.
    """

    def __init__(self, case: Case, rules: Sequence[Rule], body: int) -> None:
        self.case = case
        self.prefix = case.prefix.decoded
        self.rules = [rule for rule in rules if rule.applies(case)]
        self.body = body
        self._seen: dict[str, Seen] = {}
        self.under_prefix = case.cell.strategy in {Strategy.ROUTER, Strategy.MOUNT}
        self.root_path = "" if case.cell.strategy is Strategy.ROUTER else self.prefix

    def symptoms(self) -> dict[str, str | None]:
        """Each check's symptom, or None where it passes; the first that it meets, as the check."""
        seen = self.seen(f"{self.prefix}/scope")
        root_lost = self.inner_root(seen) != self.root_path
        mounts = self.mount_found("/sub", "/app")
        asked = self.found("/scope")
        return {
            "reach": self.reach(root_lost=root_lost),
            "slash-redirect": self.slash_redirect(),
            "docs": self.docs(seen),
            "servers": self.servers(seen, mounts=mounts),
            "url-for": self.url(seen, "url") if asked else NO_ROUTE,
            "mount": self.mount(seen, root_lost=root_lost, mounts=mounts),
            "static": self.url(seen, "url") if mounts else "static-unreachable",
            "websocket": self.websocket(seen, root_lost=root_lost, mounts=mounts),
            "client": self.client(seen) if asked else NO_ROUTE,
            "spoof": self.spoof() if asked else NO_ROUTE,
            "bypass": self.bypass(seen) if asked else NO_ROUTE,
            "boundary": self.boundary(),
            "prefix-once": self.prefix_once(),
            "websocket-messages": self.messages(),
            "stream": self.stream() if self.found("/events") else NO_ROUTE,
        }

    def seen(self, public_path: str) -> Seen:
        """What the application gets when the client asks for this path of the public origin."""
        if public_path not in self._seen:
            seen = Seen(public_path)
            for rule in self.rules:
                seen = rule.change(self.case, seen)
            self._seen[public_path] = seen
        return self._seen[public_path]

    def inner_root(self, seen: Seen) -> str:
        """root_path where the routes are: inside the outer application of strategy `mount`."""
        return seen.root_path + self.prefix * (self.case.cell.strategy is Strategy.MOUNT)

    def root_in_links(self, seen: Seen) -> str:
        """What FastAPI puts in front of the links of its docs pages."""
        is_router = self.case.cell.strategy is Strategy.ROUTER
        return self.prefix if is_router else self.inner_root(seen)

    def found(self, route: str, below: str | None = None) -> bool:
        """Whether the client reaches this route of the application at its public path."""
        return self.at(self.seen((self.prefix if below is None else below) + route), route)

    def at(self, seen: Seen, *routes: str) -> bool:
        """Whether one of these routes answers this request."""
        rest = route_path(seen.path, seen.root_path)
        return any(rest == self.prefix * self.under_prefix + route for route in routes)

    def redirected(self, seen: Seen) -> Seen | None:
        """Where Starlette redirects a path that lacks the slash of a route; None if it does not."""
        slashed = replace(seen, path=f"{seen.path}/")
        return slashed if self.at(slashed, *_PAGES) else None

    def public(self, path: str) -> bool:
        """Whether a link to this path leads to a route: it has to be below the prefix."""
        return under(path, self.prefix) and self.found(path.removeprefix(self.prefix))

    def mount_found(self, mount: str, route: str) -> bool:
        """Whether a route inside a mount is reached: the mount's path joins root_path."""
        seen = self.seen(self.prefix + mount + route)
        inside = seen.root_path + self.prefix * self.under_prefix + mount
        return self.found(mount + route) and route_path(seen.path, inside) == route

    def reach(self, *, root_lost: bool) -> str | None:
        """The first route, and what it says of root_path."""
        if not self.found("/app"):
            return NO_ROUTE
        return "root-path-missing" if root_lost else None

    def slash_redirect(self) -> str | None:
        """`/items` is redirected to its route with the slash; what is right about that answers."""
        to = self.redirected(self.seen(f"{self.prefix}/items"))
        return self.url(to, "redirect", "/items/") if to else NO_ROUTE

    def docs(self, seen: Seen) -> str | None:
        """The docs page, and the OpenAPI document where it looks for it."""
        if not self.found("/docs"):
            return "docs-unreachable"
        found = self.public(self.root_in_links(seen) + "/openapi.json")
        return None if found else "docs-openapi-404"

    def url(self, seen: Seen, what: str, route: str = "/scope") -> str | None:
        """What is wrong with the `redirect` or `url` to a route that the application makes."""
        if lost := self.host_lost():
            return f"{what}-{lost}"
        if seen.scheme is not self.case.cell.scheme:
            return f"{what}-wrong-scheme"
        # A route that was found has the prefix in its path, or nothing in front of it.
        return None if seen.path == self.prefix + route else f"{what}-drops-prefix"

    def host_lost(self) -> str | None:
        """What the application does not learn of the public name: all of it, or the port."""
        case = self.case
        if case.proxy.host is Host.WITHOUT_PORT:
            return "drops-port"
        told = case.server.host_header and case.trusted and case.sent("X-Forwarded-Host")
        return "wrong-host" if case.proxy.host is Host.UPSTREAM and not told else None

    def servers(self, seen: Seen, *, mounts: bool) -> str | None:
        """The operations of the OpenAPI document are below root_path; its variants are mounted."""
        if not self.found("/openapi.json"):
            return NO_ROUTE
        if not self.public(self.root_in_links(seen) + "/app"):
            return "servers-wrong"
        return None if mounts else "mount-unreachable"

    def mount(self, seen: Seen, *, root_lost: bool, mounts: bool) -> str | None:
        """A route and a redirect inside, with the mount's path in root_path."""
        if not mounts:
            return "mount-unreachable"
        return "mount-wrong-root-path" if root_lost else self.url(seen, "redirect")

    def websocket(self, seen: Seen, *, root_lost: bool, mounts: bool) -> str | None:
        """Outside and inside a mount."""
        if self.case.proxy.upgrades is Upgrades.NONE or not self.found("/ws"):
            return "websocket-refused"
        if seen.scheme is not self.case.cell.scheme:
            return "websocket-wrong-scheme"
        if root_lost:
            return "websocket-wrong-root-path"
        return None if mounts else "websocket-refused"

    def messages(self) -> str | None:
        """Over a WebSocket outside the mounts; the proxies here pass them on unchanged."""
        upgraded = self.case.proxy.upgrades is not Upgrades.NONE
        return None if upgraded and self.found("/ws/mirror") else "websocket-refused"

    def client(self, seen: Seen) -> str | None:
        """Scheme, Host, address: as the proxy saw them."""
        if seen.scheme is not self.case.cell.scheme:
            return "scheme-wrong"
        if self.host_lost():
            return "host-wrong"
        return None if seen.client_known else "client-wrong"

    def spoof(self) -> str | None:
        """What of a client's own headers is believed, in the order in which the check looks."""
        case = self.case
        leftmost = case.server.any_takes_leftmost and case.cell.trust is Trust.ANY
        if case.trusted:
            if case.passed("X-Forwarded-For") or (case.appended("X-Forwarded-For") and leftmost):
                return "client-spoofable"
            with_for = case.sent("X-Forwarded-For") or not case.server.proto_needs_for
            if case.passed("X-Forwarded-Proto") and with_for:
                return "scheme-spoofable"
            if self.prefix_believed():
                return "prefix-spoofable"
            if case.server.host_header and case.passed("X-Forwarded-Host"):
                return "host-spoofable"
        if any(case.passed(header) or case.appended(header) for header in forwarded.HEADERS):
            return "forwarded-passed-on"
        return None

    def bypass(self, seen: Seen) -> str | None:
        """A client that got past the proxy, from an address that is not the proxy's."""
        return "direct-spoofable" if seen.strangers_believed else None

    def prefix_believed(self) -> bool:
        """Whether the middleware takes a client's own X-Forwarded-Prefix."""
        case = self.case
        asked = case.cell.strategy is Strategy.FORWARDED_PREFIX and not reads_prefix_header(case)
        return asked and case.server.sees is Address.PEER and case.passed("X-Forwarded-Prefix")

    def boundary(self) -> str | None:
        """What is outside the prefix; upgrades; the path's form."""
        if self.case.proxy.boundary is Boundary.LETTERS:
            return "prefix-leaks"
        if self.case.proxy.upgrades is Upgrades.ANY and self.case.server.h2c:
            return "tunnel-opened"
        if not self.found("/scope"):
            return NO_ROUTE
        return "path-altered" if self.case.proxy.path is PathForm.DECODED else None

    def prefix_once(self) -> str | None:
        """A route that begins like the prefix; the prefix twice; the bare prefix."""
        if not self.prefix:
            return None
        if self.found("/app") and not self.found(f"{self.prefix}/nested"):
            return "prefix-stripped-twice"
        if self.found("/app", below=self.prefix + self.prefix):
            return "prefix-leaks"
        bare = (self.bare(self.seen(self.prefix + slash)) for slash in ("", "/"))
        return next((wrong for wrong in bare if wrong), None)

    def bare(self, seen: Seen) -> str | None:
        """The bare prefix answers, or is redirected to the same with a slash."""
        if self.at(seen, *_PAGES):
            return None if self.at(seen, "/") else WRONG  # a route that begins like the prefix
        to = self.redirected(seen)  # where that leads is asked next
        return "bare-prefix-broken" if to is None or self.url(to, "redirect", "/") else None

    def stream(self) -> str | None:
        """Events one by one, and a large body."""
        if self.case.proxy.buffers:
            return "stream-buffered"
        limit = self.case.proxy.body_limit
        return "body-refused" if limit is not None and self.body > limit else None


def route_path(path: str, root_path: str) -> str:
    """Where Starlette looks for a route: the path without the root_path with which it begins."""
    return path.removeprefix(root_path) if root_path and under(path, root_path) else path
