"""What Compose says when it fails, as it was seen: what is shown of it, and the next step."""

import pytest

from hoplab.engines import hints

IMAGES = ["PYTHON_IMAGE", "NGINX_IMAGE"]

COMPILED = """\
#12 [stage-1 4/5] RUN python -m compileall -q /srv/app
#12 0.477 *** Error compiling '/srv/app/plain.py'...
#12 0.477 SyntaxError: invalid syntax
#12 ERROR: process "/bin/sh -c python -m compileall -q /srv/app" did not complete successfully: 1
------
 > [stage-1 4/5] RUN python -m compileall -q /srv/app:
0.477 *** Error compiling '/srv/app/plain.py'...
0.477   File "/srv/app/plain.py", line 9
0.477     def (
0.477         ^
0.477 SyntaxError: invalid syntax
------
Dockerfile:16

--------------------

  14 |     COPY --from=packages /venv /venv

failed to solve: process "/bin/sh -c python -m compileall -q /srv/app" failed
"""

NO_CERTIFICATE = """\
------
 > [packages 4/4] RUN --mount=type=secret,id=pip_cert     /venv/bin/pip install:
2.811 WARNING: Retrying (Retry(total=4)) after connection broken by 'SSLError(SSLCertVerificationError(1, '[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed'))': /simple/fastapi/
9.122 WARNING: Retrying (Retry(total=0)) after connection broken by 'SSLError(SSLCertVerificationError(1, '[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed'))': /simple/fastapi/
9.500 Could not fetch URL /simple/fastapi/: [SSL: CERTIFICATE_VERIFY_FAILED] - skipping
9.501 ERROR: No matching distribution found for fastapi==0.165.0
------
failed to solve: process "/bin/sh -c pip install" did not complete successfully: exit code: 1
"""  # noqa: E501

OTHER_STEP = """\
------
 > [stage-1 2/5] RUN nonsense:
0.100 /bin/sh: 1: nonsense: not found
------
failed to solve: process "/bin/sh -c nonsense" did not complete successfully: exit code: 127
"""

PORT = (
    " Container a Starting \n"
    "Error response from daemon: failed to set up container networking: Bind for 127.0.0.1:9999"
    " failed: port is already allocated\n"
)


def test_of_a_build_its_own_error_is_shown() -> None:
    assert hints.reason(COMPILED).splitlines() == [
        "  *** Error compiling '/srv/app/plain.py'...",
        '    File "/srv/app/plain.py", line 9',
        "      def (",
        "          ^",
        "  SyntaxError: invalid syntax",
    ]
    assert "Retrying" not in hints.reason(NO_CERTIFICATE)
    assert hints.reason(NO_CERTIFICATE).endswith(
        "No matching distribution found for fastapi==0.165.0"
    )


def test_of_anything_else_the_lines_that_tell_of_an_error() -> None:
    assert hints.reason(PORT).startswith("  Error response from daemon: ")
    assert hints.reason("a\nb\n") == "  a\n  b"
    assert (
        len(hints.reason("error\n" + "\n".join(f"error {n}" for n in range(50))).splitlines()) == 8
    )


@pytest.mark.parametrize(
    ("errors", "step"),
    [
        (COMPILED, "Correct app/plain.py"),
        (NO_CERTIFICATE, "PIP_CERT=/etc/ssl/certs/ca-certificates.crt"),
        (OTHER_STEP, "app/Dockerfile"),
        (PORT, "choose another"),
        ("invalid pool request: Pool overlaps with other one", "BACKEND_SUBNET=10.99.0.0/24"),
        ("bind source path does not exist: /x/certificates", "hoplab certificates"),
        ("pull access denied for nobody/nginx", "PYTHON_IMAGE, NGINX_IMAGE"),
        ("failed to solve: x/python: failed to resolve source metadata", "PYTHON_IMAGE"),
    ],
)  # fmt: skip
def test_the_next_step(errors: str, step: str) -> None:
    told = hints.next_step(errors, IMAGES)

    assert told
    assert step in told


def test_nothing_is_said_where_nothing_is_known() -> None:
    assert hints.next_step("dependency failed to start: container a is unhealthy", IMAGES) is None


def test_a_step_without_its_image_has_a_reason() -> None:
    """It has written nothing between its lines."""
    last = "failed to solve: python:3.13: failed to resolve source metadata: no such host"
    step = "------\n > [internal] load metadata for docker.io/library/python:3.13:\n------\n"

    assert hints.reason(f"{step}{last}\n") == f"  {last}"
