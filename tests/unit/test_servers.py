"""The servers' files: what they may say, and the command lines that follow."""

from collections.abc import Mapping
from typing import Any

import pytest

from hoplab.catalogue import servers
from hoplab.catalogue.servers import SERVERS, server_of
from hoplab.catalogue.servers.server import (
    Address,
    ForwardedHeaders,
    Launch,
    RootPath,
    Server,
    Start,
)
from hoplab.errors import HoplabError
from hoplab.prefix import DEFAULT_PREFIX, Prefix, parse
from hoplab.suites import SYMPTOMS
from hoplab.symptom import Advice
from hoplab.topology import Mode, Profile, Setup, Strategy, Trust
from tests.catalogue import CATALOGUE, ROOT

COMPLETE: Mapping[str, Any] = {
    "package": "swift-asgi",
    "minimum": "1.2",
    "command": ["swift", "@application@", "--bind", "@host@:@port@"],
    "trusts": {"none": ["--deaf"], "proxy": ["--believe", "@believed@"]},
    "root_path_option": ["--prefix", "@prefix@", "@prefix_decoded@"],
    "environment": {"BELIEVED": "@believed@"},
    "root_path": "label",
    "forwarded_headers": "wrapper",
    "sees": "peer",
    "launch": "exec",
    "profile": "more",
    "refuses": [{"prefix": "%", "reason": "it decodes nothing."}],
    "symptoms": {
        "unreachable": {"cause": "It\nis.", "fix": "Do\n so.", "references": ["https://a"]}
    },
}


def start(
    strategy: Strategy = Strategy.SERVER_OPTION,
    trust: Trust = Trust.PROXY,
    host: str = "127.0.0.1",
    prefix: Prefix = DEFAULT_PREFIX,
) -> Start:
    return Start(Setup(strategy, trust), host, "8000", "10.9.0.0/24", prefix)


def command(server: str, strategy: Strategy, trust: Trust = Trust.PROXY) -> str:
    return " ".join(SERVERS[server].command_line(start(strategy, trust)))


# --- a file ---


def test_complete_file() -> None:
    assert server_of("swift", COMPLETE) == Server(
        name="swift",
        package="swift-asgi",
        minimum="1.2",
        command=["swift", "@application@", "--bind", "@host@:@port@"],
        trusts={Trust.NONE: ["--deaf"], Trust.PROXY: ["--believe", "@believed@"]},
        root_path_option=["--prefix", "@prefix@", "@prefix_decoded@"],
        environment={"BELIEVED": "@believed@"},
        root_path=RootPath.LABEL,
        forwarded_headers=ForwardedHeaders.WRAPPER,
        sees=Address.PEER,
        launch=Launch.EXEC,
        profile=Profile.MORE,
        refuses={"%": "it decodes nothing."},
        advice={"unreachable": Advice("Do so.", "It is.", ("https://a",))},
    )


def test_what_may_be_left_out() -> None:
    needed = (
        *("package", "minimum", "command", "root_path_option", "environment"),
        *("root_path", "forwarded_headers", "sees"),
    )
    server = server_of("swift", {key: COMPLETE[key] for key in needed})

    assert (server.launch, server.profile) == (Launch.FORK, Profile.MAIN)
    assert (server.host_header, server.any_takes_leftmost) == (False, False)
    assert (server.proto_needs_for, server.h2c) == (False, False)
    assert not any((server.trusts, server.refuses, server.advice))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"rootpath": "label"}, "rootpath"),
        ({"root_path": "prefixed"}, "= 'prefixed' is unknown; known: "),
        ({"forwarded_headers": "none"}, "= 'none' is unknown; known: "),
        ({"sees": "proxy"}, "= 'proxy' is unknown; known: "),
        ({"launch": "spawn"}, "= 'spawn' is unknown; known: "),
        ({"profile": "all"}, "= 'all' is unknown; known: "),
        ({"trusts": {"all": []}}, "= 'all' is unknown; known: "),
        ({"refuses": [{"prefix": "%"}]}, "lacks 'reason'"),
        ({"refuses": [{"reason": "x"}]}, "lacks 'prefix'"),
        ({"symptoms": {"unreachable": "x"}}, "symptoms.unreachable is 'x', expected a table"),
        ({"trusts": []}, "trusts is [], expected a table"),
        ({"package": None}, "package"),
        ({"minimum": None}, "minimum"),
        ({"command": None}, "command"),
        ({"root_path_option": None}, "root_path_option"),
        ({"environment": None}, "environment"),
        ({"root_path": None}, "root_path"),
        ({"forwarded_headers": None}, "forwarded_headers"),
        ({"sees": None}, "sees"),
    ],
)
def test_what_can_not_be_understood_is_one_line_with_the_file(
    changes: dict[str, Any], message: str
) -> None:
    """None: the key is missing."""
    content = {k: v for k, v in {**COMPLETE, **changes}.items() if v is not None}

    with pytest.raises(HoplabError) as caught:
        server_of("swift", content)

    [line] = str(caught.value).splitlines()
    assert line.startswith("servers/swift.toml")
    assert message in line


