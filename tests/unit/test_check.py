"""What is declared of a check, and what is true of one of which nothing is."""

from hoplab import suites
from hoplab.client.probe import Probe
from hoplab.suites.check import (
    Part,
    by_name,
    independent_of,
    is_independent,
    is_last,
    is_slow,
    last,
    slow,
)


def is_it_all_right(_probe: Probe) -> str:
    return "yes"


def passes(_probe: Probe) -> str:
    return "yes"


def test_a_check_is_named_as_its_function_with_hyphens() -> None:
    assert by_name(is_it_all_right, passes) == {
        "is-it-all-right": is_it_all_right,
        "passes": passes,
    }


def test_nothing_holds_of_a_check_that_declares_nothing() -> None:
    assert is_slow(is_it_all_right) is False
    assert is_last(is_it_all_right) is False
    assert not any(is_independent(is_it_all_right, part) for part in Part)


def test_each_declaration_says_one_thing_of_the_same_check() -> None:
    def waits(_probe: Probe) -> str:
        return "yes"

    def looks_back(_probe: Probe) -> str:
        return "yes"

    assert slow(waits) is waits
    assert last(looks_back) is looks_back
    assert (is_slow(waits), is_last(waits)) == (True, False)
    assert (is_slow(looks_back), is_last(looks_back)) == (False, True)


def test_a_check_is_independent_of_the_parts_that_it_names() -> None:
    @independent_of(Part.SCHEME, Part.TRUST)
    def check(_probe: Probe) -> str:
        return "yes"

    assert [part for part in Part if is_independent(check, part)] == [Part.SCHEME, Part.TRUST]


def test_a_suite_is_a_folder_that_has_one() -> None:
    """Not `own`, which has no cells."""
    assert list(suites._load()) == ["contract", "cors"]
    assert suites._load() == suites.SUITES
