"""The proxies' folders: what a proxy.toml may say, and what every real one has to have."""

import re
import tomllib
from dataclasses import replace
from pathlib import Path

import pytest

from hoplab import forwarded
from hoplab.catalogue import load
from hoplab.catalogue.placeholders import filled
from hoplab.catalogue.proxies import (
    Behaviour,
    Boundary,
    ConfigurationFile,
    Host,
    PathForm,
    Proxy,
    Treatment,
    Upgrades,
)
from hoplab.errors import HoplabError
from hoplab.prefix import parse
from hoplab.suites import SYMPTOMS, own
from hoplab.symptom import Advice
from hoplab.topology import Mode, Profile, Scheme
from hoplab.workspace import Workspace
from tests.catalogue import CATALOGUE

PROXY_TOML = """\
profile = "main"
wheel = "lighthouse-bin"
programs = ["lighthouse", "lightd"]
version = ["version"]
minimum = "2.7"
quirks = ['''It
 is bright.''']
[behaviour]
host = "without-port"
upgrades = "any"
path = "decoded"
boundary = "letters"
body_limit_mib = 1.5
buffers = true
[behaviour.headers]
X-Forwarded-For = "appended"
X-Forwarded-Prefix = {strip = "overwritten", preserve = "dropped"}
[docker]
image = "lighthouse:2.11"
image_variable = "LIGHTHOUSE_IMAGE"
ports = {http = 80, https = 443}
[process]
command = ["@program@", "run", "--config", "@run@/light.conf"]
[[process.files]]
source = "@folder@/@mode@.conf"
output = "@run@/light.conf"
replace = {app = "@word@"}
[[refuses]]
prefix = '\\$'
reason = "a dollar is a variable."
"""
BEHAVIOUR = PROXY_TOML[PROXY_TOML.index("[behaviour]") : PROXY_TOML.index("[docker]")]
SYMPTOMS_TOML = """\
[symptoms.unreachable]
cause = '''It
is.'''
fix = "Do so."
references = ["https://lighthouse.example/"]
"""


def a_project(root: Path, content: str) -> Path:
    (root / "lighthouse").mkdir()
    file = root / "lighthouse" / "proxy.toml"
    file.write_text(content)
    return file


def read(root: Path, content: str = PROXY_TOML, symptoms: str | None = None) -> Proxy:
    file = a_project(root, content)
    if symptoms is not None:
        file.with_name("symptoms.toml").write_text(symptoms)
    return load(Workspace(root)).proxies["lighthouse"]


def complaint(root: Path, content: str, symptoms: str | None = None) -> str:
    """One line, with the file that is wrong."""
    with pytest.raises(HoplabError) as caught:
        read(root, content, symptoms)
    [line] = str(caught.value).splitlines()
    wrong = "symptoms.toml" if symptoms else "proxy.toml"
    assert line.startswith(str(root / "lighthouse" / wrong))
    return line


# --- a proxy.toml ---


def test_another_proxy_is_a_folder_and_nothing_else(tmp_path: Path) -> None:
    a_project(tmp_path, PROXY_TOML)

    catalogue = load(Workspace(tmp_path))

    proxy = catalogue.proxies["lighthouse"]
    assert (proxy.name, proxy.folder) == ("lighthouse", tmp_path / "lighthouse")
    assert proxy.container_ports == {Scheme.HTTP: 80, Scheme.HTTPS: 443}
    assert (proxy.image, proxy.image_variable) == ("lighthouse:2.11", "LIGHTHOUSE_IMAGE")
    assert (proxy.minimum, proxy.command[-1]) == ("2.7", "@run@/light.conf")
    assert (proxy.programs, proxy.version) == (["lighthouse", "lightd"], ["version"])
    assert proxy.program_variable == "LIGHTHOUSE_PROGRAM"
    assert proxy.quirks == ["It is bright."]
    assert proxy.advice == {}
    assert proxy.files == [
        ConfigurationFile("@folder@/@mode@.conf", "@run@/light.conf", [], {"app": "@word@"}, {}, {})
    ]
    assert proxy.sources(Mode.STRIP) == [tmp_path / "lighthouse/strip.conf"]
    assert [topology.name for topology in catalogue.topologies] == [
        "lighthouse-uvicorn-strip",
        "lighthouse-hypercorn-strip",
        "lighthouse-uvicorn-preserve",
        "lighthouse-hypercorn-preserve",
    ]


