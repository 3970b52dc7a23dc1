"""The machine's own Chromium, driven by Playwright, which sees the lab and nothing else."""

import base64
import hashlib
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509 import load_pem_x509_certificate
from playwright.sync_api import BrowserContext, Playwright

from hoplab.endpoint import PUBLIC_NAME
from hoplab.engines.certificates import Certificates
from hoplab.system.ports import LOOPBACK
from tests.browser import cdn, origins

NAMES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
"""The first is the same engine without the browser around it: half of the processor time."""

VARIABLE = "HOPLAB_REQUIRE_BROWSER"

ARGUMENTS = (
    "--disable-gpu",
    # One process for all pages of a site. By default each visit starts a process of its own.
    "--renderer-process-limit=1",
)
"""What makes it cheaper. Sites stay isolated from each other: tests ask what they may do."""


def require_chromium() -> str:
    """Where it is. Without one, skip the test; fail it if HOPLAB_REQUIRE_BROWSER is set."""
    wanted = [os.environ["CHROMIUM"]] if os.environ.get("CHROMIUM") else NAMES
    found = next(filter(None, map(shutil.which, wanted)), None)
    if found:
        return found
    reason = f"there is no {' or '.join(wanted)} (CHROMIUM=… names another)"
    if os.environ.get(VARIABLE):
        pytest.fail(f"{VARIABLE} is set, but {reason}", pytrace=False)
    pytest.skip(f"{reason} ({VARIABLE}=1 makes this an error)")


@contextmanager
def chromium(
    playwright: Playwright, executable: str, certificates: Certificates, profile: Path
) -> Iterator[BrowserContext]:
    """A browser for which the public name is this machine; it knows the CDN and `origins` besides.

    Playwright starts it without Chromium's sandbox, as root has to: all its pages are our own.
    """
    with (
        cdn.serving(certificates) as cdn_port,
        origins.serving() as origins_port,
    ):
        hosts = [f"MAP {host} {LOOPBACK}:{cdn_port}" for host in cdn.HOSTS]
        hosts += [f"MAP {host} {LOOPBACK}:{origins_port}" for host in origins.HOSTS]
        hosts += [f"MAP {PUBLIC_NAME} {LOOPBACK}", "MAP * ~NOTFOUND", f"EXCLUDE {LOOPBACK}"]
        options = [
            f"--host-resolver-rules={', '.join(hosts)}",
            # This key alone is believed; there is no option for an authority.
            f"--ignore-certificate-errors-spki-list={_key_hash(certificates)}",
            *ARGUMENTS,
        ]
        # By default it sends cookies to no other site, whatever CORS says; a person may allow it.
        preferences = profile / "Default" / "Preferences"
        preferences.parent.mkdir()
        preferences.write_text(json.dumps({"profile": {"cookie_controls_mode": 0}}))
        # With a profile, Chromium keeps scripts compiled: half of the tests' time.
        context = playwright.chromium.launch_persistent_context(
            profile, executable_path=executable, args=options
        )
        try:
            yield context
        finally:
            context.close()


def _key_hash(certificates: Certificates) -> str:
    certificate = load_pem_x509_certificate(certificates.certificate.read_bytes())
    key = certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return base64.b64encode(hashlib.sha256(key).digest()).decode()
