"""A proxy's configuration files, as one process of it needs them to serve many deployments.

They are the files that compose.yaml mounts; proxy.toml says which words of them differ between
deployments, and which lines have to stand once for each.
"""

import grp
import pwd
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from hoplab.catalogue.placeholders import filled
from hoplab.catalogue.proxies import ConfigurationFile, Proxy
from hoplab.catalogue.variations import Change
from hoplab.engines import programs
from hoplab.engines.certificates import Certificates
from hoplab.errors import HoplabError
from hoplab.prefix import Prefix
from hoplab.system.ports import LOOPBACK
from hoplab.system.sockets import address
from hoplab.topology import Mode, Scheme

_NAME = re.compile("@(word|variable)@")


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

    Of a single one they are what a person would keep: names that only tell several apart are left
    as they are. Raises HoplabError if a file no longer has what has to be replaced in it.
    """
    files: dict[Path, str] = {}
    for file in [file if len(routes) > 1 else _for_one(file) for file in proxy.files]:
        parts: dict[Path, tuple[str, list[str], str]] = {}
        for route in routes:
            fields = _fields(proxy, route, run, certificates)
            path = Path(proxy.filled(file.source, fields))
            right = _text(path)
            changes = [c for c in route.changes if _changes(c, proxy, fields) == path]
            text = changed(right, changes, path)
            head, region, tail = _split(proxy, file, path, text, fields)
            if changes and (head, tail) != _split(proxy, file, path, right, fields)[::2]:
                message = f"{path}: what stands there once for all can't be changed for one."
                raise HoplabError(message)
            output = Path(proxy.filled(file.output, fields))
            parts.setdefault(output, (head, [], tail))[1].append(region)
        files |= {out: head + "".join(middle) + tail for out, (head, middle, tail) in parts.items()}
    return files


def write(
    proxy: Proxy, routes: Sequence[Route], run: Path, certificates: Certificates
) -> list[Path]:
    """Put the files where the process looks for them; gives where that is."""
    files = render(proxy, routes, run, certificates)
    for path, text in files.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return list(files)


def command(proxy: Proxy, run: Path) -> list[str]:
    """What starts the process."""
    return _filled(proxy, proxy.command, run)


def check(proxy: Proxy, run: Path) -> list[str]:
    """What says why the process can't use its files; empty if it says so itself."""
    return _filled(proxy, proxy.check, run)


def _filled(proxy: Proxy, arguments: Sequence[str], run: Path) -> list[str]:
    fields = {
        "program": programs.find(proxy) or proxy.programs[0],
        "run": str(run),
        "user": pwd.getpwuid(0).pw_name,
        "group": grp.getgrgid(0).gr_name,
    }
    return [proxy.filled(argument, fields) for argument in arguments]


def changed(text: str, changes: Iterable[Change], where: object) -> str:
    """The text with a variation's changes in it."""
    for change in changes:
        if change.right not in text:
            message = f"{where} has no {change.right!r}, which the variation changes."
            raise HoplabError(f"{message} Name what stands there now in the variation's file.")
        text = text.replace(change.right, change.wrong)
    return text


def change(proxy: Proxy, mode: Mode, changes: Iterable[Change]) -> None:
    """Write a variation's changes into the files of the proxy's folder that this mode has."""
    paths = [(each, _changes(each, proxy, {"mode": mode})) for each in changes]
    for each, path in paths:
        if path in proxy.sources(mode):
            path.write_text(changed(_text(path), [each], path), encoding="utf-8")


def _for_one(file: ConfigurationFile) -> ConfigurationFile:
    """Without what only tells several deployments apart, or makes room for them."""

    def kept(table: Mapping[str, str]) -> dict[str, str]:
        return {old: new for old, new in table.items() if not _NAME.search(new)}

    return replace(
        file,
        replace=kept(file.replace),
        replace_if_present=kept(file.replace_if_present),
        replace_for_many={},
    )


def _changes(change: Change, proxy: Proxy, fields: Mapping[str, str]) -> Path:
    return proxy.folder.parent / filled(change.file, fields, f"{change.file} in a variation's file")


def _split(
    proxy: Proxy, file: ConfigurationFile, path: Path, text: str, fields: Mapping[str, str]
) -> tuple[str, str, str]:
    """What stands before the lines of each deployment, these, and what stands after them."""
    if not (file.repeat or file.replace or file.replace_if_present):
        return text, "", ""
    start, end = 0, len(text)
    if file.repeat:
        start, end = (text.find("\n" + file.repeat[0]) + 1, text.rfind("\n" + file.repeat[1]) + 1)
        if not 0 < start < end:
            first, last = file.repeat
            raise _missing(proxy, path, f"line that begins with {first!r}, and later {last!r}")
    head, region, tail = text[:start], text[start:end], text[end:]
    for old, new in file.replace.items():
        if old not in region:
            raise _missing(proxy, path, repr(old))
        region = region.replace(old, proxy.filled(new, fields))
    for old, new in file.replace_if_present.items():
        region = region.replace(old, proxy.filled(new, fields))
    for old, new in {**file.replace_once, **file.replace_for_many}.items():
        once = proxy.filled(new, fields)
        if old not in head + tail:
            raise _missing(proxy, path, repr(old))
        if old in head:
            head = head.replace(old, once)
        else:
            tail = tail.replace(old, once)
    return head, region, tail


def _missing(proxy: Proxy, path: Path, what: str) -> HoplabError:
    return HoplabError(
        f"{path} has no {what}, which differs between local processes.\n"
        f"Put it back, or name what stands there now in {proxy.folder / 'proxy.toml'}, [process]."
        " With Docker, the file is used as it is: --engine docker."
    )


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        message = f"{path}, which proxy.toml names as a source: {error.strerror}"
        raise HoplabError(message) from error
    except UnicodeDecodeError as error:
        message = f"{path} is not UTF-8: {error.reason} at byte {error.start}."
        raise HoplabError(message) from error


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
