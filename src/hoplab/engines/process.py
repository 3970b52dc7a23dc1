"""The topologies as plain local processes: one per application and one per proxy, on loopback."""

import grp
import http.client
import json
import os
import pwd
import re
import select
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO, TypeAlias

import psutil

from hoplab import interrupts
from hoplab.catalogue import ROOT, Catalogue, Proxy
from hoplab.endpoint import Endpoint
from hoplab.engines import runs
from hoplab.engines.certificates import Certificates
from hoplab.engines.lifeline import die_with_parent
from hoplab.engines.ports import LOOPBACK, free_ports
from hoplab.engines.versions import local_versions
from hoplab.errors import HoplabError
from hoplab.topology import PREFIX, Mode, Scheme, Topology

START_SECONDS = 30.0
"""How long a process has to start. A slow machine needs it; a fast one does not wait."""

ROUTE_SECONDS = 5.0
"""How long a proxy that answers already has to reach its application; then it is asked as it is."""

CLIENT = "127.0.0.9" if sys.platform == "linux" else None
"""The client's own address. From 127.0.0.1, nobody could tell it from the proxy; other systems
than Linux have no other address on loopback."""

Key: TypeAlias = tuple[str, Mode]


@dataclass
class _Started:
    """A process, the port where it should answer, and where it writes."""

    name: str
    process: psutil.Process
    port: int
    log: Path

    def tail(self) -> str:
        lines = self.log.read_text(errors="replace").splitlines() if self.log.exists() else []
        return "\n".join(f"  {line}" for line in lines[-15:]) or "  (it wrote nothing)"


