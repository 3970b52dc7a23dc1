"""The language `tables`: routers, middlewares and services, in YAML, TOML, or labels of Compose."""

import copy
import re
import tomllib
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias

import yaml

from hoplab.catalogue.configurations.configuration import (
    CERTIFICATE,
    KEY,
    UPSTREAM,
    BadConfiguration,
    CannotRun,
    Configuration,
    Edit,
    Source,
    diff,
)
from hoplab.endpoint import PUBLIC_NAME
from hoplab.prefix import Prefix
from hoplab.topology import Mode, Scheme

Data: TypeAlias = dict[str, Any]
Place: TypeAlias = tuple[str, ...]

_SECURE = re.compile("secure|https|tls|443", re.IGNORECASE)
_HOST = re.compile(r"Host\(([^)]*)\)")
_PATH = re.compile(r"Path(?:Prefix)?\(`([^`]+)`\)")
_PREFIX_RULE = re.compile(r"PathPrefix\(`([^`]+?)/?`\)")
_LISTS = {"middlewares", "entrypoints", "prefixes", "regex"}
_REDIRECTS = {"redirectscheme", "redirectregex"}


@dataclass(frozen=True)
class TableEdit(Edit):
    """What the lab has at some places; None removes what stands there."""

    steps: tuple[tuple[Place, Any], ...] = ()


@dataclass(frozen=True)
class Tables(Configuration):
    """`data` is what `after` is made of. labels: what theirs begin with, if they are labels."""

    data: Data = field(default_factory=dict)
    labels: str = ""

    def text(self, edits: Collection[Edit] = ()) -> str:
        """The file to run, with some of the lab's lines."""
        return _yaml(self._with(edits))

    def change(self, edits: Collection[Edit], prefix: Prefix) -> list[str]:
        """A diff from their file to the one with these edits, with their own words in it."""
        before, after = (
            self.worded(shown(data, labels=self.labels), prefix)
            for data in (self.data, self._with(edits))
        )
        return diff(before, after)

    def _with(self, edits: Collection[Edit]) -> Data:
        data = copy.deepcopy(self.data)
        removed: list[tuple[Place, Any]] = []
        for edit in edits:
            for place, value in edit.steps if isinstance(edit, TableEdit) else ():
                if callable(value):
                    _put(data, place, value(_at(data, place)))
                elif value is None:
                    removed.append((place, value))
                else:
                    _put(data, place, value)
        for place, _ in removed:
            _at(data, place[:-1]).pop(place[-1], None)
        return data


def understand(
    path: Path, text: str, words: Mapping[str, Any], lab: Mapping[Mode, str]
) -> Configuration:
    """The file, with what this machine and the lab need of it. `lab` are the lab's, by mode.

    Raises BadConfiguration or CannotRun.
    """
    data, labels = _read(path, text, words)
    before = copy.deepcopy(data)
    adapting = _Adapting(path.name, data, words)
    adapting.adapt()
    return Tables(
        source=Source(path, text),
        before=shown(before, labels=labels),
        after=shown(data, labels=labels),
        schemes=adapting.schemes,
        prefixes=adapting.prefixes,
        edits=partial(_edits, data, adapting, {m: tomllib.loads(t) for m, t in lab.items()}),
        notes=[*adapting.notes, *(["its TOML is shown as YAML"] if _is_toml(path, text) else [])],
        named={UPSTREAM: adapting.upstream, **adapting.host},
        data=data,
        labels=labels,
    )


def _read(path: Path, text: str, words: Mapping[str, Any]) -> tuple[Data, str]:
    """Its tables, with keys as they are written; and what its labels begin with, if it has some."""
    try:
        data = tomllib.loads(text) if _is_toml(path, text) else yaml.safe_load(text)
    except tomllib.TOMLDecodeError as error:
        message = f"{path.name} is not TOML: {error}"
        raise BadConfiguration(message) from error
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f"{path.name}:{mark.line + 1}" if mark else path.name
        message = f"{where}: {getattr(error, 'problem', None) or 'not YAML'}"
        raise BadConfiguration(message) from error
    if not isinstance(data, dict):
        message = f"{path.name} has no tables"
        raise BadConfiguration(message)
    if isinstance(data.get("services"), dict) and "http" not in data:
        return _of_labels(path, data["services"], words["labels"]), words["labels"]
    if not isinstance(data.get("http"), dict) or not data["http"].get("routers"):
        told = "it has no http.routers"
        if "entryPoints" in data or "providers" in data:
            told += ": this is the static configuration, and the routes are in another file"
        message = f"{path.name}: {told}"
        raise BadConfiguration(message)
    return {key: value for key, value in data.items() if key in {"http", "tls"}}, ""


def _is_toml(path: Path, text: str) -> bool:
    return path.suffix == ".toml" or bool(re.search(r"^\s*\[", text, re.MULTILINE))


