"""What an ASGI server is: how it is started, and what it does to a request."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from hoplab.catalogue.placeholders import filled
from hoplab.prefix import Prefix
from hoplab.symptom import Advice
from hoplab.topology import Mode, Profile, Setup, Strategy, Trust


class RootPath(StrEnum):
    """What the server makes of its root path option."""

    PREPENDED = "prepended"  # root_path, and put in front of the path that arrives
    LABEL = "label"  # root_path alone; the path stays as it arrives


class ForwardedHeaders(StrEnum):
    """Who reads X-Forwarded-For and -Proto."""

    BUILT_IN = "built-in"  # the server, by an option
    WRAPPER = "wrapper"  # a layer around the application, in app/NAME/


class Address(StrEnum):
    """Whose address the outermost layer of the application sees, if the proxy is trusted."""

    CLIENT = "client"
    PEER = "peer"


class Launch(StrEnum):
    """How a process of it starts fastest."""

    FORK = "fork"  # from a process that has imported it
    EXEC = "exec"  # as a program of its own: it has threads, or starts others, early


@dataclass(frozen=True)
class Start:
    """What a command line is made from.

    `proxies` are the addresses and networks, separated by commas, that the proxy comes from.
    """

    setup: Setup
    host: str
    port: str
    proxies: str
    prefix: Prefix

    @property
    def believed(self) -> str:
        """Whose forwarded headers count: the value of FORWARDED_ALLOW_IPS and of such options."""
        return {Trust.NONE: "", Trust.PROXY: self.proxies, Trust.ANY: "*"}[self.setup.trust]


@dataclass(frozen=True)
class Server:
    """An ASGI server, as its file describes it.

    `package`, of version `minimum` or later, has its console script `name`. A command line is
    `command`, then what `trusts` says of whose headers are believed, then `root_path_option` if
    that tells the prefix; it needs the variables `environment`. The options `log_requests` and
    `log_no_requests` make it log every request, or none, where that is not what it does anyway.
    `preload` are modules that take most of its start; `settings` begin the names of environment
    variables that it reads.

    host_header: whether it makes X-Forwarded-Host of a trusted proxy the Host.
    any_takes_leftmost: whether, if everybody is trusted, the client is the leftmost address of
    X-Forwarded-For, which a client can invent; otherwise it is the rightmost.
    proto_needs_for: whether X-Forwarded-Proto counts only beside X-Forwarded-For.
    h2c: whether it accepts an upgrade to HTTP/2.
    refuses: prefixes that it can't have: a pattern of the encoded prefix, and the reason.
    like: the server that it is, started otherwise, if it is no server of its own.
    advice: by symptom, how this server comes to it, and what to change.
    """

    name: str
    package: str
    minimum: str
    command: Sequence[str]
    trusts: Mapping[Trust, Sequence[str]]
    root_path_option: Sequence[str]
    environment: Mapping[str, str]
    root_path: RootPath
    forwarded_headers: ForwardedHeaders
    sees: Address
    launch: Launch = Launch.FORK
    profile: Profile = Profile.MAIN
    like: str = ""
    host_header: bool = False
    any_takes_leftmost: bool = False
    proto_needs_for: bool = False
    h2c: bool = False
    preload: Sequence[str] = ()
    settings: Sequence[str] = ()
    log_requests: Sequence[str] = ()
    log_no_requests: Sequence[str] = ()
    refuses: Mapping[str, str] = field(default_factory=dict)
    advice: Mapping[str, Advice] = field(default_factory=dict)

    def recipe(self, mode: Mode) -> Setup:
        """With which it passes every question: its own option where that is right."""
        right = {RootPath.PREPENDED: Mode.STRIP, RootPath.LABEL: Mode.PRESERVE}[self.root_path]
        strategy = Strategy.SERVER_OPTION if mode is right else Strategy.FORWARDED_PREFIX
        return Setup(strategy, Trust.PROXY)

    def command_line(self, start: Start) -> list[str]:
        """What starts an application; it needs the variables `environment_for` the same."""
        told = start.setup.strategy is Strategy.SERVER_OPTION
        parts = [
            *self.command,
            *self.trusts.get(start.setup.trust, ()),
            *(self.root_path_option if told else ()),
        ]
        return [filled(part, self._fields(start), self._where) for part in parts]

    def environment_for(self, start: Start) -> dict[str, str]:
        """The variables that the command line needs."""
        fields = self._fields(start)
        return {
            name: filled(value, fields, self._where) for name, value in self.environment.items()
        }

    def root_path_is_encoded(self, strategy: Strategy) -> bool:
        """Whether the application sees the prefix as in a URL: so the option was given it."""
        return strategy is Strategy.SERVER_OPTION and "@prefix@" in self.root_path_option

    @property
    def _where(self) -> str:
        return f"servers/{self.name}.toml"

    def _fields(self, start: Start) -> dict[str, str]:
        return {
            "application": self._application(start.setup),
            "host": start.host,
            "port": start.port,
            "believed": start.believed,
            "prefix": start.prefix.encoded,
            "prefix_decoded": start.prefix.decoded,
        }

    def _application(self, setup: Setup) -> str:
        """A module of app/, of a wrapper's if that is how it learns whom to believe."""
        wraps = self.forwarded_headers is ForwardedHeaders.WRAPPER
        module = _MODULES[setup.strategy]
        if wraps and setup.trust is not Trust.NONE:
            module = f"{self.name}.{module}"
        return f"app.{module}:app"


_MODULES = {
    Strategy.NONE: "plain",
    Strategy.SERVER_OPTION: "plain",
    Strategy.APP_ARGUMENT: "app_argument",
    Strategy.MOUNT: "mount",
    Strategy.ROUTER: "router",
    Strategy.FORWARDED_PREFIX: "forwarded_prefix",
}