class ProcessEngine:
    """Without `ports`, each proxy gets free ones. With `stay`, all outlive this process."""

    name = "process"

    def __init__(
        self,
        catalogue: Catalogue,
        topologies: Sequence[Topology],
        run: runs.Run,
        certificates: Certificates,
        *,
        ports: Mapping[Topology, Mapping[Scheme, int]] | None = None,
        stay: bool = False,
    ) -> None:
        self._catalogue = catalogue
        self._topologies = topologies
        self._run = run
        self._certificates = certificates
        self._ports = ports or {}
        self._stay = stay
        self._launcher: subprocess.Popen[str] | None = None
        self._apps: dict[Key, _Started] = {}
        self._proxies: dict[Topology, _Started] = {}

    def start(self) -> list[Endpoint]:
        """Start all at once, then wait until every one answers."""
        try:
            return self._start()
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Stop what was started, all at once, and remove the run's folder."""
        if self._launcher and self._launcher.stdin:
            self._launcher.stdin.close()
        processes = [item.process for item in self._started()]
        if self._launcher:
            processes.append(psutil.Process(self._launcher.pid))
        runs.stop(processes)
        if self._launcher:
            self._launcher.wait()
        self._launcher = None
        self._run.remove()

    def logs(self, topology: Topology) -> str:
        """The proxy's and the application's log, and the proxy's configuration."""
        app = self._apps[_key(topology)]
        proxy = self._proxies[topology]
        configuration = configuration_of(self._catalogue.proxies[topology.proxy], topology.mode)
        return "\n".join(
            f"--- {title}\n{path.read_text(errors='replace') if path.exists() else ''}"
            for title, path in (
                (f"{app.name}: log", app.log),
                (f"{proxy.name}: log", proxy.log),
                *((f"{proxy.name}: {path.name}", path) for path in configuration),
            )
        )

    def versions(self) -> dict[str, str]:
        """The versions of what ran here."""
        return local_versions(self._catalogue)

    def _start(self) -> list[Endpoint]:
        keys = list(dict.fromkeys(_key(topology) for topology in self._topologies))
        free = iter(free_ports(len(keys) + 2 * len(self._topologies)))
        app_ports = {key: next(free) for key in keys}
        ports = {
            topology: self._ports.get(topology) or {scheme: next(free) for scheme in Scheme}
            for topology in self._topologies
        }
        # The launcher takes a second to import the servers: the proxies start meanwhile.
        self._launcher = self._start_launcher(sorted({server for server, _ in keys}))
        for topology in self._topologies:
            interrupts.check()
            upstream = f"{LOOPBACK}:{app_ports[_key(topology)]}"
            self._proxies[topology] = self._start_proxy(topology, upstream, ports[topology])
            self._run.record(item.process for item in self._started())
        for key in keys:
            interrupts.check()
            self._apps[key] = self._start_app(key, app_ports[key])
            self._run.record(item.process for item in self._started())
        for app in self._apps.values():
            _wait_until(app, _answers, START_SECONDS)
        for proxy in self._proxies.values():
            _wait_until(proxy, _answers, START_SECONDS)
            _wait_until(proxy, self._reaches_app, ROUTE_SECONDS, required=False)
        if self._stay and self._launcher and self._launcher.stdin:
            self._launcher.stdin.close()
            self._launcher.wait()
            self._launcher = None
        return [
            Endpoint(
                topology=topology,
                ports=dict(ports[topology]),
                authority=self._certificates.authority,
                nonce=self._nonce(_key(topology)),
                source=CLIENT,
                client=CLIENT,
                direct=(LOOPBACK, app_ports[_key(topology)]),
            )
            for topology in self._topologies
        ]

    def _started(self) -> list[_Started]:
        return [*self._proxies.values(), *self._apps.values()]

    def _nonce(self, key: Key) -> str:
        return f"{self._run.nonce}.{_app_name(key)}"

    def _reaches_app(self, started: _Started) -> bool:
        answer = _get(started.port)
        nonce = answer.getheader("X-Instance") if answer else None
        return nonce is not None and nonce.startswith(self._run.nonce)

    def _start_launcher(self, servers: Sequence[str]) -> subprocess.Popen[str]:
        log = self._log("launcher")
        with log.open("w") as errors:
            return self._popen(
                [sys.executable, "-m", "hoplab.engines.launcher", *servers], ROOT, errors, text=True
            )

    def _start_app(self, key: Key, port: int) -> _Started:
        server, mode = key
        spec = self._catalogue.servers[server]
        log = self._log(_app_name(key))
        deployment = {
            "command": spec.command(spec.recipes[mode], f"{LOOPBACK}:{port}", LOOPBACK),
            "environment": {"INSTANCE_NONCE": self._nonce(key), "FORWARDED_ALLOW_IPS": LOOPBACK},
            "log": str(log),
            "stay": self._stay,
        }
        launcher = self._launcher
        if launcher is None or launcher.stdin is None or launcher.stdout is None:
            message = "The launcher is not running."
            raise HoplabError(message)
        launcher.stdin.write(json.dumps(deployment) + "\n")
        launcher.stdin.flush()
        deadline = time.monotonic() + START_SECONDS
        while not select.select([launcher.stdout], [], [], 0.1)[0] and time.monotonic() < deadline:
            interrupts.check()
        answer = launcher.stdout.readline() if time.monotonic() < deadline else ""
        if not answer:
            wrote = self._log("launcher").read_text()
            message = f"The launcher of the ASGI servers ended:\n{wrote}"
            raise HoplabError(message)
        try:
            process = psutil.Process(int(answer))
        except psutil.NoSuchProcess:
            message = f"{_app_name(key)} ended at once:\n{log.read_text() if log.exists() else ''}"
            raise HoplabError(message) from None
        return _Started(_app_name(key), process, port, log)

    def _start_proxy(
        self, topology: Topology, upstream: str, ports: Mapping[Scheme, int]
    ) -> _Started:
        proxy = self._catalogue.proxies[topology.proxy]
        folder = self._run.folder / topology.name
        folder.mkdir()
        environment = {
            "UPSTREAM": upstream,
            "LISTEN_HTTP": f"{LOOPBACK}:{ports[Scheme.HTTP]}",
            "LISTEN_HTTPS": f"{LOOPBACK}:{ports[Scheme.HTTPS]}",
            "TLS_CERTIFICATE": str(self._certificates.certificate),
            "TLS_KEY": str(self._certificates.key),
        }

        fields = placeholders(proxy, topology.mode, folder)

        def fill(text: str) -> str:
            return text.format(**fields)

        if proxy.template and proxy.output:
            template = Path(fill(proxy.template)).read_text()
            Path(fill(proxy.output)).write_text(envsubst(template, environment))
        command = [fill(argument) for argument in proxy.command]
        sockets = [socket.create_server((LOOPBACK, ports[Scheme(name)])) for name in proxy.sockets]
        try:
            if sockets:
                command = _with_sockets(command, dict(zip(proxy.sockets, sockets, strict=True)))
            log = self._log(topology.name)
            with log.open("w") as output:
                process = self._popen(
                    command,
                    Path(fill(proxy.working_directory)),
                    output,
                    environment=environment,
                    descriptors=[sock.fileno() for sock in sockets],
                )
        except FileNotFoundError as error:
            message = f"{error.filename} is missing. Run `make setup`, which installs {proxy.name}."
            raise HoplabError(message) from error
        finally:
            for sock in sockets:
                sock.close()
        return _Started(topology.name, psutil.Process(process.pid), ports[Scheme.HTTP], log)

    def _popen(
        self,
        command: Sequence[str],
        directory: Path,
        output: IO[str],
        *,
        environment: Mapping[str, str] | None = None,
        descriptors: Sequence[int] = (),
        text: bool = False,
    ) -> subprocess.Popen[str]:
        dies = partial(die_with_parent, os.getpid())
        pipe = subprocess.PIPE if text else None
        return subprocess.Popen(
            command,
            cwd=directory,
            env={**os.environ, **_with_own_scripts(), **(environment or {})},
            stdin=pipe or subprocess.DEVNULL,
            stdout=pipe or output,
            stderr=output if text else subprocess.STDOUT,
            text=True,
            pass_fds=descriptors,
            # Ctrl-C is for hoplab, which then stops its processes in order.
            start_new_session=True,
            preexec_fn=None if self._stay else dies,  # noqa: PLW1509 - no threads yet
        )

    def _log(self, name: str) -> Path:
        return self._run.folder / f"{name}.log"


