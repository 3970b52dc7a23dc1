"""One proxy process for many deployments: compose.yaml's files, but for what must differ."""

import re
import subprocess
import tomllib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypercorn.config import Config as HypercornConfig
from uvicorn import Config as UvicornConfig

from hoplab.catalogue.placeholders import filled
from hoplab.catalogue.proxies import ConfigurationFile
from hoplab.catalogue.variations import Change
from hoplab.engines import configuration
from hoplab.engines.certificates import Certificates
from hoplab.engines.configuration import Route
from hoplab.errors import HoplabError
from hoplab.prefix import DEFAULT_PREFIX, Prefix, parse
from hoplab.system.ports import free_ports
from hoplab.topology import Mode, Scheme
from tests.catalogue import CATALOGUE, ROOT

PROXIES = CATALOGUE.proxies
RUN = Path("/run/x")
FILES = Certificates(Path("/certificates"))
NGINX, TRAEFIK = RUN / "nginx.conf", RUN / "traefik.toml"
NGINX_DROPS, TRAEFIK_DROPS = RUN / "drop-forwarded.conf", RUN / "routes" / "drop-forwarded.toml"

CERTIFICATE = 'ssl_certificate "/certificates/server.pem"'
KEY = 'ssl_certificate_key "/certificates/server.key"'

HOST = Change(
    "nginx/@mode@.conf.template",
    "proxy_set_header Host               $host$is_request_port$request_port;  # $http_host before",
    "proxy_set_header Host $host;",
)
INSECURE = Change(
    "traefik/traefik.toml",
    'address = ":9999"',
    'address = ":9999"\n    forwardedHeaders.insecure = true',
)
RULE = Change(
    "traefik/@mode@/routes.toml",
    'rule = "(Path(`{{ $prefix }}`) || PathPrefix(`{{ $prefix }}/`))"',
    'rule = "PathPrefix(`{{ $prefix }}`)"',
)


def a_route(word: str, mode: Mode, first: int, prefix: Prefix = DEFAULT_PREFIX) -> Route:
    ports = {Scheme.HTTP: first, Scheme.HTTPS: first + 1}
    return Route(word, mode, f"127.0.0.1:{first + 2}", prefix, ports)


ONE = a_route("one", Mode.STRIP, 1000)
TWO = a_route("two", Mode.PRESERVE, 2000)
THREE = a_route("three", Mode.STRIP, 3000)


def render(proxy: str, *routes: Route) -> dict[Path, str]:
    return configuration.render(PROXIES[proxy], routes, RUN, FILES)


def differences(source: str, rendered: str) -> list[str]:
    """The lines, but for comments, that are not as in the project's file."""
    changed = [
        new.strip() for old, new in both((ROOT / source).read_text(), rendered) if new != old
    ]
    return [line for line in changed if not line.startswith("#")]


def both(one: str, other: str) -> list[tuple[str, str]]:
    """Line by line; they have to have as many."""
    return list(zip(one.splitlines(), other.splitlines(), strict=True))


# --- one route: the project's file, and what has to differ ---


PREFIXES = [
    pytest.param(Prefix("/api/v1"), "/api/v1", id="plain"),
    pytest.param(parse("/café"), "/café", id="encoded"),
]


@pytest.mark.parametrize(("prefix", "decoded"), PREFIXES)
@pytest.mark.parametrize(
    ("mode", "passed_on"),
    [(Mode.STRIP, "http://app$stripped;"), (Mode.PRESERVE, "http://app;  proxy_redirect off;")],
)
def test_nginx_for_one(mode: Mode, passed_on: str, prefix: Prefix, decoded: str) -> None:
    """Addresses, files and the prefix: a person would keep it, with the file's own names."""
    files = render("nginx", a_route("w", mode, 7000, prefix))

    assert list(files) == [NGINX, NGINX_DROPS]
    own_lines = {
        Mode.STRIP: [
            f'geo $prefix {{ default "{prefix}"; }}',
            rf'"~^\Q{prefix}\E(?<rest>/.*)$"         $rest;',
            rf'"~^\Q{prefix}\E(?<arguments>\?.*)?$"  /$arguments;',
        ],
        Mode.PRESERVE: [rf'if ($request_uri !~ "^\Q{prefix}\E(/|\?|$)") {{ return 400; }}'],
    }[mode]
    changed = differences(f"nginx/{mode}.conf.template", files[NGINX])
    changed = [line.partition("  #")[0].strip() for line in changed]
    include = f"include {NGINX_DROPS.name};"  # relative to nginx.conf
    assert include in changed
    changed.remove(include)
    assert [line for line in changed if line in own_lines] == own_lines
    assert [line for line in changed if line not in own_lines] == [
        "upstream app { server 127.0.0.1:7002;  keepalive_timeout 4s; }",
        "listen 127.0.0.1:7000;  listen 127.0.0.1:7001 ssl;",
        f"{CERTIFICATE};  {KEY};",
        rf'location ~ "^\Q{decoded}\E(/|$)" {{',
    ]
    assert f"proxy_pass {passed_on}" in files[NGINX]