# --- like another ---


def test_like_another_but_for_what_it_says_itself() -> None:
    contents = {
        "one": {"a": 1, "b": 1, "symptoms": {"x": {"fix": "1"}, "y": {"fix": "1"}}},
        "two": {"like": "one", "b": 2, "symptoms": {"y": {"fix": "2"}}},
        "three": {"like": "two", "c": 3},
    }

    assert servers._whole("one", contents) == contents["one"]
    assert servers._whole("two", contents) == {
        "like": "one",
        "a": 1,
        "b": 2,
        "symptoms": {"x": {"fix": "1"}, "y": {"fix": "2"}},
    }
    assert servers._whole("three", contents) == {
        **servers._whole("two", contents),
        "like": "two",
        "c": 3,
    }


def test_fastapi_run_is_uvicorn_started_otherwise() -> None:
    fastapi, uvicorn = SERVERS["fastapi"], SERVERS["uvicorn"]

    differ = {
        *("name", "package", "minimum", "profile", "command", "log_no_requests"),
        *("advice", "like"),
    }
    same = {field for field in vars(fastapi) if vars(fastapi)[field] == vars(uvicorn)[field]}
    assert set(vars(fastapi)) - same == differ
    assert set(fastapi.advice) > set(uvicorn.advice)


# --- the real ones ---

every_server = pytest.mark.parametrize("server", SERVERS.values(), ids=SERVERS)


def test_every_file_is_a_server() -> None:
    files = {file.stem for file in (ROOT / "src/hoplab/catalogue/servers").glob("*.toml")}

    assert set(SERVERS) == files >= {"uvicorn", "hypercorn", "fastapi"}
    assert CATALOGUE.servers == SERVERS
    assert list(SERVERS)[:1] == ["uvicorn"]


@every_server
def test_symptoms_are_known_and_told_in_sentences(server: Server) -> None:
    assert set(server.advice) <= set(SYMPTOMS)
    for name, advice in server.advice.items():
        assert advice.fix or advice.cause, name  # or nothing can be done about it in the server
        assert all(text.endswith(".") for text in (advice.fix, advice.cause) if text), name
        assert 1 <= len(advice.references) <= 4, name
        assert all(reference.startswith("https://") for reference in advice.references), name
        for text in (advice.fix, advice.cause):
            assert "  " not in text
            assert DEFAULT_PREFIX.encoded not in text.replace("https://", ""), name


@every_server
def test_it_has_a_recipe_for_every_mode_and_a_command_line_for_every_setup(server: Server) -> None:
    for strategy in Strategy:
        for trust in Trust:
            line = server.command_line(start(strategy, trust))
            assert line[0] == server.name
            assert not [part for part in [*line, *server.environment_for(start()).values()]
                        if part.startswith("@")]  # fmt: skip
    for mode in Mode:
        assert server.recipe(mode).trust is Trust.PROXY


