"""What Compose says when it fails: the lines that matter, and what to do."""

import re
from collections.abc import Iterable

WITHOUT_DOCKER = "Without Docker: add --engine process (make … ENGINE=process)."

_LINES = 8
_BUILD = re.compile(r"^------\n > \[[^\n]*\n(.*?)^------$", re.DOTALL | re.MULTILINE)
_TIME = re.compile(r"^\d+\.\d+ ", re.MULTILINE)
_STEPS = {
    r"port is already allocated|address already in use": (
        "Stop what has this port, or choose another: compose.yaml names the variable of each."
    ),
    r"Pool overlaps|overlaps with": (
        "Set BACKEND_SUBNET to a free one, for example BACKEND_SUBNET=10.99.0.0/24."
    ),
    r"bind source path does not exist": "Run `hoplab certificates`.",
    r"Error compiling '/srv/(?P<module>[^']+)'": (
        "Correct {module}: it is compiled when the image is built."
    ),
    r"CERTIFICATE_VERIFY_FAILED": (
        "Behind a TLS proxy, PIP_CERT has to name the file with the proxy's authority, for example"
        f" PIP_CERT=/etc/ssl/certs/ca-certificates.crt.\n{WITHOUT_DOCKER}"
    ),
    r"failed to solve: process": (
        f"The application's image could not be built (app/Dockerfile).\n{WITHOUT_DOCKER}"
    ),
    r"pull access denied|failed to resolve|no such host|manifest unknown|i/o timeout|not found"
    r"|connection refused|Client\.Timeout": (
        "An image could not be pulled. Set its variable ({images}) to one that this machine has or"
        f" can reach.\n{WITHOUT_DOCKER}"
    ),
}
"""What to do, by what Compose said; the first that fits."""


def reason(errors: str) -> str:
    """The end of what a failed build wrote; else the last lines that tell of an error."""
    # A step that could not begin, for want of an image, has written nothing.
    if builds := [each for each in _BUILD.findall(errors) if each.strip()]:
        lines = _TIME.sub("", builds[-1]).splitlines()
        lines = [line for line in lines if not line.startswith("WARNING: Retrying")]
    else:
        lines = [line.strip() for line in errors.splitlines()]
        lines = [line for line in lines if "rror" in line or "fail" in line] or lines
    told = [line for line in dict.fromkeys(line.rstrip() for line in lines) if line]
    return "\n".join(f"  {line}" for line in told[-_LINES:])


def next_step(errors: str, images: Iterable[str]) -> str | None:
    """What a person can do, as far as the error tells; `images` are the images' variables."""
    for pattern, step in _STEPS.items():
        if found := re.search(pattern, errors):
            return step.format(**found.groupdict(), images=", ".join(images))
    return None
