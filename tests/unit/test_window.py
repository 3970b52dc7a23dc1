"""The second eye: shows the scope to who has the token, and nothing else changes."""

import asyncio
import hmac
import json
import subprocess
import sys
from collections.abc import Sequence
from typing import Any

import pytest
from fastapi import FastAPI

from hoplab import doctor
from hoplab.client.given import read
from hoplab.client.polite import PoliteClient
from hoplab.diagnosis.window import SCOPE_QUESTIONS, Blind, Seen, answers, look, window_answers
from hoplab.diagnosis.words import Answer, Question, Unasked
from hoplab.doctor import HEADER, PATH, VARIABLE, Window
from tests.unit.hostile import Behaviour, always, answer, site
from tests.unit.stub import LOOPBACK, listening

TOKEN = "a-token-that-nobody-guesses"


def application(token: str | None = TOKEN) -> FastAPI:
    app = FastAPI()
    app.add_middleware(Window, token=token)

    @app.get("/items")
    def items() -> str:
        return "items"

    return app


def asked(scope: dict[str, Any], token: str | None = TOKEN) -> list[Any]:
    """What a Window sends for a scope, and what the application inside would."""
    sent: list[Any] = []

    async def inside(scope: Any, _receive: Any, send: Any) -> None:
        await send({"inside": dict(scope)})

    async def receive() -> Any:
        raise AssertionError("nothing is read")

    async def send(message: Any) -> None:
        sent.append(message)

    asyncio.run(Window(inside, token)(scope, receive, send))
    return sent


def scope(path: str = PATH, token: str | None = TOKEN, **more: Any) -> dict[str, Any]:
    headers = [] if token is None else [(HEADER.lower().encode(), token.encode())]
    headers += more.pop("headers", [])
    return {"type": "http", "method": "GET", "path": path, "headers": headers, **more}


def body(sent: Sequence[Any]) -> dict[str, Any]:
    start, last = sent
    assert start["status"] == 200
    assert dict(start["headers"])[b"cache-control"] == b"no-store"
    found: dict[str, Any] = json.loads(last["body"])
    return found


# --- the middleware ---


@pytest.mark.parametrize(
    "path",
    [PATH, f"/api/v1{PATH}", f"/api/v1/api/v1{PATH}", f"//x/{PATH}", f"/caf\xe9{PATH}", f"{PATH}/"],
)
def test_it_answers_whatever_path_arrives(path: str) -> None:
    assert body(asked(scope(path)))["path"] == path


@pytest.mark.parametrize(
    "other",
    [
        scope(token=None),
        scope(token=TOKEN[::-1]),
        scope(token=TOKEN + "x"),
        scope(token=TOKEN[:-1]),
        scope(token=""),
        scope(headers=[(b"x-hoplab-window", b"second")]),
        scope("/items"),
        scope(PATH + "x"),
        scope(PATH + "/below"),
        {**scope(), "method": "POST"},
        {**scope(), "method": "HEAD"},
        {**scope(), "type": "websocket"},
        {"type": "lifespan"},
    ],
)
def test_all_else_passes_unchanged(other: dict[str, Any]) -> None:
    before = json.dumps(other, default=str)

    assert asked(other) == [{"inside": other}]
    assert json.dumps(other, default=str) == before


@pytest.mark.parametrize("token", ["", None])
def test_it_is_closed_without_a_token(token: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)

    assert "inside" in asked(scope(token=""), token)[0]
    assert "inside" in asked(scope(token=None), token)[0]


def test_the_token_comes_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, TOKEN)

    assert body(asked(scope(), None))["path"] == PATH
    assert "inside" in asked(scope(), "")[0]


def test_a_token_that_can_be_guessed_is_refused() -> None:
    with pytest.raises(ValueError, match="16 characters"):
        Window(application(), "short")


def test_the_token_is_compared_in_constant_time(monkeypatch: pytest.MonkeyPatch) -> None:
    compared: list[tuple[bytes, bytes]] = []

    def compare(given: bytes, right: bytes) -> bool:
        compared.append((given, right))
        return given == right

    monkeypatch.setattr(hmac, "compare_digest", compare)
    asked(scope(token=TOKEN[1:]))

    assert compared == [(TOKEN[1:].encode(), TOKEN.encode())]


SECRETS = [
    "cookie",
    "authorization",
    "proxy-authorization",
    "x-api-key",
    "x-forwarded-access-token",
    "x-forwarded-user",
    "x-forwarded-email",
    "x-forwarded-client-cert",
    "x-amzn-oidc-data",
    "x-goog-iap-jwt-assertion",
    "cf-access-jwt-assertion",
    "x-ms-client-principal",
    "x-csrf-token",
    "referer",
    "x-something-that-nobody-has-thought-of",
]


