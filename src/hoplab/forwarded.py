"""The headers in which a proxy tells who the client is and what it asked for: forwarded.toml.

An application that believes one of them believes anyone who writes it. A proxy therefore sets or
drops each of them; one that is forgotten is harmless until the next middleware reads it.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from importlib.resources import files


class Claim(StrEnum):
    """What a header tells of the client's request."""

    CLIENT = "address"
    SCHEME = "scheme"
    HOST = "host"
    PORT = "port"
    PREFIX = "prefix"
    PATH = "path"
    METHOD = "method"
    USER = "user"


@dataclass(frozen=True)
class Forwarded:
    """What a header claims, and who reads it."""

    claim: Claim
    read_by: str


HEADERS: Mapping[str, Forwarded] = {
    name: Forwarded(Claim(told["claims"]), told["read_by"])
    for name, told in tomllib.loads(
        files("hoplab").joinpath("forwarded.toml").read_text(encoding="utf-8")
    ).items()
}
"""By name, as forwarded.toml lists them."""

LIES: Mapping[Claim, str] = {
    Claim.CLIENT: "192.0.2.7",  # RFC 5737: nobody's address
    Claim.HOST: "canary.invalid",  # RFC 2606: nobody's name
    Claim.PORT: "1",
    Claim.PREFIX: "/canary",
    Claim.PATH: "/canary",
    Claim.METHOD: "DELETE",
    Claim.USER: "canary",
}
"""What a client says that lies, by what it claims; of a scheme, it is the other one."""


def lies(scheme: str) -> list[tuple[str, str]]:
    """Every header with a lie in it; `scheme` is the untrue one."""
    of = {**LIES, Claim.SCHEME: scheme}
    told = {name: of[header.claim] for name, header in HEADERS.items()}
    switch = "on" if scheme == "https" else "off"
    told |= {"X-Forwarded-Ssl": switch, "Front-End-Https": switch}
    told["CF-Visitor"] = f'{{"scheme":"{scheme}"}}'
    told["Forwarded"] = f"for={of[Claim.CLIENT]};host={of[Claim.HOST]};proto={scheme}"
    return list(told.items())
