"""A proxy's configuration files, as one process of it needs them to serve many deployments.

They are the files that compose.yaml mounts; proxy.toml says which words of them differ between
deployments, and which lines have to stand once for each.
"""

import grp
import pwd
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from hoplab.catalogue.placeholders import filled
from hoplab.catalogue.proxies import ConfigurationFile, Proxy
from hoplab.catalogue.variations import Change
from hoplab.engines import programs
from hoplab.engines.certificates import Certificates
from hoplab.errors import HoplabError
from hoplab.prefix import Prefix
from hoplab.system.ports import LOOPBACK, address
from hoplab.topology import Mode, Scheme


@dataclass(frozen=True)
class Route:
    """What one deployment needs of a proxy: from these ports, in this mode, to that address.

    `upstream` is written as the proxy has it; `host` is the address at which the ports are.
    """

    word: str
    mode: Mode
    upstream: str
    prefix: Prefix
    ports: Mapping[Scheme, int]
    changes: Sequence[Change] = ()
    host: str = LOOPBACK


def render(
    proxy: Proxy, routes: Sequence[Route], run: Path, certificates: Certificates
) -> dict[Path, str]:
    """The files of one process that serves these routes, by where they have to be.

    Raises HoplabError if a file no longer has what has to be replaced in it.
    """
    files: dict[Path, str] = {}
    for file in proxy.files:
        parts: dict[Path, tuple[str, list[str], str]] = {}
        for route in routes:
            fields = _fields(proxy, route, run, certificates)
            path = Path(_filled(file.source, fields))
            right = _text(path)
            changes = [
                c for c in route.changes if proxy.folder.parent / _filled(c.file, fields) == path
            ]
            head, region, tail = _split(file, changed(right, changes, path), fields)
            if changes and (head, tail) != _split(file, right, fields)[::2]:
                message = f"{path}: what stands there once for all can't be changed for one."
                raise HoplabError(message)
            output = Path(_filled(file.output, fields))
            parts.setdefault(output, (head, [], tail))[1].append(region)
        files |= {out: head + "".join(middle) + tail for out, (head, middle, tail) in parts.items()}
    return files


def write(proxy: Proxy, routes: Sequence[Route], run: Path, certificates: Certificates) -> None:
    """Put the files where the process looks for them."""
    for path, text in render(proxy, routes, run, certificates).items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def command(proxy: Proxy, run: Path) -> list[str]:
    """What starts the process."""
    fields = {
        "program": programs.find(proxy) or proxy.programs[0],
        "run": str(run),
        "user": pwd.getpwuid(0).pw_name,
        "group": grp.getgrgid(0).gr_name,
    }
    return [_filled(argument, fields) for argument in proxy.command]


def changed(text: str, changes: Iterable[Change], where: object) -> str:
    """The text with a variation's changes in it."""
    for change in changes:
        text = _replace(text, change.right, change.wrong, where)
    return text


def _split(file: ConfigurationFile, text: str, fields: Mapping[str, str]) -> tuple[str, str, str]:
    """What stands before the lines of each deployment, these, and what stands after them."""
    if not (file.repeat or file.replace or file.replace_if_present):
        return text, "", ""
    start, end = 0, len(text)
    if file.repeat:
        start, end = (text.find("\n" + file.repeat[0]) + 1, text.rfind("\n" + file.repeat[1]) + 1)
        if not 0 < start < end:
            message = f"{file.source} has no lines {file.repeat[0]!r} and {file.repeat[1]!r}."
            raise HoplabError(message)
    head, region, tail = text[:start], text[start:end], text[end:]
    for old, new in file.replace.items():
        region = _replace(region, old, _filled(new, fields), file.source)
    for old, new in file.replace_if_present.items():
        region = region.replace(old, _filled(new, fields))
    for old, new in file.replace_once.items():
        once = _filled(new, fields)
        if old in head:
            head = head.replace(old, once)
        else:
            tail = _replace(tail, old, once, file.source)
    return head, region, tail


def _text(path: Path) -> str:
    try:
        return path.read_text()
    except OSError as error:
        message = f"{path}, which proxy.toml names as a source: {error.strerror}"
        raise HoplabError(message) from error


def _filled(text: str, fields: Mapping[str, str]) -> str:
    try:
        return filled(text, fields)
    except ValueError as error:
        message = f"proxy.toml: {error}"
        raise HoplabError(message) from error


def _replace(text: str, old: str, new: str, where: object) -> str:
    if old not in text:
        message = f"{where} has no {old!r}, which the lab has to replace there."
        raise HoplabError(message)
    return text.replace(old, new)


def _fields(proxy: Proxy, route: Route, run: Path, certificates: Certificates) -> dict[str, str]:
    return {
        "folder": str(proxy.folder),
        "run": str(run),
        "mode": route.mode,
        "word": route.word,
        "variable": route.word.replace("-", "_"),
        "upstream": route.upstream,
        "prefix": route.prefix.encoded,
        "prefix_decoded": route.prefix.decoded,
        "host": route.host,
        **{scheme: address(route.host, port) for scheme, port in route.ports.items()},
        **{f"{scheme}_port": str(port) for scheme, port in route.ports.items()},
        "certificate": str(certificates.certificate),
        "key": str(certificates.key),
    }
