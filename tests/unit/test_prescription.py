"""What to change: the catalogue's words for its programs, the data's for others."""

import pytest

from hoplab.client.wire import Exchange
from hoplab.diagnosis.faults import FAULTS
from hoplab.diagnosis.prescription import STARTED, WHOSE, prescribe
from hoplab.diagnosis.programs import Kind, recognise
from hoplab.diagnosis.words import Fault, Known, Prescription
from tests.catalogue import CATALOGUE

URL = "https://example.com/x"


def prescribed(
    fault: Fault, proxy: str = "", server: str = "", prefix: str = "/shop", *exchanges: Exchange
) -> list[Prescription]:
    found = recognise(URL, exchanges)
    return prescribe([fault], Known(proxy, server), prefix, CATALOGUE, found)


def answered(**headers: str) -> Exchange:
    return Exchange("GET", URL, (), 200, list(headers.items()))


def test_every_fault_that_a_hop_has_says_whose_it_is() -> None:
    application = {Fault.RAISES, Fault.NO_SUCH_ROUTE, Fault.DOCS_FIXED, Fault.SERVERS_FIXED}
    assert {*Fault} - {*WHOSE} == application
    assert {*STARTED} <= {*WHOSE}


@pytest.mark.parametrize("fault", sorted(WHOSE))
def test_every_fault_has_a_prescription_in_every_program_of_the_catalogue_whose_it_is(
    fault: Fault,
) -> None:
    """If the program's own file says anything about it."""
    _, kinds = WHOSE[fault]
    for kind, owners in ((Kind.PROXY, CATALOGUE.proxies), (Kind.SERVER, CATALOGUE.servers)):
        for name, owner in owners.items():
            known = {kind.value: name}
            found = prescribed(fault, **known)
            says = any(s in owner.advice and owner.advice[s].fix for s in FAULTS[fault].symptoms)
            assert bool(found) == (kind in kinds and (says or fault in STARTED) and bool(found))
            if kind in kinds and says:
                assert found
            assert all(each.of == name and not each.guessed for each in found)


def test_the_words_are_the_catalogue_s_with_the_person_s_prefix() -> None:
    (found,) = prescribed(Fault.PROTO_NOT_SENT, proxy="nginx")

    assert found.text == CATALOGUE.advice["nginx"]["redirect-wrong-scheme"].fix
    assert "proxy_set_header X-Forwarded-Proto $scheme;" in found.lines
    (found,) = prescribed(Fault.LETTERS, proxy="nginx")
    assert "/shop" in found.text
    assert "{prefix}" not in found.text + "".join(found.lines)


def test_a_server_s_start_is_the_recipe_s() -> None:
    (found,) = prescribed(Fault.UNTOLD_STRIPPED, server="uvicorn")

    line = "uvicorn app.plain:app --host 127.0.0.1 --port 8000 --forwarded-allow-ips PROXY"
    assert found.lines == (f"{line} --root-path /shop",)
    (found,) = prescribed(Fault.PREPENDED_PRESERVED, server="uvicorn")
    assert "--root-path" not in found.lines[0]


def test_nothing_is_said_to_who_can_change_nothing() -> None:
    assert prescribed(Fault.NOT_TRUSTED, proxy="nginx") == []
    assert prescribed(Fault.PROTO_NOT_SENT, server="uvicorn") == []
    assert prescribed(Fault.RAISES, "nginx", "uvicorn") == []
    assert prescribed(Fault.PROTO_NOT_SENT) == []


def test_what_is_guessed_is_said_to_be() -> None:
    (found,) = prescribed(Fault.PROTO_NOT_SENT, "", "", "/shop", answered(server="Apache/2.4"))

    assert (found.of, found.guessed) == ("Apache httpd", True)
    assert found.lines == ("RequestHeader set X-Forwarded-Proto expr=%{REQUEST_SCHEME}",)


def test_what_a_person_says_excludes_other_guesses_of_that_kind() -> None:
    found = prescribed(Fault.PROTO_NOT_SENT, "caddy", "", "/shop", answered(server="nginx"))

    assert [(each.of, each.guessed) for each in found] == [("caddy", False)]


def test_a_guess_of_the_doctor_s_own_is_a_guess_when_it_comes_back() -> None:
    seen = recognise(URL, [answered(server="nginx")])
    known = Known(proxy="nginx", why_proxy="server: nginx")

    (found,) = prescribe([Fault.PROTO_NOT_SENT], known, "", CATALOGUE, seen)
    assert found.guessed


def test_a_weak_sign_counts_where_there_is_no_other() -> None:
    weak = Exchange("GET", URL, (), 404, (), b"404 page not found\n")

    assert [p.of for p in prescribed(Fault.HOST_UPSTREAM, "", "", "", weak)] == ["traefik"]
    both = prescribed(Fault.HOST_UPSTREAM, "", "", "", weak, answered(server="nginx"))
    assert [each.of for each in both] == ["nginx"]


def test_a_platform_is_named_beside_the_proxy() -> None:
    found = prescribed(Fault.NOT_TRUSTED, "", "uvicorn", "/x", answered(**{"cf-ray": "x"}))

    assert [each.of for each in found] == ["uvicorn", "Cloudflare"]
    assert found[1].guessed


def test_of_a_platform_that_was_named_nothing_is_guessed() -> None:
    found = prescribed(Fault.UNTOLD_STRIPPED, proxy="ingress", prefix="/shop")

    assert [(each.of, each.guessed) for each in found] == [("ingress-nginx", False)]
    assert "path: /shop(/|$)(.*)" in found[0].lines


def test_an_unknown_name_has_no_lines() -> None:
    assert prescribed(Fault.UNTOLD_STRIPPED, proxy="something of my own") == []


def test_where_there_is_no_prefix_nothing_is_said_about_one() -> None:
    assert prescribed(Fault.OTHER_ROOT_PATH, server="uvicorn", prefix="") == []
    assert prescribed(Fault.UNTOLD_STRIPPED, proxy="apache", prefix="") == []
    (found,) = prescribed(Fault.NOT_TRUSTED, server="uvicorn", prefix="")
    assert "--forwarded-allow-ips" in found.text


def test_the_same_change_is_told_once() -> None:
    faults = [Fault.HOST_UPSTREAM, Fault.LOCATION_REWRITTEN]

    assert len(prescribe(faults, Known(proxy="apache"), "/x", CATALOGUE)) == 1
