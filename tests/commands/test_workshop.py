"""The workshop: its commands are run, and print what its page says they print."""

import re
from itertools import groupby, takewhile

import pytest

from tests.catalogue import ROOT
from tests.commands.run import hoplab

PAGE = (ROOT / "docs/workshop.md").read_text()
EXERCISES = PAGE.split("\n## ")[1:11]
LEFT_OUT = "…"


def without_ports(text: str) -> str:
    return re.sub(r":\d{4,5}\b", ":…", text)


@pytest.mark.parametrize("exercise", EXERCISES, ids=lambda text: text.splitlines()[0])
def test_an_exercise_prints_what_its_page_says(exercise: str) -> None:
    (command,) = re.findall(r"^\$ \.venv/bin/hoplab (.*)$", exercise, re.MULTILINE)
    after = exercise.split(f"{command}\n")[1].splitlines()
    shown = list(takewhile(lambda line: line != "```", after))

    done = hoplab(*command.split())

    assert done.returncode == 0, done.stderr
    printed = without_ports(done.stdout)
    for left_out, lines in groupby(shown, lambda line: line == LEFT_OUT):
        if not left_out:
            together = without_ports("\n".join(lines))
            assert f"\n{together}\n" in printed, together  # what comes next is below it
            printed = "\n" + printed.partition(f"\n{together}\n")[2]


def test_every_exercise_has_all_its_parts() -> None:
    assert [title.partition(".")[0] for title in EXERCISES] == [str(n) for n in range(1, 11)]
    for exercise in EXERCISES:
        parts = re.findall(r"^\*\*(.*?)\*\*", exercise, re.MULTILINE)
        assert parts == ["Predict.", "Why.", "Fix.", "And further:"]
    assert len(re.findall(r"^\d+\. ", PAGE.split("## For the leader")[1], re.MULTILINE)) == 10


def test_a_command_within_a_sentence_runs() -> None:
    inline = [" ".join(each.split()) for each in re.findall(r"`hoplab ([^`]+)`", PAGE)]
    commands = [each for each in inline if "CELL" not in each]
    assert commands == ["explain nginx-upgrade-anything"]

    for command in commands:
        done = hoplab(*command.split())
        assert (done.returncode, done.stderr) == (0, ""), command
        assert "Upgrade" in done.stdout


def test_only_the_exercises_have_commands() -> None:
    """So that there is none that nobody runs."""
    assert PAGE.count("```console") == len(EXERCISES) == 10
