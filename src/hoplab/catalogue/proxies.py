"""The proxies: a folder each, whose proxy.toml says how to start it and what it does."""

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

from hoplab import forwarded
from hoplab.catalogue.advice import advice_of, refuse_unknown
from hoplab.catalogue.placeholders import filled
from hoplab.catalogue.servers.server import Profile
from hoplab.errors import HoplabError
from hoplab.prefix import Prefix
from hoplab.symptom import Advice
from hoplab.topology import Mode, Scheme


class Treatment(StrEnum):
    """What becomes of a header that the client sent."""

    OVERWRITTEN = "overwritten"
    APPENDED = "appended"
    PASSED = "passed"
    DROPPED = "dropped"


class Host(StrEnum):
    """The Host that the application gets."""

    KEPT = "kept"
    WITHOUT_PORT = "without-port"  # in X-Forwarded-Host as well, if the proxy writes that
    UPSTREAM = "upstream"


class Upgrades(StrEnum):
    """Which upgrades of the protocol are passed on."""

    WEBSOCKET = "websocket"
    ANY = "any"
    NONE = "none"


class PathForm(StrEnum):
    """The form in which the path, or what is left of it, is passed on."""

    AS_SENT = "as-sent"
    CLEANED = "cleaned"  # slashes merged, dots resolved, needless escapes decoded; not the others
    DECODED = "decoded"


class Boundary(StrEnum):
    """What has to follow the prefix: a slash or the end, or any letter."""

    SEGMENT = "segment"
    LETTERS = "letters"


OTHERS = "*"
"""In `[behaviour.headers]`: every forwarded header that is not named there."""


@dataclass(frozen=True)
class Behaviour:
    """What a proxy, as its folder configures it, does to a request. The predictions read it.

    body_limit: the largest body that it takes, in bytes. buffers: whether it collects an answer
    before it passes it on.
    """

    headers: Mapping[str, Mapping[Mode, Treatment]]
    host: Host = Host.KEPT
    upgrades: Upgrades = Upgrades.WEBSOCKET
    path: PathForm = PathForm.AS_SENT
    boundary: Boundary = Boundary.SEGMENT
    body_limit: int | None = None
    buffers: bool = False

    def treats(self, header: str, mode: Mode) -> Treatment:
        """What becomes of a header; it passes where nothing else is said."""
        told = self.headers.get(header) or self.headers.get(OTHERS, {})
        return told.get(mode, Treatment.PASSED)

    def sends(self, header: str, mode: Mode) -> bool:
        """Whether the proxy itself puts this header there."""
        return self.treats(header, mode) in {Treatment.OVERWRITTEN, Treatment.APPENDED}


@dataclass(frozen=True)
class ConfigurationFile:
    """How one file of a proxy becomes that of a process which serves many deployments.

    repeat: the beginnings of the first line that stands once for each deployment, and of the first
    that does not; nothing if the whole file does. `replace` and `replace_if_present` hold for what
    is repeated, `replace_once` for the rest. Where nothing is replaced, the file is written once.
    """

    source: str
    output: str
    repeat: Sequence[str]
    replace: Mapping[str, str]
    replace_if_present: Mapping[str, str]
    replace_once: Mapping[str, str]


@dataclass(frozen=True)
class Proxy:
    """A proxy's proxy.toml; the placeholders are explained there.

    programs: names under which its program may be installed, the first that is counts; `wheel` is
    the package that brings it. capabilities: what its container needs besides the usual.
    refuses: what its configuration language can't express in a prefix, by a regular expression of
    the encoded prefix. quirks: what people should know of it. advice: by symptom, from its
    symptoms.toml. unix: how an upstream at a Unix socket is written; empty if there can be none.
    """

    name: str
    folder: Path
    profile: Profile
    programs: Sequence[str]
    wheel: str
    version: Sequence[str]
    minimum: str
    image: str
    image_variable: str
    container_ports: Mapping[Scheme, int]
    command: Sequence[str]
    files: Sequence[ConfigurationFile]
    behaviour: Behaviour
    refuses: Mapping[str, str] = field(default_factory=dict)
    quirks: Sequence[str] = ()
    capabilities: Sequence[str] = ()
    unix: str = ""
    advice: Mapping[str, Advice] = field(default_factory=dict)

    def sources(self, mode: Mode) -> list[Path]:
        """The files from which a deployment's configuration is made."""
        fields = {"folder": str(self.folder), "mode": mode}
        return [Path(filled(file.source, fields)) for file in self.files]

    @property
    def program_variable(self) -> str:
        """The environment variable that names another program: NAME_PROGRAM."""
        return f"{self.name.upper()}_PROGRAM".replace("-", "_")

    def refusal(self, prefix: Prefix) -> str | None:
        """Why this proxy can't have this prefix; None if it can."""
        return refusal(self.name, self.refuses, prefix)


def refusal(name: str, refuses: Mapping[str, str], prefix: Prefix) -> str | None:
    """Why `name` can't have this prefix, by its patterns; None if it can."""
    for pattern, reason in refuses.items():
        if re.search(pattern, prefix.encoded):
            return f"{name} can't have the prefix {prefix.decoded}: {reason}"
    return None


