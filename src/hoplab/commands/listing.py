"""What exists, in lists: `hoplab list`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from textwrap import wrap

from hoplab.catalogue import Catalogue
from hoplab.catalogue.servers.server import Server
from hoplab.report.words import first_sentence
from hoplab.suites import SYMPTOMS
from hoplab.suites.suite import Suite
from hoplab.topology import Cell, Mode, Strategy, Topology, Trust

_WIDTH = 80
_SHOWN = 6
_FEW_WORDS = 20


@dataclass(frozen=True)
class Section:
    """Names, with a few words each; `shown` of them stand in the overview, or all."""

    rows: Sequence[tuple[str, str]]
    shown: int | None = None

    def text(self, *, whole: bool) -> str:
        """Two columns, at most 80 wide; a long list whole only on its own.

        Descriptions that leave no room beside the names stand below them.
        """
        rows = self.rows if whole or self.shown is None else self.rows[: self.shown]
        width = max((len(name) for name, _ in rows), default=0)
        lines = []
        for name, about in rows:
            if _WIDTH - width - 4 >= _FEW_WORDS:
                lines += _filled(about, f"  {name:{width}}  ", " " * (width + 4))
            else:
                lines += [f"  {name}", *(_filled(about, "      ", "      ") if about else [])]
        if len(rows) < len(self.rows):
            lines.append(f"  … and {len(self.rows) - len(rows)} more")
        return "\n".join(line.rstrip() for line in lines)


def _filled(text: str, first: str, others: str) -> list[str]:
    lines = wrap(
        text,
        _WIDTH,
        initial_indent=first,
        subsequent_indent=others,
        break_long_words=False,
        break_on_hyphens=False,
    )
    return lines or [first]


_STRATEGIES = {
    Strategy.NONE: "the application does not learn its prefix",
    Strategy.SERVER_OPTION: "the server's root path option",
    Strategy.APP_ARGUMENT: "FastAPI(root_path=), deprecated",
    Strategy.MOUNT: "mounted under the prefix",
    Strategy.ROUTER: "every route carries the prefix",
    Strategy.FORWARDED_PREFIX: "our middleware, from X-Forwarded-Prefix or a fixed prefix",
}
_TRUSTS = {
    Trust.NONE: "no forwarded headers are believed",
    Trust.PROXY: "those of the proxy, by its address",
    Trust.ANY: "those of every peer",
}


def listing(
    catalogue: Catalogue, suites: Mapping[str, Suite], cells: Mapping[str, Sequence[Cell]]
) -> dict[str, Section]:
    """Every list by its name; `cells` are those of each suite."""
    return {
        "proxies": Section(
            [(p.name, f"{p.image}; program: {p.programs[0]}") for p in catalogue.proxies.values()]
        ),
        "servers": Section(
            [
                (
                    s.name,
                    f"{s.package} {s.minimum} or later; {_option(s)}: {s.root_path}",
                )
                for s in catalogue.servers.values()
            ]
        ),
        "modes": Section([(mode, _MODES[mode]) for mode in Mode]),
        "strategies": Section([(strategy, _STRATEGIES[strategy]) for strategy in Strategy]),
        "trusts": Section([(trust, _TRUSTS[trust]) for trust in Trust]),
        "topologies": Section(
            [(t.name, _recipe(catalogue, t)) for t in catalogue.all_topologies],
            _SHOWN,
        ),
        "suites": Section([(s.name, f"hoplab {s.command}: {s.about}") for s in suites.values()]),
        "checks": Section(
            [
                (name, (check.__doc__ or "").splitlines()[0])
                for suite in suites.values()
                for name, check in suite.checks.items()
            ]
        ),
        "symptoms": Section(
            [
                (each.name, first_sentence(each.under(catalogue.prefix.encoded).seen))
                for each in SYMPTOMS.values()
            ],
            _SHOWN,
        ),
        "variations": Section(
            [(name, first_sentence(each.about)) for name, each in catalogue.variations.items()],
            _SHOWN,
        ),
        "cells": Section(
            [(cell.id, "") for of_suite in cells.values() for cell in of_suite],
            _SHOWN,
        ),
    }


_MODES = {
    Mode.STRIP: "the proxy removes the public prefix",
    Mode.PRESERVE: "the proxy passes it on",
}


def _recipe(catalogue: Catalogue, topology: Topology) -> str:
    setup = catalogue.recipe(topology)
    return f"recipe: {setup.strategy}, trust {setup.trust}"


def _option(server: Server) -> str:
    return next(iter(server.root_path_option), "no root path option")
