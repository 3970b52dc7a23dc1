"""The public workflow: what can be known of it without running it."""

import re
from typing import Any

import pytest
import yaml

from tests.catalogue import ROOT

TEXT = (ROOT / ".github/workflows/ci.yml").read_text()
JOBS: dict[str, dict[str, Any]] = yaml.safe_load(TEXT)["jobs"]
TARGETS = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
STEPS = [(job, step) for job, content in JOBS.items() for step in content["steps"]]


def test_every_action_is_pinned_and_its_release_named() -> None:
    used = re.findall(r"uses: (.*)", TEXT)

    assert len(used) == sum("uses" in step for _, step in STEPS) > 4
    for each in used:
        assert re.fullmatch(r"actions/[a-z-]+@[0-9a-f]{40} # v[\d.]+", each), each


def test_it_calls_targets_of_the_makefile() -> None:
    called = re.findall(r"\bmake ([a-z-]+)", TEXT)

    assert {"lint", "test", "report"} <= {*called} <= {*TARGETS}


def steps(job: str, using: str) -> list[dict[str, Any]]:
    return [step for step in JOBS[job]["steps"] if f"/{using}@" in step.get("uses", "")]


def test_the_report_is_an_artifact_and_a_site() -> None:
    [artifact] = steps("report", "upload-artifact")
    [site] = steps("report", "upload-pages-artifact")
    commands = "\n".join(step.get("run", "") for step in JOBS["report"]["steps"])

    assert artifact["with"]["path"] == "report.html"
    folder = site["with"]["path"]
    assert f"cp report.html {folder}/ && cp report.html {folder}/index.html" in commands
    assert JOBS["site"]["needs"] == ["report"]
    assert steps("site", "deploy-pages")


def test_a_page_links_to_the_report_where_make_and_the_site_put_it() -> None:
    assert "](../report.html)" in (ROOT / "docs/report.md").read_text()
    assert "-o report.html" in (ROOT / "Makefile").read_text()


def test_only_the_site_may_write_and_only_from_the_main_branch() -> None:
    assert yaml.safe_load(TEXT)["permissions"] == {"contents": "read"}
    assert [job for job, content in JOBS.items() if "permissions" in content] == ["site"]
    assert JOBS["site"]["permissions"] == {"pages": "write", "id-token": "write"}
    assert "push" in JOBS["site"]["if"]
    assert "refs/heads/main" in JOBS["site"]["if"]


@pytest.mark.parametrize("job", JOBS)
def test_a_job_needs_jobs_that_exist_and_ends(job: str) -> None:
    assert {*JOBS[job].get("needs", [])} <= {*JOBS}
    assert "timeout-minutes" in JOBS[job] or job == "gate"


def test_the_gate_needs_what_a_pull_request_runs() -> None:
    gate = JOBS["gate"]

    assert {*gate["needs"]} == {job for job in JOBS if job not in {"gate", "site"}}
    [step] = gate["steps"]
    assert all(f"needs.{job}.result" in step["run"] for job in gate["needs"])
