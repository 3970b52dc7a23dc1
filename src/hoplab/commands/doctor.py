"""`doctor`: asks a foreign deployment, and says what is wrong with it."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from urllib.parse import urljoin, urlsplit

from hoplab.catalogue import Catalogue
from hoplab.catalogue.servers import SERVERS
from hoplab.client import unpacking
from hoplab.client.arrival import Arrival, arrive
from hoplab.client.asker import Stop
from hoplab.client.polite import PoliteClient
from hoplab.client.wire import Exchange
from hoplab.diagnosis.clean import clean
from hoplab.diagnosis.diagnose import diagnose
from hoplab.diagnosis.prescription import prescribe
from hoplab.diagnosis.programs import Recognised, guess, no_asgi, recognise
from hoplab.diagnosis.questions import Asked, ask_all, sheet_of
from hoplab.diagnosis.ranking import ranked
from hoplab.diagnosis.redirects import is_of_a_web_server
from hoplab.diagnosis.site import Site, explore, site_of
from hoplab.diagnosis.window import window_answers
from hoplab.diagnosis.words import Answer, Known, Question, Report, Unasked, Verdict
from hoplab.diagnosis.worlds import Setting

NOTHING_KNOWN = Known()


@dataclass(frozen=True)
class Examination:
    """What the doctor knows in the end, fit to be shown; and what stopped it before, if anything.

    A `polite.Interruption` has the signal with which the program has to end. recognised: the
    programs that the site shows itself to be, surest first.
    """

    report: Report
    stop: Stop | None = None
    recognised: Sequence[Recognised] = ()


def examine(
    client: PoliteClient,
    *,
    prefix: str | None = None,
    known: Known = NOTHING_KNOWN,
    spoof: bool = False,
    window: str = "",
) -> Examination:
    """Ask the deployment at the client's URL, and say what is wrong with it.

    prefix: the public one, if a person said it. known: the proxy and the server, if one did.
    window: the token of the second eye, if one was opened.
    """
    began = time.monotonic()
    site = site_of(client, client.given.url, prefix)
    asked: list[Asked] = []
    facts: dict[str, object] = {}
    stop = None
    note = ""
    try:
        came = arrive(client)
        note = came.note
        site = site_of(client, came.url, prefix)
        for each in _questions(site, came, client, prefix, spoof=spoof):
            asked.append(each)  # what is known at a Stop is kept
        if window and not came.loop:
            told, facts["window"] = window_answers(client, site.base, site.prefix, window)
            asked += told
    except Stop as stopped:
        stop = stopped
    sheet = sheet_of(asked)
    diagnosis = diagnose(sheet, setting_of(site.given, site.prefix, known))
    if stop and diagnosis.verdict is not Verdict.SICK:
        diagnosis = replace(diagnosis, verdict=Verdict.UNCLEAR, why=str(stop))
    elif note and diagnosis.verdict is Verdict.UNCLEAR and not sheet.answers:
        diagnosis = replace(diagnosis, why=note)
    recognised = recognise(site.given, client.exchanges, site.prefix)
    guessed = guess(known, recognised)
    if guessed.why_server and (server := SERVERS.get(guessed.server)):
        diagnosis = ranked(diagnosis, server.root_path)
    if diagnosis.verdict is Verdict.UNCLEAR and (other := no_asgi(recognised)):
        diagnosis = replace(diagnosis, why=f"{diagnosis.why}. {other}")
    if diagnosis.verdict is Verdict.UNCLEAR and (packed := _packed(client.exchanges)):
        unread = f"answers come packed as {packed!r} though nobody asked for it, and can't be read"
        diagnosis = replace(diagnosis, why=f"{diagnosis.why}; {unread}")
    report = Report(
        client.given.url,
        site.base,
        site.prefix,
        sheet,
        diagnosis,
        guessed,
        requests=client.requests,
        seconds=time.monotonic() - began,
        unfinished=str(stop or ""),
        facts={
            **facts,
            "arrival": note,
            "notes": tuple(client.notes),
            "recognised": tuple(
                {"name": each.program.name, "kind": each.program.kind, "why": each.why}
                for each in recognised
            ),
        },
    )
    return Examination(clean(report), stop, recognised)


def with_prescriptions(
    report: Report, catalogue: Catalogue, recognised: Sequence[Recognised]
) -> Report:
    """The same report, with what to change in the programs that are known or were recognised."""
    groups = [*report.diagnosis.groups, *report.diagnosis.notes]
    faults = dict.fromkeys(fault for group in groups for fault in group.faults)
    found = prescribe(faults, report.known, report.prefix, catalogue, recognised)
    return replace(report, prescriptions=found)


def diagnosed_again(report: Report, known: Known) -> Report:
    """The same answers, with more that is known: nothing is asked again."""
    told = Known("" if known.why_proxy else known.proxy, "" if known.why_server else known.server)
    setting = setting_of(report.base, report.prefix, told)
    diagnosis = diagnose(report.sheet, setting)
    return replace(report, known=known, diagnosis=diagnosis)


def setting_of(url: str, prefix: str, known: Known) -> Setting:
    """What is known of a deployment before anything is asked."""
    parts = urlsplit(url)
    server = SERVERS.get(known.server)
    return Setting(
        https=parts.scheme == "https",
        port=parts.port is not None,
        prefix=bool(prefix),
        root_path=server.root_path if server else None,
    )


def _questions(
    site: Site,
    came: Arrival,
    client: PoliteClient,
    prefix: str | None,
    *,
    spoof: bool,
) -> Iterator[Asked]:
    if came.loop:
        yield _loop(came, client)
        return
    explore(site, prefix)
    yield from ask_all(site, spoof=spoof)


def _packed(exchanges: Sequence[Exchange]) -> str:
    """The coding of the last body that can't be unpacked; empty if there is none."""
    codings = (each.header("Content-Encoding") or "" for each in reversed(exchanges) if each.body)
    return next((coding[:40] for coding in codings if not unpacking.is_known(coding)), "")


def _loop(came: Arrival, client: PoliteClient) -> Asked:
    """A redirect to itself: of an application that redirects http to https, if no cookie is in it.

    One that sets a cookie first leads a client without cookies in a circle as well.
    """
    last = client.exchanges[-1]
    itself = urljoin(last.url, last.header("Location") or "") == last.url
    if itself and last.url.startswith("https:") and last.header("Set-Cookie") is None:
        if is_of_a_web_server(last):
            why = f"{came.note}. The redirect is a proxy's own, which is asked over http itself"
            return Unasked(Question.ROUTE, f"{why}: let it redirect only what came over http")
        return Answer(Question.LOOP, "itself", came.note, came.note, (last,))
    return Unasked(Question.ROUTE, came.note)
