"""What is missing or too old is told before it is started, with what to do."""

import sys
from dataclasses import replace
from importlib.metadata import PackageNotFoundError
from pathlib import Path

import pytest

from hoplab.catalogue import Proxy, load
from hoplab.catalogue.servers import SERVERS
from hoplab.engines import versions
from hoplab.errors import HoplabError

PROXIES = load().proxies


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
        f"fastapi {found} is too old: {minimum} or later is needed. Run `make setup`."
    )


def test_package_that_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> str:
        raise PackageNotFoundError(name)

    monkeypatch.setattr(versions, "version", missing)

    with pytest.raises(HoplabError) as caught:
        versions.require_package(SERVERS["hypercorn"])

    assert str(caught.value) == "hypercorn is missing. Run `make setup`, which installs it."


# --- binaries ---


@pytest.fixture
def proxy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Proxy:
    """One whose binary should stand beside this Python."""
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    return replace(PROXIES["nginx"], name="caddy", version=["caddy", "version"], minimum="2.7")


def install(proxy: Proxy, script: str) -> None:
    binary = Path(sys.executable).with_name(proxy.version[0])
    binary.write_text(f"#!/bin/sh\n{script}\n")
    binary.chmod(0o755)


@pytest.mark.parametrize(
    ("script", "complaint"),
    [
        pytest.param('echo "caddy v2.7.0 $1"', None, id="as wanted"),
        pytest.param("echo v2.10.1", None, id="newer"),
        pytest.param("echo caddy/2.7.6 >&2", None, id="on standard error, as nginx"),
        pytest.param(
            "echo v2.6.4",
            "caddy 2.6.4 is too old: 2.7 or later is needed. Run `make setup`.",
            id="older",
        ),
        pytest.param(
            "echo none", "caddy is missing. Run `make setup`, which installs it.", id="no number"
        ),
        pytest.param(
            None, "caddy is missing. Run `make setup`, which installs it.", id="no binary"
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
    assert str(caught.value) == complaint


def test_binary_is_asked_as_its_folder_says(proxy: Proxy) -> None:
    install(proxy, '[ "$*" = version ] && echo 2.7.0')

    versions.require_binary(proxy)


def test_binary_on_the_path_is_not_ours(
    proxy: Proxy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is asked here is what the engine will start: that of this environment."""
    install(proxy, "echo v2.7.0")
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(sys, "executable", str(tmp_path / "elsewhere" / "python"))

    with pytest.raises(HoplabError, match="caddy is missing"):
        versions.require_binary(proxy)
