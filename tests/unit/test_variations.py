"""The files of `variations/`: the loader, and what every real one has to have."""

import importlib
import tomllib
from itertools import chain
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from hoplab.catalogue import ROOT, load, variations
from hoplab.catalogue.servers import SERVERS
from hoplab.catalogue.variations import Change, Variation
from hoplab.engines import configuration
from hoplab.errors import HoplabError
from hoplab.predictions import predict
from hoplab.suites import SYMPTOMS
from hoplab.suites.contract.checks import CHECKS
from hoplab.topology import Cell, Mode, Scheme, Strategy, Topology, Trust
from tests.unit.test_checks import documented

# --- the loader ---

COMPLETE = """\
about = '''Host without
its port.'''
fix = "Send it."
references = ["https://nginx.org/"]
outer = "traefik"

[[changes]]
file = "nginx/{mode}.conf.template"
right = "$host:$port"
wrong = "$host"

[commands]
uvicorn = ["uvicorn", "--port", "{port}"]

[[cells]]
proxy = "nginx"
servers = ["uvicorn", "hypercorn"]
modes = ["strip"]
strategy = "server-option"
trust = "proxy"
fails = {url-for = "url-drops-port", client = "host-wrong"}
fails_https = {client = "scheme-wrong", static = "static-unreachable"}
"""


def read(folder: Path, text: str) -> Variation:
    (folder / "no-port.toml").write_text(text)
    return variations.load(folder, {"nginx", "traefik"})["no-port"]


def test_complete_file(tmp_path: Path) -> None:
    variation = read(tmp_path, COMPLETE)

    assert variation.name == "no-port"
    assert variation.about == "Host without its port."
    assert variation.fix == "Send it."
    assert variation.references == ["https://nginx.org/"]
    assert variation.changes == [Change("nginx/{mode}.conf.template", "$host:$port", "$host")]
    assert variation.commands == {"uvicorn": ["uvicorn", "--port", "{port}"]}
    assert variation.outer == "traefik"
    assert list(variation.symptoms) == [
        Cell(
            Topology("nginx", server, Mode.STRIP),
            Strategy.SERVER_OPTION,
            Trust.PROXY,
            scheme,
            "no-port",
        )
        for server in ("uvicorn", "hypercorn")
        for scheme in Scheme
    ]


def test_symptoms_of_one_scheme_come_in_addition_or_instead(tmp_path: Path) -> None:
    symptoms = {
        cell.scheme: symptoms for cell, symptoms in read(tmp_path, COMPLETE).symptoms.items()
    }

    assert symptoms == {
        Scheme.HTTP: {"url-for": "url-drops-port", "client": "host-wrong"},
        Scheme.HTTPS: {
            "url-for": "url-drops-port",
            "client": "scheme-wrong",
            "static": "static-unreachable",
        },
    }


def test_what_may_be_left_out(tmp_path: Path) -> None:
    start = COMPLETE.index("outer")
    variation = read(tmp_path, COMPLETE[:start] + COMPLETE[COMPLETE.index("[[cells]]") :])

    assert (variation.changes, variation.commands, variation.outer) == ([], {}, None)


@pytest.mark.parametrize(
    ("right", "wrong", "message"),
    [
        ("fix =", "fixed =", "there is no key 'fixed'"),
        ("fails_https", "fails_wss", "there is no key 'fails_wss'"),
        ('proxy = "nginx"', 'proxy = "caddy"', "there is no proxy 'caddy'"),
        ('outer = "traefik"', 'outer = "caddy"', "there is no proxy 'caddy'"),
        ('modes = ["strip"]', 'modes = ["rewrite"]', "'rewrite' is not a valid Mode"),
        ('trust = "proxy"', 'trust = "all"', "'all' is not a valid Trust"),
        ('fix = "Send it."\n', "", "lacks 'fix'"),
        ("fails = {", "fails_http = {", "lacks 'fails'"),
        ('wrong = "$host"\n', "", "'wrong'"),
        ('right = "$host:$port"', "why = 1", "'why'"),
        ("[[cells]]", "[cells]", ""),
        ("[commands]", "[commands", ""),
    ],
)
def test_what_can_not_be_understood_names_the_file(
    tmp_path: Path, right: str, wrong: str, message: str
) -> None:
    assert COMPLETE.count(right) == 1

    with pytest.raises(HoplabError) as caught:
        read(tmp_path, COMPLETE.replace(right, wrong))

    assert str(tmp_path / "no-port.toml") in str(caught.value)
    assert message in str(caught.value)


