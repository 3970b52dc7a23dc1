"""What a text says to write, and whether a deployment has it."""

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from hoplab.catalogue import Catalogue
from hoplab.engines.configuration import changed
from hoplab.recipe import BIND, PROXIES, server_line
from hoplab.topology import Deployment, Mode
from tests.catalogue import ROOT

_LINE = re.compile(
    r"""
    (?P<ticks>`+)(?P<quoted>.+?)(?P=ticks)                      # `in backticks`
    | (?:\w+\s=\s)?[A-Za-z_][\w.]*\((?:[^()]|\([^()]*\))*\)     # name = call(argument)
    | [a-zA-Z][\w.]*\s?=\s?(?:"[^"]*"|\[[^\]]*\]|[\w.]*\w)      # key = "value", key=value
    | --[a-z][a-z-]+(?:\s/[^\s,;:]*\w)?                         # --option /path
    | [A-Z]\w+Middleware
    | app/[\w/]+\.py
    """,
    re.VERBOSE,
)
_EXAMPLES = {
    "https://app.example.com": "http://main.co.kr",
    "https://admin.example.com": "http://metrics.co.kr",
    r"https://(app|admin)\.example\.com": r"http://(main|metrics)\.co\.kr",
}
"""Origins in the texts, and those in the lab's CORS applications."""

_PLACEHOLDERS = {
    r"ADDRESS": r"[\w.:/-]+",
    r"MODULE:NAME": r"[\w.]+:\w+",
    r"MOUNT:NAME": r"\w+:\w+",
    r"\.\.\.": r".*?",
    r"\(middleware=\)": r"\([^)]*\)?, middleware=\w+",
}


def lines(text: str) -> list[str]:
    """What a text says to write or to remove: what stands in backticks, and other code."""
    for example, tried in _EXAMPLES.items():
        text = text.replace(example, tried)
    return [match["quoted"] or match[0] for match in _LINE.finditer(text)]


def occurrences(line: str, text: str) -> int:
    """How often a deployment's text has it; names in capitals stand for any value."""
    return len(_pattern(line).findall(text))


@cache
def _pattern(line: str) -> re.Pattern[str]:
    pattern = r"\s+".join(re.escape(word) for word in line.split())
    for name, value in _PLACEHOLDERS.items():
        pattern = pattern.replace(name, value)
    if line.endswith("="):
        pattern += r"\S+"
    return re.compile(rf"(?<![\w-]){pattern}(?![\w-])")


def written(catalogue: Catalogue, deployment: Deployment) -> list[str]:
    """All that a person writes for a deployment: files, command line, modules; no comments."""
    return [
        " ".join(_without_comments(part).split()).replace("( ", "(")
        for part in _parts(catalogue, deployment)
    ]


def _parts(catalogue: Catalogue, deployment: Deployment) -> Iterator[str]:
    topology = deployment.topology
    variation = catalogue.variation(deployment)
    changes = variation.changes if variation else ()
    outer = variation.outer if variation else None
    proxies = [(topology.proxy, topology.mode), *([(outer, Mode.PRESERVE)] if outer else [])]
    prefix = catalogue.prefix.encoded
    for name, mode in proxies:
        proxy = catalogue.proxies[name]
        for path in proxy.sources(mode):
            where = str(path.relative_to(proxy.folder.parent))
            own = [c for c in changes if c.file.replace("@mode@", mode) == where]
            text = changed(path.read_text(), own, where)
            for file in proxy.files:
                for old, new in {**file.replace, **file.replace_if_present}.items():
                    if "@prefix" in new:
                        text = text.replace(old, re.sub("@prefix(_decoded)?@", prefix, new))
            yield f"{where}\n{text}"
    line = server_line(catalogue, deployment, BIND, PROXIES)
    yield line
    yield from _modules(line)


@cache
def _modules(line: str) -> list[str]:
    """The application's modules, and all of ours that they import."""
    modules = re.findall(r"\b(?:app|tests)(?:\.\w+)+", line)
    sources = []
    for module in modules:  # what one imports is added meanwhile
        path = Path(*module.split(".")).with_suffix(".py")
        if (ROOT / path).is_file():
            source = (ROOT / path).read_text()
            sources.append(f"{path}\n{source}")
            imported = re.findall(r"(?m)^from ((?:app|tests)(?:\.\w+)*) import (\w+)", source)
            found = [name for names in imported for name in (names[0], ".".join(names))]
            modules += [name for name in found if name not in modules]
    return sources


def _without_comments(text: str) -> str:
    text = re.sub(r'""".*?"""', "", text, flags=re.DOTALL)
    return re.sub(r"(?m)(^|\s)#.*$", "", text)
