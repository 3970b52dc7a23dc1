"""The proxies: a folder each, whose proxy.toml says how to start it and what it does."""

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path
from typing import Any

from hoplab import forwarded
from hoplab.catalogue.advice import advice_of
from hoplab.catalogue.form import ANY, choice, refuse_unknown, require
from hoplab.catalogue.placeholders import filled
from hoplab.errors import HoplabError
from hoplab.prefix import Prefix
from hoplab.symptom import Advice
from hoplab.system.sockets import address, is_unix_socket
from hoplab.topology import Mode, Profile, Scheme


class Treatment(StrEnum):
    """What becomes of a header that the client sent."""

    OVERWRITTEN = "overwritten"
    APPENDED = "appended"
    PASSED = "passed"
    KEPT = "kept"  # as it is, and the proxy's own where the client sends none
    DROPPED = "dropped"


class Host(StrEnum):
    """The Host that the application gets."""

    KEPT = "kept"
    WITHOUT_PORT = "without-port"  # in X-Forwarded-Host as well, if the proxy writes that
    UPSTREAM = "upstream"


class Upgrades(StrEnum):
    """Which upgrades of the protocol are passed on."""

    WEBSOCKET = "websocket"
    ALL_BUT_H2C = "all-but-h2c"
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
    before it passes it on. inner: whether another proxy is in front of it whose word it does not
    take, so that what it writes is of the hop between the two.
    """

    headers: Mapping[str, Mapping[Mode, Treatment]]
    host: Host = Host.KEPT
    upgrades: Upgrades = Upgrades.WEBSOCKET
    path: PathForm = PathForm.AS_SENT
    boundary: Boundary = Boundary.SEGMENT
    body_limit: int | None = None
    buffers: bool = False
    inner: bool = False

    def treats(self, header: str, mode: Mode) -> Treatment:
        """What becomes of a header; it passes where nothing else is said."""
        told = self.headers.get(header) or self.headers.get(OTHERS, {})
        return told.get(mode, Treatment.PASSED)

    def sends(self, header: str, mode: Mode) -> bool:
        """Whether the proxy itself puts this header there."""
        return self.treats(header, mode) not in {Treatment.PASSED, Treatment.DROPPED}


NOTHING_SAID = Behaviour(headers={})


@dataclass(frozen=True)
class ConfigurationFile:
    """How one file of a proxy becomes that of a process which serves many deployments.

    repeat: the beginnings of the first line that stands once for each deployment, and of the first
    that does not; nothing if the whole file does. `replace` and `replace_if_present` hold for what
    is repeated, `replace_once` for the rest, and `replace_for_many` for the rest as well, if there
    are several deployments. Where nothing is replaced, the file is written once.
    """

    source: str
    output: str
    repeat: Sequence[str]
    replace: Mapping[str, str]
    replace_if_present: Mapping[str, str]
    replace_once: Mapping[str, str]
    replace_for_many: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Proxy:
    """A proxy's proxy.toml; the placeholders are explained there.

    programs: names under which its program may be installed, the first that is counts; `wheel` is
    the package that brings it. capabilities: what its container needs besides the usual.
    refuses: what its configuration language can't express in a prefix, by a regular expression of
    the encoded prefix. complaint: a regular expression of the lines of its log by which it says
    that it goes on without a part of its files; empty if it would end instead. quirks: what people
    should know of it. advice: by symptom, from its symptoms.toml. unix: how an upstream at a Unix
    socket is written; empty if there can be none. check: a command that says why it can't use its
    files, for one that ends without a word. own: of a person's own files, as
    `catalogue.configurations` reads it. schemes: over which it answers.
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
    complaint: str = ""
    quirks: Sequence[str] = ()
    capabilities: Sequence[str] = ()
    unix: str = ""
    check: Sequence[str] = ()
    advice: Mapping[str, Advice] = field(default_factory=dict)
    own: Mapping[str, Any] = field(default_factory=dict)
    schemes: Sequence[Scheme] = tuple(Scheme)

    def sources(self, mode: Mode) -> list[Path]:
        """The files from which a deployment's configuration is made."""
        fields = {"folder": str(self.folder), "mode": mode}
        return [Path(self.filled(file.source, fields)) for file in self.files]

    def upstream(self, host: str, port: int) -> str:
        """How it writes where an application listens; `host` may be the file of a Unix socket.

        Raises HoplabError if it can have no such upstream.
        """
        if not is_unix_socket(host):
            return address(host, port)
        if not self.unix:
            message = f"{self.name} can have no upstream at a Unix socket."
            raise HoplabError(message)
        return self.filled(self.unix, {"socket": host})

    def filled(self, text: str, fields: Mapping[str, str]) -> str:
        """A text of its proxy.toml with the placeholders replaced."""
        return filled(text, fields, self.folder / "proxy.toml")

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
    *("profile", "wheel", "programs", "version", "minimum", "quirks", "refuses"),
    *("complaint", "unix"),
    *("behaviour", "docker", "process", "own"),
}
BEHAVIOUR_FORM = {"body_limit_mib": float, "buffers": bool, "inner": bool, "headers": {}}
"""Of a table `[behaviour]`: a proxy's own, or what a variation changes in it."""

