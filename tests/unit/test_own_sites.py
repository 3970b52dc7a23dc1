"""A person's file of sites: what is changed to run it, and what can't run."""

from pathlib import Path

import pytest

from hoplab.catalogue.configurations import (
    BadConfiguration,
    CannotRun,
    recognised,
)
from hoplab.catalogue.configurations.lines import read
from hoplab.catalogue.configurations.statements import Unreadable
from hoplab.topology import Scheme
from tests.catalogue import CATALOGUE
from tests.unit.own_sites import CADDY, PASS, own

WRAPPED = "{\n\tservers {\n\t\tlistener_wrappers {\n\t\t\tproxy_protocol\n\t\t}\n\t}\n}\n"


# --- the language ---


def test_words_and_blocks() -> None:
    text = (
        'a.com,\n"b.com" { # comment\n\trespond "x { y" \\\n\t\t200\n'
        '\troute {\n\t\tb `c"`\n\t}\n}\n'
    )

    (site,) = read(text).inside or ()

    assert [word.text for word in site.words] == ["a.com,", "b.com"]
    respond, route = site.inside or ()
    assert respond.arguments == ["x { y", "200"]
    assert [(each.arguments, each.line) for each in route.inside or ()] == [(['c"'], 6)]
    assert text[site.opens :].startswith("\n\trespond")


def test_a_text_of_several_lines_is_one_word() -> None:
    (site,) = read(":80 {\n\trespond <<END\n\t}\n\tEND\n\tencode gzip\n}\n").inside or ()

    assert [each.name for each in site.inside or ()] == ["respond", "encode"]


def test_a_site_without_braces() -> None:
    (site,) = read("example.com\nencode gzip\nroute {\n}\n").inside or ()

    assert (site.name, [each.name for each in site.inside or ()]) == (
        "example.com",
        ["encode", "route"],
    )


@pytest.mark.parametrize(
    ("text", "line", "told"),
    [
        (":80 {\n\troute {\n\t}\n", 1, 'a block that begins with "{" has no "}"'),
        (":80 {\n}\n}\n", 3, 'unexpected "}"'),
        (':80 {\n\trespond "a\n}\n', 2, "a text that begins with"),
        (":80 {\n\trespond <<A\n}\n", 2, "a text that begins with <<A does not end"),
    ],
)
def test_what_can_t_be_read(text: str, line: int, told: str) -> None:
    with pytest.raises(Unreadable, match=told) as raised:
        read(text)

    assert raised.value.line == line


# --- what is changed to run it ---


@pytest.mark.parametrize(
    ("address", "now", "schemes"),
    [
        (":80", "http://:${HTTP_PORT} {", ["http"]),
        (":8080", "http://:${HTTP_PORT} {", ["http"]),
        (":443", "https://:${HTTPS_PORT} {", ["https"]),
        ("example.com", "https://mysuperapp.com:${HTTPS_PORT} {", ["https"]),
        ("localhost:3000", "https://mysuperapp.com:${HTTPS_PORT} {", ["https"]),
        ("a.com, www.a.com", "https://mysuperapp.com:${HTTPS_PORT} {", ["https"]),
        ("http://a.com:8080", "http://mysuperapp.com:${HTTP_PORT} {", ["http"]),
        ("{$NOWHERE:http://a.com}", "http://mysuperapp.com:${HTTP_PORT} {", ["http"]),
        ("{$NOWHERE}", "https://mysuperapp.com:${HTTPS_PORT} {", ["https"]),
        (
            "http://a.com https://a.com",
            "http://mysuperapp.com:${HTTP_PORT}, https://mysuperapp.com:${HTTPS_PORT} {",
            ["http", "https"],
        ),
    ],
)
def test_addresses(tmp_path: Path, address: str, now: str, schemes: list[str]) -> None:
    configuration = own(tmp_path, f"{address} {{\n\t{PASS}\n}}\n")

    assert now in configuration.after.split("\n")
    assert [str(each) for each in configuration.schemes] == schemes
    assert ("${TLS_CERTIFICATE}" in configuration.after) is ("https" in schemes)
    alone = [note for note in configuration.notes if note.endswith(" alone")]
    assert alone == {
        "http": ["it has no https: asked over http alone"],
        "https": ["it passes nothing on over http: asked over https alone"],
    }.get("+".join(schemes), [])


def test_a_port_with_a_certificate_is_https(tmp_path: Path) -> None:
    configuration = own(tmp_path, f":8443 {{\n\ttls internal\n\t{PASS}\n}}\n")

    assert list(configuration.schemes) == [Scheme.HTTPS]
    assert "tls internal" not in configuration.after