def test_behaviour(tmp_path: Path) -> None:
    behaviour = read(tmp_path).behaviour

    assert behaviour == Behaviour(
        headers={
            "X-Forwarded-For": dict.fromkeys(Mode, Treatment.APPENDED),
            "X-Forwarded-Prefix": {
                Mode.STRIP: Treatment.OVERWRITTEN,
                Mode.PRESERVE: Treatment.DROPPED,
            },
        },
        host=Host.WITHOUT_PORT,
        upgrades=Upgrades.ANY,
        path=PathForm.DECODED,
        boundary=Boundary.LETTERS,
        body_limit=1536 * 1024,
        buffers=True,
    )
    assert behaviour.treats("Forwarded", Mode.STRIP) is Treatment.PASSED
    assert [behaviour.sends("X-Forwarded-Prefix", mode) for mode in Mode] == [True, False]
    assert behaviour.sends("X-Forwarded-For", Mode.STRIP)
    assert not behaviour.sends("Forwarded", Mode.STRIP)


def test_a_star_is_for_every_header_that_is_not_named(tmp_path: Path) -> None:
    content = PROXY_TOML.replace("[behaviour.headers]\n", '[behaviour.headers]\n"*" = "dropped"\n')

    behaviour = read(tmp_path, content).behaviour

    assert behaviour.treats("Forwarded", Mode.STRIP) is Treatment.DROPPED
    assert behaviour.treats("X-Forwarded-For", Mode.STRIP) is Treatment.APPENDED


def test_what_may_be_left_out_of_a_behaviour(tmp_path: Path) -> None:
    short = PROXY_TOML.replace(BEHAVIOUR, "[behaviour]\nheaders = {}\n")

    proxy = read(tmp_path, short.replace('profile = "main"\n', ""))

    assert proxy.profile is Profile.MAIN
    assert proxy.behaviour == Behaviour({})
    assert proxy.behaviour.body_limit is None


@pytest.mark.parametrize("profile", Profile)
def test_profiles(tmp_path: Path, profile: Profile) -> None:
    proxy = read(tmp_path, PROXY_TOML.replace('profile = "main"', f'profile = "{profile}"'))

    assert proxy.profile is profile


@pytest.mark.parametrize(
    "missing",
    [
        "programs",
        "version",
        "minimum",
        "behaviour",
        "docker",
        "image",
        "image_variable",
        "ports",
        "https",
        "process",
        "command",
        "files",
        "source",
        "output",
        "replace",
        "prefix",
        "reason",
    ],
)
def test_what_a_proxy_toml_lacks_is_named(tmp_path: Path, missing: str) -> None:
    content = re.sub(rf"\b{missing}(?= =|\]|\.f|\.h)", "other", PROXY_TOML)

    assert complaint(tmp_path, content).endswith(f"proxy.toml lacks {missing!r}.")


