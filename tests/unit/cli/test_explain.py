"""What is told of a symptom, a cell and a variation; and failures, which are one message."""

from pathlib import Path

import pytest
import typer

from hoplab.commands import reside, showing
from hoplab.commands.session import Session
from hoplab.suites import SYMPTOMS
from tests.catalogue import CATALOGUE, predicted
from tests.unit.cli.said import Call


@pytest.mark.parametrize("symptom", SYMPTOMS)
def test_explain_a_symptom(call: Call, symptom: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(showing, "predict", lambda cell, _: predicted(cell))

    said = call("explain", symptom)

    assert (said.code, said.err) == (0, "")
    words = " ".join(said.out.split())
    for text in (SYMPTOMS[symptom].seen, SYMPTOMS[symptom].cause, SYMPTOMS[symptom].fix):
        assert " ".join(text.replace("{prefix}", "/api/v1").split()[:8]) in words


@pytest.mark.parametrize("variation", CATALOGUE.variations)
def test_explain_a_variation(call: Call, variation: str) -> None:
    said = call("explain", variation)

    assert (said.code, said.err) == (0, "")
    assert " ".join(CATALOGUE.variations[variation].fix.split()[:8]) in " ".join(said.out.split())


def test_certificates_says_where_the_authority_is(call: Call, state: Path) -> None:
    said = call("certificates")

    assert (said.code, said.err) == (0, "")
    assert said.out == f"{state / 'certificates' / 'ca.pem'}\n"
    assert (state / "certificates" / "ca.pem").is_file()


def test_a_bug_is_not_hidden(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    def breaks(_session: Session) -> None:
        raise KeyError("a bug")

    monkeypatch.setattr(reside, "ps", breaks)

    with pytest.raises(KeyError, match="a bug"):
        call("ps")


def test_exit_codes_of_typer_reach_the_shell(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(_session: Session) -> None:
        raise typer.Exit(130)

    monkeypatch.setattr(reside, "ps", interrupted)

    assert call("ps").code == 130
