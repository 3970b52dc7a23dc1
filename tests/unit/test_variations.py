"""The files of `variations/`: the loader, and what every real one has to have."""

import importlib
import tomllib
from dataclasses import replace
from itertools import chain
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from hoplab.catalogue import variations
from hoplab.catalogue.placeholders import filled
from hoplab.catalogue.servers import SERVERS
from hoplab.catalogue.variations import Change, Variation
from hoplab.client.probe import WHO_ANSWERED
from hoplab.engines import configuration
from hoplab.errors import HoplabError
from hoplab.predictions import predict
from hoplab.prefix import DEFAULT_PREFIX, Prefix, parse
from hoplab.suites import SUITES, SYMPTOMS
from hoplab.suites.contract.checks import CHECKS
from hoplab.topology import Cell, Mode, Scheme, Strategy, Topology, Trust
from tests.catalogue import CATALOGUE, ROOT
from tests.unit.documented import documented

# --- the loader ---

COMPLETE = """\
about = '''Host without
its port.'''
fix = "Send it."
references = ["https://nginx.org/"]
outer = "traefik"

[[changes]]
file = "nginx/@mode@.conf.template"
right = "$host:$port"
wrong = "$host"

[commands]
uvicorn = ["uvicorn", "--port", "@port@"]

[[cells]]
proxy = "nginx"
servers = ["uvicorn", "hypercorn"]
modes = ["strip"]
strategy = "server-option"
trust = "proxy"
fails = {url-for = "url-drops-port", client = "host-wrong"}
fails_https = {client = "scheme-wrong", static = "static-unreachable"}
"""


def read(folder: Path, text: str, prefix: Prefix = DEFAULT_PREFIX) -> Variation:
    (folder / "contract").mkdir(exist_ok=True)
    (folder / "contract/no-port.toml").write_text(text)
    return variations.load(folder, ["traefik", "nginx"], prefix)["no-port"]


def test_complete_file(tmp_path: Path) -> None:
    variation = read(tmp_path, COMPLETE)

    assert (variation.name, variation.suite) == ("no-port", "contract")
    assert variation.about == "Host without its port."
    assert variation.fix == "Send it."
    assert variation.references == ["https://nginx.org/"]
    assert variation.changes == [Change("nginx/@mode@.conf.template", "$host:$port", "$host")]
    assert variation.commands == {"uvicorn": ["uvicorn", "--port", "@port@"]}
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
    assert (variation.path, variation.method, variation.headers) == (None, None, [])
    assert (variation.application, variation.right) == ("", {})
    assert (variation.listens, variation.public) == ("", "")


def test_what_changes_nothing_is_predicted_by_the_rules(tmp_path: Path) -> None:
    start = COMPLETE.index("outer")
    unsaid = COMPLETE[COMPLETE.index("[[cells]]") : COMPLETE.index("fails")]
    named = read(tmp_path, COMPLETE[:start] + unsaid)

    assert set(named.symptoms.values()) == {None}
    for line in (
        'application = "app.x"',
        'outer = "traefik"',
        "commands.uvicorn = ['uvicorn']",
        'listens = "::1"',
        'public = "::1"',
    ):
        cells = COMPLETE[COMPLETE.index("[[cells]]") :]
        changed = read(tmp_path, f"{COMPLETE[:start]}{line}\n{cells}")
        assert None not in changed.symptoms.values()
        with pytest.raises(HoplabError, match="lacks 'fails'"):
            read(tmp_path, f"{COMPLETE[:start]}{line}\n{unsaid}")


def test_what_the_rules_can_say_need_not_be_stated(tmp_path: Path) -> None:
    cells = COMPLETE[COMPLETE.index("outer") : COMPLETE.index("fails")]
    head = COMPLETE[: COMPLETE.index("outer")]
    behaving = read(tmp_path, f'{head}behaviour = {{host = "without-port"}}\n{cells}')
    acting = read(tmp_path, f'{head}{cells}acts_as = {{trust = "none"}}\n')
    same = read(tmp_path, f"{head}{cells}acts_as = {{}}\n")
    stated = read(tmp_path, f"{head}behaviour = {{}}\n{cells}fails = {{}}\n")

    assert behaving.behaviour == {"host": "without-port"}
    assert {*behaving.symptoms.values(), *acting.symptoms.values(), *same.symptoms.values()} == {
        None
    }
    assert acting.acts_as == {cell: replace(cell, trust=Trust.NONE) for cell in acting.symptoms}
    assert (same.acts_as, behaving.acts_as) == ({}, {})
    assert list(stated.symptoms.values()) == [{}, {}, {}, {}]


@pytest.mark.parametrize(
    ("line", "uvicorn", "hypercorn"),
    [
        ("", False, False),
        ('application = "app.x"\n', True, True),
        ('commands.uvicorn = ["uvicorn"]\n', True, False),
    ],
)
def test_servers_that_are_started_otherwise(
    tmp_path: Path, line: str, *, uvicorn: bool, hypercorn: bool
) -> None:
    start = COMPLETE.index("outer")
    variation = read(tmp_path, COMPLETE[:start] + line + COMPLETE[COMPLETE.index("[[cells]]") :])

    assert variation.has_own_command("uvicorn") is uvicorn
    assert variation.has_own_command("hypercorn") is hypercorn


