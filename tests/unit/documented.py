"""What a check's docstring says of its symptoms, and what its source can raise."""

import ast
import inspect
import re
from collections.abc import Iterable, Iterator

from hoplab.suites import SYMPTOMS
from hoplab.suites.check import Check


def documented(check: Check) -> set[str]:
    """The symptoms that the docstring names after "Symptom:" or "Symptoms:"."""
    _, _, named = re.sub(r"Symptoms?:", "\0", inspect.getdoc(check) or "").partition("\0")
    return set(re.findall(r"`([a-z0-9-]+)`", named))


def symptoms_in(tree: ast.Module) -> Iterator[str]:
    """Those that a check's module can raise by itself, as far as they stand in it as constants."""
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Name("Failed") | ast.Attribute(attr="fail"), args=[first, *_]):
                yield from constants([first])
            case ast.Call(func=ast.Name("compare_urls"), args=[_, _, _, what]):
                for name in constants([what]):
                    yield from (f"{name}-{how}" for how in COMPARED)
            case ast.Constant(value=str(name)) if name in SYMPTOMS:
                yield name


COMPARED = (
    *("wrong-host", "drops-port", "wrong-port", "wrong-scheme"),
    *("drops-prefix", "wrong-path", "wrong-query"),
)


def constants(nodes: Iterable[ast.expr]) -> Iterator[str]:
    for node in nodes:
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value
