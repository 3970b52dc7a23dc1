"""The lab's lines for a person's file of sites: what of theirs each stands in the place of."""

from pathlib import Path

import pytest

from hoplab.catalogue.configurations import Configuration
from hoplab.catalogue.configurations.lines import read
from hoplab.catalogue.configurations.site_edits import written
from hoplab.prefix import parse
from hoplab.topology import Mode
from tests.unit.own_sites import PASS, own

MATCHER = "vars_regexp {uri} ^\\Q/api\\E(/|\\?|$)"


def edited(configuration: Configuration, *told: str, mode: Mode = Mode.STRIP) -> str:
    """The file with these of the lab's lines, in the person's own words."""
    prefix = parse("/api")
    edits = {edit.told: edit for edit in configuration.edits(mode, prefix)}
    return configuration.worded(configuration.text([edits[each] for each in told]), prefix)


def test_a_statement_s_lines_are_without_comments_and_blank_lines() -> None:
    text = ":80 {\n\thandle { # all\n\n\t\t# nothing\n\t\trespond 204\n\t}\n}\n"
    (site,) = read(text).inside or ()
    (handle,) = site.inside or ()

    assert written(handle, text) == ["handle {", "\trespond 204", "}"]


def test_lines_of_one_block(tmp_path: Path) -> None:
    """It gets braces once, whichever lines come in."""
    configuration = own(tmp_path, f":80 {{\n\thandle_path /api/* {{\n\t\t{PASS}\n\t}}\n}}\n")

    both = edited(configuration, "header_up x-forwarded-prefix", "header_up x-real-ip")

    assert (
        f"\t\t{PASS} {{\n\t\t\theader_up X-Forwarded-Prefix /api\n"
        "\t\t\theader_up X-Real-IP {remote_host}\n\t\t}\n"
    ) in both


def test_lines_before_it_is_passed_on(tmp_path: Path) -> None:
    """Those that mean something only together come together, without the lab's comments."""
    configuration = own(tmp_path, f":80 {{\n\thandle_path /api/* {{\n\t\t{PASS}\n\t}}\n}}\n")

    text = edited(configuration, "upgrades other than WebSocket")

    assert (
        "\t\t@other not vars_regexp {header.Upgrade} (?i)^websocket$\n"
        f"\t\trequest_header @other -Upgrade\n\t\t{PASS}\n"
    ) in text
    assert "import" not in text
    text = edited(configuration, "other forwarded headers")
    assert f"\t\timport drop-forwarded.caddy\n\t\t{PASS}\n" in text
    assert "@other" not in text


def test_a_line_of_theirs_is_replaced_where_it_stands(tmp_path: Path) -> None:
    theirs = ["X-Forwarded-Prefix /other", "X-A b", "X-Forwarded-Prefix /third", ""]
    block = "".join(f"\t\theader_up {line}\n".replace(" \n", "\n") for line in theirs)

    text = edited(
        own(tmp_path, f":80 {{\n\t{PASS} {{\n{block}\t}}\n}}\n"), "header_up x-forwarded-prefix"
    )

    assert "\t\theader_up X-Forwarded-Prefix /api\n\t\theader_up X-A b\n" in text
    assert text.count("X-Forwarded-Prefix") == 1


@pytest.mark.parametrize(
    ("theirs", "after"),
    [
        ("dial_timeout 2s", "keepalive 4s\n\t\t\tdial_timeout 2s"),
        ("keepalive 9s\n\t\t\tdial_timeout 2s", "keepalive 4s\n\t\t\tdial_timeout 2s"),
        ("keepalive 4s", None),
    ],
)
def test_lines_of_a_block_in_the_block(tmp_path: Path, theirs: str, after: str | None) -> None:
    block = f"{PASS} {{\n\t\ttransport http {{\n\t\t\t{theirs}\n\t\t}}\n\t}}"
    configuration = own(tmp_path, f":80 {{\n\t{block}\n}}\n")

    told = [edit.told for edit in configuration.edits(Mode.STRIP, parse("/api"))]

    assert ("transport" in told) is (after is not None)
    if after:
        assert f"\t\ttransport http {{\n\t\t\t{after}\n\t\t}}" in edited(configuration, "transport")


