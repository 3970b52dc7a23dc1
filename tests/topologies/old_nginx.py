"""The nginx of a distribution, where there is one: older than the wheel's, with other modules."""

import os
import re
import shutil
import subprocess
from dataclasses import replace

from hoplab.catalogue import Catalogue

NONE = "no old nginx of a distribution here: apt install nginx, or set OLD_NGINX_PROGRAM"


def old_nginx() -> tuple[str, str] | None:
    """Its program and version; None where there is none, or none before 1.29.3."""
    program = shutil.which(os.environ.get("OLD_NGINX_PROGRAM", "/usr/sbin/nginx"))
    if program is None:
        return None
    told = subprocess.run([program, "-v"], capture_output=True, text=True, check=True).stderr
    version = [int(number) for number in re.findall(r"\d+", told)]
    return (program, ".".join(map(str, version))) if version < [1, 29, 3] else None


def which_accepts(catalogue: Catalogue, version: str) -> Catalogue:
    """The catalogue, for which this version of nginx is not too old."""
    nginx = replace(catalogue.proxies["nginx"], minimum=version)
    return replace(catalogue, proxies={**catalogue.proxies, "nginx": nginx})
