"""What the checks say and ask, word for word: a file of tests/unit/data/findings a test module.

    WRITE_FINDINGS=1 pytest tests/unit/test_checks.py

writes them. Read what changed before you commit it: these are the sentences that people read.
"""

import json
import os
import re
from collections.abc import Sequence
from difflib import ndiff
from pathlib import Path
from typing import Protocol

import pytest

from hoplab.results import Finding, Verdict

FOLDER = Path(__file__).parent / "data" / "findings"
_SHOWN = 80  # characters of a header's value: some have thousands
WRITES = bool(os.environ.get("WRITE_FINDINGS"))

_VARIES = (
    (re.compile(r"(?<=[\w\]]):\d{4,5}\b"), ":PORT"),
    (re.compile(r"\b[0-9a-f]{12,}\b"), "ID"),
    (re.compile(r"\b\d+\.\d+(, \d+\.\d+)* s\b"), "N s"),
    (re.compile(r"(?<=Sec-WebSocket-Key: ).*"), "KEY"),
    (re.compile(r", \S+\.py:\d+(?=\))"), ""),
)
"""Ports, names of instances and of requests, what was measured, keys, and lines of the tests."""


class AsWorded(Protocol):
    """The fixture `as_worded`."""

    def __call__(self, *findings: Finding) -> None:
        """Fail if the findings say anything else than is expected of this test."""


def worded(finding: Finding) -> list[str]:
    """The finding in lines. One that passes shows each question whole, the others their number."""
    lines = [finding.symptom or finding.verdict, *finding.detail.split("\n")]
    if finding.verdict is Verdict.PASS:
        before: Sequence[str] = ()
        for exchange in finding.exchanges:
            sent = [f"  {name}: {value[:_SHOWN]}" for name, value in exchange.sent]
            lines += [str(exchange), *(sent if sent != before else ["  the same headers"])]
            before = sent
    else:
        lines.append(f"{len(finding.exchanges)} exchanges")
    return [_steady(line) for line in lines]


def _steady(line: str) -> str:
    for pattern, word in _VARIES:
        line = pattern.sub(word, line)
    return line


class Expected:
    """What the tests of a module expect, by the name of the test."""

    def __init__(self, module: str) -> None:
        self._file = FOLDER / f"{module}.json"
        told = json.loads(self._file.read_text()) if self._file.exists() else {}
        self._lines: dict[str, Sequence[str]] = told

    def compare(self, test: str, findings: Sequence[Finding]) -> None:
        """Or note them, if they are to be written."""
        lines = [line for finding in findings for line in worded(finding)]
        if WRITES:
            self._lines[test] = lines
        elif lines != (right := self._lines.get(test, [])):
            pytest.fail("\n".join(["see tests/unit/wording.py", *ndiff(right, lines)]))

    def write(self) -> None:
        """One test a paragraph."""
        FOLDER.mkdir(parents=True, exist_ok=True)
        text = json.dumps(self._lines, indent=0, ensure_ascii=False, sort_keys=True)
        self._file.write_text(f"{text}\n")
