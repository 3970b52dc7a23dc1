"""An answer that lacks what was asked for is another page: no check reads on."""

from collections.abc import Callable

import pytest
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from hoplab.results import Verdict
from tests.unit.stub import Fault, Stub, as_it_is
from tests.unit.transparency_faults import if_

pytestmark = pytest.mark.usefixtures("quick_checks")


def lacking(key: str) -> Fault:
    """The key is written otherwise, wherever it stands in an answer."""

    def fault(app: ASGIApp) -> ASGIApp:
        async def asked(scope: Scope, receive: Receive, send: Send) -> None:
            async def renamed(message: Message) -> None:
                if body := message.get("body"):
                    named, other = f'"{key}":'.encode(), f'"{key.upper()}":'.encode()
                    message["body"] = body.replace(named, other)
                await send(message)

            await app(scope, receive, renamed)

        return asked

    return fault


def asked_with(query: bytes) -> Callable[[Scope], bool]:
    return lambda scope: query in scope["query_string"]


@pytest.mark.parametrize(
    ("check", "key", "query"),
    [
        ("limits", "query_string", b""),
        ("limits", "extensions", b""),
        ("isolation", "headers", b""),
        ("isolation", "serial", b""),
        ("isolation", "query_string", b""),
        ("isolation", "serial", b"status="),
        ("disconnect", "left", b""),
        ("requests", "method", b""),
        ("requests", "query_string", b"preflight"),
        ("requests", "headers", b"preflight"),
        ("requests", "length", b"preflight"),
        ("requests", "sha256", b"preflight"),
        ("requests", "times", b""),
        ("client", "headers", b""),
        ("boundary", "headers", b""),
        ("url-for", "headers", b""),
    ],
)
def test_an_answer_that_lacks_what_was_asked_for_is_another_page(
    stub: Stub, check: str, key: str, query: bytes
) -> None:
    stub.serve(as_it_is, if_(asked_with(query), lacking(key)))

    finding = stub.ask(check)

    assert (finding.verdict, finding.symptom) == (Verdict.FAIL, "answer-wrong"), finding.detail
    assert "expected an object with" in finding.detail
    assert key in finding.detail.rpartition("expected an object with")[2]


def test_an_application_that_does_not_say_whether_it_was_asked_was_asked(stub: Stub) -> None:
    stub.serve(as_it_is, lacking("asked"))

    assert stub.ask("disconnect").verdict is Verdict.PASS