def placeholders(proxy: Proxy, mode: Mode, run: Path) -> dict[str, str]:
    """What may stand in braces in a proxy.toml."""
    return {
        "folder": str(proxy.folder),
        "mode": mode,
        "run": str(run),
        "user": pwd.getpwuid(0).pw_name,
        "group": grp.getgrgid(0).gr_name,
    }


def configuration_of(proxy: Proxy, mode: Mode) -> list[Path]:
    """The configuration files that a proxy uses in this mode."""
    files = [*proxy.folder.glob("*"), *proxy.folder.glob(f"{mode}/*")]
    other = next(other for other in Mode if other is not mode)
    return sorted(
        file
        for file in files
        if file.is_file() and file.name != "proxy.toml" and not file.name.startswith(other)
    )


def envsubst(template: str, environment: Mapping[str, str]) -> str:
    """Put `environment` into `${NAME}` and `$NAME`; other names, nginx's own too, stay."""

    def value(match: re.Match[str]) -> str:
        return environment.get(match[1] or match[2], match[0])

    return re.sub(r"\$(?:\{(\w+)\}|(\w+))", value, template, flags=re.ASCII)


def _with_sockets(command: Sequence[str], sockets: Mapping[str, socket.socket]) -> list[str]:
    """Start it through `activate.py`, which hands these sockets over."""
    descriptors = ",".join(str(sock.fileno()) for sock in sockets.values())
    activate = str(Path(__file__).with_name("activate.py"))
    return [sys.executable, "-I", "-S", activate, descriptors, ":".join(sockets), *command]


def _with_own_scripts() -> dict[str, str]:
    """The scripts of this virtual environment come first, whether it is activated or not."""
    scripts = Path(sys.executable).parent
    return {"PATH": f"{scripts}{os.pathsep}{os.environ.get('PATH', os.defpath)}"}


def _key(topology: Topology) -> Key:
    return (topology.server, topology.mode)


def _app_name(key: Key) -> str:
    return f"{key[0]}-{key[1]}"


def _wait_until(
    started: _Started,
    condition: Callable[[_Started], bool],
    seconds: float,
    *,
    required: bool = True,
) -> None:
    deadline = time.monotonic() + seconds
    while not condition(started):
        interrupts.check()
        if not runs.alive(started.process):
            message = f"{started.name} ended instead of starting. The end of its log:\n"
            raise HoplabError(message + started.tail())
        if time.monotonic() > deadline:
            if not required:
                return
            message = f"{started.name} did not answer in {seconds:.0f} s. The end of its log:\n"
            raise HoplabError(message + started.tail())
        time.sleep(0.01)


def _answers(started: _Started) -> bool:
    return _get(started.port) is not None


def _get(port: int) -> http.client.HTTPResponse | None:
    connection = http.client.HTTPConnection(LOOPBACK, port, timeout=5)
    try:
        connection.request("GET", f"{PREFIX}/app")
        response = connection.getresponse()
        response.read()
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()
    return response