def test_no_value_that_may_be_secret_is_shown() -> None:
    headers = [(name.encode(), b"hunter2") for name in SECRETS]
    headers += [(b"Cookie", b"hunter2"), (b"x-original-url", b"/a?key=hunter2")]
    headers += [(b"host", b"example.com"), (b"x-forwarded-proto", b"https")]
    shown = body(asked(scope(headers=headers, query_string=b"token=hunter2")))

    text = json.dumps(shown)
    assert "hunter2" not in text
    assert TOKEN not in text
    values = dict(shown["headers"])
    assert values["host"] == "example.com"
    assert values["x-forwarded-proto"] == "https"
    assert values["x-original-url"] == "/a?…"
    assert {*SECRETS, HEADER.lower()} <= set(values), "the names are shown"


def test_it_shows_the_scope() -> None:
    shown = body(
        asked(
            scope(
                "/x/.hoplab-window",
                raw_path=b"/x%2F/.hoplab-window",
                root_path="/x",
                scheme="https",
                http_version="1.1",
                client=("10.0.0.1", 5),
                server=("app", 8000),
            )
        )
    )

    assert shown["raw_path"] == "/x%2F/.hoplab-window"
    assert (shown["root_path"], shown["scheme"], shown["http_version"]) == ("/x", "https", "1.1")
    assert (shown["client"], shown["server"]) == (["10.0.0.1", 5], ["app", 8000])
    assert shown["hoplab_window"] == doctor.VERSION


def test_what_a_scope_need_not_have() -> None:
    shown = body(asked(scope()))

    assert (shown["client"], shown["server"], shown["raw_path"]) == (None, None, None)


def test_an_application_with_it_works_as_before() -> None:
    with listening(application()) as port:
        url = f"http://{LOOPBACK}:{port}"
        client = PoliteClient(read(url))
        assert client.ask(f"{url}/items").json() == "items"
        assert client.ask(url + PATH).status == 404
        assert client.ask(url + PATH, headers=[(HEADER, TOKEN)]).json()["path"] == PATH
        client.close()


def test_importing_it_takes_nothing_but_the_standard_library() -> None:
    code = (
        "import sys; from hoplab.doctor import Window;"
        "names = {m.partition('.')[0] for m in sys.modules};"
        "print(sorted(names - sys.stdlib_module_names - {'__main__', 'hoplab'}))"
    )
    before = "import sys; print(sorted({m.partition('.')[0] for m in sys.modules}"
    before += " - sys.stdlib_module_names - {'__main__'}))"

    def loaded(text: str) -> str:
        return subprocess.run(
            [sys.executable, "-c", text], capture_output=True, text=True, check=True
        ).stdout

    assert loaded(code) == loaded(before)


# --- reading it ---


def through(app: FastAPI, token: str = TOKEN, path: str = "") -> Seen:
    with listening(app) as port:
        client = PoliteClient(read(f"http://{LOOPBACK}:{port}"))
        try:
            return look(client, f"http://{LOOPBACK}:{port}{path}", token)
        finally:
            client.close()


def test_it_is_read_over_the_wire() -> None:
    seen = through(application(), path="/api/v1")

    assert seen.path == f"/api/v1{PATH}"
    assert (seen.root_path, seen.scheme, seen.client) == ("", "http", LOOPBACK)
    assert seen.host.startswith(f"{LOOPBACK}:")
    assert TOKEN not in repr(seen)


def test_without_the_token_nothing_is_seen() -> None:
    with pytest.raises(Blind, match=f"404.*{VARIABLE}"):
        through(application(), "another-token-that-is-wrong")
    with pytest.raises(Blind, match="404"):
        through(application(token=""))


@pytest.mark.parametrize(
    "behaviour",
    [
        always(answer(b"{}", kind="application/json")),
        always(answer(b"\xff\xfe")),
        always(answer(b"[" * 100_000, kind="application/json")),
        always(answer(b'{"hoplab_window": 99}')),
        always(answer(b'{"hoplab_window": 1}')),
        always(answer(b'{"hoplab_window": 1, "headers": 5, "client": null}')),
        always(answer(b'{"hoplab_window": 1, "headers": [["a"]], "client": {}}')),
        always(answer(b"", "302 Found", "Location: http://evil.invalid/")),
    ],
)
def test_a_site_that_pretends_is_read_as_nothing(behaviour: Behaviour) -> None:
    with site(behaviour) as found:
        client = PoliteClient(read(found.url))
        told, seen = window_answers(client, found.url, "", TOKEN)
        client.close()

    assert seen is None
    assert [each.question for each in told] == list(SCOPE_QUESTIONS)
    assert all(isinstance(each, Unasked) for each in told)


BASE, PREFIX = "https://example.com:8443/api/v1", "/api/v1"


