"""Alerts as SARIF 2.1.0, which code hosts show at the lines of a program.

https://docs.oasis-open.org/sarif/sarif/v2.1.0/os/sarif-v2.1.0-os.html
"""

import hashlib
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from hoplab import __version__
from hoplab.symptom import Symptom

SCHEMA = (
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
)
_ROOT = "%SRCROOT%"
"""As code hosts call the top of a repository. No path of this machine is written down."""

_SURROGATE = re.compile("[\ud800-\udfff]")
_NO_BYTE = re.compile("[\ud800-\udc7f\udd00-\udfff]")


@dataclass(frozen=True)
class Line:
    """A line of a file: its path from the working directory, and its number from 1."""

    path: str
    number: int


@dataclass(frozen=True)
class Alert:
    """Something that is wrong.

    rule: a symptom's name. line: where the program makes it, if that is known. properties: whatever
    else is known; a URL is told here, since it is no place in a file.
    """

    rule: str
    message: str
    line: Line | None = None
    properties: Mapping[str, Any] = field(default_factory=dict)


def document(
    alerts: Iterable[Alert],
    symptoms: Mapping[str, Symptom],
    *,
    started: str = "",
    errors: Sequence[str] = (),
    notes: Sequence[str] = (),
) -> str:
    """The whole file.

    symptoms: what the rules mean. started: UTC in ISO 8601. errors: what hoplab could not ask,
    which says nothing of the program. notes: what was not judged.
    """
    found = list(alerts)
    names = list(dict.fromkeys(alert.rule for alert in found))
    driver = {
        "name": "hoplab",
        "version": __version__,
        "rules": [_rule(name, symptoms.get(name)) for name in names],
    }
    invocation = {
        "executionSuccessful": not errors,
        **({"startTimeUtc": started} if started else {}),
        "toolExecutionNotifications": [
            *({"level": "error", "message": _message(each)} for each in errors),
            *({"level": "note", "message": _message(each)} for each in notes),
        ],
    }
    run = {
        "tool": {"driver": driver},
        "invocations": [invocation],
        "columnKind": "unicodeCodePoints",
        "results": [_result(alert, names.index(alert.rule)) for alert in found],
    }
    whole = {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}
    return json.dumps(_encodable(whole), indent=1)


def _rule(name: str, symptom: Symptom | None) -> dict[str, Any]:
    told: dict[str, Any] = {"id": name, "name": name.title().replace("-", "")}
    if symptom:
        told |= {
            "shortDescription": {"text": symptom.seen},
            "fullDescription": {"text": symptom.cause},
            "help": {"text": symptom.fix},
        }
        if symptom.references:
            told["helpUri"] = symptom.references[0]
    return told | {"defaultConfiguration": {"level": "error"}}


def _result(alert: Alert, index: int) -> dict[str, Any]:
    same = f"{alert.rule}\n{alert.message}".encode("utf-8", "backslashreplace")
    told: dict[str, Any] = {
        "ruleId": alert.rule,
        "ruleIndex": index,
        "level": "error",
        "message": _message(alert.message),
        "partialFingerprints": {"hoplab/v1": hashlib.sha256(same).hexdigest()},
    }
    if alert.line:
        file = {"uri": _uri(alert.line.path), "uriBaseId": _ROOT}
        place = {"artifactLocation": file, "region": {"startLine": alert.line.number}}
        told["locations"] = [{"physicalLocation": place}]
    if alert.properties:
        told["properties"] = dict(alert.properties)
    return told


def _uri(path: str) -> str:
    """A file's name may be any bytes, which Python tells by half of the surrogates."""
    return quote(_NO_BYTE.sub("?", path), errors="surrogateescape")


def _message(text: str) -> dict[str, str]:
    """As plain text: braces are doubled (3.11.5), and no bracket ends a link's text (3.11.6)."""
    return {"text": text.replace("{", "{{").replace("}", "}}").replace("](", "\\](")}


def _encodable(value: Any) -> Any:
    """Without lone surrogates, which JSON can write and many readers refuse."""
    if isinstance(value, str):
        return _SURROGATE.sub(lambda sign: f"\\u{ord(sign[0]):04x}", value)
    if isinstance(value, Mapping):
        return {_encodable(key): _encodable(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_encodable(each) for each in value]
    return value
