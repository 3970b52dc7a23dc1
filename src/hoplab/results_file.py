"""The results file: written as schema 3, read as 1, 2 or 3 (docs/contract.md, Results file).

It says once what is the same in many cells. Findings, exchanges, header lines and bodies are
in tables, and referred to by their index. What is a cell's own, such as its port, is in the cell's
`values`; the tables have `${port}` there. `$$` is a dollar sign.
"""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, TypeAlias

from hoplab import __version__, advice
from hoplab.advice import text as _text
from hoplab.client.wire import Exchange, Headers
from hoplab.endpoint import PUBLIC_NAME
from hoplab.errors import HoplabError
from hoplab.prefix import DEFAULT_PREFIX, parse
from hoplab.results import CellResult, Finding, Results, Verdict
from hoplab.topology import Cell, Mode, Scheme, Strategy, Topology, Trust

SCHEMA = 3
_READ = (1, 2, SCHEMA)

Json: TypeAlias = dict[str, Any]

EACH_TIME = "…"
"""Stands for a value that differs in each exchange and says nothing about the topology."""

_HEADERS_EACH_TIME = {"date", "sec-websocket-key", "sec-websocket-accept"}
_TEXT_EACH_TIME = (
    # The port of the connection that came: 0 says something, it is from X-Forwarded-For.
    # Some servers tell it as text.
    (re.compile(r'("client": ?\["[^"]*", ?)(?:[1-9]\d*|"[1-9]\d*")(?=\])'), rf'\g<1>"{EACH_TIME}"'),
    (re.compile(r'("serial": ?)\d+'), rf'\g<1>"{EACH_TIME}"'),
    (re.compile(r"\bonce-[0-9a-f]{16}"), f"once-{EACH_TIME}"),
    (re.compile(r'("sent": )[\d.]+'), rf'\g<1>"{EACH_TIME}"'),
    (re.compile(r'("(?:sec-websocket-key|x-request-id)", ?")[^"]+'), rf"\g<1>{EACH_TIME}"),
)
_URL = re.compile(r"(?:http|ws)(s?)://([^/:?#]+)(?::(\d+))?")
_PLACEHOLDER = re.compile(r"\$(?:\$|\{(\w+)\})")


# --- writing ---


def dump(results: Results) -> str:
    """The results file's text, with a line for each cell and each entry of a table.

    In ASCII, so that it can be written and read whatever the locale.
    """
    told = []
    for key, value in as_json(results).items():
        if isinstance(value, list):
            shown = "[\n" + ",\n".join(json.dumps(v, separators=(",", ":")) for v in value) + "\n]"
        else:
            shown = json.dumps(value)
        told.append(f"{json.dumps(key)}: {shown}")
    return "{\n" + ",\n".join(told) + "\n}"


def as_json(results: Results) -> Json:
    """The results file, schema 3."""
    counted = {
        "start_seconds": results.start_seconds,
        "processes": results.processes,
        "memory_bytes": results.memory_bytes,
    }
    tables = _Tables()
    return {
        "hoplab": __version__,
        "schema": SCHEMA,
        "engine": results.engine,
        "started": results.started,
        "seconds": results.seconds,
        **_given(counted),
        **_given({"unfinished": results.unfinished}),
        "versions": results.versions,
        "cells": [_cell(result, tables) for result in results.cells],
        "findings": tables.findings.entries,
        "exchanges": tables.exchanges.entries,
        "header_lists": tables.header_lists.entries,
        "headers": tables.headers.entries,
        "bodies": tables.bodies.entries,
        **_advice(results),
    }


def _advice(results: Results) -> Json:
    """What `check` has tried."""
    told: Json = {}
    if results.tried is not None:
        told["tried"] = [advice.as_json(each) for each in results.tried]
    if results.configuration:
        told["proxy_config"] = advice.as_json(results.configuration)
    return told


def recorded(exchange: Exchange) -> Exchange:
    """What of an exchange is written to the file, and comes back from it.

    The body's beginning; and EACH_TIME instead of what no two exchanges share, as the time, which
    would make of equal exchanges different ones.
    """
    return replace(
        exchange,
        url=_quiet(exchange.url),
        sent=_without_noise(exchange.shortened().sent),
        headers=_without_noise(exchange.headers),
        body=_quiet(exchange.shown_body()).encode(),
        chunks=[],
    )


def _without_noise(headers: Headers) -> Headers:
    return [_quiet_line(*line) for line in headers]


@lru_cache(maxsize=10_000)  # the same lines and bodies come again and again
def _quiet_line(name: str, value: str) -> tuple[str, str]:
    return name, EACH_TIME if name.lower() in _HEADERS_EACH_TIME else _quiet(value)


@lru_cache(maxsize=10_000)
def _quiet(text: str) -> str:
    for pattern, instead in _TEXT_EACH_TIME:
        text = pattern.sub(instead, text)
    return text


