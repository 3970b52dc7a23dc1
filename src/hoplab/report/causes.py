"""What many findings have in common: what the application was told, by the exchanges themselves.

No name of a symptom or a check is read here: a cause is what is wrong in the evidence.
"""

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote, urljoin, urlsplit

from hoplab.client.wire import Exchange
from hoplab.results import CellResult, Finding, Verdict
from hoplab.topology import Strategy

_URL = re.compile(r"\bhttps?://[^\s'\",]+")
_FORWARDED = re.compile(r"(?i)x[-_]forwarded|forwarded$|x[-_]real[-_]ip$")
_HOST = re.compile(r'\["host",\s*"([^"]*)"\]', re.IGNORECASE)
"""Of the scope that the application tells; only the beginning of a body is recorded."""

_ERRORS = 400


@dataclass
class Cause:
    """What is wrong, how it is fixed, and the findings that follow from it.

    symptom: where the exchanges alone don't say what is wrong, the only one of these findings.
    """

    told: str
    fix: str = ""
    symptom: str | None = None
    found: list[tuple[CellResult, Finding]] = field(default_factory=list)


@dataclass(frozen=True)
class _Kind:
    """The same for whatever values."""

    name: str
    told: str
    fix: str = ""
    symptom: str | None = None


def causes(results: Iterable[CellResult]) -> list[Cause]:
    """The causes of all that failed, that of the most findings first."""
    found: dict[str, Cause] = {}
    for result in results:
        for finding in result.findings:
            if finding.verdict is Verdict.FAIL:
                kind = _kind(result, finding)
                cause = found.setdefault(kind.name, Cause(kind.told, kind.fix, kind.symptom))
                cause.found.append((result, finding))
    return sorted(found.values(), key=lambda cause: -len(cause.found))


def decisive(finding: Finding) -> Exchange | None:
    """The exchange that shows it: the one that its detail quotes, or else the last.

    Of a redirect that was followed, the redirect.
    """
    quoted = [e for e in finding.exchanges if str(e) in finding.detail or _begins(finding, e)]
    shown = next(iter([*quoted, *reversed(finding.exchanges)]), None)
    for earlier in finding.exchanges:
        location = earlier.header("location")
        if shown and location and urljoin(earlier.url, location) == shown.url:
            return earlier
    return shown


def _begins(finding: Finding, exchange: Exchange) -> bool:
    origin = dict(exchange.sent).get("Origin")
    return finding.detail.startswith(f"{exchange.method} {exchange.url} of {origin} ")


def _kind(result: CellResult, finding: Finding) -> _Kind:
    shown = decisive(finding)
    own = [e for e in finding.exchanges if _is_plain(e)]
    if shown is not None and _is_plain(shown):
        for look in (_refusal, _upgrade, _host, _forwarded, _root_path, _path):
            if kind := look(result, finding, shown, own):
                return kind
    symptom = finding.symptom or ""
    return _Kind(f"symptom {symptom}", symptom, symptom=symptom)


def _is_plain(exchange: Exchange) -> bool:
    """Asked through the proxy, and without forwarded headers of the client's own."""
    named = any(_FORWARDED.match(name) for name, _ in exchange.sent)
    return not named and not (urlsplit(exchange.url).hostname or "").startswith("127.")


def _refusal(
    result: CellResult, _finding: Finding, shown: Exchange, _own: Sequence[Exchange]
) -> _Kind | None:
    """The proxy answers what is the application's to answer."""
    path = urlsplit(shown.url).path
    if _told(shown) or shown.status < _ERRORS or not _under(path, result.cell.prefix.encoded):
        return None
    proxy = result.cell.topology.proxy
    return _Kind(
        f"refusal {proxy} {shown.status}",
        f"{proxy} answers {shown.status} to {shown.method} {path} itself: this answer is not the"
        " application's.",
        f"The log of {proxy} says why: there is no route, the application is not reached, or the"
        " request is refused.",
    )


def _upgrade(
    _result: CellResult, _finding: Finding, shown: Exchange, _own: Sequence[Exchange]
) -> _Kind | None:
    if shown.method != "WEBSOCKET" or _told(shown).get("scheme") not in {"http", "https"}:
        return None
    if shown.status < _ERRORS:  # it was accepted
        return None
    return _Kind(
        "upgrade",
        "The WebSocket arrives at the application as a plain HTTP request: the proxy does not pass"
        " the upgrade on.",
        "Configure the proxy to pass Upgrade: websocket and Connection: upgrade on, over HTTP/1.1.",
    )