_KEYS = {
    *("profile", "wheel", "programs", "version", "minimum", "quirks", "refuses", "unix"),
    *("behaviour", "docker", "process"),
}
_FILE_KEYS = {"source", "output", "repeat", "replace", "replace_if_present", "replace_once"}


def load(root: Path) -> dict[str, Proxy]:
    """Read the proxies' folders below `root`, by name.

    Raises HoplabError, naming the file, if one can't be understood; or if there is none.
    """
    files = sorted(root.glob("*/proxy.toml"), reverse=True)
    if not files:
        message = f"No proxy.toml below {root}: hoplab runs in a clone of its repository."
        raise HoplabError(message)
    return {file.parent.name: _read(file) for file in files}


def _read(file: Path) -> Proxy:
    content = _toml(file)
    advice = _advice(file.with_name("symptoms.toml"))
    try:
        docker, process = content["docker"], content["process"]
        _require_types(content, docker, process)
        proxy = Proxy(
            name=file.parent.name,
            folder=file.parent,
            profile=Profile(content.get("profile", Profile.MAIN)),
            programs=content["programs"],
            wheel=content["wheel"],
            version=content["version"],
            minimum=content["minimum"],
            image=docker["image"],
            image_variable=docker["image_variable"],
            container_ports={scheme: docker["ports"][scheme] for scheme in Scheme},
            command=process["command"],
            files=[
                ConfigurationFile(
                    source=entry["source"],
                    output=entry["output"],
                    repeat=entry.get("repeat", []),
                    replace=entry["replace"],
                    replace_if_present=entry.get("replace_if_present", {}),
                    replace_once=entry.get("replace_once", {}),
                )
                for entry in process["files"]
            ],
            behaviour=_behaviour(content["behaviour"]),
            refuses={entry["prefix"]: entry["reason"] for entry in content.get("refuses", [])},
            quirks=[" ".join(quirk.split()) for quirk in content.get("quirks", [])],
            capabilities=docker.get("capabilities", []),
            advice=advice,
            unix=content.get("unix", ""),
        )
        refuse_unknown("proxy.toml", content, _KEYS)
        refuse_unknown("docker", docker, {"image", "image_variable", "ports", "capabilities"})
        refuse_unknown("process", process, {"command", "files"})
        for entry in process["files"]:
            refuse_unknown("process.files", entry, _FILE_KEYS)
        return proxy
    except KeyError as error:
        raise HoplabError(f"{file} lacks {str(error.args[0])!r}.") from error
    except ValueError as error:
        raise HoplabError(f"{file}: {error}") from error
    except (TypeError, AttributeError) as error:
        raise HoplabError(f"{file} {_NO_TABLE}: {error}") from error


def _require_types(
    content: Mapping[str, Any], docker: Mapping[str, Any], process: Mapping[str, Any]
) -> None:
    """Raise ValueError, naming the key, where a text or a list of texts is something else."""
    texts = {
        **{key: content[key] for key in ("wheel", "minimum", "unix") if key in content},
        **{key: docker[key] for key in ("image", "image_variable") if key in docker},
    }
    lists = {
        **{key: content[key] for key in ("programs", "version", "quirks") if key in content},
        **{key: process[key] for key in ("command",) if key in process},
    }
    for number, entry in enumerate(process.get("files", ())):
        lists[f"files[{number}].repeat"] = entry.get("repeat", [])
        for key in ("replace", "replace_if_present", "replace_once"):
            lists[f"files[{number}].{key}"] = list(entry.get(key, {}).values())
    for key, value in texts.items():
        if not isinstance(value, str):
            message = f"{key} = {value!r} is no text: write it in quotes"
            raise ValueError(message)
    for key, value in lists.items():
        if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
            message = f"{key} is no list of texts"
            raise ValueError(message)


_NO_TABLE = "has something else in the place of a table"


def _toml(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise HoplabError(f"{file} is not TOML: {error}") from error


def _advice(file: Path) -> dict[str, Advice]:
    """What a proxy has to do with symptoms; nothing if it has no such file."""
    try:
        return advice_of(_toml(file).get("symptoms", {})) if file.exists() else {}
    except (TypeError, AttributeError) as error:
        raise HoplabError(f"{file} {_NO_TABLE}: {error}") from error


def _behaviour(table: Mapping[str, Any]) -> Behaviour:
    known = {"headers", "host", "upgrades", "path", "boundary", "body_limit_mib", "buffers"}
    refuse_unknown("behaviour", table, known)
    refuse_unknown("behaviour.headers", table["headers"], {*forwarded.HEADERS, OTHERS})
    limit = table.get("body_limit_mib")
    return Behaviour(
        headers={name: _by_mode(told) for name, told in table["headers"].items()},
        host=Host(table.get("host", Host.KEPT)),
        upgrades=Upgrades(table.get("upgrades", Upgrades.WEBSOCKET)),
        path=PathForm(table.get("path", PathForm.AS_SENT)),
        boundary=Boundary(table.get("boundary", Boundary.SEGMENT)),
        body_limit=None if limit is None else int(limit * 2**20),
        buffers=bool(table.get("buffers", False)),
    )


def _by_mode(told: str | Mapping[str, str]) -> dict[Mode, Treatment]:
    """A treatment for both modes, or one for each."""
    return {mode: Treatment(told if isinstance(told, str) else told[mode]) for mode in Mode}
