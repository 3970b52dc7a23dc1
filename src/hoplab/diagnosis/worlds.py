"""The ways in which a deployment can be made, and what each shows: by the rules of the predictions.

A `World` is a point of the model: what the proxy does with the prefix, how the application learns
it, what becomes of headers, Host, upgrades and Location. What it shows is not listed: the rules of
`hoplab.predictions` change a request from hop to hop, and their model of Starlette and FastAPI
answers it. Here the application has nothing but a docs page and a few routes, as any has.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from hoplab.catalogue.proxies import Behaviour, Boundary, Host, Treatment, Upgrades
from hoplab.catalogue.servers.server import Address, ForwardedHeaders, RootPath, Server
from hoplab.diagnosis.normal import KEPT, WITHOUT, of_path
from hoplab.diagnosis.words import Question, Symbol
from hoplab.predictions.application import Application
from hoplab.predictions.rules import RULES, Case, Rule, Seen
from hoplab.prefix import Prefix
from hoplab.topology import Cell, Mode, Scheme, Strategy, Topology, Trust

PREFIX = "/p"
ANOTHER = "/another"
_ROUTE, _OPENAPI = "/route", "/openapi.json"


@dataclass(frozen=True)
class Setting:
    """What is known of the public URL, and decides what can be seen.

    https: its scheme. port: whether the URL names one. prefix: whether it has a prefix.
    root_path: what the server does with its option, if it is known which server it is.
    """

    https: bool
    port: bool
    prefix: bool
    root_path: RootPath | None = None


@dataclass(frozen=True)
class World:
    """One way in which a deployment can be made. What is not said is right.

    root: root_path, as it is given. listed: whether two proxies append to X-Forwarded-Proto, and
    the server makes nothing of a list. other_port: whether the proxy puts a port of its own into
    Host.
    rewrites: whether it replaces the upstream's address in Location by its own and the prefix.
    passes_all: whether paths without the prefix reach the application as well. one_path: whether
    the proxy asks for the same path, whatever the client asked. docs_fixed, servers_fixed: whether
    the docs page's link, and the servers of the document, know no root_path. slash: whether one
    slash more than is right stands in the path. again: whether the proxy puts the prefix in front
    of the path that it passes on.
    """

    mode: Mode = Mode.PRESERVE
    strategy: Strategy = Strategy.SERVER_OPTION
    root_path: RootPath = RootPath.LABEL
    root: str | None = None
    trusted: bool = True
    proto: Treatment = Treatment.OVERWRITTEN
    inner: bool = False
    listed: bool = False
    host: Host = Host.KEPT
    other_port: bool = False
    rewrites: bool = False
    upgrades: Upgrades = Upgrades.WEBSOCKET
    boundary: Boundary = Boundary.SEGMENT
    passes_all: bool = False
    docs_fixed: bool = False
    servers_fixed: bool = False
    one_path: bool = False
    slash: bool = False
    again: bool = False
    host_believed: bool = False
    prefix_believed: bool = False
    prefix_sent: bool = True
    unreachable: bool = False
    raises: bool = False
    no_route: bool = False
    cors_twice: bool = False


def shown(world: World, setting: Setting) -> dict[Question, Symbol]:
    """What each question finds in this world. A question that it does not decide is left out."""
    return _Model(world, setting).symbols()


class _Model:
    def __init__(self, world: World, setting: Setting) -> None:
        self.world, self.setting = world, setting
        self.prefix = PREFIX if setting.prefix else ""
        self.case = _case(world, setting, self.prefix)
        self.application = Application(self.case, _rules(world), 0)

    def symbols(self) -> dict[Question, Symbol]:
        found: dict[Question, Symbol] = {
            Question.CORS: "twice" if self.world.cors_twice else "fine",
            **self._scope(),
        }
        scheme = self.application.seen(self.prefix + _ROUTE).scheme
        if self.setting.https:
            # What an application does that redirects http to https; of another, it is not asked.
            found[Question.LOOP] = "itself" if scheme is Scheme.HTTP else "none"
        if self.world.unreachable:
            return {Question.ROUTE: "gateway"}
        if self.world.raises or self.world.one_path:
            found[Question.ROUTE] = "error" if self.world.raises else "same-page"
            return found
        application = self.application
        reached = application.found(_ROUTE) and not self.world.no_route
        found[Question.ROUTE] = "found" if reached else "missing"
        found[Question.UPGRADE] = self._upgrade()
        found[Question.TUNNEL] = "opened" if self._tunnels() else "closed"
        doubled = False
        if self.prefix:
            doubled = application.found(_ROUTE, below=2 * self.prefix) and not self.world.no_route
            found[Question.DOUBLED] = "found" if doubled else "missing"
            outside = self.world.passes_all and application.found(_ROUTE, below="")
            found[Question.UNPREFIXED] = "found" if outside else "missing"
            if reached:
                letters = self.world.boundary is Boundary.LETTERS or self.world.passes_all
                found[Question.BOUNDARY] = "open" if letters else "closed"
        if reached or doubled:
            found |= self._links(self.prefix if reached else 2 * self.prefix)
        return found

    def _links(self, place: str) -> dict[Question, Symbol]:
        """What the answers of an application say that is reached below `place`."""
        seen = self.application.seen(place + _ROUTE)
        root = self.application.root_in_links(seen).rstrip("/")
        in_paths = self.case.cell.strategy is Strategy.ROUTER
        found = {
            Question.DOCS_LINK: of_path(root + _OPENAPI, self.prefix + _OPENAPI, self.prefix),
            # Its servers begin with root_path; or its paths with the prefix, and there are none.
            Question.SERVERS: of_path(root + _ROUTE, self.prefix + _ROUTE, self.prefix),
            **self._redirect(place, seen),
            **self._beliefs(),
        }
        if self.world.docs_fixed:
            found[Question.DOCS_LINK] = WITHOUT
        if self.world.servers_fixed:
            found[Question.SERVERS] = KEPT if in_paths else WITHOUT
        if self.prefix:
            found[Question.PATHS] = "prefixed" if in_paths else "plain"
        return found

    def _redirect(self, place: str, seen: Seen) -> dict[Question, Symbol]:
        path = seen.path + "/"
        host, same_scheme = self._host(), seen.scheme is self.case.cell.scheme
        if self.world.rewrites and seen.scheme is Scheme.HTTP:
            # It takes what it finds of the upstream's address for the place below which it passes
            # on: https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_redirect
            path = (self.prefix if self.world.mode is Mode.STRIP else "") + path
            host, same_scheme = "same", True
        return {
            Question.LINK_SCHEME: "http" if seen.scheme is not self.case.cell.scheme else "same",
            Question.REDIRECT_PATH: of_path(path, f"{place}{_ROUTE}/", self.prefix),
            Question.REDIRECT_SCHEME: "same" if same_scheme else "http",
            Question.REDIRECT_HOST: host,
        }

    def _host(self) -> Symbol:
        if self.world.other_port:
            return "other-port"
        lost = self.application.host_lost()
        if lost == "drops-port":
            return "without-port" if self.setting.port else "same"
        return "upstream" if lost else "same"

    def _beliefs(self) -> dict[Question, Symbol]:
        believed = {
            Question.SPOOFED_SCHEME: self.case.trusted and self.case.passed("X-Forwarded-Proto"),
            Question.SPOOFED_HOST: self.world.host_believed,
            Question.SPOOFED_PREFIX: self.world.prefix_believed,
        }
        return {question: "believed" if yes else "ignored" for question, yes in believed.items()}

    def _upgrade(self) -> Symbol:
        return "not-passed" if self.world.upgrades is Upgrades.NONE else "passed"

    def _tunnels(self) -> bool:
        return self.world.upgrades is Upgrades.ANY and self.case.server.h2c

    def _scope(self) -> dict[Question, Symbol]:
        """What the second eye sees. Not what is inside a mount, nor what routes carry."""
        right = self.prefix + _ROUTE
        seen = self.application.seen(right)
        path = of_path(seen.path, right, self.prefix)
        proto = "right" if self.case.sent("X-Forwarded-Proto") else "missing"
        if self.world.inner and self.setting.https:
            proto = "http"
        if self.world.listed:
            proto = "list"
        host = self._host()
        roots = {self.prefix: "prefix", f"{self.prefix}/": "slash-at-end", "/": "slash"}
        told: dict[Question, Symbol] = {}
        if not (self.world.inner or self.world.listed):  # then it depends on who appends
            told[Question.SCOPE_CLIENT] = "told" if seen.client_known else "peer"
        return {
            **told,
            Question.SCOPE_PATH: path,
            Question.SCOPE_ROOT_PATH: roots.get(seen.root_path, "other")
            if seen.root_path
            else "empty",
            Question.SCOPE_SCHEME: "same" if seen.scheme is self.case.cell.scheme else "http",
            Question.SCOPE_HOST: host,
            Question.SCOPE_PROTO_HEADER: proto,
        }


def _case(world: World, setting: Setting, prefix: str) -> Case:
    topology = Topology("", "", world.mode)
    trust = Trust.PROXY if world.trusted else Trust.NONE
    scheme = Scheme.HTTPS if setting.https else Scheme.HTTP
    behaviour = Behaviour(
        headers={
            "X-Forwarded-Proto": dict.fromkeys(Mode, world.proto),
            "X-Forwarded-For": dict.fromkeys(Mode, Treatment.OVERWRITTEN),
            "X-Forwarded-Prefix": {Mode.STRIP: Treatment.OVERWRITTEN} if world.prefix_sent else {},
        },
        host=world.host,
        upgrades=world.upgrades,
        boundary=world.boundary,
        inner=world.inner,
    )
    cell = Cell(topology, world.strategy, trust, scheme, prefix=Prefix(prefix))
    return Case(cell, behaviour, _server(world.root_path))


def _server(root_path: RootPath) -> Server:
    return Server(
        name="",
        package="",
        minimum="",
        command=(),
        trusts={},
        root_path_option=(),
        environment={},
        root_path=root_path,
        forwarded_headers=ForwardedHeaders.BUILT_IN,
        sees=Address.PEER,
        h2c=True,
    )


def _rules(world: World) -> Sequence[Rule]:
    """Those of the predictions; in the order of the hops, with what only some proxies do."""
    strips, preserves, *later = RULES
    more = []
    if world.slash:
        more.append(_rule("slash", lambda seen: replace(seen, path=f"/{seen.path}")))
    if world.again:
        more.append(_rule("again", lambda seen: replace(seen, path=f"{PREFIX}{seen.path}")))
    if world.root is not None:
        root = world.root
        prepends = world.root_path is RootPath.PREPENDED

        def rooted(seen: Seen) -> Seen:
            return replace(seen, root_path=root, path=root * prepends + seen.path)

        more.append(_rule("root", rooted))
        later = [rule for rule in later if not rule.name.startswith("root-path")]
    return (strips, preserves, *more, *later)


def _rule(name: str, change: Any) -> Rule:
    return Rule(name, "", (), lambda _: True, lambda _, seen: change(seen))
