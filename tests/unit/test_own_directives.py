"""A person's file of directives: what is changed to run it, and what it is that can't run."""

from pathlib import Path

import pytest

from hoplab.catalogue.configurations import (
    BadConfiguration,
    CannotRun,
    Configuration,
    recognised,
    text_of,
    understand,
)
from hoplab.prefix import parse
from hoplab.topology import Mode, Scheme
from tests.catalogue import CATALOGUE

NGINX = CATALOGUE.proxies["nginx"]
LOCATION = "location /api/ { proxy_pass http://127.0.0.1:8000/; }"


def own(tmp_path: Path, text: str) -> Configuration:
    file = tmp_path / "site.conf"
    file.write_text(text)
    return understand(NGINX, file, text_of(file))


def changed(configuration: Configuration) -> list[str]:
    return [line for line in configuration.adapted() if not line.startswith("@@")]


def test_only_what_has_to_be_is_changed(tmp_path: Path) -> None:
    text = f"""user www-data;
events {{}}
http {{
    include /etc/nginx/mime.types;
    access_log /var/log/nginx/a.log main;
    upstream app {{ server 10.0.0.1:8000; server 10.0.0.2:8000; keepalive 8; }}
    server {{
        listen 80 default_server;
        listen [::]:80;
        listen 443 ssl;
        listen 443 quic;
        server_name example.com www.example.com;
        ssl_certificate /etc/a.pem;
        ssl_certificate_key /etc/a.key;
        ssl_dhparam /nowhere/dhparam.pem;
        {LOCATION.replace("127.0.0.1:8000", "app")}
    }}
}}"""

    configuration = own(tmp_path, text)

    assert changed(configuration) == [
        "-user www-data;",
        "-    access_log /var/log/nginx/a.log main;",
        "-    upstream app { server 10.0.0.1:8000; server 10.0.0.2:8000; keepalive 8; }",
        "+    access_log off;",
        "+    upstream app { server ${UPSTREAM};  keepalive 8; }",
        "-        listen 80 default_server;",
        "-        listen [::]:80;",
        "-        listen 443 ssl;",
        "-        listen 443 quic;",
        "-        server_name example.com www.example.com;",
        "-        ssl_certificate /etc/a.pem;",
        "-        ssl_certificate_key /etc/a.key;",
        "-        ssl_dhparam /nowhere/dhparam.pem;",
        "+        listen ${LISTEN_HTTP} default_server;",
        "+        listen ${LISTEN_HTTPS} ssl;",
        "+        server_name mysuperapp.com mysuperapp.com;",
        '+        ssl_certificate "${TLS_CERTIFICATE}";',
        '+        ssl_certificate_key "${TLS_KEY}";',
    ]
    assert list(configuration.schemes) == list(Scheme)
    assert configuration.prefixes == ["/api"]
    left_out = "it changes no request that is passed on"
    assert configuration.notes == [
        f"site.conf:4: include /etc/nginx/mime.types is left out: {left_out}"
    ]


def test_lines_stay_where_they_are(tmp_path: Path) -> None:
    """An error's line is the person's."""
    text = f"server {{\n  listen\n    80;\n  {LOCATION}\n  nonsense;\n}}"

    configuration = own(tmp_path, text)

    lines = configuration.after.split("\n")
    number = next(n for n, line in enumerate(lines, 1) if "nonsense" in line)
    told = f'unknown directive "nonsense" in /tmp/run/nginx.conf:{number}'
    assert configuration.located(told, "nginx.conf") == (
        'unknown directive "nonsense" in site.conf:5'
    )


def test_what_is_included_is_part_of_it(tmp_path: Path) -> None:
    (tmp_path / "snippets").mkdir()
    (tmp_path / "snippets/proxy.conf").write_text("proxy_set_header Host $host;\nnonsense;\n")
    text = LOCATION.replace("{ ", "{\n include snippets/proxy.conf;\n")

    configuration = own(tmp_path, f"server {{ {text} }}")

    assert "proxy_set_header Host $host;" in configuration.after
    number = configuration.after.split("\n").index("nonsense;") + 1
    assert configuration.source.at(number) == "snippets/proxy.conf:2"


@pytest.mark.parametrize(
    ("upstream", "now"),
    [
        ("http://localhost:8000", "http://${UPSTREAM}"),
        ("http://app:8000/", "http://${UPSTREAM}/"),
        ("http://unix:/run/app.sock", "http://${UPSTREAM}"),
        ("http://unix:/run/app.sock:/x", "http://${UPSTREAM}/x"),
        ("http://[::1]:8000/", "http://${UPSTREAM}/"),
        ("http://127.0.0.1:8000$request_uri", "http://${UPSTREAM}$request_uri"),
    ],
)
def test_upstreams(tmp_path: Path, upstream: str, now: str) -> None:
    configuration = own(tmp_path, f"location /api {{ proxy_pass {upstream}; }}")

    assert f"proxy_pass {now};" in configuration.after


@pytest.mark.parametrize(
    ("location", "prefix"),
    [
        ("/api/", ["/api"]),
        ("^~ /api", ["/api"]),
        (r"~ ^/api/v1(/|$)", ["/api/v1"]),
        (r'~ "^\Q/api\E(/|$)"', ["/api"]),
        ("/", ["/"]),
        ("@app", []),
    ],
)
def test_the_prefix_of_a_location(tmp_path: Path, location: str, prefix: list[str]) -> None:
    text = f"location {location} {{ proxy_pass http://127.0.0.1:8000; }}"

    assert own(tmp_path, text).prefixes == prefix


