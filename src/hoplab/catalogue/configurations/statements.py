"""Text of statements: words that a semicolon or a block in braces ends. With where each stands.

The libraries that read it tell lines alone, and what is written in place of a word must leave the
others where the person put them.
"""

from collections.abc import Iterator
from dataclasses import dataclass

_SPACE = " \t\r\n"


class Unreadable(ValueError):
    """Not of this language; `line` is where it was seen."""

    def __init__(self, message: str, line: int) -> None:
        super().__init__(message)
        self.line = line


@dataclass(frozen=True)
class Word:
    """A word without its quotes, and from where to where it stands, with them."""

    text: str
    start: int
    end: int


@dataclass(frozen=True)
class Statement:
    """A directive. `inside` is its block's, None if it has none; `opens` is behind its brace."""

    words: tuple[Word, ...]
    line: int
    end: int
    opens: int = 0
    inside: tuple["Statement", ...] | None = None

    @property
    def name(self) -> str:
        """Its first word."""
        return self.words[0].text

    @property
    def arguments(self) -> list[str]:
        """Its other words."""
        return [word.text for word in self.words[1:]]

    @property
    def start(self) -> int:
        """Where its first word begins."""
        return self.words[0].start

    def of(self, *names: str) -> list["Statement"]:
        """The statements of these names in its block."""
        return [each for each in self.inside or () if each.name in names]

    def walk(self) -> Iterator["Statement"]:
        """All in its block, and in theirs."""
        for each in self.inside or ():
            yield each
            yield from each.walk()


def read(text: str) -> Statement:
    """The whole, as the block of a statement without a name. Raises Unreadable."""
    reader = _Reader(text)
    inside = reader.block(closed=False)
    return Statement((Word("", 0, 0),), 1, len(text), 0, inside)


class _Reader:
    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._line = 1

    def block(self, *, closed: bool) -> tuple[Statement, ...]:
        found: list[Statement] = []
        opened = self._line
        while True:
            self._skip()
            if self._at >= len(self._text):
                if closed:
                    message = 'a block that begins with "{" has no "}"'
                    raise Unreadable(message, opened)
                return tuple(found)
            if self._text[self._at] == "}":
                if not closed:
                    message = 'unexpected "}"'
                    raise Unreadable(message, self._line)
                return tuple(found)
            found.append(self._statement())

    def _statement(self) -> Statement:
        words: list[Word] = []
        line = self._line
        while True:
            self._skip()
            letter = self._text[self._at : self._at + 1]
            if letter and letter not in ";{}":
                words.append(self._word())
                continue
            if not words or letter in {"", "}"}:
                told = f'"{words[-1].text}" is followed by no ";"' if words else f'"{letter}"'
                message = f"unexpected {told}" if not words else told
                raise Unreadable(message, self._line)
            self._at += 1
            if letter == ";":
                return Statement(tuple(words), line, self._at)
            opens = self._at
            inside = self.block(closed=True)
            self._at += 1
            return Statement(tuple(words), line, self._at, opens, inside)

    def _skip(self) -> None:
        while self._at < len(self._text):
            letter = self._text[self._at]
            if letter == "#":
                end = self._text.find("\n", self._at)
                self._at = len(self._text) if end < 0 else end
            elif letter in _SPACE:
                self._line += letter == "\n"
                self._at += 1
            else:
                return

    def _word(self) -> Word:
        text, start = self._text, self._at
        quote = text[start]
        if quote in "\"'":
            end = start + 1
            while end < len(text) and text[end] != quote:
                end += 2 if text[end] == "\\" else 1
            if end >= len(text):
                message = f"a text that begins with {quote} does not end"
                raise Unreadable(message, self._line)
            self._line += text.count("\n", start, end)
            self._at = end + 1
            return Word(text[start + 1 : end], start, self._at)
        end = start
        while end < len(text) and text[end] not in _SPACE + ";":
            if text[end] in "{}" and not (text[end - 1] == "$" and text[end] == "{"):
                break
            if text.startswith("${", end):  # a variable's braces
                end = max(text.find("}", end), end + 1)
            end += 2 if text[end] == "\\" else 1
        if end == start:
            message = f"unexpected {text[start]!r}"
            raise Unreadable(message, self._line)
        self._at = end
        return Word(text[start:end], start, end)
