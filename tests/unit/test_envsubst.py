"""Templates are filled as the official nginx image does it: GNU envsubst with a list of names."""

import shutil
import subprocess

import pytest

from hoplab.catalogue import load
from hoplab.engines.process import configuration_of, envsubst
from hoplab.topology import Mode

ENVIRONMENT = {"UPSTREAM": "127.0.0.1:8000", "TLS_KEY": "/x/$host/\\1", "EMPTY": ""}

CASES = [
    pytest.param("${UPSTREAM}", "127.0.0.1:8000", id="braces"),
    pytest.param("$UPSTREAM;", "127.0.0.1:8000;", id="plain"),
    pytest.param("http://${UPSTREAM}/x", "http://127.0.0.1:8000/x", id="within"),
    pytest.param("${UPSTREAM}${UPSTREAM}", 2 * "127.0.0.1:8000", id="twice"),
    pytest.param("$host $http_host $1 $", "$host $http_host $1 $", id="nginx's own stay"),
    pytest.param("${host} ${UPSTREAMS}", "${host} ${UPSTREAMS}", id="others in braces stay"),
    pytest.param("$UPSTREAMS $UPSTREAM_2", "$UPSTREAMS $UPSTREAM_2", id="longer names stay"),
    pytest.param("$upstream ${Upstream}", "$upstream ${Upstream}", id="other case stays"),
    pytest.param("${EMPTY}|$EMPTY|", "||", id="empty"),
    pytest.param("${TLS_KEY}", "/x/$host/\\1", id="a value is not filled again"),
    pytest.param("$$UPSTREAM", "$127.0.0.1:8000", id="two dollars"),
    pytest.param("${UPSTREAM", "${UPSTREAM", id="unclosed"),
    pytest.param("${UPSTREAM:-x}", "${UPSTREAM:-x}", id="default"),
    pytest.param("${}", "${}", id="no name"),
    pytest.param("${ UPSTREAM }", "${ UPSTREAM }", id="spaces"),
    pytest.param("$UPSTREAM-x ${UPSTREAM}x", "127.0.0.1:8000-x 127.0.0.1:8000x", id="followed"),
    pytest.param("$UPSTREAMé", "127.0.0.1:8000é", id="followed by what is no ASCII"),
    pytest.param("$1UPSTREAM", "$1UPSTREAM", id="digit"),
    pytest.param("~^/api/v1(/|$) {", "~^/api/v1(/|$) {", id="regular expression"),
    pytest.param("", "", id="nothing"),
]


@pytest.mark.parametrize(("template", "filled"), CASES)
def test_only_given_names_are_filled(template: str, filled: str) -> None:
    assert envsubst(template, ENVIRONMENT) == filled


@pytest.mark.skipif(not shutil.which("envsubst"), reason="GNU gettext's envsubst is not installed")
@pytest.mark.parametrize(("template", "filled"), CASES)
def test_gnu_envsubst_does_the_same(template: str, filled: str) -> None:
    names = " ".join(f"${{{name}}}" for name in ENVIRONMENT)  # as the image's entry point

    run = subprocess.run(
        ["envsubst", names],
        env=ENVIRONMENT,
        input=template,
        capture_output=True,
        text=True,
        check=True,
    )

    assert run.stdout == filled


@pytest.mark.parametrize("mode", Mode)
def test_configuration_of_a_mode_is_without_the_other(mode: Mode) -> None:
    proxies = load().proxies
    other = next(other for other in Mode if other is not mode)

    for name, expected in {
        "nginx": {f"{mode}.conf.template"},
        "traefik": {"traefik.toml", "routes.toml"},
    }.items():
        files = configuration_of(proxies[name], mode)
        assert {file.name for file in files} == expected
        assert not [file for file in files if other in file.parts]
