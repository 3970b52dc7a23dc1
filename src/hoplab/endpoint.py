"""Where a running deployment answers: what an engine gives."""

from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from hoplab.topology import Deployment, Scheme, Topology

PUBLIC_NAME = "mysuperapp.com"
"""The public name under which the lab asks, as in FastAPI's guide. It is never looked up."""

Address: TypeAlias = tuple[str, int]


@dataclass(frozen=True)
class Endpoint:
    """A deployment that runs.

    ports: where its proxy listens on `host`, by scheme.
    authority: a file with the certificate of the authority that signed the proxy's own.
    nonce: what its application puts into X-Instance.
    source: the address from which the client has to connect, where the engine cares.
    client: the client's address as the proxy sees it; None where the engine can't know it.
    direct: the application's own address, past the proxy; None where this machine can't reach it.
    """

    deployment: Deployment
    ports: dict[Scheme, int]
    authority: Path
    nonce: str
    host: str = "127.0.0.1"
    source: str | None = None
    client: str | None = None
    direct: Address | None = None

    @property
    def topology(self) -> Topology:
        """The proxy, the server and the mode."""
        return self.deployment.topology

    def origin(self, scheme: Scheme, name: str = PUBLIC_NAME) -> str:
        """For example `https://mysuperapp.com:9499`."""
        return f"{scheme}://{name}:{self.ports[scheme]}"

    def base(self, scheme: Scheme, name: str = PUBLIC_NAME) -> str:
        """The public base URL: origin and prefix, without a slash at the end."""
        return self.origin(scheme, name) + self.deployment.prefix.encoded
