"""Text of lines: a line is a statement, and a brace at its end opens a block. Where each stands.

The proxy's own program adapts such a file to tables that tell no lines, so it can't say what to
write in place of what.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from hoplab.catalogue.configurations.statements import Statement, Unreadable, Word

_SPACE = " \t\r\n"
_HEREDOC = re.compile(r"<<([A-Za-z0-9_-]+)\r?\n")


@dataclass(frozen=True)
class _Token:
    """A word, or a brace that stands alone; `line` is where it begins, `last` where it ends.

    goes_on: a backslash at the end of the line before joins it to that.
    """

    word: Word
    line: int
    last: int
    brace: str
    goes_on: bool


def read(text: str) -> Statement:
    """The whole, as the block of a statement without a name. Raises Unreadable.

    A block without words has an empty one. The lines of a file that is one site without braces are
    the block of its first line.
    """
    reader = _Reader(text)
    inside = reader.block(None)
    return Statement((Word("", 0, 0),), 1, len(text), 0, _with_a_bare_site(text, inside))


def is_bare(statement: Statement, text: str) -> bool:
    """Whether this is a site whose block has no braces."""
    return not text[: statement.opens].rstrip().endswith("{")


def _with_a_bare_site(text: str, inside: tuple[Statement, ...]) -> tuple[Statement, ...]:
    """What stands behind the first line is its block, if that is an address without a brace."""
    for number, each in enumerate(inside):
        if each.inside is None and each.name != "import":
            site = replace(each, end=len(text), opens=each.end, inside=inside[number + 1 :])
            return (*inside[:number], site)
        if each.inside is not None and each.name and not each.name.startswith("("):
            break
    return inside


class _Reader:
    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = list(_tokens(text))
        self._at = 0

    def block(self, opened: _Token | None) -> tuple[Statement, ...]:
        """As far as the brace that closes it; at the top, as far as the end."""
        found: list[Statement] = []
        while self._at < len(self._tokens):
            token = self._tokens[self._at]
            if token.brace == "}":
                if opened is None:
                    message = 'unexpected "}"'
                    raise Unreadable(message, token.line)
                return tuple(found)
            found.append(self._statement(top=opened is None))
        if opened is not None:
            message = 'a block that begins with "{" has no "}"'
            raise Unreadable(message, opened.line)
        return tuple(found)

    def _statement(self, *, top: bool) -> Statement:
        first = self._tokens[self._at]
        line, words = first.line, list[Word]()
        while self._at < len(self._tokens):
            token = self._tokens[self._at]
            more = top and words and words[-1].text.endswith(",")  # addresses
            if token.line != line and not (more or token.goes_on):
                break
            self._at += 1
            line = token.last
            if token.brace == "{" and self._ends_its_line(token):
                return self._with_block(first, token, words)
            words.append(token.word)
        return Statement(tuple(words), first.line, words[-1].end)

    def _ends_its_line(self, token: _Token) -> bool:
        """A brace with more behind it is refused by the proxy, with its line: here it is a word."""
        following = self._tokens[self._at : self._at + 1]
        return not following or following[0].line != token.line

    def _with_block(self, first: _Token, brace: _Token, words: list[Word]) -> Statement:
        inside = self.block(brace)
        closing = self._tokens[self._at].word
        self._at += 1
        row = self._text.find("\n", brace.word.end)  # a comment may stand behind the brace
        at = brace.word.start
        named = tuple(words) or (Word("", at, at),)
        return Statement(named, first.line, closing.end, row, inside)


def _tokens(text: str) -> Iterator[_Token]:
    at, line, goes_on = 0, 1, False
    while at < len(text):
        letter = text[at]
        if letter in _SPACE:
            line += letter == "\n"
            at += 1
        elif letter == "#":
            end = text.find("\n", at)
            at = len(text) if end < 0 else end
        elif text.startswith("\\\n", at):
            at, line, goes_on = at + 2, line + 1, True
        else:
            word = _word(text, at, line)
            last = line + text.count("\n", word.start, word.end)
            brace = word.text if text[at : word.end] in {"{", "}"} else ""
            yield _Token(word, line, last, brace, goes_on)
            at, line, goes_on = word.end, last, False


def _word(text: str, start: int, line: int) -> Word:
    quote = text[start]
    if quote in '"`':
        end = start + 1
        while end < len(text) and text[end] != quote:
            end += 2 if quote == '"' and text[end] == "\\" else 1
        if end >= len(text):
            message = f"a text that begins with {quote} does not end"
            raise Unreadable(message, line)
        return Word(text[start + 1 : end], start, end + 1)
    if heredoc := _HEREDOC.match(text, start):
        ending = re.compile(rf"^[ \t]*{re.escape(heredoc[1])}(?=\s|\Z)", re.MULTILINE)
        if not (found := ending.search(text, heredoc.end())):
            message = f"a text that begins with <<{heredoc[1]} does not end"
            raise Unreadable(message, line)
        return Word(text[heredoc.end() : found.start()], start, found.end())
    end = start
    while end < len(text) and text[end] not in _SPACE:
        end += 1
    return Word(text[start:end], start, end)
