"""What each cell must show, derived from a few rules about proxies, servers and the framework.

`RULES` say what one hop after the other does to the request. What the application then answers
follows from how Starlette and FastAPI make URLs and choose routes, which `_Application` models.
None of it is a record of a run: `hoplab matrix` compares the two.

The cells of a variation have their predictions in the variation's own file, unless that changes
nothing, and only gives a name to cells of the product.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from hoplab.catalogue.variations import Symptoms, Variation
from hoplab.topology import PREFIX, Cell, Mode, Scheme, Strategy, Trust


@dataclass(frozen=True)
class Seen:
    """A request as one hop hands it to the next: what of the ASGI scope matters here."""

    path: str
    root_path: str = ""
    scheme: Scheme = Scheme.HTTP
    client_known: bool = False
    strangers_believed: bool = False


@dataclass(frozen=True)
class Rule:
    """What one hop does in some cells, and where that is documented or was found."""

    name: str
    statement: str
    references: Sequence[str]
    applies: Callable[[Cell], bool]
    change: Callable[[Cell, Seen], Seen]


def predict(
    cell: Cell, variations: Mapping[str, Variation], rules: "Sequence[Rule] | None" = None
) -> Symptoms:
    """The symptom of every check that must fail in this cell; the others must not."""
    if cell.variation and (stated := variations[cell.variation].symptoms[cell]) is not None:
        return stated
    found = _Application(cell, RULES if rules is None else rules).symptoms()
    return {check: symptom for check, symptom in found.items() if symptom}


def because(cell: Cell) -> list[Rule]:
    """The rules that hold in this cell, in the order of the hops."""
    return [rule for rule in RULES if rule.applies(cell)]


def _under(path: str, prefix: str) -> bool:
    return path == prefix or path.startswith(prefix + "/")


def _stripped(_cell: Cell, seen: Seen) -> Seen:
    return replace(seen, path=seen.path.removeprefix(PREFIX) or "/")


def _prepended(_cell: Cell, seen: Seen) -> Seen:
    return replace(seen, root_path=PREFIX, path=PREFIX + seen.path)


def _labelled(_cell: Cell, seen: Seen) -> Seen:
    return replace(seen, root_path=PREFIX)


def _believed(cell: Cell, seen: Seen) -> Seen:
    return replace(seen, scheme=cell.scheme, client_known=True)


def _believed_of_anybody(_cell: Cell, seen: Seen) -> Seen:
    return replace(seen, strangers_believed=True)


def _fixed(_cell: Cell, seen: Seen) -> Seen:
    path = seen.path if _under(seen.path, PREFIX) else PREFIX + seen.path
    return replace(seen, root_path=PREFIX, path=path)


_UVICORN = {"uvicorn", "fastapi"}  # `fastapi run` is Uvicorn


def _reads_prefix_header(cell: Cell) -> bool:
    """Uvicorn hides the peer: the middleware can't tell whom to believe, its prefix is fixed."""
    return (
        cell.strategy is Strategy.FORWARDED_PREFIX
        and cell.topology.server not in _UVICORN
        and cell.trust is not Trust.NONE
        and cell.topology.mode is Mode.STRIP
    )


