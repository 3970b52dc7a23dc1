"""The lab's words as types. No input or output."""

from dataclasses import dataclass
from enum import StrEnum

PREFIX = "/api/v1"
"""The public prefix, as in FastAPI's guide "Behind a Proxy"."""


class Mode(StrEnum):
    """What the proxy does with the public prefix."""

    STRIP = "strip"
    PRESERVE = "preserve"

    @property
    def upstream_prefix(self) -> str:
        """What of the prefix stands in the path that the application is asked for."""
        return PREFIX if self is Mode.PRESERVE else ""


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


@dataclass(frozen=True)
class Recipe:
    """The strategy and trust with which a topology passes every question."""

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
    """

    topology: Topology
    recipe: Recipe
    variation: str = ""

    @property
    def name(self) -> str:
        """For example `nginx-uvicorn-strip.server-option.proxy`."""
        return f"{self.topology.name}.{self.recipe.strategy}.{self.recipe.trust}"

    @property
    def word(self) -> str:
        """The same and the variation, in letters that any configuration file takes."""
        return f"{self.name}.{self.variation}".strip(".").replace(".", "-")


@dataclass(frozen=True)
class Cell:
    """One point of the full product, or of a variation."""

    topology: Topology
    strategy: Strategy
    trust: Trust
    scheme: Scheme
    variation: str = ""

    @property
    def id(self) -> str:
        """`nginx-uvicorn-strip.server-option.proxy.https`, or the same with `+` and a variation."""
        return f"{self.deployment.name}.{self.scheme}" + f"+{self.variation}" * bool(self.variation)

    @property
    def deployment(self) -> Deployment:
        """What has to run for it."""
        return Deployment(self.topology, Recipe(self.strategy, self.trust), self.variation)
