"""The TOML files with something else in the place of anything: one line that names the file."""

import json
import re
import tomllib
from collections.abc import Callable, Iterator
from enum import StrEnum
from pathlib import Path
from typing import Any

import pytest

from hoplab.catalogue import form, proxies, variations
from hoplab.catalogue.servers import server_of
from hoplab.errors import HoplabError
from hoplab.prefix import DEFAULT_PREFIX
from tests.catalogue import CATALOGUE, ROOT

SERVERS = ROOT / "src/hoplab/catalogue/servers"
OTHERS: list[Any] = ["x", "(", "", 7, -1.5, True, [], [7], ["x"], [{}], {}, {"x": 7}, {"x": {}}]
FILES = [
    ROOT / "traefik/proxy.toml",
    ROOT / "nginx/proxy.toml",
    ROOT / "nginx/symptoms.toml",
    SERVERS / "granian.toml",
    ROOT / "variations/contract/nginx-appends.toml",
    ROOT / "variations/contract/traefik-behind-nginx.toml",
    ROOT / "variations/contract/root-path-slash.toml",
    ROOT / "variations/cors/cors-both.toml",
]


def broken(content: Any) -> Iterator[Any]:
    """The content with one thing in it missing, or something else."""
    for path in paths(content):
        for other in [..., *OTHERS]:
            yield changed(content, path, other)


def changed(content: Any, path: list[Any], other: Any) -> Any:
    """A copy with something else at this place, or without it."""
    key, *rest = path
    made = content.copy()
    if rest:
        made[key] = changed(content[key], rest, other)
    elif other is ...:
        del made[key]
    else:
        made[key] = other
    return made


def paths(content: Any) -> Iterator[list[Any]]:
    """To every key and place; of a list's places, the first stands for all."""
    keys = list(content) if isinstance(content, dict) else range(min(len(content), 1))
    for key in keys:
        yield [key]
        if isinstance(content[key], dict | list):
            yield from ([key, *rest] for rest in paths(content[key]))


def reader(file: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[Any], object]:
    """What reads such a file, given its content. All of it is read that anybody would."""
    if file.parent == SERVERS:
        return lambda content: server_of(file.stem, content)
    told: list[Any] = []

    def loads(text: str) -> Any:
        return told[0] if text == "broken" else json.loads(text)

    monkeypatch.setattr(tomllib, "loads", loads)

    def read(content: Any) -> None:
        told[:] = [content]
        real = Path.read_text
        with monkeypatch.context() as patch:
            patch.setattr(
                Path, "read_text", lambda path, **_: "broken" if path == file else real(path)
            )
            if file.name == "symptoms.toml":
                proxies._advice(file)
            elif file.name == "proxy.toml":
                patch.setattr(proxies, "_advice", lambda _: {})
                proxy = proxies._read(file)
                proxy.refusal(DEFAULT_PREFIX)
            else:
                found = variations._read(file, list(CATALOGUE.proxies), DEFAULT_PREFIX)
                assert isinstance(found.right, dict)

    return read


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(ROOT)))
def test_anything_else_is_understood_or_one_line(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = tomllib.loads(file.read_text())
    read = reader(file, monkeypatch)
    read(content)
    refused = 0
    for wrong in broken(content):
        try:
            read(wrong)
        except HoplabError as error:
            refused += 1
            [line] = str(error).splitlines()
            assert line.startswith((str(file), f"servers/{file.name}"))
    assert refused > 10


class Colour(StrEnum):
    RED = "red"
    BLUE = "blue"


def test_one_of_a_few() -> None:
    assert form.choice(Colour, "red", "paint.colour") is Colour.RED
    others: list[Any] = ["green", 1, [], {}]
    for wrong in others:
        with pytest.raises(ValueError, match=r"^paint.colour = .* is unknown; known: red, blue$"):
            form.choice(Colour, wrong, "paint.colour")


@pytest.mark.parametrize(
    ("kind", "right", "wrong", "message"),
    [
        (str, "x", 1, "a.b is 1, expected a text in quotes"),
        (bool, False, 0, "a.b is 0, expected true or false"),
        (int, 1, True, "a.b is True, expected a whole number"),
        (float, 1, "1", "a.b is '1', expected a number"),
        (float, 1.5, False, "a.b is False, expected a number"),
        (re.Pattern, "a+", "a(", "a.b is 'a(', expected a regular expression in quotes"),
        ([str], ["x"], "x", "a.b is 'x', expected a list, in […]"),
        ([str], [], ["x", 1], "a.b[1] is 1, expected a text in quotes"),
        ([{"c": int}], [{"c": 1}], {"c": 1}, "a.b is a table, expected a list of tables, [[a.b]]"),
        ([{"c": int}], [{}], [{"c": "x"}], "a.b[0].c is 'x', expected a whole number"),
        ({form.ANY: int}, {"c": 1}, {"c": "x"}, "a.b.c is 'x', expected a whole number"),
        ({form.ANY: int}, {}, [1], "a.b is [1], expected a table"),
    ],
)
def test_what_is_required(kind: Any, right: Any, wrong: Any, message: str) -> None:
    form.require({"a": {"b": kind}}, {"a": {"b": right}})

    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        form.require({"a": {"b": kind}}, {"a": {"b": wrong}})
