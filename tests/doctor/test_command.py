"""`hoplab doctor URL`: what it prints, and how it ends."""

import json
import os
import pty
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from http import HTTPStatus
from pathlib import Path

import pytest
import trustme
from fastapi import FastAPI

from hoplab.client.given import ConnectTo, read
from hoplab.client.polite import PoliteClient
from hoplab.client.wire import Headers
from hoplab.commands.doctor import examine
from hoplab.diagnosis.words import Fault, Question, Verdict
from tests.commands.run import hoplab
from tests.doctor.stub import asgi
from tests.unit.hostile import LOOPBACK, Behaviour, Site, Visit, context_of, site
from tests.unit.hostile import answer as raw

api = FastAPI()


@api.get("/rooms/")
async def rooms() -> list[str]:
    return []


def answer(status: int, body: bytes = b"", headers: Headers = ()) -> bytes:
    """A whole answer; a body without a type is of nobody's."""
    kind = next((value for name, value in headers if name.lower() == "content-type"), "")
    more = [f"{name}: {value}" for name, value in headers if name.lower() != "content-type"]
    return raw(body, f"{status} {HTTPStatus(status).phrase}", *more, kind=kind)


def served(root_path: str = "", strip: str = "") -> Behaviour:
    """An application behind a proxy that passes Host on."""

    def behave(visit: Visit) -> None:
        lines = visit.head.decode().split("\r\n")
        headers = dict(line.split(": ", 1) for line in lines[1:] if ": " in line)
        if headers.get("Upgrade") == "websocket":
            visit.send(answer(403, b""))
            return
        ask = asgi(api, host=headers["Host"], root_path=root_path)
        path = visit.target
        if strip and not path.startswith(f"{strip}/"):
            visit.send(answer(404, b"<h1>nobody</h1>", [("Content-Type", "text/html")]))
            return
        status, told, body = ask("GET", path.removeprefix(strip), headers)
        told = [(k, v) for k, v in told if k.lower() != "content-length"]
        visit.send(answer(status, body, told))

    return behave


@pytest.fixture
def healthy() -> Iterator[Site]:
    with site(served()) as found:
        yield found


@pytest.fixture
def sick() -> Iterator[Site]:
    with site(served(strip="/shop")) as found:
        yield found


def test_healthy_ends_with_0_and_says_what_was_checked(healthy: Site) -> None:
    done = hoplab("doctor", healthy.url)

    assert done.returncode == 0, done.stdout + done.stderr
    first = done.stdout.splitlines()[0]
    assert first.startswith(f"{healthy.url}: healthy, over http alone: https was not asked")
    assert "Checked, and right" in done.stdout
    assert done.stderr == ""


def test_sick_ends_with_1_and_names_cause_evidence_and_change(sick: Site) -> None:
    done = hoplab("doctor", f"{sick.url}/shop/")

    assert done.returncode == 1
    assert "The proxy removes /shop, and the application does not know that" in done.stdout
    for part in ("Found", "Cause", "Evidence for:", "Change:"):
        assert part in done.stdout


def test_json_is_one_object_and_nothing_else(sick: Site) -> None:
    done = hoplab("doctor", f"{sick.url}/shop", "--format", "json")

    told = json.loads(done.stdout)
    assert (told["verdict"], told["status"]) == ("sick", 1)
    assert [one["fault"] for each in told["causes"] for one in each["one_of"]] == [
        Fault.UNTOLD_STRIPPED
    ]
    assert told["requests"] == len(sick.targets)


def test_a_given_prefix_leads_from_any_page(sick: Site) -> None:
    done = hoplab("doctor", f"{sick.url}/shop/rooms/", "--prefix", "/shop")

    assert done.returncode == 1


def test_no_answer_ends_with_3() -> None:
    done = hoplab("doctor", "http://127.0.0.1:9/")

    assert done.returncode == 3
    assert "I can't tell, because" in done.stdout


def test_too_few_requests_end_with_3_and_say_so(healthy: Site) -> None:
    done = hoplab("doctor", healthy.url, "--max-requests", "3")

    assert done.returncode == 3
    assert "--max-requests" in done.stdout
    assert len(healthy.targets) == 3


def test_a_login_everywhere_ends_with_3() -> None:
    with site(lambda visit: visit.send(answer(401, b""))) as found:
        done = hoplab("doctor", found.url)

    assert done.returncode == 3
    assert "login" in done.stdout


def test_forged_headers_are_sent_only_if_asked_for(healthy: Site) -> None:
    hoplab("doctor", healthy.url)
    assert not any(b"orwarded" in head for head in healthy.heads)

    hoplab("doctor", healthy.url, "--spoof")
    assert any(b"X-Forwarded-Proto" in head for head in healthy.heads)