class _Table:
    """Different entries, numbered in the order in which they came."""

    def __init__(self) -> None:
        self.entries: list[Any] = []
        self._numbers: dict[str, int] = {}

    def number(self, entry: Any) -> int:
        key = entry if isinstance(entry, str) else repr(entry)
        if key not in self._numbers:
            self._numbers[key] = len(self.entries)
            self.entries.append(entry)
        return self._numbers[key]


class _Tables:
    def __init__(self) -> None:
        self.findings, self.exchanges, self.bodies = _Table(), _Table(), _Table()
        self.headers, self.header_lists = _Table(), _Table()


def _cell(result: CellResult, tables: _Tables) -> Json:
    cell = result.cell
    kept = [replace(f, exchanges=[recorded(e) for e in f.exchanges]) for f in result.findings]
    own = _Own(_values(cell, [exchange for finding in kept for exchange in finding.exchanges]))
    found = {finding.check: finding.symptom for finding in kept if finding.symptom}
    predicted: Json = {}
    if result.prediction is not None:
        as_predicted = not result.surprises and result.verdict is not Verdict.ERROR
        predicted["as_predicted"] = as_predicted
        if dict(result.prediction) != found:
            predicted["predicted"] = dict(result.prediction)
    return {
        "id": cell.id,
        "proxy": cell.topology.proxy,
        "server": cell.topology.server,
        "mode": cell.topology.mode,
        "strategy": cell.strategy,
        "trust": cell.trust,
        "scheme": cell.scheme,
        **_given({"variation": cell.variation}),
        **({"prefix": cell.prefix.option} if cell.prefix != DEFAULT_PREFIX else {}),
        "recipe": result.recipe,
        "verdict": result.verdict,
        **_given({"symptoms": found}),
        **predicted,
        **_given({"values": own.values}),
        "findings": [tables.findings.number(_finding(f, own, tables)) for f in kept],
    }


def _finding(finding: Finding, own: "_Own", tables: _Tables) -> Json:
    numbers = [tables.exchanges.number(_exchange(e, own, tables)) for e in finding.exchanges]
    return {
        "check": finding.check,
        "verdict": finding.verdict,
        **_given({"symptom": finding.symptom}),
        "detail": own.replaced(finding.detail),
        **_given({"exchanges": numbers}),
    }


def _exchange(exchange: Exchange, own: "_Own", tables: _Tables) -> Json:
    def line(header: tuple[str, str]) -> int:
        if header not in own.lines:
            own.lines[header] = tables.headers.number(own.replaced(": ".join(header)))
        return own.lines[header]

    def lines(headers: Headers) -> int:
        return tables.header_lists.number([line(header) for header in headers])

    body = own.replaced(exchange.body.decode())
    return {
        "method": exchange.method,
        "url": own.replaced(exchange.url),
        "request_headers": lines(exchange.sent),
        "status": exchange.status,
        "response_headers": lines(exchange.headers),
        **({"body": tables.bodies.number(body)} if body else {}),
    }


def _given(entries: Mapping[str, Any]) -> Json:
    """Without what is empty, 0 or None: the reader has the same as its default."""
    return {key: value for key, value in entries.items() if value}


def _values(cell: Cell, exchanges: Iterable[Exchange]) -> dict[str, str]:
    """What is the cell's own: where it answered, and which instance of the application."""
    values: dict[str, str] = {}
    for exchange in exchanges:
        if url := _URL.match(exchange.url):
            secure, host, port = url.groups()
            if host != PUBLIC_NAME:
                values.setdefault("direct", port or "")
            elif bool(secure) == (cell.scheme is Scheme.HTTPS):
                values.setdefault("origin", f"{cell.scheme}://{host}" + f":{port}" * bool(port))
                values.setdefault("port", port or "")
        if instance := exchange.header("X-Instance"):
            values.setdefault("instance", instance)
    return _given(values)


class _Own:
    """Puts placeholders for a cell's own values."""

    def __init__(self, values: dict[str, str]) -> None:
        self.values = values
        self._names = {value: f"${{{name}}}" for name, value in values.items()}
        longest_first = sorted(map(re.escape, self._names), key=len, reverse=True)
        whole = rf"(?<![0-9A-Za-z])(?:{'|'.join(longest_first)})(?![0-9A-Za-z])|" if values else ""
        self._pattern = re.compile(rf"{whole}\$")
        self._known: dict[str, str] = {}
        self.lines: dict[tuple[str, str], int] = {}
        """The numbers of its header lines: the same ones stand in most exchanges."""

    def replaced(self, text: str) -> str:
        if text not in self._known:  # the same header stands in every exchange
            self._known[text] = self._pattern.sub(lambda m: self._names.get(m[0], "$$"), text)
        return self._known[text]


# --- reading ---