@pytest.mark.parametrize("proxy", PROXIES)
@pytest.mark.parametrize("mode", Mode)
def test_a_file_for_one_has_no_name_of_the_lab_s(proxy: str, mode: Mode) -> None:
    """Neither in a variable nor in a comment: `hoplab repro` writes it for a person to keep."""
    for text in render(proxy, a_route("a-long-word", mode, 7000)).values():
        assert not re.search("a.long.word", text)


@pytest.mark.parametrize(
    ("proxy", "listens"),
    [
        ("nginx", "listen [::1]:1000;  listen [::1]:1001 ssl;"),
        ("traefik", 'address = "[::1]:1001"'),
        ("caddy", "bind ::1"),
    ],
)
def test_an_address_of_ipv6(proxy: str, listens: str) -> None:
    files = render(proxy, replace(ONE, host="::1"))

    assert listens in "".join(files.values())


@pytest.mark.parametrize(("prefix", "decoded"), PREFIXES)
@pytest.mark.parametrize("mode", Mode)
def test_traefik_for_one(mode: Mode, prefix: Prefix, decoded: str) -> None:
    files = render("traefik", a_route("w", mode, 7000, prefix))

    assert list(files) == [TRAEFIK, RUN / "routes" / "w.toml", TRAEFIK_DROPS]
    assert differences("traefik/traefik.toml", files[TRAEFIK]) == [
        'address = "127.0.0.1:7000"',
        'address = "127.0.0.1:7001"',
        'directory = "/run/x/routes"',
    ]
    own_lines = {
        Mode.STRIP: [f'prefixes = ["{decoded}"]', f'X-Forwarded-Prefix = "{prefix}"'],
        Mode.PRESERVE: [],
    }[mode]
    rule = [f'rule = "(Path(`{decoded}`) || PathPrefix(`{decoded}/`))"']
    if mode is Mode.PRESERVE:  # between `if`, and `else` with the rule without a prefix
        rule = ["", *rule, "", "", ""]
    changed = differences(f"traefik/{mode}/routes.toml", files[RUN / "routes" / "w.toml"])
    assert [line for line in changed if line in own_lines] == own_lines
    assert [line for line in changed if line not in own_lines and "middlewares" not in line] == [
        "",  # $prefix was set there
        *rule,
        *rule,
        "url = 'http://127.0.0.1:7002'",
        'certFile = "/certificates/server.pem"',
        'keyFile = "/certificates/server.key"',
    ]


@pytest.mark.parametrize("proxy", PROXIES)
@pytest.mark.parametrize("mode", Mode)
def test_nothing_is_left_to_the_environment(proxy: str, mode: Mode) -> None:
    """What compose.yaml sets by variables, a process has in its files."""
    files = render(proxy, a_route("w", mode, 7000, parse("/café")))
    files.pop(TRAEFIK_DROPS, None)  # a template, of names that are the same for all
    for text in files.values():
        code = re.sub(r"(?m)^\s*#.*$", "", text)
        assert not re.search(r"\$\{[A-Z]|\{\$[A-Z]|\{\{|@\w+@", code)


@pytest.mark.parametrize("proxy", PROXIES)
def test_every_route_has_its_own_prefix(proxy: str) -> None:
    one, two = a_route("one", Mode.STRIP, 1000, parse("/a")), a_route("two", Mode.STRIP, 2000)
    both, alone = (
        re.sub(r"(?m)(^|\s)#.*$", "", "".join(render(proxy, *routes).values()))
        for routes in ([one, two], [two])
    )

    assert re.search(r"/a\b(?!pi)", both)
    assert both.count("/api/v1") == alone.count("/api/v1") > 0


