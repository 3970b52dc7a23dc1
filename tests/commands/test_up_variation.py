"""`up --variation`: a CORS variant that stays up, to be opened in a browser or scraped."""

import json
import os
import re
import shutil
import subprocess
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import quote

import pytest

from hoplab.catalogue.variations import Variation
from hoplab.engines.published import variable
from hoplab.system.ports import free_ports
from hoplab.topology import Mode, Scheme, Topology
from tests.catalogue import CATALOGUE, ROOT
from tests.commands.clone import Clone
from tests.docker_required import ENGINES

TOPOLOGY = Topology("nginx", "uvicorn", Mode.STRIP)
WORDS = ("up", "strip", "--proxy", "nginx", "--server", "uvicorn", "--variation")
MAIN = "http://main.co.kr"
PROMETHEUS = os.environ.get("PROMETHEUS_PROGRAM") or shutil.which("prometheus")
DEADLINE = 60.0


@pytest.fixture(scope="module")
def ports() -> dict[str, str]:
    names = [variable(TOPOLOGY, scheme) for scheme in Scheme]
    return {name: str(port) for name, port in zip(names, free_ports(len(names)), strict=True)}


@pytest.fixture(scope="module", params=ENGINES)
def up(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    ports: dict[str, str],
) -> Iterator[str]:
    """Where cors-both answers."""
    clone = Clone(tmp_path_factory.mktemp("up"))
    try:
        run = clone.hoplab(*WORDS, "cors-both", "--engine", request.param, **ports)
        assert run.returncode == 0, run.stdout + run.stderr
        assert "fail, as predicted" in run.stdout
        assert "12 findings: 6 fail, 6 pass" in run.stdout
        base = f"http://127.0.0.1:{ports[variable(TOPOLOGY, Scheme.HTTP)]}/api/v1"
        assert f"{base}/metrics/" in run.stdout
        yield base
    finally:
        clone.hoplab("down")


def get(url: str, **headers: str) -> tuple[str, str | None]:
    """The body, and which origin may read it."""
    request = urllib.request.Request(url, headers=headers)  # noqa: S310 - our own
    with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310
        return answer.read().decode(), answer.headers["Access-Control-Allow-Origin"]


def until(question: Callable[[], object]) -> None:
    deadline = time.monotonic() + DEADLINE
    while not question():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_it_answers_with_the_variant_s_application(up: str) -> None:
    body, allowed = get(f"{up}/metrics/", Origin=MAIN)

    assert "# TYPE http_requests_total counter" in body
    assert allowed == MAIN, "the outer layer decides"


@pytest.mark.skipif(not PROMETHEUS, reason="no prometheus program (PROMETHEUS_PROGRAM)")
def test_a_real_prometheus_scrapes_it_through_the_proxy(up: str, tmp_path: Path) -> None:
    host, _, path = up.removeprefix("http://").partition("/")
    scrape = {
        "job_name": "lab",
        "scrape_interval": "200ms",
        "scrape_timeout": "200ms",
        "metrics_path": f"/{path}/metrics/",
        "static_configs": [{"targets": [host]}],
    }
    file = tmp_path / "prometheus.yml"
    file.write_text(json.dumps({"scrape_configs": [scrape]}))  # JSON is YAML
    [port] = free_ports(1)
    own = f"127.0.0.1:{port}"
    command = [str(PROMETHEUS), f"--config.file={file}", f"--storage.tsdb.path={tmp_path}/data"]

    def value(query: str) -> float:
        """Of its first series; 0 if there is none."""
        try:
            answer, _ = get(f"http://{own}/api/v1/query?query={quote(query)}")
        except OSError:
            return 0
        found = json.loads(answer)["data"]["result"]
        return float(found[0]["value"][1]) if found else 0

    with subprocess.Popen(
        [*command, f"--web.listen-address={own}"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        try:
            until(lambda: value('up{job="lab"}'))
            asked = 'http_requests_total{route="/items/",status="200",method="GET"}'
            until(lambda: value(asked))
            before = value(asked)
            get(f"{up}/items/")
            until(lambda: value(asked) > before)
        finally:
            process.terminate()


def test_a_variation_that_changes_more_is_refused_with_those_that_can_stay_up(
    tmp_path: Path,
) -> None:
    run = Clone(tmp_path).hoplab(*WORDS, "nginx-bare", "--engine", "process")

    possible = [name for name, v in CATALOGUE.variations.items() if v.changes_application_alone]
    assert (run.returncode, run.stdout) == (2, "")
    assert f"'nginx-bare' is unknown; known: {', '.join(possible)}" in run.stderr
    assert "cors-both" in possible


def test_one_that_is_measured_in_none_of_these_topologies(tmp_path: Path) -> None:
    words = ("up", "--proxy", "caddy", "--server", "granian", "--variation", "cors-both")

    run = Clone(tmp_path).hoplab(*words, "--engine", "process")

    assert (run.returncode, run.stdout) == (3, "")
    assert "cors-both is measured in none of these topologies" in run.stderr


def test_the_page_shows_what_stays_up() -> None:
    page = (ROOT / "docs/cors.md").read_text().partition("\n## Leave it up\n")[2]
    named = set(re.findall(r"`(cors-[a-z-]+)`", page.partition("\n## ")[0]))

    assert f"$ .venv/bin/hoplab {' '.join(WORDS)} cors-both\n" in page
    for path in ("/app", "/docs", "/metrics/"):
        assert f"http://127.0.0.1:9997/api/v1{path}" in page
    assert named == {n for n, v in CATALOGUE.variations.items() if v.changes_application_alone} - {
        "sub-app-root-path"  # not CORS
    }


def test_a_change_of_a_file_or_a_command_is_more_than_the_application() -> None:
    alone: dict[str, Variation] = {
        n: v for n, v in CATALOGUE.variations.items() if v.changes_application_alone
    }

    assert {"cors-both", "cors-single", "cors-router"} <= {*alone}
    assert not {"cors-nginx-too", "cors-traefik-alone", "nginx-behind-traefik"} & {*alone}