def test_a_certificate_may_come_from_a_snippet(tmp_path: Path) -> None:
    snippets = "(cert) {\n\ttls internal\n}\n(none) {\n\tencode gzip\n}\n"
    site = f"\timport\n\timport nothing.caddy\n\timport X\n\t{PASS}\n}}\n"
    (tmp_path / "nothing.caddy").write_text("header X-A b\n")

    for name, scheme in (("cert", Scheme.HTTPS), ("none", Scheme.HTTP)):
        text = f"{snippets}:8443 {{\n{site.replace('X', name, 1)}"
        assert list(own(tmp_path, text).schemes) == [scheme]


def test_an_address_may_be_in_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SITE", "http://a.com")
    monkeypatch.delenv("NOWHERE", raising=False)
    text = f"{{$SITE}} {{\n\t{PASS}\n}}\n{{$NOWHERE}} {{\n\trespond 204\n}}\n"

    configuration = own(tmp_path, text)

    assert list(configuration.schemes) == [Scheme.HTTP]
    assert "{$NOWHERE} is not set: taken as a name" in configuration.notes
    assert "https://nowhere.invalid:${HTTPS_PORT} {" in configuration.after


def test_a_site_without_braces_gets_some(tmp_path: Path) -> None:
    after = own(tmp_path, f"http://a.com\n{PASS}").after

    assert "http://mysuperapp.com:${HTTP_PORT} {\nreverse_proxy ${UPSTREAM}\n}\n" in after


def test_a_site_at_the_port_of_another_one_is_left_out(tmp_path: Path) -> None:
    """All ports of a scheme are one here. The site that passes on stays, wherever it stands."""
    configuration = own(tmp_path, f":81 {{\n\trespond 1\n}}\n:80 {{\n\t{PASS}\n}}\n")

    assert "the site of Caddyfile:1 is left out: its port is the same" in configuration.notes
    assert "respond 1" not in configuration.after
    assert "reverse_proxy ${UPSTREAM}" in configuration.after


def test_the_path_of_an_address_stays(tmp_path: Path) -> None:
    after = own(tmp_path, f"http://a.com/api {{\n\t{PASS}\n}}\n").after

    assert "http://mysuperapp.com:${HTTP_PORT}/api {" in after


def test_the_lab_s_options_are_in_force(tmp_path: Path) -> None:
    options = "{\n\temail a@b.c\n\tadmin :2019\n\tservers :443 {\n\t\tprotocols h3\n\t}\n}\n"

    after = own(tmp_path, f"{options}:443 {{\n\tbind 0.0.0.0\n\tlog\n\t{PASS}\n}}\n").after

    lines = [line.strip() for line in after.split("\n")]
    assert {"admin off", "auto_https off", "persist_config off", "protocols h1 h2"} <= {*lines}
    assert "default_bind ${LISTEN_HOST}" in lines
    servers = [line for line in lines if line.startswith("servers")]
    assert servers == ["servers ${LISTEN_HOST}:${HTTPS_PORT} {"]
    assert {"email a@b.c", "admin :2019", "protocols h3", "bind 0.0.0.0", "log"} & {*lines} == set()


def test_the_lab_s_options_are_in_force_where_they_have_none(tmp_path: Path) -> None:
    after = own(tmp_path, f":80 {{\n\t{PASS}\n}}\n").after

    options = after.partition("\n}\n")[0].split("\n\t")
    assert options[0] == "{"
    assert {"admin off", "default_bind ${LISTEN_HOST}", "servers {"} <= {*options}


def test_a_line_of_an_error_is_theirs(tmp_path: Path) -> None:
    configuration = own(tmp_path, f"a.com,\nb.com {{\n\t{PASS}\n\tnonsense\n}}\n")

    number = configuration.after.split("\n").index("\tnonsense") + 1
    assert configuration.located(f"/run/Caddyfile:{number}: no", "Caddyfile") == "Caddyfile:4: no"


@pytest.mark.parametrize(
    "passing",
    [
        "reverse_proxy app1:8000 app2:8000",
        "reverse_proxy http://localhost:8000",
        "reverse_proxy unix//run/app.sock",
        "reverse_proxy {$UPSTREAM:app:8000}",
        "reverse_proxy {\n\t\tto app1:8000 app2:8000\n\t}",
        "reverse_proxy app1:8000 {\n\t\tto app2:8000\n\t}",
        "reverse_proxy {\n\t\tto app1:8000\n\t\tto app2:8000\n\t}",
    ],
)
def test_upstreams(tmp_path: Path, passing: str) -> None:
    configuration = own(tmp_path, f":80 {{\n\t{passing}\n}}\n")

    assert configuration.after.count("${UPSTREAM}") == 1
    assert "8000" not in configuration.after