def _host(
    result: CellResult, finding: Finding, shown: Exchange, own: Sequence[Exchange]
) -> _Kind | None:
    right = urlsplit(shown.url).netloc
    hosts = {match[1] for e in [*own, *_scopes(result)] if (match := _HOST.search(_text(e)))}
    # Where a page of another origin asks, the detail names origins as well, which are no Host.
    named = [] if "Origin" in dict(shown.sent) else _URL.findall(finding.detail)
    wrong = [urlsplit(url).netloc for url in named]
    wrong += [host for host in hosts if f"'{host}'" in finding.detail]
    told = next((host for host in wrong if host != right), None)
    if told is None:
        return None
    without_port = told == urlsplit(shown.url).hostname
    return _Kind(
        f"host {without_port}",
        f"The application is told the Host {told}, and not {right}"
        + (": the port is missing." if without_port else "."),
        "Configure the proxy to send the client's Host header, including the port.",
    )


def _forwarded(
    _result: CellResult, finding: Finding, shown: Exchange, own: Sequence[Exchange]
) -> _Kind | None:
    """Scheme or client are those of another hop, and the finding says so."""
    asked = urlsplit(shown.url).scheme
    told = next((told for e in reversed(own) if (told := _told(e))), {})
    scheme, client = told.get("scheme"), (told.get("client") or [None])[0]
    urls = [urlsplit(url).scheme for url in _URL.findall(finding.detail)]
    told_schemes = [asked, *urls] if asked.startswith("http") else [asked]
    scheme_is_wrong = scheme != asked and (
        f"'{scheme}'" in finding.detail or scheme in told_schemes
    )
    client_is_wrong = f"'{client}'" in finding.detail
    if not told or not (scheme_is_wrong or client_is_wrong):
        return None
    seen = f"the scheme {scheme}, and not {asked}" if scheme_is_wrong else f"the client {client}"
    return _Kind(
        "forwarded",
        f"The application sees {seen}: what the hop before its server saw. The forwarded headers"
        " are missing, wrong, or not believed.",
        "Let the proxy set X-Forwarded-For and X-Forwarded-Proto, and let the server trust the"
        " proxy's address. Of two proxies, let the inner one trust the outer one's address.",
    )


def _root_path(
    result: CellResult, finding: Finding, shown: Exchange, own: Sequence[Exchange]
) -> _Kind | None:
    prefix = result.cell.prefix
    right = {prefix.decoded, prefix.encoded}
    if result.cell.strategy is Strategy.ROUTER:
        right = {""}
    wrong = [root for e in own if (root := _told(e).get("root_path")) not in {*right, None}]
    if not wrong or not _misled(result, finding, shown):
        return None
    return _Kind(
        f"root_path {wrong[0]}",
        f"The application is told the root_path {wrong[0]!r}, and not {sorted(right)[0]!r}: it"
        " does not know its public prefix.",
        "Tell the application its prefix, by the server's root path option or by"
        " ForwardedPrefixMiddleware: README.md says which behind which proxy.",
    )


def _path(
    result: CellResult, finding: Finding, shown: Exchange, own: Sequence[Exchange]
) -> _Kind | None:
    prefix = result.cell.prefix.decoded
    if not _misled(result, finding, shown):
        return None
    for exchange in [shown, *own]:
        told, asked = _told(exchange).get("path"), unquote(urlsplit(exchange.url).path)
        if told == prefix + asked:
            return _Kind(
                "path twice",
                f"The application is asked for {told}, and not for {asked}: the prefix is there"
                " twice.",
                "Put the prefix in front of the path once: let the proxy strip it, or start the"
                " server without a root path that it puts in front.",
            )
        if told and prefix + told == asked and _under(asked, prefix):
            return _Kind(
                "path bare",
                f"The application is asked for {told}, and not for {asked}: the proxy strips the"
                " prefix, and nothing puts it back in front.",
                "Use a server that puts its root path in front of the path, or"
                " ForwardedPrefixMiddleware; or let the proxy preserve the prefix.",
            )
    return None


def _misled(result: CellResult, finding: Finding, shown: Exchange) -> bool:
    """Whether a wrong root_path or path can be the reason: not of an answer that came too late."""
    urls = [urlsplit(url).path for url in _URL.findall(finding.detail)]
    prefix = result.cell.prefix.encoded
    elsewhere = any(not _under(path, prefix) for path in urls)
    return shown.status >= _ERRORS or elsewhere or "root_path" in finding.detail


def _under(path: str, prefix: str) -> bool:
    return path == prefix or path.startswith(prefix + "/")


def _scopes(result: CellResult) -> list[Exchange]:
    return [e for f in result.findings for e in f.exchanges if _is_plain(e)]


def _text(exchange: Exchange) -> str:
    return exchange.body.decode("utf-8", "replace")


def _told(exchange: Exchange) -> dict[str, Any]:
    """What the server told the application of this request; nothing if that did not answer."""
    header = exchange.header("X-ASGI-Scope")
    try:
        told = json.loads(header) if header else exchange.json()
    except ValueError:
        return {}
    return told if isinstance(told, dict) and "root_path" in told and "scheme" in told else {}