RULES: Sequence[Rule] = (
    Rule(
        "strip",
        "The proxy removes the prefix: the server is asked for /app.",
        ["https://fastapi.tiangolo.com/advanced/behind-a-proxy/"],
        lambda cell: cell.topology.mode is Mode.STRIP,
        _stripped,
    ),
    Rule(
        "preserve",
        "The proxy leaves the prefix: the server is asked for /api/v1/app.",
        [
            "https://doc.traefik.io/traefik/reference/routing-configuration/http/middlewares/stripprefix/"
        ],
        lambda cell: cell.topology.mode is Mode.PRESERVE,
        lambda _cell, seen: seen,
    ),
    Rule(
        "headers-ignored",
        "The server believes no forwarded header: the client is the proxy, the scheme is http.",
        ["https://uvicorn.dev/deployment/#proxies-and-forwarded-headers"],
        lambda cell: cell.trust is Trust.NONE,
        lambda _cell, seen: seen,
    ),
    Rule(
        "headers-believed",
        "The server takes client and scheme from the proxy's X-Forwarded-For and -Proto.",
        ["https://uvicorn.dev/deployment/#proxies-and-forwarded-headers"],
        lambda cell: cell.trust is not Trust.NONE,
        _believed,
    ),
    Rule(
        "anybody-believed",
        "With *, or ProxyFixMiddleware alone, whoever gets past the proxy is believed as well.",
        [
            "https://uvicorn.dev/deployment/#proxies-and-forwarded-headers",
            "https://hypercorn.readthedocs.io/en/latest/how_to_guides/proxy_fix.html",
        ],
        lambda cell: cell.trust is Trust.ANY,
        _believed_of_anybody,
    ),
    Rule(
        "untold",
        "Nobody tells the application its prefix: root_path stays empty.",
        ["https://fastapi.tiangolo.com/advanced/behind-a-proxy/"],
        lambda cell: cell.strategy is Strategy.NONE,
        lambda _cell, seen: seen,
    ),
    Rule(
        "root-path-prepended",
        "Uvicorn (and so `fastapi run`) puts --root-path in front of the path that arrives.",
        ["https://github.com/Kludex/uvicorn/pull/2213"],
        lambda cell: cell.strategy is Strategy.SERVER_OPTION and cell.topology.server in _UVICORN,
        _prepended,
    ),
    Rule(
        "root-path-label",
        "Hypercorn's --root-path only sets root_path; the path stays as it arrives.",
        ["https://github.com/fastapi/fastapi/pull/14238"],
        lambda cell: (
            cell.strategy is Strategy.SERVER_OPTION and cell.topology.server not in _UVICORN
        ),
        _labelled,
    ),
    Rule(
        "root-path-argument",
        "FastAPI(root_path=) only sets root_path, under any server; the path stays as it arrives.",
        ["https://github.com/fastapi/fastapi/pull/14238"],
        lambda cell: cell.strategy is Strategy.APP_ARGUMENT,
        _labelled,
    ),
    Rule(
        "prefix-header",
        "The middleware puts X-Forwarded-Prefix of a trusted proxy in front of every path.",
        ["https://github.com/Kludex/starlette/pull/2400"],
        _reads_prefix_header,
        _prepended,
    ),
    Rule(
        "prefix-fixed",
        "Without a header, the middleware puts the fixed prefix in front of paths that lack it.",
        ["https://github.com/Kludex/starlette/pull/2400"],
        lambda cell: cell.strategy is Strategy.FORWARDED_PREFIX and not _reads_prefix_header(cell),
        _fixed,
    ),
)