# --- several ---

SEVERAL = [
    pytest.param([ONE, TWO], id="both modes"),
    pytest.param([TWO, ONE, THREE], id="the other mode first"),
]


@pytest.mark.parametrize("routes", SEVERAL)
def test_nginx_for_several(routes: Sequence[Route]) -> None:
    text = re.sub("#.*", "", render("nginx", *routes)[NGINX])

    assert [text.count(once) for once in ("events {", "http {", "worker_connections")] == [1, 1, 1]
    assert text.count("{") == text.count("}")
    assert re.findall(r"upstream (\S+) \{ server (\S+);  keepalive_timeout 4s; \}", text) == [
        (route.word, route.upstream) for route in routes
    ]
    assert re.findall(r"listen (\S+?)( ssl)?;", text) == [
        (f"127.0.0.1:{route.ports[scheme]}", " ssl" * (scheme is Scheme.HTTPS))
        for route in routes
        for scheme in Scheme
    ]
    assert re.findall(r"proxy_pass http://(\w+)(\$\w+)?;", text) == [
        (route.word, f"$stripped_{route.word}" * (route.mode is Mode.STRIP)) for route in routes
    ]
    # A variable is the whole process's: what one route maps must be nobody else's.
    mapped = re.findall(r"map \S+ (\S+) \{", text)
    assert len(mapped) == len(set(mapped))
    assert re.findall(r"X-Forwarded-Prefix (\S+);", text) == [
        f"$prefix_{route.word}" if route.mode is Mode.STRIP else '""' for route in routes
    ]
    assert re.findall(r'geo (\S+) \{ default "(\S+)"; \}', text) == [
        (f"$prefix_{route.word}", "/api/v1") for route in routes if route.mode is Mode.STRIP
    ]
    assert "${" not in text


@pytest.mark.parametrize("routes", [pytest.param([ONE], id="one"), *SEVERAL])
def test_nginx_finds_no_fault(
    certificates: Certificates, tmp_path: Path, routes: Sequence[Route]
) -> None:
    """Two of a name, a line that stands where it may not: nginx itself would not start."""
    proxy = PROXIES["nginx"]
    free = free_ports(2 * len(routes))
    own = [
        replace(route, ports={Scheme.HTTP: free.pop(), Scheme.HTTPS: free.pop()})
        for route in routes
    ]
    for path, text in configuration.render(proxy, own, tmp_path, certificates).items():
        path.write_text(text)

    program, *options = configuration.command(proxy, tmp_path)
    tested = subprocess.run(
        [program, *options, "-t"],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )

    assert "test is successful" in tested.stderr, tested.stderr


@pytest.mark.parametrize("routes", SEVERAL)
def test_traefik_for_several(routes: Sequence[Route]) -> None:
    files = parsed(render("traefik", *routes))

    static = files.pop(TRAEFIK)
    assert static["entryPoints"] == {
        f"{scheme}-{route.word}": {"address": f"127.0.0.1:{route.ports[scheme]}"}
        for route in routes
        for scheme in Scheme
    }
    assert static["providers"] == {"file": {"directory": str(RUN / "routes")}}
    assert list(files) == [RUN / "routes" / f"{route.word}.toml" for route in routes]
    for route, dynamic in zip(routes, files.values(), strict=True):
        http: dict[str, Any] = dynamic["http"]
        assert {name: each["entryPoints"] for name, each in http["routers"].items()} == {
            f"{route.word}-{scheme}": [f"{scheme}-{route.word}"] for scheme in Scheme
        }
        for router in http["routers"].values():
            assert router["service"] == route.word
            own = {name for name in router["middlewares"] if name.startswith(f"{route.word}-")}
            assert set(router["middlewares"]) - own == {"drop-forwarded"}
            assert own <= set(http.get("middlewares", ()))
            strips = [name for name in router["middlewares"] if name.endswith("api-stripprefix")]
            assert bool(strips) == (route.mode is Mode.STRIP)
        assert http["services"] == {
            route.word: {"loadBalancer": {"servers": [{"url": f"http://{route.upstream}"}]}}
        }


def test_names_in_traefik_s_files_are_each_deployment_s_own() -> None:
    """Traefik takes one of a name: a change of another's would be everybody's, or lost."""
    files = parsed(render("traefik", ONE, TWO, THREE))
    dynamic = [content["http"] for path, content in files.items() if path != TRAEFIK]

    for kind in ("routers", "services", "middlewares"):
        names = [name for each in dynamic for name in each.get(kind, ())]
        assert len(set(names)) == len(names), kind


