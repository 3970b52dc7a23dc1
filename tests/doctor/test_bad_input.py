"""Each line of "Bad input": the command ends in bounded time, says what it is, and never crashes.

The sites are those of tests/unit/hostile.py. The command runs in this process, as `hoplab doctor`.
"""

import json
import signal
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from hoplab.cli.main import app
from hoplab.cli.options import BadUsage
from hoplab.client import polite
from hoplab.client.given import Given
from hoplab.client.manners import Manners
from tests.unit.hostile import LOOPBACK, Behaviour, Visit, always, answer, bomb, site
from tests.unit.stub import closed_port

SECONDS = 15
EVIL = "\x1b]0;owned\x07\x1b[31m\u202e"


class Quick(polite.PoliteClient):
    """With small limits: that they hold is what is tested."""

    def __init__(self, given: Given, manners: Manners, **options: Any) -> None:
        small = replace(manners, answer=0.5, seconds=8.0, body=2**18)
        super().__init__(given, small, **options)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(polite, "PoliteClient", Quick)
    monkeypatch.delenv("HOPLAB_WINDOW_TOKEN", raising=False)


def run(url: str, *options: str) -> tuple[int, str]:
    """Exit status and output, which is fit for a terminal whatever came."""
    began = time.monotonic()
    result = CliRunner().invoke(app, ["doctor", url, *options])
    assert time.monotonic() - began < SECONDS
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.output.replace("\n", "").isprintable()
    return result.exit_code, " ".join(result.output.split())


def of_site(behaviour: Behaviour, path: str = "/api", *options: str) -> tuple[int, str]:
    with site(behaviour) as found:
        return run(found.url + path, *options)


# --- sites that don't answer ---


def test_unresolvable() -> None:
    status, told = run("http://nowhere.invalid/api")

    assert (status, "can't be resolved" in told) == (3, True)
    assert "ERR_NAME_NOT_RESOLVED" in told


def test_refused() -> None:
    status, told = run(f"http://{LOOPBACK}:{closed_port()}/")

    assert (status, "refuses the connection" in told) == (3, True)


def test_tls_where_there_is_none() -> None:
    with site(always(answer())) as found:
        status, told = run(f"https://{LOOPBACK}:{found.port}/")

    assert status == 3
    assert "I can't tell, because" in told


# --- sites that answer badly ---