def _of_labels(path: Path, services: Mapping[str, Any], word: str) -> Data:
    data: Data = {}
    for name, service in services.items():
        given = (service or {}).get("labels") or {}
        if isinstance(given, list):
            given = dict(str(each).partition("=")[::2] for each in given)
        for key, value in given.items():
            parts = str(key).split(".")
            if parts[0] != word or len(parts) < _FEWEST or parts[1] != "http":
                continue
            text = str(value).replace("$$", "$")
            split = re.split(r"\s*,\s*", text)
            _put(data, tuple(parts[1:]), split if parts[-1].lower() in _LISTS else text)
            if parts[2] == "routers":  # without a service of its name, it is the container's
                data["http"]["routers"][parts[3]].setdefault("service", None)
                data["http"]["routers"][parts[3]]["service"] = (
                    data["http"]["routers"][parts[3]]["service"] or f"@{name}"
                )
    if not data.get("http", {}).get("routers"):
        message = f"{path.name} has no labels of a router"
        raise BadConfiguration(message)
    known = data["http"].setdefault("services", {})
    for router in data["http"]["routers"].values():
        if router["service"].startswith("@"):
            own = router["service"][1:]
            router["service"] = next(iter(known)) if len(known) == 1 else own
            known.setdefault(router["service"], {})
    return data


_FEWEST = 5


class _Adapting:
    """Changes the tables in place, and keeps what is found on the way."""

    def __init__(self, name: str, data: Data, words: Mapping[str, Any]) -> None:
        self._name = name
        self.data = data
        self.words = words
        self.notes: list[str] = []
        self.upstream = ""
        http = data["http"]
        self.routers: Data = http["routers"]
        self.middlewares: Data = http.get("middlewares") or {}
        if not self.middlewares:  # an empty table is an error
            http.pop("middlewares", None)
        self.services: Data = http.setdefault("services", {}) or {}

    def adapt(self) -> None:
        self._without_others()
        serving = {n: r for n, r in self.routers.items() if not self._redirects(r)}
        self.serving = serving
        targets = {_bare(str(router.get("service", ""))) for router in serving.values()}
        if len(targets) != 1:
            told = ", ".join(f"{n} (to {r.get('service')})" for n, r in serving.items())
            message = f"its routers are of several services: {told or 'none'}. Leave one of them"
            raise BadConfiguration(message)
        self.service = targets.pop()
        schemes = set()
        for router in self.routers.values():
            scheme = _scheme(router)
            key = next((key for key in router if key.lower() == "entrypoints"), "entryPoints")
            router[key] = [scheme.value]
            if scheme is Scheme.HTTPS:
                router["tls"] = {}
            if router in serving.values():
                schemes.add(scheme)
        self.schemes = [scheme for scheme in Scheme if scheme in schemes]
        if Scheme.HTTPS not in schemes:
            self.notes.append("it has no https: asked over http alone")
        elif Scheme.HTTP not in schemes:
            self.notes.append("it passes nothing on over http: asked over https alone")
        rules = [str(router.get("rule", "")) for router in serving.values()]
        found = [path.rstrip("/") or "/" for rule in rules for path in _PATH.findall(rule) or "/"]
        self.prefixes = list(dict.fromkeys(found))
        hosts = {host for rule in rules for host in _HOST.findall(rule)}
        self.host = {f"Host(`{PUBLIC_NAME}`)": f"Host({hosts.pop()})"} if len(hosts) == 1 else {}
        for router in self.routers.values():
            router["rule"] = _HOST.sub(f"Host(`{PUBLIC_NAME}`)", str(router.get("rule", "")))
        self._upstream()
        stores = {"default": {"defaultCertificate": {"certFile": CERTIFICATE, "keyFile": KEY}}}
        self.data["tls"] = {"stores": stores}

    def _without_others(self) -> None:
        for name in [n for n, r in self.routers.items() if "@internal" in str(r.get("service"))]:
            del self.routers[name]
            self.notes.append(f"the router {name} is left out: it is the proxy's own page")
        for router in self.routers.values():
            names = [_bare(name) for name in router.get("middlewares") or []]
            for name in names:
                if name not in self.middlewares:
                    message = f"the middleware {name} is not in {self._name}: put it there"
                    raise CannotRun(message)
            if names:
                router["middlewares"] = names
            if "service" in router:
                router["service"] = _bare(str(router["service"]))

    def _redirects(self, router: Mapping[str, Any]) -> bool:
        kinds = [self.middlewares[name] for name in router.get("middlewares") or []]
        return any(key.lower() in _REDIRECTS for kind in kinds for key in kind)

    def _upstream(self) -> None:
        service = self.services.get(self.service)
        if service is None:
            message = f"the service {self.service} is not in {self._name}: put it there"
            raise CannotRun(message)
        key = next((key for key in service if key.lower() == "loadbalancer"), "loadBalancer")
        if set(service) - {key}:
            message = f"the service {self.service} is no loadBalancer: {', '.join(service)}"
            raise CannotRun(message)
        balancer = service.setdefault(key, {})
        servers = balancer.get("servers") or []
        url = str(servers[0].get("url", "")) if servers else ""
        self.upstream = url.partition("://")[2] or self.service
        balancer.pop("server", None)
        balancer["servers"] = [{"url": f"http://{UPSTREAM}"}]
        self.balancer: Place = ("http", "services", self.service, key)