@pytest.mark.parametrize(
    ("root_path", "mode", "strategy"),
    [
        (RootPath.PREPENDED, Mode.STRIP, Strategy.SERVER_OPTION),
        (RootPath.PREPENDED, Mode.PRESERVE, Strategy.FORWARDED_PREFIX),
        (RootPath.LABEL, Mode.STRIP, Strategy.FORWARDED_PREFIX),
        (RootPath.LABEL, Mode.PRESERVE, Strategy.SERVER_OPTION),
    ],
)
def test_the_recipe_follows_from_what_the_option_does(
    root_path: RootPath, mode: Mode, strategy: Strategy
) -> None:
    server = server_of("swift", {**COMPLETE, "root_path": root_path.value})

    assert server.recipe(mode) == Setup(strategy, Trust.PROXY)


# --- command lines ---


@pytest.mark.parametrize(
    ("strategy", "module", "option"),
    [
        (Strategy.NONE, "app.plain", ""),
        (Strategy.SERVER_OPTION, "app.plain", " --root-path /api/v1"),
        (Strategy.APP_ARGUMENT, "app.app_argument", ""),
        (Strategy.MOUNT, "app.mount", ""),
        (Strategy.ROUTER, "app.router", ""),
        (Strategy.FORWARDED_PREFIX, "app.forwarded_prefix", ""),
    ],
)
@pytest.mark.parametrize(
    ("trust", "uvicorn", "wrapped"),
    [
        (Trust.NONE, "--no-proxy-headers", ""),
        (Trust.PROXY, "--forwarded-allow-ips 10.9.0.0/24", "hypercorn."),
        (Trust.ANY, "--forwarded-allow-ips *", "hypercorn."),
    ],
)
def test_strategies_and_trusts(
    strategy: Strategy, module: str, option: str, trust: Trust, uvicorn: str, wrapped: str
) -> None:
    assert command("uvicorn", strategy, trust) == (
        f"uvicorn {module}:app --host 127.0.0.1 --port 8000 {uvicorn}{option}"
    )
    assert command("fastapi", strategy, trust) == (
        f"fastapi run --entrypoint {module}:app --host 127.0.0.1 --port 8000 {uvicorn}{option}"
    )
    assert command("hypercorn", strategy, trust) == (
        f"hypercorn app.{wrapped}{module[4:]}:app --bind 127.0.0.1:8000 --workers 0{option}"
    )


@pytest.mark.parametrize(
    ("trust", "allowed"), [(Trust.NONE, ""), (Trust.PROXY, "10.9.0.0/24"), (Trust.ANY, "*")]
)
def test_variables(trust: Trust, allowed: str) -> None:
    told = start(Strategy.NONE, trust)

    assert told.believed == allowed
    assert SERVERS["uvicorn"].environment_for(told) == {}
    assert SERVERS["fastapi"].environment_for(told) == {}
    assert SERVERS["hypercorn"].environment_for(told) == {"FORWARDED_ALLOW_IPS": allowed}


@pytest.mark.parametrize("server", ["uvicorn", "fastapi"])
def test_bind_may_be_ipv6(server: str) -> None:
    options = SERVERS[server].command_line(start(Strategy.NONE, Trust.NONE, host="::1"))

    assert " --host ::1 --port 8000 " in " ".join(options)


def test_a_made_up_server_s_command_line() -> None:
    swift = server_of("swift", COMPLETE)
    cafe = parse("/café")

    assert swift.command_line(start(prefix=cafe)) == [
        *("swift", "app.swift.plain:app", "--bind", "127.0.0.1:8000", "--believe", "10.9.0.0/24"),
        *("--prefix", "/caf%C3%A9", "/café"),
    ]
    assert swift.command_line(start(Strategy.ROUTER, Trust.NONE)) == [
        *("swift", "app.router:app", "--bind", "127.0.0.1:8000", "--deaf"),
    ]
    assert swift.command_line(start(Strategy.NONE, Trust.ANY)) == [
        *("swift", "app.swift.plain:app", "--bind", "127.0.0.1:8000"),
    ]


@pytest.mark.parametrize(("server", "encoded"), [("uvicorn", True), ("hypercorn", False)])
def test_root_path_is_as_the_option_has_it(server: str, *, encoded: bool) -> None:
    for strategy in Strategy:
        by_option = strategy is Strategy.SERVER_OPTION
        assert SERVERS[server].root_path_is_encoded(strategy) is (encoded and by_option)