def test_a_partner_is_the_only_one(tmp_path: Path) -> None:
    head = COMPLETE[: COMPLETE.index("[[cells]]")]
    entry = '[[cells]]\nfails = {}\npartners = {traefik = "uvicorn", granian = "nginx"}\n'
    ran = {(c.topology.proxy, c.topology.server) for c in read(tmp_path, head + entry).symptoms}

    assert ran == {
        ("traefik", "uvicorn"),
        ("nginx", "uvicorn"),
        ("nginx", "hypercorn"),
        ("nginx", "granian"),
    }


def test_the_request_and_what_is_wanted(tmp_path: Path) -> None:
    more = """\
application = "app.cors.both"
path = "/metrics"
method = "OPTIONS"
headers = {Origin = "http://main.co.kr", X = "1"}
"""
    variation = read(tmp_path, more + COMPLETE + '[contract]\npolicy = {"/" = ["a"]}\n')

    assert variation.application == "app.cors.both"
    assert (variation.path, variation.method) == ("/metrics", "OPTIONS")
    assert variation.headers == [("Origin", "http://main.co.kr"), ("X", "1")]
    assert variation.right == {"policy": {"/": ["a"]}}


def test_what_a_cell_leaves_out_is_all_of_compose_and_the_recipe(tmp_path: Path) -> None:
    head = COMPLETE[: COMPLETE.index("[[cells]]")]
    variation = read(tmp_path, head + "[[cells]]\nfails = {}\n")
    servers = [name for name in SERVERS if name != "fastapi"]  # it is Uvicorn once more

    assert list(variation.symptoms) == [
        Cell(
            Topology(proxy, server, mode),
            SERVERS[server].recipe(mode).strategy,
            Trust.PROXY,
            scheme,
            "no-port",
        )
        for proxy in ("traefik", "nginx")
        for server in servers
        for mode in Mode
        for scheme in Scheme
    ]


@pytest.mark.parametrize(
    ("named", "proxies"),
    [
        ('proxy = "nginx"', {"nginx"}),
        ('proxies = ["nginx"]', {"nginx"}),
        ('proxies = ["traefik", "nginx"]', {"nginx", "traefik"}),
    ],
)
def test_proxies_of_a_cell(tmp_path: Path, named: str, proxies: set[str]) -> None:
    variation = read(tmp_path, COMPLETE.replace('proxy = "nginx"', named))

    assert {cell.topology.proxy for cell in variation.symptoms} == proxies


def test_cells_have_the_prefix(tmp_path: Path) -> None:
    variation = read(tmp_path, COMPLETE, parse("/café"))

    assert {cell.prefix for cell in variation.symptoms} == {Prefix("/caf%C3%A9")}


def test_a_name_is_given_once(tmp_path: Path) -> None:
    read(tmp_path, COMPLETE)
    (tmp_path / "cors").mkdir()
    (tmp_path / "cors/no-port.toml").write_text(COMPLETE)

    with pytest.raises(HoplabError) as caught:
        variations.load(tmp_path, ["traefik", "nginx"], DEFAULT_PREFIX)

    assert str(caught.value) == (
        f"{tmp_path / 'cors/no-port.toml'}: there is another variation of this name."
    )


def test_files_outside_a_suite_s_folder_are_none(tmp_path: Path) -> None:
    (tmp_path / "no-port.toml").write_text(COMPLETE)

    assert variations.load(tmp_path, ["nginx"], DEFAULT_PREFIX) == {}


@pytest.mark.parametrize(
    ("right", "wrong", "message"),
    [
        ("fix =", "fixed =", "there is no key 'fixed'"),
        ("fails_https", "fails_wss", "there is no key 'fails_wss'"),
        ("outer =", "behaviour.colour = 1\nouter =", "behaviour has no 'colour'"),
        ("outer =", "behaviour.host = 'x'\nouter =", "behaviour.host = 'x' is unknown; known: "),
        ("trust =", "acts_as = {mode = 'x'}\ntrust =", "there is no key 'mode'"),
        ('proxy = "nginx"', 'proxy = "caddy"', "there is no proxy 'caddy'"),
        ('outer = "traefik"', 'outer = "caddy"', "there is no proxy 'caddy'"),
        ('modes = ["strip"]', 'modes = ["rewrite"]', "= 'rewrite' is unknown; known: "),
        ('trust = "proxy"', 'trust = "all"', "= 'all' is unknown; known: "),
        ('fix = "Send it."\n', "", "lacks 'fix'"),
        ("fails = {", "fails_http = {", "lacks 'fails'"),
        ('wrong = "$host"\n', "", "'wrong'"),
        ('right = "$host:$port"', "why = 1", "'why'"),
        ("[[cells]]", "[cells]", ""),
        ("[commands]", "[commands", ""),
        ("[commands]", "[cors]\na = 1\n[commands]", "there is no key 'cors'"),
        ('servers = ["uvicorn", ', 'servers = ["unicorn", ', "there is no server 'unicorn'"),
        ('proxy = "nginx"', 'proxies = ["nginx", "caddy"]', "there is no proxy 'caddy'"),
        ('proxy = "nginx"', 'porxy = "nginx"', "there is no key 'porxy'; known: acts_as, "),
        ('strategy = "server-option"', 'strategy = "option"', "= 'option' is unknown; known: "),
        ("fails = {", 'partners = {a = "nginx"}\nfails = {', "there is no proxy or server 'a'"),
        ("fails = {", 'partners = {nginx = "b"}\nfails = {', "there is no proxy or server 'b'"),
    ],
)
def test_what_can_not_be_understood_names_the_file(
    tmp_path: Path, right: str, wrong: str, message: str
) -> None:
    assert COMPLETE.count(right) == 1

    with pytest.raises(HoplabError) as caught:
        read(tmp_path, COMPLETE.replace(right, wrong))

    [line] = str(caught.value).splitlines()
    assert str(tmp_path / "contract/no-port.toml") in line
    assert message in line


