"""What a text says to write, and whether a deployment has it."""

import re
from collections.abc import Iterator
from pathlib import Path

from hoplab.catalogue import Catalogue
from hoplab.engines.configuration import changed
from hoplab.recipe import BIND, PROXIES, server_line
from hoplab.topology import Deployment, Mode
from tests.catalogue import ROOT

_LINE = re.compile(
    r"""
    (?P<ticks>`+)(?P<quoted>.+?)(?P=ticks)                      # `in backticks`
    | [a-zA-Z][\w.]*\s?=\s?(?:"[^"]*"|\[[^\]]*\]|[\w.]*\w)      # key = "value", key=value
    | [A-Za-z_][\w.]*\((?:[^()]|\([^()]*\))*\)                  # call(argument)
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
_PLACEHOLDERS = {
    r"ADDRESS": r"[\w.:/-]+",
    r"MODULE:NAME": r"[\w.]+:\w+",
    r"VALUE": r"\S+",
    r"\.\.\.": r".*?",
}


def lines(text: str) -> list[str]:
    """What a text says to write or to remove: what stands in backticks, and other code."""
    for example, tried in _EXAMPLES.items():
        text = text.replace(example, tried)
    return [match["quoted"] or match[0] for match in _LINE.finditer(text)]


def occurrences(line: str, deployment: str) -> int:
    """How often a deployment has it; names in capitals stand for any value."""
    pattern = r"\s+".join(re.escape(word) for word in line.split())
    for name, value in _PLACEHOLDERS.items():
        pattern = pattern.replace(name, value)
    return len(re.findall(rf"(?<![\w-]){pattern}(?![\w-])", deployment))


def written(catalogue: Catalogue, deployment: Deployment) -> str:
    """All that a person writes for a deployment: configuration, command line, application."""
    return "\n".join(
        " ".join(_without_comments(part).split()) for part in _parts(catalogue, deployment)
    )


def _parts(catalogue: Catalogue, deployment: Deployment) -> Iterator[str]:
    topology = deployment.topology
    variation = catalogue.variation(deployment)
    changes = variation.changes if variation else ()
    outer = variation.outer if variation else None
    proxies = [(topology.proxy, topology.mode), *([(outer, Mode.PRESERVE)] if outer else [])]
    for name, mode in proxies:
        proxy = catalogue.proxies[name]
        for path in proxy.sources(mode):
            where = str(path.relative_to(proxy.folder.parent))
            own = [c for c in changes if c.file.replace("@mode@", mode) == where]
            text = changed(path.read_text(), own, where)
            for file in proxy.files:
                for old, new in {**file.replace, **file.replace_if_present}.items():
                    if "@prefix" in new:
                        prefix = catalogue.prefix.encoded
                        text = text.replace(
                            old, new.replace("@prefix_decoded@", prefix).replace("@prefix@", prefix)
                        )
            yield f"{where}\n{text}"
    line = server_line(catalogue, deployment, BIND, PROXIES)
    yield line
    modules = re.findall(r"\b(?:app|tests)(?:\.\w+)+", line)
    for module in modules:  # what it imports is added meanwhile
        path = Path(*module.split(".")).with_suffix(".py")
        if (ROOT / path).is_file():
            source = (ROOT / path).read_text()
            imported = re.findall(r"(?m)^from ((?:app|tests)(?:\.\w+)*) import (\w+)", source)
            found = [m for names in imported for m in (names[0], ".".join(names))]
            modules += [m for m in found if m not in modules]
            yield f"{path}\n{source}"


def _without_comments(text: str) -> str:
    text = re.sub(r'""".*?"""', "", text, flags=re.DOTALL)
    return re.sub(r"(?m)(^|\s)#.*$", "", text)
