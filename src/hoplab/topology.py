"""The lab's words as types. No input or output."""

from dataclasses import dataclass
from enum import StrEnum

from hoplab.prefix import DEFAULT_PREFIX, Prefix


class Mode(StrEnum):
    """What the proxy does with the public prefix."""

    STRIP = "strip"
    PRESERVE = "preserve"


class Strategy(StrEnum):
    """How the application learns its prefix."""

    NONE = "none"
    SERVER_OPTION = "server-option"
    APP_ARGUMENT = "app-argument"
    MOUNT = "mount"
    ROUTER = "router"
    FORWARDED_PREFIX = "forwarded-prefix"


class Trust(StrEnum):
    """Whose forwarded headers are believed: nobody's, the proxy's, or everybody's."""

    NONE = "none"
    PROXY = "proxy"
    ANY = "any"


class Scheme(StrEnum):
    """How the client reaches the proxy."""

    HTTP = "http"
    HTTPS = "https"


class Profile(StrEnum):
    """Where compose.yaml has it."""

    MAIN = "main"  # `--profile strip` and `--profile preserve`
    MORE = "more"
    NONE = "none"


@dataclass(frozen=True)
class Setup:
    """How the application learns its prefix, and whose forwarded headers it believes."""

    strategy: Strategy
    trust: Trust


@dataclass(frozen=True, order=True)
class Topology:
    """A proxy, the server behind it, and what happens to the prefix in between."""

    proxy: str
    server: str
    mode: Mode

    @property
    def name(self) -> str:
        """The compose service, the test's id and the report's row."""
        return f"{self.proxy}-{self.server}-{self.mode}"


@dataclass(frozen=True)
class Deployment:
    """A topology with an application that learns its prefix somehow, right or wrong.

    variation: a named change to it (a file of `variations/`), or nothing.
    prefix: under which it is public.
    """

    topology: Topology
    setup: Setup
    variation: str = ""
    prefix: Prefix = DEFAULT_PREFIX

    def cell(self, scheme: Scheme) -> "Cell":
        """It, asked over this scheme."""
        strategy, trust = self.setup.strategy, self.setup.trust
        return Cell(self.topology, strategy, trust, scheme, self.variation, self.prefix)

    @property
    def name(self) -> str:
        """For example `PROXY-SERVER-strip.server-option.proxy`."""
        return f"{self.topology.name}.{self.setup.strategy}.{self.setup.trust}"

    @property
    def word(self) -> str:
        """The same and the variation, in letters that any configuration file takes."""
        return f"{self.name}.{self.variation}".strip(".").replace(".", "-")

    @property
    def upstream_prefix(self) -> str:
        """What of the prefix, encoded, stands in the path that the application is asked for."""
        return self.prefix.encoded if self.topology.mode is Mode.PRESERVE else ""


@dataclass(frozen=True)
class Cell:
    """One point of the full product, or of a variation."""

    topology: Topology
    strategy: Strategy
    trust: Trust
    scheme: Scheme
    variation: str = ""
    prefix: Prefix = DEFAULT_PREFIX

    @property
    def id(self) -> str:
        """`PROXY-SERVER-strip.server-option.proxy.https`, or the same with `+` and a variation."""
        return f"{self.deployment.name}.{self.scheme}" + f"+{self.variation}" * bool(self.variation)

    @property
    def deployment(self) -> Deployment:
        """What has to run for it."""
        setup = Setup(self.strategy, self.trust)
        return Deployment(self.topology, setup, self.variation, self.prefix)