def parsed(files: dict[Path, str]) -> dict[Path, dict[str, Any]]:
    """Without the file that is a template of Traefik's own to the end."""
    files.pop(TRAEFIK_DROPS)
    return {path: tomllib.loads(text) for path, text in files.items()}


@pytest.mark.parametrize("proxy", PROXIES)
def test_what_is_the_same_for_all_is_written_once(proxy: str) -> None:
    """And can't be changed for one deployment alone."""
    [name] = [path.name for path in PROXIES[proxy].sources(Mode.STRIP) if "drop" in path.name]
    files = {path.name: text for path, text in render(proxy, ONE, TWO, THREE).items()}
    right = (ROOT / proxy / name).read_text()

    assert files[name] == right
    with pytest.raises(HoplabError, match="once for all"):
        render(proxy, replace(ONE, changes=[Change(f"{proxy}/{name}", "X-Host", "X-Hosts")]))


# --- variations ---


def test_a_change_is_made_where_it_belongs_and_nowhere_else() -> None:
    changed = render("nginx", ONE, replace(TWO, changes=[HOST, INSECURE, RULE]), THREE)[NGINX]
    right = render("nginx", ONE, TWO, THREE)[NGINX]

    assert [new.strip() for new, old in both(changed, right) if new != old] == [HOST.wrong]
    position = changed.index(HOST.wrong)
    assert changed.index("upstream two ") < position < changed.index("upstream three ")


def test_a_change_may_add_lines_and_what_is_replaced_is_replaced_in_it() -> None:
    files = render("traefik", ONE, replace(TWO, changes=[HOST, INSECURE, RULE]))

    points = tomllib.loads(files[TRAEFIK])["entryPoints"]
    assert points["http-two"] == {
        "address": "127.0.0.1:2000",
        "forwardedHeaders": {"insecure": True},
    }
    assert points["http-one"] == {"address": "127.0.0.1:1000"}
    rules = {
        name: router["rule"]
        for word in ("one", "two")
        for name, router in tomllib.loads(files[RUN / "routes" / f"{word}.toml"])["http"][
            "routers"
        ].items()
    }
    assert rules == {
        **dict.fromkeys(("one-http", "one-https"), "(Path(`/api/v1`) || PathPrefix(`/api/v1/`))"),
        **dict.fromkeys(("two-http", "two-https"), "PathPrefix(`/api/v1`)"),
    }


@pytest.mark.parametrize(
    ("file", "named"),
    [("nginx/@mode@.conf.template", "strip.conf.template"), ("nginx/strip.conf.template", "strip")],
)
def test_a_change_of_what_is_not_there_is_told(file: str, named: str) -> None:
    with pytest.raises(HoplabError) as caught:
        render("nginx", replace(ONE, changes=[Change(file, "proxy_pas http", "x")]))

    assert named in str(caught.value)
    assert "'proxy_pas http'" in str(caught.value)


# --- what is no longer in a file ---


@pytest.mark.parametrize("proxy", PROXIES)
@pytest.mark.parametrize(
    ("fault", "missing"),
    [
        pytest.param({"replace": {"no such words": "x"}}, "'no such words'", id="replace"),
        pytest.param({"replace_once": {"no such words": "x"}}, "'no such words'", id="once"),
        pytest.param({"repeat": ["no such", "lines"]}, "'no such'", id="both lines"),
        pytest.param({"repeat": ["#", "no such line"]}, "'no such line'", id="second line"),
    ],
)
def test_what_is_missing_is_told_with_the_file(
    proxy: str, fault: dict[str, Any], missing: str
) -> None:
    file = replace(PROXIES[proxy].files[0], **fault)

    with pytest.raises(HoplabError) as caught:
        configuration.render(replace(PROXIES[proxy], files=[file]), [ONE], RUN, FILES)

    where, next_step = str(caught.value).splitlines()
    assert missing in where
    source = Path(PROXIES[proxy].filled(file.source, {"mode": "strip", "folder": "x"}))
    assert where.startswith(str(PROXIES[proxy].folder))
    assert source.name in where
    assert str(PROXIES[proxy].folder / "proxy.toml") in next_step
    assert "--engine docker" in next_step


