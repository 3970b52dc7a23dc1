"""What the pytest plugin does when a test wants it."""

import inspect
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from hoplab import interface
from hoplab.catalogue import Catalogue
from hoplab.cli.check import application_of, cells_for, headers_of
from hoplab.cli.options import BadUsage, prefix_of
from hoplab.client.wire import Client, Exchange, Headers
from hoplab.commands.hosting import Hosting, running, tail
from hoplab.commands.own_server import NAME as OWN_SERVER
from hoplab.commands.session import Session
from hoplab.errors import HoplabError
from hoplab.prefix import DEFAULT_PREFIX
from hoplab.report.progress import Silent
from hoplab.report.words import count
from hoplab.topology import Cell, Scheme
from hoplab.workspace import current

_AXES = ("proxy", "server", "mode")
_OPTIONS = [each for each in inspect.signature(interface.check).parameters if each != "application"]
"""Those of the marker and of every fixture. What to ask is for `hoplab_check` alone."""

_TESTS = ("test", "conftest", "__main__", "_pytest", "pytest")


@dataclass(frozen=True)
class Behind:
    """Where an application answers: its public base URL over http and over https.

    authority: the file with the certificate to trust for the second. topology: by its name.
    scheme: over which it is asked if nothing else is said. headers: are sent with every request.
    """

    http: str
    https: str
    authority: Path
    topology: str
    scheme: str = Scheme.HTTP.value
    headers: Headers = ()

    def get(self, path: str, headers: Headers = (), *, scheme: str | None = None) -> Exchange:
        """GET a path below the base URL, and follow no redirect: as `request`."""
        return self.request("GET", path, headers, scheme=scheme)

    def request(
        self,
        method: str,
        path: str,
        headers: Headers = (),
        body: bytes | None = None,
        *,
        scheme: str | None = None,
    ) -> Exchange:
        """Ask, and follow no redirect: the answer's `status`, `header(name)`, `body` and `json()`.

        path: below the base URL, or a whole URL of it, such as a Location. Raises HoplabError
        if no answer comes.
        """
        bases = {Scheme.HTTP.value: self.http, Scheme.HTTPS.value: self.https}
        origins = {}
        for each in bases.values():
            origin = "/".join(each.split("/")[:3])
            host, _, port = origin.rpartition("/")[2].rpartition(":")
            origins[origin] = (host, int(port))
        base = bases[scheme or self.scheme]
        url = path if path.startswith(("http:", "https:")) else f"{base}{path}"
        client = Client(origins, self.authority)
        try:
            return client.request(method, url, [*self.headers, *headers], body)
        finally:
            client.close()


@dataclass
class _Logs:
    """The logs of a topology, and how long each was when the test began."""

    topology: str
    folder: Path
    sizes: dict[Path, int] = field(default_factory=dict)


class Running:
    """The topologies of a test session: each is started once, and runs to its end."""

    def __init__(self) -> None:
        self._stack = ExitStack()
        self._known: dict[tuple[object, ...], Behind] = {}
        self._logs: list[_Logs] = []

    def __enter__(self) -> "Running":
        return self

    def __exit__(self, *_: object) -> None:
        self._logs.clear()
        self._stack.close()

    def start(self, application: object, **options: Any) -> Behind:
        """Start it behind one topology, or give what is started already: the first that is chosen.

        options: those of `hoplab.check`, with the mode strip if they name none. Fails the test if
        it does not start.
        """
        key = (application, repr(sorted(options.items())))
        if key not in self._known:
            try:
                started = _behind(application, {"mode": "strip", **options})
                self._known[key], hosting = self._stack.enter_context(started)
                self._logs.append(_Logs(self._known[key].topology, hosting.logs))
            except HoplabError as error:
                pytest.fail(str(error), pytrace=False)
        return self._known[key]

    def forget(self) -> None:
        """What is written by now is not of the next test."""
        for logs in self._logs:
            logs.sizes = {log: log.stat().st_size for log in logs.folder.glob("*.log")}

    def written(self) -> dict[str, str]:
        """The end of what was written since, by who and where; nothing of those silent."""
        return {
            f"{log.stem}, {logs.topology}": text
            for logs in self._logs
            for log in sorted(logs.folder.glob("*.log"))
            if (text := tail(log, logs.sizes.get(log, 0)))
        }


