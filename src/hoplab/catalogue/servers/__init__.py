"""The ASGI servers: a file each, NAME.toml, which says all of it."""

import re
import tomllib
from collections.abc import Mapping
from enum import StrEnum
from importlib.resources import files
from typing import Any

from hoplab.catalogue.advice import advice_of
from hoplab.catalogue.form import ANY, choice, require
from hoplab.catalogue.servers.server import (
    Address,
    ForwardedHeaders,
    Launch,
    RootPath,
    Server,
)
from hoplab.errors import HoplabError
from hoplab.topology import Profile, Trust

_SUFFIX = ".toml"
_FORM = {
    "package": str,
    "minimum": str,
    "like": str,
    "command": [str],
    "trusts": {ANY: [str]},
    "root_path_option": [str],
    "environment": {ANY: str},
    **dict.fromkeys(("host_header", "any_takes_leftmost", "proto_needs_for", "h2c"), bool),
    **{key: [str] for key in ("preload", "settings", "log_requests", "log_no_requests")},
    "refuses": [{"prefix": re.Pattern, "reason": str}],
}
_CHOICES: dict[str, type[StrEnum]] = {
    "root_path": RootPath,
    "forwarded_headers": ForwardedHeaders,
    "sees": Address,
    "launch": Launch,
    "profile": Profile,
}


def server_of(name: str, content: Mapping[str, Any]) -> Server:
    """A server as its file's content describes it. Raises HoplabError if that can't be."""
    told = dict(content)
    try:
        require(_FORM, told)
        told |= {key: choice(kind, told[key], key) for key, kind in _CHOICES.items() if key in told}
        told["trusts"] = {choice(Trust, k, "trusts"): v for k, v in told.get("trusts", {}).items()}
        told["refuses"] = {each["prefix"]: each["reason"] for each in told.get("refuses", [])}
        told["advice"] = advice_of(told.pop("symptoms", {}))
        return Server(name=name, **told)
    except KeyError as error:
        raise HoplabError(f"servers/{name}{_SUFFIX} lacks {str(error.args[0])!r}.") from error
    except (TypeError, ValueError, AttributeError) as error:
        raise HoplabError(f"servers/{name}{_SUFFIX}: {error}") from error


def _load() -> dict[str, Server]:
    contents = {
        file.name.removesuffix(_SUFFIX): tomllib.loads(file.read_text())
        for file in files(__name__).iterdir()
        if file.name.endswith(_SUFFIX)
    }
    return {
        name: server_of(name, _whole(name, contents)) for name in sorted(contents, reverse=True)
    }


def _whole(name: str, contents: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """With what it has from another: `like` names that."""
    content = dict(contents[name])
    other = content.get("like")
    if other is None:
        return content
    base = _whole(other, contents)
    symptoms = {**base.get("symptoms", {}), **content.get("symptoms", {})}
    return {**base, **content, "symptoms": symptoms}


SERVERS: Mapping[str, Server] = _load()
"""By name; where one is to be chosen, the first comes first."""


def without_settings(environment: Mapping[str, str]) -> dict[str, str]:
    """Without what servers read there: a deployment is what its command line says."""
    own = (
        "FORWARDED_ALLOW_IPS",
        "WEB_CONCURRENCY",
        "PUBLIC_PREFIX",
        "PUBLIC_PREFIX_DECODED",
        "APPLICATION",
    )
    theirs = [name for server in SERVERS.values() for name in server.settings]
    return {
        name: value
        for name, value in environment.items()
        if name not in own and not name.startswith(tuple(theirs))
    }