@pytest.mark.parametrize(
    ("text", "error", "told"),
    [
        ("location /a/ { root /x; }", BadConfiguration, "passes nothing on"),
        ("server { location / { uwsgi_pass a:1; } }", CannotRun, "uwsgi_pass does not speak HTTP"),
        (
            "server { location / { proxy_pass http://$x; } }",
            CannotRun,
            "site.conf:1: proxy_pass to",
        ),
        (f"server {{ listen 80 proxy_protocol; {LOCATION} }}", CannotRun, "PROXY protocol"),
        (f"server {{ include a.conf; {LOCATION} }}", CannotRun, "no such file beside site.conf"),
        (f"server {{ include ../a.conf; {LOCATION} }}", CannotRun, "outside of the file's folder"),
        (f"server {{ include /etc/x/p; {LOCATION} }}", CannotRun, "outside of the file's folder"),
        (f"server {{ {LOCATION} }} server {{ {LOCATION} }}", BadConfiguration, "two servers pass"),
        (
            f"server {{ {LOCATION} location /b {{ proxy_pass http://b; }} }}",
            BadConfiguration,
            r"several: 127.0.0.1:8000 \(site.conf:1\), b \(site.conf:1\)",
        ),
        (f"server {{\n {LOCATION}", BadConfiguration, 'site.conf:1: a block that begins with "{"'),
        (
            "load_module a.so; events {} http { server { " + LOCATION + "} }",
            CannotRun,
            "module a.so",
        ),
        ("stream { }", BadConfiguration, "no server and no location"),
    ],
)
def test_what_can_t_be_run(tmp_path: Path, text: str, error: type[Exception], told: str) -> None:
    with pytest.raises(error, match=told):
        own(tmp_path, text)


def test_a_file_that_includes_itself(tmp_path: Path) -> None:
    with pytest.raises(BadConfiguration, match="includes itself"):
        own(tmp_path, "server { include site.conf; }")


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "is empty"),
        (b" \n", "is empty"),
        (b"\xff\xfe\x00", "is not UTF-8"),
        (b"a\0b", "is a binary file"),
        (b"#" * 2**21, "more than a megabyte"),
    ],
)
def test_what_is_no_text(tmp_path: Path, content: bytes, told: str) -> None:
    file = tmp_path / "a"
    file.write_bytes(content)

    with pytest.raises(BadConfiguration, match=told):
        text_of(file)


def test_whose_file_it_is() -> None:
    assert recognised(CATALOGUE.proxies, "server {\n  listen 80;\n}") == [NGINX]
    assert recognised(CATALOGUE.proxies, "import this") == []


THEIRS = """server {
    listen 80;
    location /api/ {
        proxy_pass http://127.0.0.1:8000/;
        proxy_set_header Host $host;
        add_header X-A b;
    }
    location /api/static/ { root /var/www; }
}"""


def test_the_lab_s_lines(tmp_path: Path) -> None:
    configuration = own(tmp_path, THEIRS)

    edits = {edit.told: edit for edit in configuration.edits(Mode.STRIP, parse("/api"))}

    host = configuration.text([edits["proxy_set_header host"]])
    assert "proxy_set_header Host $host$is_request_port$request_port;" in host
    assert "Host $host;" not in host
    sockets = configuration.text([edits["WebSocket"]])
    assert "map $http_upgrade $upgrade" in sockets
    assert "proxy_set_header Connection $connection_upgrade;" in sockets
    passing = configuration.text([edits["proxy_pass"], edits["location"]])
    assert "proxy_pass http://${UPSTREAM}$stripped;" in passing
    assert r'location ~ "^\Q${PUBLIC_PREFIX_DECODED}\E(/|$)" {' in passing
    assert "map $request_uri $stripped" in passing
    assert "add_header" not in configuration.text([edits["without add_header X-A b"]])
    assert "/var/www" not in configuration.text([edits["without location /api/static/"]])


def test_a_variable_of_the_same_name_stays_theirs(tmp_path: Path) -> None:
    text = "map $http_upgrade $upgrade { default x; }\n" + THEIRS
    configuration = own(tmp_path, text)

    edits = {edit.told: edit for edit in configuration.edits(Mode.STRIP, parse("/api"))}

    now = configuration.text([edits["WebSocket"]])
    assert "map $http_upgrade $lab_upgrade {" in now
    assert "proxy_set_header Upgrade $lab_upgrade;" in now


def test_what_the_lab_has_as_well_is_no_edit(tmp_path: Path) -> None:
    text = THEIRS.replace("Host $host;", "Host $host$is_request_port$request_port;")

    edits = own(tmp_path, text).edits(Mode.STRIP, parse("/api"))

    assert "proxy_set_header host" not in [edit.told for edit in edits]


def test_a_diff_has_their_own_words(tmp_path: Path) -> None:
    configuration = own(tmp_path, THEIRS)
    edits = configuration.edits(Mode.STRIP, parse("/api"))
    passing = next(edit for edit in edits if edit.told == "proxy_pass")

    told = configuration.change([passing], parse("/api"))

    assert "-        proxy_pass http://127.0.0.1:8000/;" in told
    assert "+        proxy_pass http://127.0.0.1:8000$stripped;" in told
    assert not any("${" in line or "events" in line for line in told)
