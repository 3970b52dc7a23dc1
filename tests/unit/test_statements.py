"""The grammar of statements: words, quotes, comments, blocks, and where they stand."""

import pytest

from hoplab.catalogue.configurations.statements import Unreadable, read

TEXT = """# a comment; with {braces}
events {}
http {
    map $x $y { default ''; ~*^a$ "b c"; }
    server { listen 80;  # at the end
        location ~ "^/a(/|$)" { return 200 'it''s'; }
        proxy_pass http://${NAME}:8000/$path;
    }
}
"""


def test_words_and_blocks() -> None:
    whole = read(TEXT.replace("''s", "s"))

    events, http = whole.inside or ()
    (server,) = http.of("server")

    assert (events.name, events.inside) == ("events", ())
    assert [each.name for each in http.inside or ()] == ["map", "server"]
    assert server.of("listen")[0].arguments == ["80"]
    assert server.of("location")[0].arguments == ["~", "^/a(/|$)"]
    assert server.of("proxy_pass")[0].arguments == ["http://${NAME}:8000/$path"]
    assert [each.name for each in http.walk()][-1] == "proxy_pass"
    assert http.of("map")[0].of("~*^a$")[0].arguments == ["b c"]


def test_where_each_stands() -> None:
    text = "a {\n  b 'c d';\n}"
    (a,) = read(text).inside or ()
    (b,) = a.inside or ()

    assert (a.line, b.line) == (1, 2)
    assert text[b.start : b.end] == "b 'c d';"
    assert text[b.words[1].start : b.words[1].end] == "'c d'"
    assert text[: a.opens] == "a {"
    assert a.end == len(text)


@pytest.mark.parametrize(
    ("text", "line", "told"),
    [
        ("a {\n b;\n", 1, 'a block that begins with "{" has no "}"'),
        ("a;\n}", 2, 'unexpected "}"'),
        ("a {\n b\n}", 3, '"b" is followed by no ";"'),
        ("a", 1, '"a" is followed by no ";"'),
        ("\n;", 2, 'unexpected ";"'),
        ("a 'b;", 1, "a text that begins with ' does not end"),
    ],
)
def test_what_is_no_statement(text: str, line: int, told: str) -> None:
    with pytest.raises(Unreadable) as raised:
        read(text)

    assert (raised.value.line, str(raised.value)) == (line, told)
