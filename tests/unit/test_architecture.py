"""What the source must not say: only the data name a proxy or a server, one module asks for files.

Who may import whom is import-linter's business, in pyproject.toml.
"""

import ast
import io
import re
import tokenize
from collections.abc import Iterator

import pytest

from tests.catalogue import CATALOGUE, ROOT

SOURCE = ROOT / "src/hoplab"
MODULES = sorted(SOURCE.rglob("*.py"))
FRAMEWORK = "fastapi"
"""A server's file is called so (`fastapi run`), and so is what all of this is about."""

NAMES = sorted({*CATALOGUE.proxies, *CATALOGUE.servers} - {FRAMEWORK})
NAMED = re.compile(rf"(?<![A-Za-z])({'|'.join(NAMES)})(?![A-Za-z])", re.IGNORECASE)
OWN_SERVER = {"commands/live/embedded.py": {"uvicorn"}}
"""The lab's page needs a server as well: that is no server of the lab's."""

REFERENCE = re.compile(r"[\"']https://\S+[\"']")
"""A whole string that is an address: of a page about one of them, as a rule has it."""

ISSUE = re.compile(r"[\w.-]*\w(?:/[\w.-]+)?#\d+|https://\S+")
"""`hypercorn#198`, `golang/go#40747`, or the address of a page."""

TEXTS = {str(module.relative_to(SOURCE)): module.read_text() for module in MODULES}


def named(text: str) -> Iterator[tuple[int, str]]:
    """The lines that name a proxy or a server, but for comments that give a reference for it."""
    if not NAMED.search(text):  # to read it by its tokens takes long
        return
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if not NAMED.search(token.string):
            continue
        if token.type == tokenize.COMMENT and referenced(text, token.start[0]):
            continue
        if token.type == tokenize.STRING and REFERENCE.fullmatch(token.string):
            continue
        lines = token.string.splitlines()
        yield from (
            (token.start[0] + i, line.strip()) for i, line in enumerate(lines) if NAMED.search(line)
        )


def referenced(text: str, number: int) -> bool:
    """Whether the comment of this line, with the comment lines around it, has a reference."""
    lines = ["", *text.splitlines(), ""]

    def alone(at: int) -> bool:
        return lines[at].lstrip().startswith("#")

    first = last = number
    if alone(number):
        while alone(first - 1):
            first -= 1
        while alone(last + 1):
            last += 1
    comments = (line.partition("#")[2] for line in lines[first : last + 1])
    return any(ISSUE.search(comment) for comment in comments)


def test_no_module_names_a_proxy_or_a_server() -> None:
    """A newcomer is a folder or a file of data; what is special about it stands there."""
    assert [
        f"{name}:{number}: {line}"
        for name, text in TEXTS.items()
        for number, line in named(text)
        if line not in OWN_SERVER.get(name, set())
    ] == []


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("x = 'nginx'", [1]),
        ("x = 1\nnginx = x", [2]),
        ("def run_uvicorn(): ...", [1]),
        ("def f():\n    '''As\n    Traefik does.\n    '''", [3]),
        ("x = f'{y} NGINX'", [1]),
        ("x = 1  # as nginx", [1]),
        ("# as nginx does\n# and so on", [1]),
        ("# as nginx does\n\n# hypercorn#198", [1]),
        ("x = 1  # nginx#12", []),
        ("# as nginx does\n# (pgjones/hypercorn#198)", []),
        ("# as nginx does, https://nginx.org/", []),
        ("rule(['https://github.com/Kludex/uvicorn/pull/2213'])", []),
        ("x = 'see https://nginx.org/'", [1]),
        ("x = 'engine, nginxes, uvicorns'", []),
        ("# FastAPI, Starlette", []),
    ],
)
def test_what_counts_as_a_name(text: str, lines: list[int]) -> None:
    """The test above is one that can fail."""
    assert [number for number, _ in named(text)] == lines


def test_names_are_those_of_the_catalogue() -> None:
    assert {"nginx", "traefik", "uvicorn", "hypercorn"} <= set(NAMES)
    assert len(MODULES) > 60


def test_only_the_workspace_asks_where_it_lies() -> None:
    """So that another checkout is a value, and not another import."""
    asked = {
        name
        for name, text in TEXTS.items()
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Name) and node.id == "__file__"
    }

    assert asked == {"workspace.py"}


def test_no_module_is_long() -> None:
    lines = {name: len(text.splitlines()) for name, text in TEXTS.items()}

    assert {name: number for name, number in lines.items() if number >= 400} == {}