def symbols(base: str = BASE, prefix: str = PREFIX, **changes: Any) -> dict[Question, str]:
    right: dict[str, Any] = {
        "path": f"/api/v1{PATH}",
        "root_path": "/api/v1",
        "scheme": "https",
        "host": "example.com:8443",
        "client": "203.0.113.9",
        "client_port": 0,
        "headers": [("x-forwarded-proto", "https"), ("x-forwarded-for", "203.0.113.9")],
    }
    found = answers(Seen(**(right | changes)), base, prefix)
    return {each.question: each.symbol for each in found if isinstance(each, Answer)}


def test_a_right_scope() -> None:
    assert symbols() == {
        Question.SCOPE_PATH: "kept",
        Question.SCOPE_ROOT_PATH: "prefix",
        Question.SCOPE_SCHEME: "same",
        Question.SCOPE_HOST: "same",
        Question.SCOPE_PROTO_HEADER: "right",
        Question.SCOPE_FOR_HEADER: "there",
        Question.SCOPE_CLIENT: "told",
    }


@pytest.mark.parametrize(
    ("changes", "question", "symbol"),
    [
        ({"path": PATH}, Question.SCOPE_PATH, "without-prefix"),
        ({"path": f"/api/v1/api/v1{PATH}"}, Question.SCOPE_PATH, "doubled"),
        ({"path": f"/{PATH}"}, Question.SCOPE_PATH, "begins-with-two-slashes"),
        ({"path": f"/v1{PATH}"}, Question.SCOPE_PATH, "other"),
        ({"root_path": ""}, Question.SCOPE_ROOT_PATH, "empty"),
        ({"root_path": "/"}, Question.SCOPE_ROOT_PATH, "slash"),
        ({"root_path": "/api/v1/"}, Question.SCOPE_ROOT_PATH, "slash-at-end"),
        ({"root_path": "/api"}, Question.SCOPE_ROOT_PATH, "other"),
        ({"scheme": "http"}, Question.SCOPE_SCHEME, "http"),
        ({"scheme": "ftp"}, Question.SCOPE_SCHEME, "other"),
        ({"host": "example.com"}, Question.SCOPE_HOST, "without-port"),
        ({"host": "example.com:80"}, Question.SCOPE_HOST, "other-port"),
        ({"host": "app:8000"}, Question.SCOPE_HOST, "upstream"),
        ({"host": "example.com:99999"}, Question.SCOPE_HOST, "upstream"),
        ({"headers": []}, Question.SCOPE_PROTO_HEADER, "missing"),
        ({"headers": []}, Question.SCOPE_FOR_HEADER, "missing"),
        ({"headers": [("x-forwarded-proto", "http")]}, Question.SCOPE_PROTO_HEADER, "http"),
        ({"headers": [("x-forwarded-proto", "https,http")]}, Question.SCOPE_PROTO_HEADER, "list"),
        ({"headers": [("x-forwarded-proto", "wss")]}, Question.SCOPE_PROTO_HEADER, "other"),
        ({"client": "10.0.0.2", "client_port": 5}, Question.SCOPE_CLIENT, "peer"),
        (
            {"headers": [("x-forwarded-for", "203.0.113.9:4711")]},  # as some gateways write it
            Question.SCOPE_CLIENT,
            "told",
        ),
    ],
)
def test_a_wrong_scope(changes: dict[str, Any], question: Question, symbol: str) -> None:
    assert symbols(**changes)[question] == symbol


def test_the_usual_port_need_not_be_named() -> None:
    assert (
        symbols("https://example.com/api/v1", host="example.com:443")[Question.SCOPE_HOST] == "same"
    )


def test_a_prefix_with_encoded_characters() -> None:
    found = symbols(
        "https://example.com:8443/caf%C3%A9", "/caf%C3%A9", path=f"/café{PATH}", root_path="/café"
    )

    assert (found[Question.SCOPE_PATH], found[Question.SCOPE_ROOT_PATH]) == ("kept", "prefix")


def test_on_one_machine_nobody_knows_whose_address_it_is() -> None:
    changes: dict[str, Any] = {
        "client": LOOPBACK,
        "client_port": 4711,
        "headers": [("x-forwarded-for", LOOPBACK)],
    }

    assert Question.SCOPE_CLIENT not in symbols(**changes)
    assert Question.SCOPE_CLIENT not in symbols(client="")


def test_over_http_no_header_has_to_say_so() -> None:
    base = "http://example.com:8443/api/v1"

    assert Question.SCOPE_PROTO_HEADER not in symbols(base, scheme="http", headers=[])
    told = symbols(base, scheme="http", headers=[("x-forwarded-proto", "http")])
    assert told[Question.SCOPE_PROTO_HEADER] == "right"