def chosen(marked: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What to start for each topology that a marker chooses. Fails if it chooses none.

    Each is the arguments of `Running.start`.
    """
    if "application" not in marked:
        message = 'hoplab_app: say which application: @pytest.mark.hoplab("main:app")'
        pytest.fail(message, pytrace=False)
    options = dict(marked)
    application = options.pop("application")
    try:
        _, cells = _cells(application, options)
    except HoplabError as error:
        pytest.fail(f"@pytest.mark.hoplab: {error}", pytrace=False)
    axes = ("proxy", "mode") if options.get("command") else _AXES
    found = dict.fromkeys(cell.topology for cell in cells)
    return [
        {**marked, **{axis: str(getattr(topology, axis)) for axis in axes}} for topology in found
    ]


def name(arguments: Mapping[str, Any]) -> str:
    """A topology's name, as the test's id."""
    return "-".join(str(arguments.get(axis, OWN_SERVER)) for axis in _AXES)


def check(application: object, options: Mapping[str, Any]) -> tuple[str, dict[str, str]]:
    """What is wrong with an application, or nothing; and the ends of logs, by who wrote them."""
    told = dict(options)
    application = application if application is not None else told.pop("application", None)
    told.pop("application", None)
    try:
        _require_known(told)
        named, folder = _named(application, told.pop("app_dir", "."))
        report = interface.check(named, app_dir=folder, **told)
    except HoplabError as error:
        return str(error), {}
    if report.works:
        return "", {}
    symptoms = ", ".join(dict.fromkeys(problem.symptom for problem in report.problems))
    wrong = [f"{count(len(report.problems), 'problem')} ({symptoms})"] if symptoms else []
    if report.errors:
        wrong.append(f"hoplab could not ask: {count(len(report.errors), 'error')}")
    if not report.judged:
        wrong.append("nothing of it was judged")
    return f"{named} behind a proxy: {'; '.join(wrong)}\n\n{report.text}", dict(report.logs)


def _named(application: object, app_dir: str | Path) -> tuple[str, Path]:
    """MODULE:APP and where it is looked for; of an object, where it was imported from.

    Raises BadUsage if it is no module's: each server imports it in a process of its own.
    """
    if isinstance(application, str):
        return application, Path(app_dir)
    for module_name, module in list(sys.modules.items()):
        file = getattr(module, "__file__", None)
        if not file or module_name.rpartition(".")[2].startswith(_TESTS):
            continue
        for attribute, value in list(vars(module).items()):
            if value is application and value is not None:
                parents = module_name.count(".") + Path(file).name.startswith("__init__.")
                return f"{module_name}:{attribute}", Path(file).resolve().parents[parents]
    message = (
        "hoplab starts the application in processes of its own, which import it: name it as"
        ' "main:app", or give one that stands in a module'
    )
    raise BadUsage(message)


def _list(given: str | Sequence[str] | None) -> list[str] | None:
    return [given] if isinstance(given, str) else list(given) if given else None


def _require_known(options: Mapping[str, Any]) -> None:
    """Raises BadUsage for an option that `hoplab.check` does not have."""
    if unknown := [name for name in options if name not in _OPTIONS]:
        message = f"there is no option {unknown[0]!r}; known: {', '.join(_OPTIONS)}"
        raise BadUsage(message)


def _cells(application: object, options: Mapping[str, Any]) -> tuple[Catalogue, list[Cell]]:
    """What these options choose. Raises BadUsage if one of them can't be used."""
    _require_known(options)
    command = options.get("command")
    named = _named(application, ".")[0] if command else ""
    axes = (_list(options.get(axis)) for axis in (*_AXES, "scheme"))
    prefix = prefix_of(options.get("prefix", DEFAULT_PREFIX.encoded))
    return cells_for(prefix, current(), named, command, *axes)


@contextmanager
def _behind(application: object, options: Mapping[str, Any]) -> Iterator[tuple[Behind, Hosting]]:
    catalogue, cells = _cells(application, options)
    name, folder = _named(application, options.get("app_dir", "."))
    variables = options.get("env_file")
    named = application_of(
        name,
        folder,
        Path(variables) if variables else None,
        options.get("start_seconds"),
        factory=options.get("factory", False),
    )
    headers = headers_of(options.get("headers", ()))
    session, cell = Session(catalogue, Silent()), cells[0]
    with ExitStack() as stack:
        with interface.calm():
            started = running(session, named, [cell.deployment])
            [endpoint], hosting, _ = stack.enter_context(started)
        behind = Behind(
            endpoint.base(Scheme.HTTP, endpoint.host),
            endpoint.base(Scheme.HTTPS, endpoint.host),
            endpoint.authority,
            cell.topology.name,
            cell.scheme.value,
            headers,
        )
        yield behind, hosting
