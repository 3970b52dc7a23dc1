"""The two engines: local processes and Docker Compose. Both give endpoints and logs."""

from pathlib import Path
from typing import Protocol

from hoplab.endpoint import Endpoint
from hoplab.topology import Deployment


class Engine(Protocol):
    """Starts deployments together and stops them together."""

    name: str

    def start(self) -> list[Endpoint]:
        """Start everything; on failure, leave nothing behind and raise HoplabError."""

    def stop(self) -> None:
        """Stop everything, and leave nothing behind. May be called twice, or without a start."""

    def logs(self, deployment: Deployment) -> str:
        """What its proxy and its application wrote, and the proxy's configuration."""

    def log_files(self, deployment: Deployment) -> list[Path]:
        """The files that its proxy and its application write, if they write files."""

    def parts(self, deployment: Deployment) -> list[str]:
        """What has to run for it: the names of its application and of its proxies."""

    def versions(self) -> dict[str, str]:
        """The version of everything that ran."""