# --- the real files ---

CATALOGUE = load()
VARIATIONS = CATALOGUE.variations

every_variation = pytest.mark.parametrize("variation", VARIATIONS.values(), ids=VARIATIONS)


@every_variation
def test_texts_are_sentences(variation: Variation) -> None:
    assert variation.about.endswith((".", ".)"))
    assert variation.fix.endswith(".")
    assert "  " not in variation.about + variation.fix


@every_variation
def test_references_are_urls(variation: Variation) -> None:
    assert 1 <= len(set(variation.references)) == len(variation.references) <= 4
    for reference in variation.references:
        assert urlsplit(reference).scheme == "https"
        assert urlsplit(reference).hostname


@every_variation
def test_what_it_changes_stands_in_the_files_of_its_cells(variation: Variation) -> None:
    used = set()
    routes = {(cell.topology.proxy, cell.topology.mode) for cell in variation.symptoms}
    if variation.outer:
        routes.add((variation.outer, Mode.PRESERVE))
    for proxy, mode in routes:
        for source in CATALOGUE.proxies[proxy].sources(mode):
            changes = [c for c in variation.changes if ROOT / c.file.format(mode=mode) == source]
            text = source.read_text()
            changed = configuration.changed(text, changes, source)  # raises if it is not there
            assert (changed != text) is bool(changes)
            used |= set(changes)

    assert used == set(variation.changes)


@every_variation
def test_its_own_proxies_are_changed(variation: Variation) -> None:
    folders = {Path(change.file).parts[0] for change in variation.changes}

    assert folders <= {cell.topology.proxy for cell in variation.symptoms} | {variation.outer}
    assert variation.outer not in {cell.topology.proxy for cell in variation.symptoms}


@every_variation
def test_predicted_checks_and_symptoms_exist(variation: Variation) -> None:
    for cell in variation.symptoms:
        for check, symptom in predict(cell, {variation.name: variation}).items():
            assert check in CHECKS
            assert symptom in SYMPTOMS
            assert symptom in documented(CHECKS[check])


@every_variation
def test_no_cell_is_named_twice(variation: Variation) -> None:
    content = tomllib.loads((ROOT / "variations" / f"{variation.name}.toml").read_text())
    named = [len(entry["servers"]) * len(entry["modes"]) for entry in content["cells"]]

    assert len(variation.symptoms) == sum(named) * len(Scheme)


@every_variation
def test_servers_and_their_commands_exist(variation: Variation) -> None:
    servers = {cell.topology.server for cell in variation.symptoms}

    assert servers <= set(SERVERS)
    assert set(variation.commands) <= servers
    for server, command in variation.commands.items():
        assert command[0] == server
        filled = [part.format(host="127.0.0.1", port=1, proxies="127.0.0.1") for part in command]
        [(module, name)] = [part.split(":") for part in filled if part.startswith("app.")]
        assert hasattr(importlib.import_module(module), name)


@every_variation
def test_it_differs_from_the_ordinary_cells(variation: Variation) -> None:
    """Or it is one of them under a name that people look for."""
    ordinary = {"traefik-prefix-ignored", "root-path-is-a-route"}
    differs = variation.changes or variation.commands or variation.outer

    assert bool(differs) is (variation.name not in ordinary)


def test_every_application_of_a_variation_is_used() -> None:
    modules = {f"app.variations.{file.stem}" for file in (ROOT / "app/variations").glob("[!_]*.py")}
    commands = chain.from_iterable(v.commands.values() for v in VARIATIONS.values())
    used = {part.split(":")[0] for part in chain.from_iterable(commands)}

    assert modules <= used