def test_lines_go_where_the_prefix_is_passed_on(tmp_path: Path) -> None:
    """In each site that does, and not where other paths are."""
    site = f"handle {{\n\t\t{PASS}\n\t}}\n\thandle_path /api/* {{\n\t\t{PASS}\n\t}}"
    text = f"http://a.com {{\n\t{site}\n}}\nhttps://a.com {{\n\t{site}\n}}\n"

    changed = edited(own(tmp_path, text), "header_up x-real-ip")

    assert changed.count("X-Real-IP") == 2
    for part in changed.split("handle_path /api/*")[1:]:
        assert "X-Real-IP" in part.partition("handle {")[0]


def test_a_matcher_as_the_lab_s_is_no_edit(tmp_path: Path) -> None:
    matcher = f"@app {{\n\t\t{MATCHER}\n\t\tnot vars_regexp {{path}} /\\.\\.(/|$)\n\t}}"
    text = f":80 {{\n\t{matcher}\n\thandle @app {{\n\t\t{PASS}\n\t}}\n}}\n"

    told = {edit.told for edit in own(tmp_path, text).edits(Mode.PRESERVE, parse("/api"))}

    assert "matcher" not in told
    assert "header_up x-real-ip" in told


def test_whatever_comes_is_passed_on(tmp_path: Path) -> None:
    for passing in ("reverse_proxy a:1", "reverse_proxy * a:1"):
        text = edited(own(tmp_path, f":80 {{\n\t{passing}\n}}\n"), "matcher", mode=Mode.PRESERVE)

        assert "\treverse_proxy @app a:1\n" in text
        assert text.index("@app {") < text.index("reverse_proxy")


def test_a_way_to_strip_of_theirs_is_replaced(tmp_path: Path) -> None:
    strips = "uri strip_prefix /api\n\t\turi strip_prefix /v1"
    text = f":80 {{\n\thandle /api/* {{\n\t\t{strips}\n\t\t{PASS}\n\t}}\n}}\n"

    changed = edited(own(tmp_path, text), "uri")

    assert changed.count("uri ") == 1
    assert "\thandle /api/* {\n\t\turi path_regexp ^\\Q/api\\E/? /\n" in changed


def test_a_block_that_strips_by_itself(tmp_path: Path) -> None:
    configuration = own(tmp_path, f":80 {{\n\thandle_path /api/* {{\n\t\t{PASS}\n\t}}\n}}\n")

    text = edited(configuration, "matcher")

    assert "\thandle @app {\n\t\turi path_regexp ^\\Q/api\\E/? /\n" in text
    assert f"\t@app {{\n\t\t{MATCHER}\n" in text
    assert "handle_path" not in text


def test_a_matcher_of_theirs_keeps_its_name(tmp_path: Path) -> None:
    inside = f"@api path /api/*\n\thandle @api {{\n\t\t{PASS}\n\t}}"

    text = edited(own(tmp_path, f":80 {{\n\t{inside}\n}}\n"), "matcher", mode=Mode.PRESERVE)

    assert f"\t@api {{\n\t\t{MATCHER}\n" in text
    assert "\thandle @api {" in text


def test_a_name_that_they_have_as_well(tmp_path: Path) -> None:
    inside = f"@app path /x\n\trespond @app 204\n\thandle_path /api/* {{\n\t\t{PASS}\n\t}}"

    text = edited(own(tmp_path, f":80 {{\n\t{inside}\n}}\n"), "matcher")

    assert "handle @lab_app {" in text
    assert "@lab_app {\n" in text


def test_what_is_stripped_before_anything_is_compared(tmp_path: Path) -> None:
    """The lab's matcher would see the path without the prefix: so both go into one block."""
    block = "reverse_proxy {\n\t\tto localhost:8000\n\t}"
    for passing in (PASS, PASS.replace(" ", " /* "), block):
        text = f":80 {{\n\turi strip_prefix /api\n\t{passing}\n}}\n"

        changed = edited(own(tmp_path, text), "matcher")

        assert "strip_prefix" not in changed
        assert "/*" not in changed
        assert ("\thandle @app {\n\t\turi path_regexp ^\\Q/api\\E/? /\n\treverse_proxy") in changed
        assert changed.index(f"@app {{\n\t\t{MATCHER}") < changed.index("handle @app")
        assert changed.count("{") == changed.count("}")
        assert "localhost:8000" in changed