@pytest.mark.parametrize(
    ("old", "new", "missing"),
    [
        pytest.param(BEHAVIOUR, "[behaviour]\nhost = 'kept'\n", "headers", id="no headers"),
        pytest.param(', preserve = "dropped"', "", "preserve", id="one mode alone"),
    ],
)
def test_what_a_behaviour_lacks_is_named(tmp_path: Path, old: str, new: str, missing: str) -> None:
    assert PROXY_TOML.count(old) == 1
    message = complaint(tmp_path, PROXY_TOML.replace(old, new))

    assert message.endswith(f"proxy.toml lacks {missing!r}.")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('profile = "main"', 'profile = "all"', "= 'all' is unknown; known: "),
        ('host = "', 'hosts = "', "behaviour has no 'hosts'; known: body_limit_mib, boundary, "),
        ("without-port", "portless", "= 'portless' is unknown; known: "),
        ('"any"', '"all"', "= 'all' is unknown; known: "),
        ('"decoded"', '"encoded"', "= 'encoded' is unknown; known: "),
        ('"letters"', '"bytes"', "= 'bytes' is unknown; known: "),
        ('"appended"', '"added"', "= 'added' is unknown; known: "),
        ('preserve = "dropped"', 'preserve = "gone"', "= 'gone' is unknown; known: "),
    ],
)
def test_what_can_not_be_understood_is_named(
    tmp_path: Path, old: str, new: str, message: str
) -> None:
    assert PROXY_TOML.count(old) == 1

    assert message in complaint(tmp_path, PROXY_TOML.replace(old, new))


@pytest.mark.parametrize(
    "content",
    [
        pytest.param("version = ", id="no value"),
        pytest.param("version: [lighthouse]", id="YAML"),
        pytest.param(b"\xff\xfe", id="not UTF-8"),
    ],
)
def test_file_that_is_no_toml_is_named(tmp_path: Path, content: str | bytes) -> None:
    file = a_project(tmp_path, "")
    file.write_bytes(content if isinstance(content, bytes) else content.encode())

    with pytest.raises(HoplabError, match="is not TOML") as caught:
        load(Workspace(tmp_path))

    assert str(file) in str(caught.value)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        pytest.param("[docker]\n", 'docker = "lighthouse:2.11"\n[x]\n', id="docker is no table"),
        pytest.param("{http = 80, https = 443}", "[80, 443]", id="ports is no table"),
        pytest.param("[[process.files]]", "[process.files]", id="files is one table"),
        pytest.param(BEHAVIOUR, "[behaviour]\nheaders = []\n", id="headers is no table"),
        pytest.param("[[refuses]]", "[refuses]", id="refuses is one table"),
    ],
)
def test_wrong_type_in_proxy_toml_names_the_file(tmp_path: Path, old: str, new: str) -> None:
    assert PROXY_TOML.count(old) == 1

    complaint(tmp_path, PROXY_TOML.replace(old, new))


# --- what it refuses ---


@pytest.mark.parametrize(
    ("prefix", "refusal"),
    [
        ("/a$b", "lighthouse can't have the prefix /a$b: a dollar is a variable."),
        ("/a", None),
        ("/café", None),
    ],
)
def test_prefixes_that_a_proxy_can_not_have(
    tmp_path: Path, prefix: str, refusal: str | None
) -> None:
    assert read(tmp_path).refusal(parse(prefix)) == refusal


def test_patterns_are_of_the_encoded_prefix() -> None:
    proxy = replace(CATALOGUE.proxies["nginx"], refuses={"[^!-~]": "x", "%C3": "UTF-8."})

    told = proxy.refusal(parse("/café"))

    assert told == "nginx can't have the prefix /café: UTF-8."


# --- symptoms.toml ---


def test_advice(tmp_path: Path) -> None:
    assert read(tmp_path, PROXY_TOML, SYMPTOMS_TOML).advice == {
        "unreachable": Advice("Do so.", "It is.", ("https://lighthouse.example/",))
    }


@pytest.mark.parametrize(
    "symptoms", ["[symptoms", 'symptoms = "x"', '[symptoms]\nunreachable = "x"']
)
def test_a_symptoms_toml_that_is_something_else(tmp_path: Path, symptoms: str) -> None:
    complaint(tmp_path, PROXY_TOML, symptoms)


