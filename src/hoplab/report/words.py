"""Numbers and sentences as people write them."""

import re


def count(number: int, what: str) -> str:
    """`1 cell`, `2 cells`, `0 cells`; of a word that ends in s, with es."""
    return f"{number} {what}" + ("" if number == 1 else "es" if what[-1] == "s" else "s")


def first_sentence(text: str) -> str:
    """Up to the first full stop that ends a sentence."""
    return re.split(r"(?<=\w\w[.])\s+(?=\w)", text, maxsplit=1)[0]