def endless(visit: Visit) -> None:
    visit.send(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n")
    visit.for_ever(b"<a href='/x'>" * 1000)


def endless_head(visit: Visit) -> None:
    visit.send(b"HTTP/1.1 200 OK\r\n")
    visit.for_ever(b"X-Header: value\r\n" * 100)


def drip(visit: Visit) -> None:
    visit.send(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
    visit.for_ever(b"x", pause=0.05)


def silent(visit: Visit) -> None:
    visit.gone.wait(20)


def no_http(visit: Visit) -> None:
    visit.send(b"SSH-2.0-OpenSSH_9.6\x1b[31m\r\n")
    visit.sock.close()


def ends(visit: Visit) -> None:
    visit.sock.close()


PAGE = f"<title>{EVIL}</title><a href='{EVIL}'>x</a><script src='/x'></script>".encode()

BAD: dict[str, Behaviour] = {
    "endless body": endless,
    "endless head": endless_head,
    "slow drip": drip,
    "silence": silent,
    "no HTTP": no_http,
    "ends at once": ends,
    "compressed bomb": always(answer(bomb(32 * 2**20), "200 OK", "Content-Encoding: gzip")),
    "invalid UTF-8": always(answer(b"\xff\xfe\x80" * 1000)),
    "JSON that is none": always(answer(b"{" * 100_000, kind="application/json")),
    "deep JSON": always(answer(b"[" * 100_000, kind="application/json")),
    "a wrong type": always(answer(b'{"openapi": "3.1.0"}', kind="image/png")),
    "no type": always(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"),
    "an odd document": always(
        answer(b'{"openapi": 3, "paths": [1], "servers": {"url": 7}}', kind="application/json")
    ),
    "odd servers": always(
        answer(b'{"openapi": "3", "paths": {}, "servers": 7}', kind="application/json")
    ),
    "odd paths": always(
        answer(b'{"openapi": "3", "paths": {"/x": 1, "y": {"get": 2}}}', kind="application/json")
    ),
    "control characters in a page": always(answer(PAGE, "404 Not Found")),
    "control characters in headers": always(
        b"HTTP/1.1 302 \x1b[31mFound\r\nServer: nginx/\x1b[31m\xe2\x80\xae\r\n"
        b"Location: /\x1b]0;owned\x07\xe2\x80\xae\r\nContent-Length: 0\r\n\r\n"
    ),
    "a loop": always(answer(b"", "302 Found", "Location: /api")),
    "another host": always(answer(b"", "302 Found", "Location: http://other.invalid/\x1b[31m")),
    "a login": always(answer(b"", "401 Unauthorized", 'WWW-Authenticate: Basic realm="\x1b[31m"')),
    "forbidden": always(answer(b"no", "403 Forbidden")),
    "too many": always(answer(b"", "429 Too Many Requests", "Retry-After: 60")),
    "a captcha": always(answer(b"", "403 Forbidden", "cf-mitigated: challenge")),
    "204 everywhere": always(b"HTTP/1.1 204 No Content\r\n\r\n"),
    "no ASGI application": always(answer(b"<h1>It works</h1>", "200 OK", "X-Powered-By: PHP/8.3")),
}


@pytest.mark.parametrize("name", BAD)
def test_every_bad_site_ends_with_a_clear_word(name: str) -> None:
    """Never healthy, never a crash; in bounded time, and nothing of it reaches the terminal raw."""
    status, told = of_site(BAD[name])

    assert status in {1, 3}, told
    assert "healthy" not in told


@pytest.mark.parametrize("output_format", ["json", "junit", "html"])
@pytest.mark.parametrize(
    "name", ["control characters in headers", "control characters in a page", "a loop", "a login"]
)
def test_every_format_of_a_bad_site(name: str, output_format: str) -> None:
    status, told = of_site(BAD[name], "/api", "--format", output_format)

    assert status in {1, 3}
    assert "<script src" not in told


@pytest.mark.parametrize(
    ("name", "word"),
    [
        ("a loop", "to itself"),
        ("another host", "other.invalid"),
        ("a login", "login"),
        ("forbidden", "login"),
        ("too many", "asks to wait 60 s"),
        ("a captcha", "challenge"),
        ("no HTTP", "no HTTP"),
        ("silence", "no answer in time"),
        ("silence", "may wait a minute for its application"),
        ("no ASGI application", "no ASGI application"),
    ],
)
def test_what_is_said(name: str, word: str) -> None:
    status, told = of_site(BAD[name])

    assert status == 3
    assert word in told


def test_after_a_429_nothing_more_is_asked() -> None:
    with site(BAD["too many"]) as found:
        run(found.url)
        assert len(found.heads) == 1


def test_no_more_is_asked_than_is_allowed() -> None:
    with site(always(answer(b"x", "404 Not Found"))) as found:
        status, told = run(found.url, "--max-requests", "5")
        assert len(found.heads) <= 5

    assert status == 3
    assert "--max-requests" in told


# --- what a person gives ---


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (["example.com"], "https://"),
        (["ftp://example.com"], "http or https"),
        (["http://exam ple.com"], "no name of a host"),
        (["http://a:99999999/"], "no URL"),
        (["http://a/", "--resolve", "x"], "--resolve"),
        (["http://a/", "--connect-to", "x"], "--connect-to"),
        (["http://a/", "--header", "x"], "--header"),
        (["http://a/", "--proxy", "squidward"], "is not known; give one of: "),
        (["http://a/", "--server", "squidward"], "is not known; give one of: "),
        (["http://a/", "--window-token", "short"], "--window-token"),
        (["http://a/", "--ca", "nowhere.pem"], "nowhere.pem"),
        (["http://user:hunter2@exam ple.com"], "no name of a host"),
    ],
)
def test_usage(arguments: list[str], word: str) -> None:
    with pytest.raises(BadUsage, match=word) as raised:
        run(*arguments)

    assert "hunter2" not in str(raised.value)


def test_credentials_are_used_and_never_printed() -> None:
    with site(BAD["forbidden"]) as found:
        for each in ("text", "json", "junit", "html"):
            url = f"http://me:hunter2@{LOOPBACK}:{found.port}/api"
            _, told = run(url, "--format", each, "--header", "X-Key: hunter3")
            assert "hunter" not in told
            assert "bWU6aHVudGVyMg" not in told

    assert b"Authorization: Basic bWU6aHVudGVyMg==\r\n" in found.heads[0]


@pytest.mark.parametrize(
    "url",
    [
        "http://bücher.invalid:{port}/café",
        "http://[::1]:{port}/a%2Fb",
        "http://x.invalid:{port}/a b/",
    ],
)
def test_names_addresses_and_prefixes_of_all_kinds(url: str) -> None:
    with site(always(answer(b"no", "404 Not Found"))) as found:
        status, told = run(
            url.format(port=found.port), "--connect-to", f"::{LOOPBACK}:{found.port}"
        )
        assert found.heads

    assert status == 3
    assert "I can't tell" in told


def test_a_file_that_is_no_authority(tmp_path: Path) -> None:
    file = tmp_path / "ca.pem"
    file.write_text("nothing")

    with pytest.raises(BadUsage, match="--ca"):
        run("https://a.invalid/", "--ca", str(file))


def test_ctrl_c_prints_what_is_known_so_far() -> None:
    answered = threading.Event()

    def then_silent(visit: Visit) -> None:
        if answered.is_set():
            silent(visit)
        else:
            visit.send(answer(b"no", "404 Not Found", "Server: nginx"))
            answered.set()

    with site(then_silent) as found:
        program = [sys.executable, "-m", "hoplab", "doctor", f"{found.url}/api"]
        process = subprocess.Popen(
            program, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        try:
            deadline = time.monotonic() + 20
            while len(found.heads) < 2 and time.monotonic() < deadline:
                found.changed.wait(0.1)
                found.changed.clear()
            process.send_signal(signal.SIGINT)
            told, error = process.communicate(timeout=SECONDS)
        finally:
            process.kill()
            process.wait()

    assert process.returncode == 130
    assert "Ended early: interrupted" in told
    assert "It looks like nginx" in told
    assert "Traceback" not in error


def test_json_says_the_same_as_the_exit_status() -> None:
    with site(BAD["a login"]) as found:
        result: Any = CliRunner().invoke(app, ["doctor", found.url, "--format", "json"])

    assert json.loads(result.output)["status"] == result.exit_code == 3
