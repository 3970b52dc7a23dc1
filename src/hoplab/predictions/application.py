"""The application under test, as far as routes and URLs go: which symptom each check must find."""

from collections.abc import Sequence

from hoplab.catalogue.proxies import FORWARDED_HEADERS, Boundary, Host, PathForm, Upgrades
from hoplab.predictions.rules import Case, Rule, Seen, reads_prefix_header, under
from hoplab.topology import Strategy, Trust

_UNREACHED = {
    "reach": "unreachable",
    "slash-redirect": "redirect-broken",
    "docs": "docs-unreachable",
    "servers": "servers-wrong",
    "url-for": "url-for-broken",
    "mount": "mount-unreachable",
    "static": "static-unreachable",
    "websocket": "websocket-refused",
    "client": "unreachable",
    "spoof": "unreachable",
    "stream": "unreachable",
}


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
        self.under_prefix = case.cell.strategy in {Strategy.ROUTER, Strategy.MOUNT}
        self.root_path = "" if case.cell.strategy is Strategy.ROUTER else self.prefix

    def symptoms(self) -> dict[str, str | None]:
        """Each check's symptom, or None where it passes; the first that it meets, as the check."""
        if not self.found("/app"):
            return {**_UNREACHED, "boundary": self.boundary(reached=False)}
        seen = self.seen(f"{self.prefix}/scope")
        root_lost = self.inner_root(seen) != self.root_path
        mounts = self.mount_found("/sub", "/app")
        docs_found = self.public(self.root_in_links(seen) + "/openapi.json")
        asked = self.found("/scope")
        redirect = self.url(seen, "redirect", "redirect-drops-prefix")
        mount = self.url(seen, "redirect", "mount-unreachable")
        return {
            "reach": "root-path-missing" if root_lost else None,
            "slash-redirect": redirect if self.found("/items/") else "redirect-broken",
            "docs": None if docs_found else "docs-openapi-404",
            "servers": self.servers(docs_found=docs_found, mounts=mounts),
            "url-for": self.url(seen, "url", "url-drops-prefix") if asked else "url-for-broken",
            "mount": mount if mounts and not root_lost else "mount-unreachable",
            "static": self.static(seen, mounts=mounts),
            "websocket": self.websocket(seen, root_lost=root_lost, mounts=mounts),
            "client": self.client(seen) if asked else "unreachable",
            "spoof": self.spoof(seen) if asked else "unreachable",
            "boundary": self.boundary(reached=True),
            "stream": self.stream(),
        }

    def seen(self, public_path: str) -> Seen:
        """What the application gets when the client asks for a path below the prefix."""
        seen = Seen(public_path)
        for rule in self.rules:
            seen = rule.change(self.case, seen)
        return seen

    def inner_root(self, seen: Seen) -> str:
        """root_path where the routes are: inside the outer application of strategy `mount`."""
        return seen.root_path + self.prefix * (self.case.cell.strategy is Strategy.MOUNT)

    def root_in_links(self, seen: Seen) -> str:
        """What FastAPI puts in front of the links of its docs pages."""
        is_router = self.case.cell.strategy is Strategy.ROUTER
        return self.prefix if is_router else self.inner_root(seen)

    def found(self, route: str, below: str | None = None) -> bool:
        """Whether the client reaches this route of the application at its public path."""
        seen = self.seen((self.prefix if below is None else below) + route)
        rest = _route_path(seen.path, seen.root_path)
        return rest == self.prefix * self.under_prefix + route

    def public(self, path: str) -> bool:
        """Whether a link to this path leads to a route: it has to be below the prefix."""
        return under(path, self.prefix) and self.found(path.removeprefix(self.prefix))

    def mount_found(self, mount: str, route: str) -> bool:
        """Whether a route inside a mount is reached: the mount's path joins root_path."""
        seen = self.seen(self.prefix + mount + route)
        inside = seen.root_path + self.prefix * self.under_prefix + mount
        return self.found(mount + route) and _route_path(seen.path, inside) == route

    def url(self, seen: Seen, what: str, prefix_symptom: str) -> str | None:
        """What is wrong with a URL that the application makes: `redirect` or `url`."""
        if lost := self.host_lost():
            return f"{what}-{lost}"
        if seen.scheme is not self.case.cell.scheme:
            return f"{what}-wrong-scheme"
        return None if under(seen.path, self.prefix) else prefix_symptom

    def host_lost(self) -> str | None:
        """What the application does not learn of the public name: all of it, or the port."""
        case = self.case
        if case.server.host_header and case.trusted and case.sent("X-Forwarded-Host"):
            return None
        lost = {Host.UPSTREAM: "wrong-host", Host.WITHOUT_PORT: "drops-port"}
        return lost.get(case.proxy.host)

    def servers(self, *, docs_found: bool, mounts: bool) -> str | None:
        """The OpenAPI document is where the docs page looks for it; its variants are mounted."""
        if not docs_found:
            return "servers-wrong"
        return None if mounts else "mount-unreachable"

    def static(self, seen: Seen, *, mounts: bool) -> str | None:
        """Mounted; and its URL is followed."""
        wrong = self.url(seen, "url", "url-drops-prefix")
        return "static-unreachable" if wrong or not mounts else None

    def websocket(self, seen: Seen, *, root_lost: bool, mounts: bool) -> str | None:
        """Outside and inside a mount."""
        if self.case.proxy.upgrades is Upgrades.NONE:
            return "websocket-refused"
        if seen.scheme is not self.case.cell.scheme:
            return "websocket-wrong-scheme"
        if root_lost:
            return "websocket-wrong-root-path"
        return None if mounts else "websocket-refused"

    def client(self, seen: Seen) -> str | None:
        """Scheme, Host, address: as the proxy saw them."""
        if seen.scheme is not self.case.cell.scheme:
            return "scheme-wrong"
        if self.host_lost():
            return "host-wrong"
        return None if seen.client_known else "client-is-proxy"

    def spoof(self, seen: Seen) -> str | None:
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
        if any(case.passed(header) or case.appended(header) for header in FORWARDED_HEADERS):
            return "forwarded-passed-on"
        return "direct-spoofable" if seen.strangers_believed else None

    def prefix_believed(self) -> bool:
        """Whether the middleware takes a client's own X-Forwarded-Prefix."""
        case = self.case
        asked = case.cell.strategy is Strategy.FORWARDED_PREFIX and not reads_prefix_header(case)
        return asked and case.server.sees.value == "peer" and case.passed("X-Forwarded-Prefix")

    def boundary(self, *, reached: bool) -> str | None:
        """The prefix, doubled and bare; upgrades; the path's form."""
        if self.case.proxy.boundary is Boundary.LETTERS:
            return "prefix-leaks"
        if reached and not self.found(f"{self.prefix}/nested"):
            return "prefix-stripped-twice"
        if self.found("/app", below=self.prefix + self.prefix):
            return "prefix-leaks"
        if self.case.proxy.upgrades is Upgrades.ANY and self.case.server.h2c:
            return "tunnel-opened"
        bare = self.seen(self.prefix)
        # The bare prefix is redirected to the same with a slash, unless the proxy has made / of it.
        redirected = not bare.path.endswith("/")
        wrong = redirected and (bare.scheme is not self.case.cell.scheme or self.host_lost())
        if not reached or wrong:
            return "bare-prefix-broken"
        return "path-altered" if self.case.proxy.path is PathForm.DECODED else None

    def stream(self) -> str | None:
        """Events one by one, and a large body."""
        if self.case.proxy.buffers:
            return "stream-buffered"
        limit = self.case.proxy.body_limit
        return "body-refused" if limit is not None and self.body > limit else None


def _route_path(path: str, root_path: str) -> str:
    return path.removeprefix(root_path) if root_path and under(path, root_path) else path