@pytest.mark.parametrize(
    ("right", "wrong", "words"),
    [
        ('minimum = "2.7"', "minimum = 2.7", "minimum is 2.7, expected a text in quotes"),
        ('version = ["version"]', "version = 5", "version is 5, expected a list, in […]"),
        ('version = ["version"]', "version = [5]", "version[0] is 5, expected a text in quotes"),
        ("body_limit_mib = 1.5", 'body_limit_mib = "32"', "is '32', expected a number"),
        ("{http = 80,", '{http = "a",', "docker.ports.http is 'a', expected a whole number"),
    ],
)
def test_another_type_is_named(tmp_path: Path, right: str, wrong: str, words: str) -> None:
    assert right in PROXY_TOML

    assert complaint(tmp_path, PROXY_TOML.replace(right, wrong)).endswith(words)


# --- the real ones ---

every_proxy = pytest.mark.parametrize("proxy", CATALOGUE.proxies.values(), ids=CATALOGUE.proxies)


@every_proxy
def test_it_has_the_files_that_its_command_names(proxy: Proxy) -> None:
    for mode in Mode:
        for file in proxy.files:
            fields = {"folder": str(proxy.folder), "mode": mode}
            assert Path(filled(file.source, fields)).is_file()
    outputs = [file.output for file in proxy.files]
    assert any(output in argument for output in outputs for argument in proxy.command)


@every_proxy
def test_it_is_told_of_every_header_what_becomes_of_it(proxy: Proxy) -> None:
    """What a client sends must not arrive: the lab's own files are right."""
    assert set(proxy.behaviour.headers) <= {*forwarded.HEADERS, "*"}
    for header in forwarded.HEADERS:
        for mode in Mode:
            treatment = proxy.behaviour.treats(header, mode)
            assert treatment in {Treatment.OVERWRITTEN, Treatment.DROPPED}


@every_proxy
def test_its_symptoms_are_known_and_told_in_sentences(proxy: Proxy) -> None:
    assert set(proxy.advice) <= set(SYMPTOMS)
    assert proxy.advice
    for name, advice in proxy.advice.items():
        assert advice.fix or advice.cause, name
        for text in (advice.fix, advice.cause):
            assert not text or text.endswith(tuple(".'`")), name
            assert "  " not in text
        assert 1 <= len(advice.references) <= 4, name
        assert all(reference.startswith("https://") for reference in advice.references), name


@every_proxy
def test_its_symptoms_say_prefix_where_the_deployment_s_belongs(proxy: Proxy) -> None:
    """Else people under another prefix copy /api/v1."""
    told = [t for a in proxy.advice.values() for t in (a.fix, a.cause)]

    assert any("{prefix}" in text for text in told)
    for text in told:
        assert not re.search(r"/api\b", text), text


@every_proxy
def test_what_is_not_its_doing_stands_above_its_symptoms(proxy: Proxy) -> None:
    """A comment names the symptoms that have no entry: every other one is in the file."""
    text = (proxy.folder / "symptoms.toml").read_text()
    assert set(tomllib.loads(text)) == {"symptoms"}
    told = re.search(r"^# Not the proxy's doing:\n((?:#.*\n)+)", text, re.MULTILINE)
    assert told
    named = set(re.findall(r"[a-z0-9]+(?:-[a-z0-9]+)+", told[1]))
    assert named <= set(SYMPTOMS)
    of_applications = {symptom.name for symptom in own.SYMPTOMS}
    assert set(proxy.advice) == set(SYMPTOMS) - named - of_applications


@every_proxy
def test_its_image_is_of_the_release_that_it_needs_at_least(proxy: Proxy) -> None:
    tag = proxy.image.rpartition(":")[2].removeprefix("v")

    def numbers(text: str) -> list[int]:
        return [int(number) for number in re.findall(r"\d+", text)[:3]]

    assert numbers(tag) >= numbers(proxy.minimum)
    assert proxy.image_variable == f"{proxy.name.upper()}_IMAGE"
