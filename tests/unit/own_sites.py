"""A person's file of sites, as the tests write one."""

from pathlib import Path

from hoplab.catalogue.configurations import Configuration, text_of, understand
from tests.catalogue import CATALOGUE

CADDY = CATALOGUE.proxies["caddy"]
PASS = "reverse_proxy localhost:8000"


def own(tmp_path: Path, text: str) -> Configuration:
    file = tmp_path / "Caddyfile"
    file.write_text(text)
    return understand(CADDY, file, text_of(file))