_FORM = {
    "wheel": str,
    "programs": [str],
    "version": [str],
    "minimum": str,
    "complaint": re.Pattern,
    "unix": str,
    "quirks": [str],
    "refuses": [{"prefix": re.Pattern, "reason": str}],
    "behaviour": BEHAVIOUR_FORM,
    "own": {
        "language": str,
        "replaces": int,
        "output": str,
        "labels": str,
        "recognised": [re.Pattern],
    },
    "docker": {"image": str, "image_variable": str, "ports": {ANY: int}, "capabilities": [str]},
    "process": {
        "command": [str],
        "check": [str],
        "files": [
            {
                "source": str,
                "output": str,
                "repeat": [str],
                "replace": {ANY: str},
                "replace_if_present": {ANY: str},
                "replace_once": {ANY: str},
                "replace_for_many": {ANY: str},
            }
        ],
    },
}
_REPLACES = ("replace", "replace_if_present", "replace_once", "replace_for_many")
_FILE_KEYS = {"source", "output", "repeat", *_REPLACES}


def load(root: Path) -> dict[str, Proxy]:
    """Read the proxies' folders below `root`, by name.

    Raises HoplabError, naming the file, if one can't be understood; or if there is none.
    """
    files = sorted(root.glob("*/proxy.toml"), reverse=True)
    if not files:
        message = f"No proxy.toml below {root}: that is no lab; `hoplab init` writes one."
        raise HoplabError(message)
    return {file.parent.name: _read(file) for file in files}


def _read(file: Path) -> Proxy:
    content = _toml(file)
    advice = _advice(file.with_name("symptoms.toml"))
    try:
        require(_FORM, content)
        docker, process = content["docker"], content["process"]
        proxy = Proxy(
            name=file.parent.name,
            folder=file.parent,
            profile=choice(Profile, content.get("profile", Profile.MAIN), "profile"),
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
                    replace_for_many=entry.get("replace_for_many", {}),
                )
                for entry in process["files"]
            ],
            behaviour=_behaviour(content["behaviour"]),
            refuses={entry["prefix"]: entry["reason"] for entry in content.get("refuses", [])},
            complaint=content.get("complaint", ""),
            quirks=[" ".join(quirk.split()) for quirk in content.get("quirks", [])],
            capabilities=docker.get("capabilities", []),
            advice=advice,
            unix=content.get("unix", ""),
            check=process.get("check", []),
            own=content.get("own", {}),
        )
        refuse_unknown("proxy.toml", content, _KEYS)
        refuse_unknown("docker", docker, {"image", "image_variable", "ports", "capabilities"})
        refuse_unknown("process", process, {"command", "check", "files"})
        for entry in process["files"]:
            refuse_unknown("process.files", entry, _FILE_KEYS)
        return proxy
    except KeyError as error:
        raise HoplabError(f"{file} lacks {str(error.args[0])!r}.") from error
    except ValueError as error:
        raise HoplabError(f"{file}: {error}") from error


def _toml(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise HoplabError(f"{file} is not TOML: {error}") from error


def _advice(file: Path) -> dict[str, Advice]:
    """What a proxy has to do with symptoms; nothing if it has no such file."""
    try:
        content = _toml(file) if file.exists() else {}
        refuse_unknown("symptoms.toml", content, {"symptoms"})
        return advice_of(content.get("symptoms", {}))
    except KeyError as error:
        raise HoplabError(f"{file} lacks {str(error.args[0])!r}.") from error
    except ValueError as error:
        raise HoplabError(f"{file}: {error}") from error


def _behaviour(table: Mapping[str, Any]) -> Behaviour:
    if "headers" not in table:
        raise KeyError("headers")
    return changed(NOTHING_SAID, table)


def changed(behaviour: Behaviour, table: Mapping[str, Any]) -> Behaviour:
    """The same, but for what a table `[behaviour]` says. Raises ValueError for an unknown word."""
    words: dict[str, type[StrEnum]] = {
        "host": Host,
        "upgrades": Upgrades,
        "path": PathForm,
        "boundary": Boundary,
    }
    flags = {"buffers", "inner"}
    refuse_unknown("behaviour", table, {*words, *flags, "headers", "body_limit_mib"})
    headers = table.get("headers", {})
    refuse_unknown("behaviour.headers", headers, {*forwarded.HEADERS, OTHERS})
    fields: dict[str, Any] = {
        key: choice(kind, table[key], f"behaviour.{key}")
        for key, kind in words.items()
        if key in table
    }
    fields |= {key: bool(table[key]) for key in flags if key in table}
    if "body_limit_mib" in table:
        fields["body_limit"] = int(table["body_limit_mib"] * 2**20)
    by_mode = {name: _by_mode(name, told) for name, told in headers.items()}
    return replace(behaviour, headers={**behaviour.headers, **by_mode}, **fields)


def _by_mode(name: str, told: str | Mapping[str, str]) -> dict[Mode, Treatment]:
    """A treatment for both modes, or one for each."""
    at = f"behaviour.headers.{name}"
    if not isinstance(told, Mapping):
        return dict.fromkeys(Mode, choice(Treatment, told, at))
    refuse_unknown(at, told, list(Mode))
    return {mode: choice(Treatment, told[mode], f"{at}.{mode}") for mode in Mode}
