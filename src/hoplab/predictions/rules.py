"""What one hop after the other does to a request, by what proxies and servers do."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from hoplab.catalogue.proxies import Behaviour, Treatment
from hoplab.catalogue.servers.server import Address, RootPath, Server
from hoplab.prefix import Prefix
from hoplab.topology import Cell, Mode, Scheme, Strategy, Trust


@dataclass(frozen=True)
class Case:
    """A cell, and what its proxy and its server do."""

    cell: Cell
    proxy: Behaviour
    server: Server

    @property
    def prefix(self) -> Prefix:
        """The public one."""
        return self.cell.prefix

    @property
    def trusted(self) -> bool:
        """Whether the proxy's forwarded headers are believed."""
        return self.cell.trust is not Trust.NONE

    def sent(self, header: str) -> bool:
        """Whether the proxy itself puts this header there."""
        return self.proxy.sends(header, self.cell.topology.mode)

    def passed(self, header: str) -> bool:
        """Whether a client's own header of this name arrives as it is."""
        treatment = self.proxy.treats(header, self.cell.topology.mode)
        return treatment in {Treatment.PASSED, Treatment.KEPT}

    def appended(self, header: str) -> bool:
        """Whether it arrives with more behind it."""
        return self.proxy.treats(header, self.cell.topology.mode) is Treatment.APPENDED


@dataclass(frozen=True)
class Seen:
    """A request as one hop hands it to the next: what of the ASGI scope matters here.

    Both paths are decoded, whatever form the server's option was given in.
    """

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
    applies: Callable[[Case], bool]
    change: Callable[[Case, Seen], Seen]


def under(path: str, prefix: str) -> bool:
    """Whether a path is the prefix, or below it."""
    return path == prefix or path.startswith(prefix + "/")


def _as_it_is(_case: Case, seen: Seen) -> Seen:
    return seen


def _stripped(case: Case, seen: Seen) -> Seen:
    return replace(seen, path=seen.path.removeprefix(case.prefix.decoded) or "/")


def _prepended(case: Case, seen: Seen) -> Seen:
    prefix = case.prefix.decoded
    return replace(seen, root_path=prefix, path=prefix + seen.path)


def _labelled(case: Case, seen: Seen) -> Seen:
    return replace(seen, root_path=case.prefix.decoded)


def _believed(case: Case, seen: Seen) -> Seen:
    if case.proxy.inner:
        return seen
    client = case.sent("X-Forwarded-For")
    told = case.sent("X-Forwarded-Proto") and (client or not case.server.proto_needs_for)
    return replace(seen, scheme=case.cell.scheme if told else seen.scheme, client_known=client)


def _believed_of_anybody(_case: Case, seen: Seen) -> Seen:
    return replace(seen, strangers_believed=True)


def _fixed(case: Case, seen: Seen) -> Seen:
    prefix = case.prefix.decoded
    path = seen.path if under(seen.path, prefix) else prefix + seen.path
    return replace(seen, root_path=prefix, path=path)


def reads_prefix_header(case: Case) -> bool:
    """Whether the middleware takes the prefix from the header: it has to see who the peer is."""
    return (
        case.cell.strategy is Strategy.FORWARDED_PREFIX
        and case.server.sees is Address.PEER
        and case.trusted
        and case.sent("X-Forwarded-Prefix")
    )


def _by_option(case: Case, root_path: RootPath) -> bool:
    by_option = case.cell.strategy is Strategy.SERVER_OPTION
    return by_option and case.server.root_path is root_path


_BEHIND_A_PROXY = "https://fastapi.tiangolo.com/advanced/behind-a-proxy/"
_FASTAPI_SAYS = "https://github.com/fastapi/fastapi/pull/14238"
_STARLETTE = "https://github.com/Kludex/starlette/pull/2400"

RULES: Sequence[Rule] = (
    Rule(
        "strip",
        "The proxy removes the prefix: the server is asked for /app.",
        [_BEHIND_A_PROXY],
        lambda case: case.cell.topology.mode is Mode.STRIP,
        _stripped,
    ),
    Rule(
        "preserve",
        "The proxy leaves the prefix: the server is asked for the public path.",
        [_BEHIND_A_PROXY],
        lambda case: case.cell.topology.mode is Mode.PRESERVE and bool(case.prefix.encoded),
        _as_it_is,
    ),
    Rule(
        "headers-ignored",
        "The server believes no forwarded header: the client is the proxy, the scheme is http.",
        [_BEHIND_A_PROXY],
        lambda case: not case.trusted,
        _as_it_is,
    ),
    Rule(
        "headers-believed",
        "The server takes client and scheme from the X-Forwarded-For and -Proto that the proxy"
        " writes.",
        [_BEHIND_A_PROXY],
        lambda case: case.trusted,
        _believed,
    ),
    Rule(
        "anybody-believed",
        "With trust in everybody, a client that gets past the proxy is believed as well.",
        [_BEHIND_A_PROXY],
        lambda case: case.cell.trust is Trust.ANY,
        _believed_of_anybody,
    ),
    Rule(
        "untold",
        "Nobody tells the application its prefix: root_path stays empty.",
        [_BEHIND_A_PROXY],
        lambda case: case.cell.strategy is Strategy.NONE and bool(case.prefix.encoded),
        _as_it_is,
    ),
    Rule(
        "root-path-prepended",
        "The server puts its root path option in front of the path that arrives.",
        ["https://github.com/Kludex/uvicorn/pull/2213"],
        lambda case: _by_option(case, RootPath.PREPENDED),
        _prepended,
    ),
    Rule(
        "root-path-label",
        "The server's root path option only sets root_path; the path stays as it arrives.",
        [_FASTAPI_SAYS],
        lambda case: _by_option(case, RootPath.LABEL),
        _labelled,
    ),
    Rule(
        "root-path-argument",
        "FastAPI(root_path=) only sets root_path, under any server; the path stays as it arrives.",
        [_FASTAPI_SAYS],
        lambda case: case.cell.strategy is Strategy.APP_ARGUMENT,
        _labelled,
    ),
    Rule(
        "prefix-header",
        "The middleware puts X-Forwarded-Prefix of a trusted proxy in front of every path.",
        [_STARLETTE],
        reads_prefix_header,
        _prepended,
    ),
    Rule(
        "prefix-fixed",
        "Without a header, the middleware puts the fixed prefix in front of paths that lack it.",
        [_STARLETTE],
        lambda case: (
            case.cell.strategy is Strategy.FORWARDED_PREFIX and not reads_prefix_header(case)
        ),
        _fixed,
    ),
)