class _Application:
    """The application under test, as far as routes and URLs go.

    Starlette (`get_route_path`) removes root_path from a path that begins with it, and looks for a
    route at the rest. A Mount adds its own path to root_path. `request.url`, redirects and
    `url_for` begin with scheme, Host and path or root_path of the scope; FastAPI's docs pages and
    `servers` know root_path alone. See https://github.com/Kludex/starlette/pull/2400.
    """

    def __init__(self, cell: Cell, rules: Sequence[Rule]) -> None:
        self.cell = cell
        self.rules = [rule for rule in rules if rule.applies(cell)]
        self.under_prefix = cell.strategy in {Strategy.ROUTER, Strategy.MOUNT}
        self.root_path = "" if cell.strategy is Strategy.ROUTER else PREFIX

    def symptoms(self) -> dict[str, str | None]:
        """Each check's symptom, or None where it passes; the first that it meets, as the check."""
        seen = self.seen(f"{PREFIX}/scope")
        reached = self.found("/app")
        wrong_scheme = seen.scheme is not self.cell.scheme
        prefix_lost = not _under(seen.path, PREFIX)
        root_lost = self.inner_root(seen) != self.root_path
        mounts = self.mount_found("/sub", "/app")

        def url(what: str, prefix_symptom: str) -> str | None:
            return f"{what}-wrong-scheme" if wrong_scheme else prefix_symptom * prefix_lost or None

        if not reached:
            return {
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
                "boundary": self.boundary(reached=False),
                "stream": "unreachable",
            }
        docs_found = self.public(self.root_in_links(seen) + "/openapi.json")
        mounted_right = mounts and not root_lost
        return {
            "reach": "root-path-missing" if root_lost else None,
            "slash-redirect": url("redirect", "redirect-drops-prefix"),
            "docs": None if docs_found else "docs-openapi-404",
            "servers": self.servers(docs_found, mounts),
            "url-for": url("url", "url-drops-prefix"),
            "mount": url("redirect", "mount-unreachable") if mounted_right else "mount-unreachable",
            "static": "static-unreachable" if wrong_scheme or prefix_lost or not mounts else None,
            "websocket": self.websocket(wrong_scheme, root_lost, mounts),
            "client": self.client(seen),
            "spoof": "direct-spoofable" if seen.strangers_believed else None,
            "boundary": self.boundary(reached=True),
            "stream": None,
        }

    def seen(self, public_path: str) -> Seen:
        """What the application gets when the client asks for a path below the prefix."""
        seen = Seen(public_path)
        for rule in self.rules:
            seen = rule.change(self.cell, seen)
        return seen

    def inner_root(self, seen: Seen) -> str:
        """root_path where the routes are: inside the outer application of strategy `mount`."""
        return seen.root_path + PREFIX * (self.cell.strategy is Strategy.MOUNT)

    def root_in_links(self, seen: Seen) -> str:
        """What FastAPI puts in front of the links of its docs pages."""
        return PREFIX if self.cell.strategy is Strategy.ROUTER else self.inner_root(seen)

    def found(self, route: str, below: str = PREFIX) -> bool:
        """Whether the client reaches this route of the application at its public path."""
        seen = self.seen(below + route)
        rest = _route_path(seen.path, seen.root_path)
        return rest == PREFIX * self.under_prefix + route

    def public(self, path: str) -> bool:
        """Whether a link to this path leads to a route: it has to be below the prefix."""
        return _under(path, PREFIX) and self.found(path.removeprefix(PREFIX))

    def mount_found(self, mount: str, route: str) -> bool:
        """Whether a route inside a mount is reached: the mount's path joins root_path."""
        seen = self.seen(PREFIX + mount + route)
        inside = seen.root_path + PREFIX * self.under_prefix + mount
        return self.found(mount + route) and _route_path(seen.path, inside) == route

    def servers(self, docs_found: bool, mounts: bool) -> str | None:  # noqa: FBT001
        if not docs_found:
            return "servers-wrong"
        return None if mounts else "mount-unreachable"

    def websocket(self, wrong_scheme: bool, root_lost: bool, mounts: bool) -> str | None:  # noqa: FBT001
        if wrong_scheme:
            return "websocket-wrong-scheme"
        if root_lost:
            return "websocket-wrong-root-path"
        return None if mounts else "websocket-refused"

    def client(self, seen: Seen) -> str | None:
        if seen.scheme is not self.cell.scheme:
            return "scheme-wrong"
        return None if seen.client_known else "client-is-proxy"

    def boundary(self, *, reached: bool) -> str | None:
        if reached and not self.found(f"{PREFIX}/nested"):
            return "prefix-stripped-twice"
        if self.found("/app", below=PREFIX + PREFIX):
            return "prefix-leaks"
        bare = self.seen(PREFIX)
        # The bare prefix is redirected to the same with a slash, unless the proxy has made / of it.
        wrong = not bare.path.endswith("/") and bare.scheme is not self.cell.scheme
        return "bare-prefix-broken" if not reached or wrong else None


def _route_path(path: str, root_path: str) -> str:
    return path.removeprefix(root_path) if root_path and _under(path, root_path) else path
