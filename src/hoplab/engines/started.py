"""A process that was started: whether it answers, and what it says if not."""

import http.client
import re
import ssl
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import psutil

from hoplab.catalogue.proxies import Proxy
from hoplab.engines import configuration
from hoplab.errors import HoplabError
from hoplab.prefix import Prefix
from hoplab.system import interrupts, runs
from hoplab.system.calls import call
from hoplab.system.sockets import is_unix_socket, open_socket
from hoplab.topology import Scheme

START_SECONDS = 30.0
"""How long a process has to start. A slow machine needs it; a fast one does not wait."""


class TooLate(HoplabError):
    """It runs, and did not answer in time."""


_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
_LINES = 15
_UNVERIFIED = ssl._create_unverified_context()  # noqa: S323


@dataclass
class Started:
    """A process, where it should answer, and where it writes; a proxy, if it is one.

    `host` is an address, or the file of a Unix socket. folder: where the proxy's files are.
    """

    name: str
    process: psutil.Process
    host: str
    port: int
    log: Path
    proxy: Proxy | None = None
    folder: Path | None = None

    def tail(self) -> str:
        """The end of its log."""
        lines = self._written().splitlines()
        return "\n".join(f"  {line}" for line in lines[-_LINES:]) or "  (it wrote nothing)"

    def why_ended(self) -> str:
        """The end of its log, and what the `check` of its proxy.toml says, if there is one."""
        if not (self.proxy and self.proxy.check and self.folder):
            return self.tail()
        try:
            done = call(configuration.check(self.proxy, self.folder), START_SECONDS)
        except (OSError, subprocess.TimeoutExpired):  # its log is all there is
            return self.tail()
        told = [f"  {line}" for line in done.stderr.splitlines()[-_LINES:] if done.returncode]
        return "\n".join([self.tail(), *told])

    def require_no_complaint(self) -> None:
        """Raise HoplabError if it says that it can't use a part of its files, with what it says."""
        if self.proxy:
            require_no_complaint(self.name, self.proxy, self._written())

    def _written(self) -> str:
        return self.log.read_text(errors="replace") if self.log.exists() else ""


def require_no_complaint(name: str, proxy: Proxy, log: str) -> None:
    """Raise HoplabError if a log has lines that match the `complaint` of its proxy.toml."""
    if not proxy.complaint:
        return
    lines = _COLOUR.sub("", log).splitlines()
    if told := dict.fromkeys(line for line in lines if re.search(proxy.complaint, line)):
        shown = "\n".join(f"  {line}" for line in list(told)[:_LINES])
        message = f"{name} can't use its configuration, which is made of {proxy.folder}:\n{shown}"
        raise HoplabError(message)


def wait_until(
    started: Started,
    condition: Callable[[Started], bool],
    seconds: float,
    *,
    required: bool = True,
) -> None:
    """Wait until the condition holds; at most so long, and only while there is hope.

    Raises HoplabError, with what the process wrote, if it ends, if it can't use its configuration,
    or if the time is over (TooLate, unless not `required`).
    """
    deadline = time.monotonic() + seconds
    alive = True
    while not condition(started):
        interrupts.check()
        if not alive:
            message = f"{started.name} ended instead of starting. The end of its log:\n"
            raise HoplabError(message + started.why_ended())
        started.require_no_complaint()
        if time.monotonic() > deadline:
            if not required:
                return
            message = f"{started.name} did not answer in {seconds:.0f} s. The end of its log:\n"
            raise TooLate(message + started.tail())
        time.sleep(0.01)
        # The condition is asked once more after the end: it may know why.
        alive = runs.alive(started.process)


def answers(host: str, port: int, prefix: Prefix) -> bool:
    """Whether anything answers there, be it an error. `host` may be a Unix socket's file."""
    return _get(host, port, prefix) is not None


def instance(
    host: str, port: int, prefix: Prefix, scheme: Scheme = Scheme.HTTP, name: str = ""
) -> str | None:
    """The nonce of the application that answers there, itself or through a proxy.

    `name` is the one under which it is asked, if it has to be a certain one.
    """
    answer = _get(host, port, prefix, scheme, name)
    return answer.getheader("X-Instance") if answer else None


def _get(
    host: str, port: int, prefix: Prefix, scheme: Scheme = Scheme.HTTP, name: str = ""
) -> http.client.HTTPResponse | None:
    connection = http.client.HTTPConnection("localhost" if is_unix_socket(host) else host, port)
    try:
        connection.sock = open_socket((host, port), None, 5)
        if (
            scheme is Scheme.HTTPS
        ):  # only whether it answers, and who: whose certificate is asked later
            connection.sock = _UNVERIFIED.wrap_socket(connection.sock, server_hostname=name or None)
        connection.request(
            "GET", f"{prefix}/app", headers={"Host": f"{name}:{port}"} if name else {}
        )
        response = connection.getresponse()
        response.read()
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()
    return response
