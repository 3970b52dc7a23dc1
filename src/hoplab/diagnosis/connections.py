"""Questions about what goes beside the path: upgrades, and headers for other origins."""

from collections.abc import Iterator
from urllib.parse import urlsplit

from hoplab.client.asker import Silence
from hoplab.client.wire import Exchange
from hoplab.diagnosis.alike import known
from hoplab.diagnosis.programs import passed_on
from hoplab.diagnosis.responders import APPLICATIONS, responder
from hoplab.diagnosis.site import NOT_FOUND, Site, nobody
from hoplab.diagnosis.words import Answer, Question, Unasked

_SWITCHING, _FORBIDDEN = 101, 403
_UPGRADE_TO_H2C = (
    ("Connection", "Upgrade, HTTP2-Settings"),
    ("Upgrade", "h2c"),
    ("HTTP2-Settings", "AAMAAABkAAQAAP__"),  # RFC 7540, 3.2.1
)
_STRANGER = "https://stranger.invalid"  # RFC 2606: nobody's origin


def upgrade(site: Site) -> Iterator[Answer | Unasked]:
    """Does a WebSocket's handshake arrive as one? And is an upgrade to h2c taken?

    No WebSocket has to be known: to a path that is none, an ASGI server answers 403; and where the
    handshake arrives as an ordinary GET, that is answered.
    """
    answered = known(site)
    if answered is None:
        for question in (Question.UPGRADE, Question.TUNNEL):
            yield Unasked(question, "no route was found that answers")
        return
    try:
        answer = site.asker.shake_hands(answered.url)
    except Silence as silence:
        yield Unasked(Question.UPGRADE, str(silence))
    else:
        if why := _refused_in_front(answer, answered):
            yield Unasked(Question.UPGRADE, f"{answer}: {why}")
        elif answer.status in {_SWITCHING, _FORBIDDEN, NOT_FOUND}:
            told = f"{answer}: the handshake arrived"
            yield Answer(Question.UPGRADE, "passed", told, exchanges=(answer,))
        elif answer.status == answered.status:
            told = f"{answer}, as to a plain GET: the proxy does not pass the handshake on"
            yield Answer(Question.UPGRADE, "not-passed", told, exchanges=(answer,))
        else:
            yield Unasked(Question.UPGRADE, f"{answer}: neither taken nor refused")
    tunnel = site.get(urlsplit(answered.url).path, _UPGRADE_TO_H2C)
    if tunnel is None:
        yield Unasked(Question.TUNNEL, "no answer to an upgrade to h2c")
        return
    opened = tunnel.status == _SWITCHING
    if opened and (why := _taken_in_front(site)):
        yield Unasked(Question.TUNNEL, f"{tunnel}: {why}")
        return
    wrong = f"{tunnel}: an upgrade to h2c is taken, past the proxy's rules" if opened else ""
    symbol = "opened" if opened else "closed"
    yield Answer(Question.TUNNEL, symbol, wrong or f"{tunnel}", wrong, (tunnel,))


def _refused_in_front(answer: Exchange, answered: Exchange) -> str:
    """Why it may be a proxy that refused a handshake; empty if nothing tells that.

    An ASGI server refuses with an empty body, or with what the application says.
    """
    if answer.status not in {_FORBIDDEN, NOT_FOUND}:
        return ""
    for name in passed_on():
        if answered.header(name) is not None and answer.header(name) is None:
            return f"the proxy itself refuses it, as it seems: {name} is in other answers alone"
    if answer.body.strip() and responder(answer) not in APPLICATIONS:
        return "a proxy may have refused it as well as the application"
    return ""


def _taken_in_front(site: Site) -> str:
    """Why an upgrade to h2c may be taken by what stands in front; empty if it was passed on.

    A server or proxy that speaks HTTP/2 itself may take the upgrade, and its rules hold there too.
    Then it takes one of a path that it does not pass on as well.
    """
    if not site.prefix:
        return "taken by the proxy itself, or by the application behind it: that does not show"
    outside = site.get(nobody(), _UPGRADE_TO_H2C)
    if outside is None:
        return "no answer to the same outside the prefix, which tells who takes it"
    if outside.status == _SWITCHING:
        return "taken outside the prefix as well, so not by this application"
    return ""


def cors(site: Site) -> Iterator[Answer | Unasked]:
    """Does Access-Control-Allow-Origin come once?"""
    answered = known(site)
    if answered is None:
        yield Unasked(Question.CORS, "no route was found that answers")
        return
    path = urlsplit(answered.url).path
    answer = site.get(path, (("Origin", _STRANGER),))
    told = _origins(answer)
    if len(told) == 1 and told[0].startswith("http") and told[0] != _STRANGER:
        # It always names the same origin; the application may name it too, if that origin asks.
        again = site.get(path, (("Origin", told[0]),))
        answer, told = (again, _origins(again)) if len(_origins(again)) > 1 else (answer, told)
    if answer is None:
        yield Unasked(Question.CORS, "no answer to a request with an Origin")
        return
    shown = " and ".join(told) or "none"
    wrong = ""
    if len(told) > 1:
        wrong = f"{answer}: Access-Control-Allow-Origin comes twice, {shown}; browsers refuse that"
    symbol = "twice" if wrong else "fine"
    said = f"Access-Control-Allow-Origin: {shown}"
    yield Answer(Question.CORS, symbol, wrong or said, wrong, (answer,))


def _origins(answer: Exchange | None) -> list[str]:
    lines = answer.headers if answer is not None else ()
    told = [value for name, value in lines if name.lower() == "access-control-allow-origin"]
    return [each.strip() for value in told for each in value.split(",")]
