"""What was tried so that an application works: fixes, and changes of a person's own proxy file."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, TypeAlias

Json: TypeAlias = dict[str, Any]


@dataclass(frozen=True)
class Trial:
    """A fix, as a person reads it, and the topologies, by name, in which it was tried.

    not_started: those in which what it makes does not start.
    """

    fix: str
    passed: Sequence[str] = ()
    failed: Sequence[str] = ()
    not_started: Sequence[str] = ()


@dataclass(frozen=True)
class Tried:
    """What was tried for a problem, which is what all findings of this symptom and detail are.

    detail: without what differs between the cells that have it, such as a port.
    """

    symptom: str
    detail: str
    fixes: Sequence[Trial] = ()


@dataclass(frozen=True)
class Reason:
    """Lines of a change that are needed together, by their name, and what shows without them."""

    lines: str
    symptoms: Sequence[str]


@dataclass(frozen=True)
class Change:
    """The smallest change with which the file passes, as a diff, and what each line is for.

    Without `reasons`, none was found, and `left` says what failed with all of the lab's lines.
    tried: how many changes were.
    """

    diff: Sequence[str]
    reasons: Sequence[Reason]
    left: Sequence[str]
    tried: int


@dataclass(frozen=True)
class OwnConfiguration:
    """A person's own file in place of the lab's.

    adapted: how it was changed to run here, as a diff; notes: what else there is to know of that.
    also: the symptoms that show with the lab's own file too. change: None if nothing is the file's
    doing; untried: something is, and no change was to be tried.
    """

    file: str
    proxy: str
    mode: str
    adapted: Sequence[str] = ()
    notes: Sequence[str] = ()
    also: Sequence[str] = ()
    change: Change | None = None
    untried: bool = False


def as_json(told: Tried | OwnConfiguration) -> Json:
    """As the results file has it: without what is empty."""
    filled: Json = _filled(asdict(told))
    return filled


def _filled(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _filled(each) for key, each in value.items() if each}
    return [_filled(each) for each in value] if isinstance(value, list | tuple) else value


def read_tried(told: Json) -> Tried:
    """From the results file. Raises what `load` of that expects if it is no such thing."""
    fixes = [
        Trial(
            text(each["fix"]),
            texts(each, "passed"),
            texts(each, "failed"),
            texts(each, "not_started"),
        )
        for each in told.get("fixes", ())
    ]
    return Tried(text(told["symptom"]), text(told["detail"]), fixes)


def read_configuration(told: Json) -> OwnConfiguration:
    """From the results file. Raises what `load` of that expects if it is no such thing."""
    return OwnConfiguration(
        text(told["file"]),
        text(told["proxy"]),
        text(told["mode"]),
        texts(told, "adapted"),
        texts(told, "notes"),
        texts(told, "also"),
        _read_change(told["change"]) if "change" in told else None,
        bool(told.get("untried")),
    )


def _read_change(told: Json) -> Change:
    reasons = [
        Reason(text(each["lines"]), texts(each, "symptoms")) for each in told.get("reasons", ())
    ]
    return Change(texts(told, "diff"), reasons, texts(told, "left"), int(told.get("tried", 0)))


def text(told: Any) -> str:
    """The same. Raises TypeError if it is no text."""
    if not isinstance(told, str):
        message = f"{told!r} is no text"
        raise TypeError(message)
    return told


def texts(told: Json, key: str) -> list[str]:
    """What stands there, or nothing. Raises TypeError if it is no list of texts."""
    found = told.get(key, [])
    if not isinstance(found, list):
        message = f"{key} is no list"
        raise TypeError(message)
    return [text(each) for each in found]
