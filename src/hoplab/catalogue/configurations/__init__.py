"""Configurations that a person brings along: `understand` reads one, in the proxy's language."""

import re
from pathlib import Path

from hoplab.catalogue.configurations import directives, sites, tables
from hoplab.catalogue.configurations.configuration import (
    FILLED,
    BadConfiguration,
    CannotRun,
    Configuration,
    Edit,
    diff,
)
from hoplab.catalogue.proxies import Proxy
from hoplab.topology import Mode

__all__ = [
    "FILLED",
    "BadConfiguration",
    "CannotRun",
    "Configuration",
    "Edit",
    "diff",
    "recognised",
    "understand",
]

_LANGUAGES = {
    "directives": directives.understand,
    "sites": sites.understand,
    "tables": tables.understand,
}
_MOST = 2**20


def text_of(path: Path) -> str:
    """What a person's file says. Raises BadConfiguration for what is no text."""
    try:
        content = path.read_bytes()
    except OSError as error:
        message = f"{path}: {error.strerror}"
        raise BadConfiguration(message) from error
    if len(content) > _MOST:
        message = f"{path} has more than a megabyte: that is no configuration"
        raise BadConfiguration(message)
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        message = f"{path} is not UTF-8: {error.reason} at byte {error.start}"
        raise BadConfiguration(message) from error
    if "\0" in text:
        message = f"{path} is a binary file"
        raise BadConfiguration(message)
    if not text.strip():
        message = f"{path} is empty"
        raise BadConfiguration(message)
    return text.replace("\r\n", "\n")


def recognised(proxies: dict[str, Proxy], text: str) -> list[Proxy]:
    """The proxies whose file this can be: one of their patterns is in it, the most found first."""
    found = {
        name: sum(1 for each in proxy.own.get("recognised", ()) if re.search(each, text, re.M))
        for name, proxy in proxies.items()
    }
    most = max(found.values(), default=0)
    return [proxies[name] for name, number in found.items() if number and number == most]


def understand(proxy: Proxy, path: Path, text: str) -> Configuration:
    """A person's file of this proxy, to be run by the lab.

    Raises BadConfiguration if it can't be understood, CannotRun if it needs what is not here.
    """
    lab = {mode: _lab(proxy, mode) for mode in Mode}
    return _LANGUAGES[proxy.own["language"]](path, text, proxy.own, lab)


def _lab(proxy: Proxy, mode: Mode) -> str:
    """The lab's own file, with the words of `FILLED` where something is filled in."""
    number: int = proxy.own.get("replaces", 0)
    text = proxy.sources(mode)[number].read_text(encoding="utf-8")
    words = {placeholder.strip("@"): word for word, placeholder in FILLED.items()}
    file = proxy.files[number]
    for old, new in {**file.replace, **file.replace_if_present}.items():
        if not re.search("@(word|variable)@", new):
            text = text.replace(old, proxy.filled(new, words))
    return text