# --- the real files ---

VARIATIONS = {name: v for name, v in CATALOGUE.variations.items() if v.suite == "contract"}

every_variation = pytest.mark.parametrize("variation", VARIATIONS.values(), ids=VARIATIONS)


def test_every_file_is_read_and_belongs_to_its_folder_s_suite() -> None:
    folders = {file.stem: file.parent.name for file in (ROOT / "variations").glob("*/*.toml")}

    assert {name: v.suite for name, v in CATALOGUE.variations.items()} == folders
    assert set(folders.values()) == set(SUITES)


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
            changes = [
                c for c in variation.changes if ROOT / filled(c.file, {"mode": mode}) == source
            ]
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
def test_what_its_file_states_says_why_the_rules_do_not(variation: Variation) -> None:
    content = tomllib.loads((ROOT / "variations/contract" / f"{variation.name}.toml").read_text())
    for entry in content["cells"]:
        stated = [key for key in entry if key.startswith("fails")]
        assert bool(stated) == bool(entry.get("why", "").strip()), entry


@every_variation
def test_predicted_checks_and_symptoms_exist(variation: Variation) -> None:
    for cell in variation.symptoms:
        for check, symptom in predict(cell, CATALOGUE).items():
            assert check in CHECKS
            assert symptom in SYMPTOMS
            assert symptom in documented(CHECKS[check]) | set(WHO_ANSWERED)


@every_variation
def test_no_cell_is_named_twice(variation: Variation) -> None:
    file = ROOT / "variations/contract" / f"{variation.name}.toml"
    content = tomllib.loads(file.read_text())
    named = [
        len(entry.get("proxies", [1])) * len(entry["servers"]) * len(entry["modes"])
        for entry in content["cells"]
    ]

    assert len(variation.symptoms) == sum(named) * len(Scheme)


@every_variation
def test_servers_and_their_commands_exist(variation: Variation) -> None:
    servers = {cell.topology.server for cell in variation.symptoms}

    assert servers <= set(SERVERS)
    assert set(variation.commands) <= servers
    for server, command in variation.commands.items():
        assert command[0] == server
        known = ("host", "port", "proxies", "prefix", "prefix_decoded", "socket")
        fields = dict.fromkeys(known, "1")
        parts = [filled(part, fields) for part in command]
        [(module, name)] = [part.split(":") for part in parts if part.startswith("app.")]
        assert hasattr(importlib.import_module(module), name)


@every_variation
def test_it_differs_from_the_ordinary_cells(variation: Variation) -> None:
    """Or it is one of them under a name that people look for."""
    ordinary = {"traefik-prefix-ignored", "root-path-is-a-route"}
    differs = variation.changes or variation.commands or variation.application or variation.outer
    differs = differs or variation.listens or variation.public

    assert bool(differs) is (variation.name not in ordinary)
    named = set(variation.symptoms.values()) if variation.name in ordinary else {None}
    assert named == {None}


@pytest.mark.parametrize("name", ["traefik-prefix-ignored", "root-path-is-a-route"])
def test_what_the_rules_say_of_a_variation_is_what_they_say_of_its_ordinary_cell(name: str) -> None:
    for cell in VARIATIONS[name].symptoms:
        ordinary = predict(replace(cell, variation=""), CATALOGUE)
        assert predict(cell, CATALOGUE) == ordinary != {}


def test_every_application_of_a_variation_is_used() -> None:
    modules = {f"app.variations.{file.stem}" for file in (ROOT / "app/variations").glob("[!_]*.py")}
    commands = chain.from_iterable(v.commands.values() for v in VARIATIONS.values())
    used = {part.split(":")[0] for part in chain.from_iterable(commands)}
    used |= {variation.application for variation in VARIATIONS.values()}

    assert modules <= used