def test_the_same_upstream_in_other_words_is_one(tmp_path: Path) -> None:
    more = "reverse_proxy /b/* :8000\n\treverse_proxy /c/* http://127.0.0.1:8000"

    configuration = own(tmp_path, f":80 {{\n\t{PASS}\n\t{more}\n}}\n")

    assert configuration.after.count("${UPSTREAM}") == 3


def test_a_transport_over_http_may_have_options(tmp_path: Path) -> None:
    block = f"{PASS} {{\n\t\ttransport http {{\n\t\t\tdial_timeout 2s\n\t\t}}\n\t}}"

    assert "dial_timeout 2s" in own(tmp_path, f":80 {{\n\t{block}\n}}\n").after


def test_what_a_snippet_has_that_can_t_run_here(tmp_path: Path) -> None:
    snippet = "(common) {\n\tlog\n\ttls internal\n\tencode gzip\n}\n"

    after = own(tmp_path, f"{snippet}:80 {{\n\timport common\n\t{PASS}\n}}\n").after

    assert "encode gzip" in after
    assert not {"log", "tls internal"} & {line.strip() for line in after.split("\n")}


def test_a_server_of_error_pages_is_no_upstream(tmp_path: Path) -> None:
    errors = "handle_errors {\n\t\treverse_proxy errors:1\n\t}"

    after = own(tmp_path, f":80 {{\n\t{PASS}\n\t{errors}\n}}\n").after

    assert after.count("${UPSTREAM}") == 1


@pytest.mark.parametrize(
    ("first", "second"), [("{args[0]}", "{args[1]}"), ("{args.0}", "{args.1}")]
)
def test_a_snippet_s_arguments(tmp_path: Path, first: str, second: str) -> None:
    snippet = f"(app) {{\n\thandle_path {first}/* {{\n\t\treverse_proxy {second}\n\t}}\n}}\n"

    configuration = own(tmp_path, f"{snippet}:80 {{\n\timport app /api localhost:8000\n}}\n")

    assert configuration.prefixes == ["/api"]
    assert "reverse_proxy ${UPSTREAM}" in configuration.after


def test_what_is_imported_is_part_of_it(tmp_path: Path) -> None:
    (tmp_path / "app.caddy").write_text("handle {args[0]}/* {\n\treverse_proxy localhost:1\n}\n")

    assert own(tmp_path, ":80 {\n\timport app.caddy /api\n}\n").prefixes == ["/api"]


def test_an_import_of_nothing_is_for_the_program_to_refuse(tmp_path: Path) -> None:
    assert own(tmp_path, f":80 {{\n\timport\n\t{PASS}\n}}\n").prefixes == ["/"]


@pytest.mark.parametrize(
    ("inside", "prefix"),
    [
        ("handle_path /api/* {\n\t\tX\n\t}", "/api"),
        ("@api path /api /api/*\n\thandle @api {\n\t\tX\n\t}", "/api"),
        ("@api {\n\t\tmethod GET\n\t\tpath /api*\n\t}\n\troute @api {\n\t\tX\n\t}", "/api"),
        ("@api path_regexp ^/api/\n\thandle @api {\n\t\tX\n\t}", "/api"),
        ("reverse_proxy /api/* localhost:8000", "/api"),
        ("uri strip_prefix /api\n\tX", "/api"),
        ("uri replace /v1 /v2\n\tX", "/"),
        ("X", "/"),
    ],
)
def test_the_prefix(tmp_path: Path, inside: str, prefix: str) -> None:
    text = f":80 {{\n\t{inside.replace('X', PASS)}\n}}\n"

    assert own(tmp_path, text).prefixes == [prefix]


def test_a_host_to_compare_with(tmp_path: Path) -> None:
    text = f"*.a.com {{\n\t@app host app.a.com\n\thandle @app {{\n\t\t{PASS}\n\t}}\n}}\n"

    assert "@app host mysuperapp.com" in own(tmp_path, text).after

    block = text.replace("@app host app.a.com", "@app {\n\t\thost app.a.com b.com\n\t}")
    assert "\t\thost mysuperapp.com mysuperapp.com\n" in own(tmp_path, block).after


# --- what can't be run ---