@pytest.mark.parametrize("step", ["route", "handle /items/*"])
def test_what_is_stripped_in_a_block_before_anything_is_compared(tmp_path: Path, step: str) -> None:
    inside = f"uri strip_prefix /api\n\t\t{step} {{\n\t\t\t{PASS}\n\t\t}}"
    text = f":80 {{\n\troute {{\n\t\t{inside}\n\t}}\n}}\n"

    changed = edited(own(tmp_path, text), "matcher")

    assert "strip_prefix" not in changed
    assert f"\t\t{step} {{\n" in changed
    assert changed.index(step) < changed.index("handle @app {") < changed.index(PASS)


def test_where_the_lab_strips_nothing_theirs_stays(tmp_path: Path) -> None:
    inside = f"uri strip_prefix /v1\n\thandle /api/* {{\n\t\turi strip_prefix /v2\n\t\t{PASS}\n\t}}"
    configuration = own(tmp_path, f":80 {{\n\t{inside}\n}}\n")

    changed = edited(configuration, "matcher", mode=Mode.PRESERVE)

    assert "handle @app {" in changed
    assert changed.count("strip_prefix") == 2


def test_a_way_to_strip_as_the_lab_s_is_no_edit(tmp_path: Path) -> None:
    inside = f"handle /api/* {{\n\t\turi path_regexp ^\\Q/api\\E/? /\n\t\t{PASS}\n\t}}"

    configuration = own(tmp_path, f":80 {{\n\t{inside}\n}}\n")

    assert "uri" not in {e.told for e in configuration.edits(Mode.STRIP, parse("/api"))}


def test_lines_of_theirs_that_the_lab_has_not(tmp_path: Path) -> None:
    servers = "{\n\tservers {\n\t\ttrusted_proxies static private_ranges\n\t}\n}\n"
    block = f"{PASS} {{\n\t\theader_up Host {{upstream_hostport}}\n\t}}"
    never = "root /srv\n\t@static path /s\n\timport x.caddy"
    (tmp_path / "x.caddy").write_text("header A b\n")
    configuration = own(tmp_path, f"{servers}:80 {{\n\tencode gzip\n\t{never}\n\t{block}\n}}\n")

    told = [edit.told for edit in configuration.edits(Mode.PRESERVE, parse("/api"))]

    assert {
        "without trusted_proxies static private_ranges",
        "without header_up Host {upstream_hostport}",
        "without encode gzip",
        "without header A b",
    } == {each for each in told if each.startswith("without")}
    assert "encode" not in edited(configuration, "without encode gzip", mode=Mode.PRESERVE)


def test_what_the_lab_has_as_well_is_no_edit(tmp_path: Path) -> None:
    block = f"{PASS} {{\n\t\theader_up X-Forwarded-Prefix /api\n\t}}"
    configuration = own(tmp_path, f":80 {{\n\thandle_path /api/* {{\n\t{block}\n\t}}\n}}\n")

    told = [edit.told for edit in configuration.edits(Mode.STRIP, parse("/api"))]

    assert "header_up x-real-ip" in told
    assert "header_up x-forwarded-prefix" not in told


def test_a_change_has_their_lines_and_words(tmp_path: Path) -> None:
    configuration = own(tmp_path, "example.com {\n\treverse_proxy /api/* a:1 b:1\n}\n")
    edits = configuration.edits(Mode.PRESERVE, parse("/api"))

    told = configuration.change([e for e in edits if e.told == "matcher"], parse("/api"))

    assert told[:3] == ["@@ -1,3 +1,7 @@", " example.com {", "-\treverse_proxy /api/* a:1 b:1"]
    assert "+\treverse_proxy @app a:1 b:1" in told