def _bare(name: str) -> str:
    return name.partition("@")[0]


def _scheme(router: Mapping[str, Any]) -> Scheme:
    points: Any = next((v for k, v in router.items() if k.lower() == "entrypoints"), [])
    points = [points] if isinstance(points, str) else points
    secure = "tls" in router or any(_SECURE.search(str(each)) for each in points)
    return Scheme.HTTPS if secure else Scheme.HTTP


def _edits(
    data: Data, adapting: _Adapting, labs: Mapping[Mode, Data], mode: Mode, prefix: Prefix
) -> Sequence[Edit]:
    """Every line of the lab's file that theirs has otherwise or not at all, and the other way."""
    lab = labs[mode]["http"]
    lab_router = next(iter(lab["routers"].values()))
    lab_middlewares = lab.get("middlewares", {})
    return list(_made(data, adapting, lab_router, lab_middlewares, prefix))


def _made(
    data: Data, adapting: _Adapting, router: Data, middlewares: Data, prefix: Prefix
) -> Iterator[Edit]:
    serving = adapting.serving
    rules = []
    for name, each in serving.items():
        rule, right = str(each["rule"]), str(router["rule"])
        found = [m for m in _PREFIX_RULE.finditer(rule) if m[1].rstrip("/") == prefix.decoded]
        new = rule.replace(found[0][0], right) if found else f"({rule}) && {right}"
        rules.append((("http", "routers", name, "rule"), new))
    yield TableEdit("rule", (), tuple(rules))
    names = list(router["middlewares"])
    for place, middleware in enumerate(names):
        kind = next(iter(middlewares.get(middleware, {})), "")
        theirs = [
            n for n in _used(serving) if kind and kind != "headers" and _has(adapting, n, kind)
        ]
        if theirs:
            own: Place = ("http", "middlewares", theirs[0])
            yield TableEdit(kind, (), ((own, middlewares[middleware]),))
            continue
        steps: list[tuple[Place, Any]] = [
            (("http", "routers", name, "middlewares"), partial(_added, middleware, first=not place))
            for name in serving
        ]
        if middleware in middlewares:
            steps.append((("http", "middlewares", middleware), middlewares[middleware]))
        yield TableEdit(f"middleware {middleware}", (), tuple(steps))
    kinds = {kind for each in middlewares.values() for kind in each}
    for name in _used(serving):
        if not any(_has(adapting, name, kind) for kind in kinds - {"headers"}):
            steps = [
                (("http", "routers", router_name, "middlewares"), partial(_removed, name))
                for router_name in serving
            ]
            yield TableEdit(f"without middleware {name}", (), tuple(steps))
    for name, each in serving.items():
        if "priority" in each:
            priority: Place = ("http", "routers", name, "priority")
            yield TableEdit("without priority", (), ((priority, None),))
    balancer = _at(data, adapting.balancer)
    for key in balancer:
        if key != "servers":
            yield TableEdit(f"without {key}", (), (((*adapting.balancer, key), None),))


def _added(name: str, names: list[str] | None, *, first: bool) -> list[str]:
    rest = [each for each in names or [] if each != name]
    return [name, *rest] if first else [*rest, name]


def _removed(name: str, names: list[str] | None) -> list[str]:
    return [each for each in names or [] if each != name]


def _used(serving: Mapping[str, Any]) -> list[str]:
    return list(dict.fromkeys(n for r in serving.values() for n in r.get("middlewares") or []))


def _has(adapting: _Adapting, name: str, kind: str) -> bool:
    return any(key.lower() == kind.lower() for key in adapting.middlewares[name])


def _at(data: Any, place: Place) -> Any:
    for key in place:
        data = data.get(key) if isinstance(data, dict) else None
    return data


def _put(data: Data, place: Place, value: Any) -> None:
    for key in place[:-1]:
        if not isinstance(data.get(key), dict):
            data[key] = {}
        data = data[key]
    data[place[-1]] = value


def _yaml(data: Data) -> str:
    return yaml.safe_dump(data, sort_keys=False, allow_unicode=True, width=1000)


def shown(data: Data, *, labels: str) -> str:
    """As the person wrote it: YAML (TOML as well), or labels."""
    if not labels:
        return _yaml(data)
    return "\n".join(f"{labels}.{line}" for line in _flat(data))


def _flat(data: Any, at: str = "") -> Iterator[str]:
    if isinstance(data, dict):
        if not data:
            yield f"{at}=true"
        for key, value in data.items():
            yield from _flat(value, f"{at}.{key}".strip("."))
    elif isinstance(data, list) and data and isinstance(data[0], dict):
        for number, value in enumerate(data):
            yield from _flat(value, f"{at}[{number}]")
    else:
        text = ",".join(map(str, data)) if isinstance(data, list) else str(data)
        yield f"{at}={text}"
