"""The OpenAPI document is true through every topology: schemathesis finds nothing, and no 5xx."""

import json
from collections.abc import Sequence
from contextlib import suppress
from functools import cache
from typing import TYPE_CHECKING, Any

import pytest

from tests.topologies.labs import Public

if TYPE_CHECKING:
    import schemathesis


@pytest.mark.https_alone  # the document is the same, and so are the answers
def test_nothing_is_found(public: Public) -> None:
    verify = str(public.endpoint.authority)
    document = public.get("/api/v1/openapi.json").text
    asked: set[str] = set()
    for case in cases(document):
        case.call_and_validate(f"{public.origin}/api/v1", verify=verify)
        asked.add(f"{case.method} {case.path}")
    assert asked == {
        f"{method.upper()} {path}"
        for path, operations in json.loads(document)["paths"].items()
        for method in operations
    }


@cache
def cases(document: str) -> "Sequence[schemathesis.Case[Any]]":
    """What to ask, of every operation: made once for all topologies that give this document."""
    # Here, because each of pytest's processes imports this module, and few run the test.
    import schemathesis  # noqa: PLC0415
    from hypothesis import HealthCheck, Phase, given, settings  # noqa: PLC0415
    from hypothesis.errors import Unsatisfiable  # noqa: PLC0415
    from schemathesis.core.result import Ok  # noqa: PLC0415
    from schemathesis.generation import GenerationMode  # noqa: PLC0415

    quick = settings(
        max_examples=5,  # of each operation and kind, right and wrong; the same in every run
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    made: list[schemathesis.Case[Any]] = []
    for result in schemathesis.openapi.from_dict(json.loads(document)).get_all_operations():
        assert isinstance(result, Ok), result
        operation = result.ok()
        for mode in GenerationMode:

            @quick
            @given(case=operation.as_strategy(generation_mode=mode))
            def make(case: schemathesis.Case[Any]) -> None:
                if case.path == "/events":
                    _do_not_wait(case.query)
                made.append(case)

            with suppress(Unsatisfiable):  # an operation without parameters can't be asked wrongly
                make()
    return made


def _do_not_wait(query: dict[str, Any]) -> None:
    """No time between events, unless what is asked is no number, and so refused."""
    if isinstance(query.get("interval", 0), int | float):
        query["interval"] = 0