def load(source: Path | Json, name: str = "this") -> Results:
    """The results of a file, or of its content. Raises HoplabError if it can't be read.

    name: of the file, where its content is given.
    """
    name = str(source) if isinstance(source, Path) else name
    file = read(source) if isinstance(source, Path) else source
    if not isinstance(file, dict) or not {"hoplab", "schema", "cells"} <= file.keys():
        message = f"{name} is not a results file: {_WRITE_IT}"
        raise HoplabError(message)
    schema = file["schema"]
    if schema not in _READ:
        message = f"{name} has schema {schema!r}; this hoplab reads 1, 2 and {SCHEMA}: {_WRITE_IT}"
        raise HoplabError(message)
    try:
        return _results(file)
    except (AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
        told = f"no {error}" if isinstance(error, KeyError) else str(error)
        message = f"{name} is not a results file of schema {schema}: {told}"
        raise HoplabError(message) from error


_WRITE_IT = "write one with `hoplab matrix --format json -o FILE`"


def read(path: Path) -> Any:
    """A file's content, which is not checked. Raises HoplabError if it is not JSON."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        message = f"can't read {path}: {error.strerror}"
    except (ValueError, RecursionError) as error:
        message = f"{path} is not JSON: {error}; if it was cut off, {_WRITE_IT}"
    raise HoplabError(message)


def _texts(told: Any) -> dict[str, str]:
    return {_text(key): _text(value) for key, value in told.items()}


def _results(file: Json) -> Results:
    first = file["schema"] == 1
    return Results(
        _text(file["engine"]),
        _text(file["started"]),
        float(file["seconds"]),
        _texts(file["versions"]),
        [_read_cell(cell, None if first else file) for cell in file["cells"]],
        start_seconds=float(file.get("start_seconds", 0)),
        processes=int(file.get("processes", 0)),
        memory_bytes=int(file.get("memory_mib", 0)) * 2**20 or int(file.get("memory_bytes", 0)),
        unfinished=int(file.get("unfinished", 0)),
        tried=[advice.read_tried(each) for each in file["tried"]] if "tried" in file else None,
        configuration=(
            advice.read_configuration(file["proxy_config"]) if "proxy_config" in file else None
        ),
    )


def _read_cell(told: Json, tables: Json | None) -> CellResult:
    """`tables` is the whole file of schema 2 or 3; in schema 1 a cell contains everything."""
    cell = Cell(
        Topology(_text(told["proxy"]), _text(told["server"]), Mode(told["mode"])),
        Strategy(told["strategy"]),
        Trust(told["trust"]),
        Scheme(told["scheme"]),
        _text(told.get("variation", "")),
        parse(told["prefix"]) if "prefix" in told else DEFAULT_PREFIX,
    )
    if tables is None:
        findings = [
            _read_finding(finding, [_exchange_1(exchange) for exchange in finding["exchanges"]])
            for finding in told["findings"]
        ]
        prediction = told["prediction"]["symptoms"] if "prediction" in told else None
    else:
        prediction = None
        if "as_predicted" in told:
            prediction = told.get("predicted", told.get("symptoms", {}))
        findings = _findings(told, tables)
    predicted = None if prediction is None else _texts(prediction)
    return CellResult(cell, told["recipe"], findings, predicted)


def _read_finding(told: Json, exchanges: list[Exchange]) -> Finding:
    symptom = None if told.get("symptom") is None else _text(told["symptom"])
    check, detail = _text(told["check"]), _text(told["detail"])
    return Finding(check, Verdict(told["verdict"]), symptom, detail, exchanges)


def _exchange_1(told: Json) -> Exchange:
    return Exchange(
        told["method"],
        told["url"],
        [(name, value) for name, value in told["request_headers"]],
        told["status"],
        [(name, value) for name, value in told["response_headers"]],
        told["body"].encode(),
    )


def _findings(cell: Json, tables: Json) -> list[Finding]:
    values = cell.get("values", {})
    second = tables["schema"] == 2  # noqa: PLR2004

    def filled(text: str) -> str:
        return _PLACEHOLDER.sub(lambda m: values[m[1]] if m[1] else "$", text)

    @cache  # a cell's exchanges have most lines in common
    def header(number: int) -> tuple[str, str]:
        name, _, value = filled(tables["headers"][number]).partition(": ")
        return name, value

    def headers(told: Any) -> list[tuple[str, str]]:
        # In schema 2, each exchange has a list of its own.
        return [header(n) for n in (told if second else tables["header_lists"][told])]

    def exchange(number: int) -> Exchange:
        told = tables["exchanges"][number]
        return Exchange(
            _text(told["method"]),
            filled(told["url"]),
            headers(told["request_headers"]),
            int(told["status"]),
            headers(told["response_headers"]),
            filled(tables["bodies"][told["body"]]).encode() if "body" in told else b"",
        )

    findings = []
    for number in cell["findings"]:
        told = tables["findings"][number]
        exchanges = [exchange(each) for each in told.get("exchanges", ())]
        findings.append(_read_finding({**told, "detail": filled(told["detail"])}, exchanges))
    return findings