def test_every_replacement_is_needed() -> None:
    """Else the test above proves nothing of the real files."""
    for proxy in PROXIES.values():
        for file in proxy.files:
            fields = [{"folder": str(proxy.folder), "mode": mode} for mode in Mode]
            sources = [Path(filled(file.source, each)) for each in fields]
            text = "".join(source.read_text() for source in sources)
            assert [old for old in (*file.replace, *file.replace_once) if old not in text] == []


def test_braces_of_a_file_are_none_of_format_s(tmp_path: Path) -> None:
    (tmp_path / "strip.conf").write_text("head {x}\nbegin {0} app {y}\nend {}\n")
    file = ConfigurationFile(
        "@folder@/@mode@.conf",
        "@run@/c",
        ["begin", "end"],
        {"app": "@word@"},
        {},
        {"{}": "{@word@}"},
    )
    proxy = replace(PROXIES["nginx"], folder=tmp_path, files=[file])

    [text] = configuration.render(proxy, [ONE, THREE], RUN, FILES).values()

    assert text == "head {x}\nbegin {0} one {y}\nbegin {0} three {y}\nend {one}\n"


# --- the rest ---


@pytest.mark.parametrize("mode", Mode)
@pytest.mark.parametrize(
    ("proxy", "names"),
    [
        ("nginx", ["@mode@.conf.template", "drop-forwarded.conf"]),
        ("traefik", ["traefik.toml", "routes.toml", "drop-forwarded.toml"]),
    ],
)
def test_sources_of_a_mode_are_without_the_other(
    proxy: str, names: Sequence[str], mode: Mode
) -> None:
    other = next(other for other in Mode if other is not mode)

    files = PROXIES[proxy].sources(mode)

    assert [file.name for file in files] == [filled(name, {"mode": mode}) for name in names]
    assert all(file.is_file() for file in files)
    assert not [file for file in files if other in file.parts]


@pytest.mark.parametrize(
    ("proxy", "file"), [("nginx", "/run/x/nginx.conf"), ("traefik", "/run/x/traefik.toml")]
)
def test_command_names_the_rendered_file_and_has_nothing_left_to_fill(
    proxy: str, file: str
) -> None:
    command = configuration.command(PROXIES[proxy], RUN)

    assert [a for a in command if a.endswith(file)] != []
    assert not re.search(r"[{}@]", " ".join(command))


def test_an_unknown_placeholder_is_told(tmp_path: Path) -> None:
    proxy = replace(PROXIES["nginx"], command=["@program@", "@nothing@"])

    with pytest.raises(
        HoplabError, match=r"/nginx/proxy\.toml: there is no placeholder @nothing@; known"
    ):
        configuration.command(proxy, tmp_path)


def test_a_source_that_is_gone_is_told(tmp_path: Path) -> None:
    proxy = PROXIES["nginx"]
    files = [replace(file, source="@folder@/gone") for file in proxy.files]
    route = a_route("w", Mode.STRIP, 8000)

    with pytest.raises(
        HoplabError, match=r"nginx/gone, which proxy\.toml names as a source: No such"
    ):
        configuration.render(replace(proxy, files=files), [route], tmp_path, Certificates(tmp_path))


def test_a_source_that_is_no_text_is_told(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"caf\xe9")
    files = [replace(file, source=str(tmp_path / "x")) for file in PROXIES["nginx"].files]
    proxy = replace(PROXIES["nginx"], files=files)

    with pytest.raises(HoplabError, match=r"/x is not UTF-8: .* at byte 3"):
        configuration.render(proxy, [a_route("w", Mode.STRIP, 8000)], RUN, FILES)


@pytest.mark.parametrize("mode", Mode)
@pytest.mark.parametrize("proxy", PROXIES)
def test_a_proxy_hangs_up_before_a_server_does(proxy: str, mode: Mode) -> None:
    """Else a request is now and then sent over a connection that the server is closing."""
    text = "".join(path.read_text() for path in CATALOGUE.proxies[proxy].sources(mode))

    [seconds] = re.findall(
        r'^[^#]*\b(?:idleConnTimeout = "|keepalive_timeout |keepalive )(\d+)s', text, re.MULTILINE
    )

    assert int(seconds) < UvicornConfig("app").timeout_keep_alive
    assert int(seconds) < HypercornConfig().keep_alive_timeout