@pytest.mark.parametrize(
    ("text", "error", "told"),
    [
        (":80 {\n\tfile_server\n}\n", BadConfiguration, "passes nothing on"),
        ("(a) {\n\tencode gzip\n}\n", BadConfiguration, "has no site"),
        ('{"apps": {}}', BadConfiguration, "is JSON"),
        (":80 {\n\treverse_proxy\n}\n", BadConfiguration, "Caddyfile:2: reverse_proxy without"),
        (":80 {\n\treverse_proxy https://a\n}\n", CannotRun, "Caddyfile:2: .* over https"),
        (f"a:b:c {{\n\t{PASS}\n}}\n", BadConfiguration, "Caddyfile:1: a:b:c is no address of a"),
        (
            f":80 {{\n\t{PASS} {{\n\t\ttransport http {{\n\t\t\ttls\n\t\t}}\n\t}}\n}}\n",
            CannotRun,
            "Caddyfile:2: .* over https",
        ),
        (":80 {\n\treverse_proxy {header.X}:80\n}\n", CannotRun, "only its placeholders tell"),
        (":80 {\n\treverse_proxy {\n\t\tdynamic a b 80\n\t}\n}\n", CannotRun, "Caddyfile:3: only"),
        (
            ":80 {\n\treverse_proxy a:9000 {\n\t\ttransport fastcgi\n\t}\n}\n",
            CannotRun,
            "Caddyfile:3: fastcgi is not",
        ),
        (f":80 {{\n\tforward_auth a:1\n\t{PASS}\n}}\n", CannotRun, "forward_auth asks a server"),
        (
            f":80 {{\n\timport nowhere\n\t{PASS}\n}}\n",
            CannotRun,
            "Caddyfile:2: import nowhere: there",
        ),
        (f":80 {{\n\timport /etc/x\n\t{PASS}\n}}\n", CannotRun, "outside of the file's folder"),
        (
            f"a.com {{\n\t{PASS}\n}}\nb.com {{\n\t{PASS}\n}}\n",
            BadConfiguration,
            "two sites pass https",
        ),
        (
            f":80 {{\n\t{PASS}\n\treverse_proxy /b/* b:1\n}}\n",
            BadConfiguration,
            r"several: 127.0.0.1:8000 \(Caddyfile:2\), b:1 \(Caddyfile:3\)",
        ),
        (
            f"{WRAPPED}:80 {{\n\t{PASS}\n}}\n",
            CannotRun,
            "Caddyfile:4: .* PROXY protocol",
        ),
        (f":80 {{\n\t{PASS}\n", BadConfiguration, 'Caddyfile:1: a block that begins with "{"'),
    ],
)
def test_what_can_t_be_run(tmp_path: Path, text: str, error: type[Exception], told: str) -> None:
    with pytest.raises(error, match=told):
        own(tmp_path, text)


@pytest.mark.parametrize("name", ["../there.caddy", "../nowhere.caddy", "../*.caddy"])
def test_an_import_from_outside(tmp_path: Path, name: str) -> None:
    (tmp_path / "there.caddy").write_text("encode gzip\n")
    (tmp_path / "inner").mkdir()

    with pytest.raises(CannotRun, match="outside of the file's folder"):
        own(tmp_path / "inner", f":80 {{\n\timport {name}\n\t{PASS}\n}}\n")


def test_an_import_that_a_link_leads_outside(tmp_path: Path) -> None:
    (tmp_path / "inner").mkdir()
    (tmp_path / "there.caddy").write_text("encode gzip\n")
    (tmp_path / "inner/a.caddy").write_text("encode gzip\n")
    (tmp_path / "inner/b.caddy").symlink_to(tmp_path / "there.caddy")

    with pytest.raises(CannotRun, match="outside of the file's folder"):
        own(tmp_path / "inner", f":80 {{\n\timport *.caddy\n\t{PASS}\n}}\n")


def test_an_import_of_itself(tmp_path: Path) -> None:
    (tmp_path / "a.caddy").write_text("import a.caddy\n")

    with pytest.raises(BadConfiguration, match="it includes itself"):
        own(tmp_path, f":80 {{\n\timport a.caddy\n\t{PASS}\n}}\n")


def test_an_import_of_whatever_is_there(tmp_path: Path) -> None:
    """As for the program, none is no mistake."""
    assert own(tmp_path, f":80 {{\n\timport sites/*.caddy\n\t{PASS}\n}}\n").prefixes == ["/"]


def test_an_import_that_is_no_text(tmp_path: Path) -> None:
    (tmp_path / "a.caddy").write_bytes(b"\xff")

    with pytest.raises(BadConfiguration, match=r"a\.caddy can't be read"):
        own(tmp_path, f":80 {{\n\timport a.caddy\n\t{PASS}\n}}\n")


def test_whose_file_it_is() -> None:
    for text in (f":80 {{\n\t{PASS}\n}}\n", f"http://a.com {{\n\t{PASS}\n}}\n"):
        assert recognised(CATALOGUE.proxies, text) == [CADDY]