def test_nothing_but_get_is_sent(healthy: Site) -> None:
    hoplab("doctor", healthy.url, "--spoof")

    assert {head.split(b" ")[0] for head in healthy.heads} == {b"GET"}


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["ftp://name/"], "http"),
        (["name"], "http"),
        (["http://name/", "--server", "nosuch"], "granian"),
        (["http://name/", "--server", "apache"], "is a proxy; give one of: Daphne"),
        (["http://name/", "--server", "gunicorn"], "is not known"),
        (["http://name/", "--proxy", "uvicorn"], "is a server; give one of: alb"),
        (["http://name/", "--ca", "/nowhere.pem"], "--ca"),
        (["http://name/", "--prefix", "shop"], "--prefix"),
        (["http://name/", "--header", "nothing"], "--header"),
        (["http://name/", "--connect-to", "nothing"], "--connect-to"),
        (["http://name/", "--format", "pdf"], "format"),
        (["http://name/", "-o", "/nowhere/report"], "-o"),
        ([], "URL"),
    ],
)
def test_bad_usage_ends_with_2_and_one_line(arguments: list[str], told: str) -> None:
    done = hoplab("doctor", *arguments)

    assert done.returncode == 2
    assert told in done.stderr
    assert "Traceback" not in done.stderr


def test_nothing_of_a_site_reaches_the_terminal_as_a_control_character() -> None:
    def behave(visit: Visit) -> None:
        if visit.target.endswith("/"):
            body = b"<a href='/a\x1b[31m/'>x</a><a href='/b%1b/'>y</a>"
            visit.send(answer(200, body, [("Content-Type", "text/html")]))
        else:
            location = ("Location", f"http://else\x9b.invalid{visit.target}/")
            visit.send(answer(307, b"", [location]))

    with site(behave) as found:
        done = hoplab("doctor", found.url)

    assert all(each == "\n" or each.isprintable() for each in done.stdout + done.stderr)


def test_the_report_can_be_written_to_a_file(healthy: Site, tmp_path: Path) -> None:
    file = tmp_path / "report.txt"

    done = hoplab("doctor", healthy.url, "-o", str(file))

    assert done.stdout == ""
    assert "healthy" in file.read_text()


@pytest.mark.parametrize("name", ["Uvicorn", "UVICORN"])
def test_a_server_s_name_is_known_however_it_is_written(sick: Site, name: str) -> None:
    done = hoplab("doctor", f"{sick.url}/shop", "--server", name, "--format", "json")

    told = json.loads(done.stdout)
    assert (told["server"], told["server_guessed_from"]) == ("uvicorn", "")


def test_answers_that_can_t_be_unpacked_are_not_judged() -> None:
    """Brotli that nobody asked for: what is in it is not known."""

    def behave(visit: Visit) -> None:
        told = [("Content-Encoding", "br"), ("Content-Type", "text/html")]
        visit.send(answer(200, visit.target.encode() + b"\x8b\x02\x80", told))

    with site(behave) as found:
        done = hoplab("doctor", found.url, "--format", "json")

    told = json.loads(done.stdout)
    assert (told["status"], told["causes"]) == (3, [])
    assert "come packed as 'br' though nobody asked for it, and can't be read" in told["why"]


@pytest.mark.parametrize(
    ("status", "page", "is_the_application_s"),
    [(307, b"", True), (301, b"<html><h1>Moved</h1></html>", False)],
)
def test_a_proxy_that_redirects_to_itself_is_not_the_application(
    status: int, page: bytes, *, is_the_application_s: bool
) -> None:
    """As nginx with `return 301 https://$host$request_uri`, behind what ends TLS."""
    url = "https://name.invalid/shop"
    location = [("Location", url), ("Content-Type", "text/html")]
    context = context_of(trustme.CA(), "name.invalid")

    with site(lambda visit: visit.send(answer(status, page, location)), context) as found:
        there = ConnectTo("", None, LOOPBACK, found.port)
        client = PoliteClient(read(url), connect_to=[there], insecure=True)
        report = examine(client).report
        client.close()

    assert (Question.LOOP in report.sheet.answers) is is_the_application_s
    verdict = Verdict.SICK if is_the_application_s else Verdict.UNCLEAR
    assert report.diagnosis.verdict is verdict


def test_a_person_at_a_terminal_is_asked_what_settles_it() -> None:
    """That the server is Hypercorn excludes what only other servers do."""
    with site(served()) as found:
        first, _ = in_a_terminal(f"{found.url}/shop", "")
        again, asked = in_a_terminal(f"{found.url}/shop", "hypercorn")

    assert "Which server is it (" in asked
    assert "puts it in front once more" in first
    assert "puts it in front once more" not in again


def in_a_terminal(url: str, says: str) -> tuple[str, str]:
    """What the doctor prints in one where a person answers so; and what it asked."""
    ours, theirs = pty.openpty()
    program = [sys.executable, "-m", "hoplab", "doctor", url]
    process = subprocess.Popen(program, stdin=theirs, stdout=theirs, stderr=theirs)
    os.close(theirs)
    os.write(ours, f"{says}\n".encode())
    shown = b""
    with suppress(OSError):  # Linux says so when nobody has the other end open any more
        while piece := os.read(ours, 2**16):
            shown += piece
    os.close(ours)
    assert process.wait(20) == 1
    asked, _, report = " ".join(shown.decode().split()).partition("if unknown)?")
    return report, asked
