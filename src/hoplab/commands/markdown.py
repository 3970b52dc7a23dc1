"""The generated pages of docs/: recipes, the matrix as predicted, symptoms, variations."""

from collections.abc import Callable, Iterable, Mapping, Sequence

from hoplab import forwarded
from hoplab.catalogue.proxies import Behaviour, Proxy
from hoplab.catalogue.variations import Symptoms, Variation
from hoplab.predictions import Rule
from hoplab.recipe import Recipe
from hoplab.suites.suite import Suite
from hoplab.symptom import Advice, Symptom
from hoplab.topology import Cell, Mode, Scheme, Strategy, Topology, Trust

Predict = Callable[[Cell], Symptoms]

_GENERATED = "<!-- Generated: `make docs`. A test compares it with its source. -->\n"


def recipe_rows(recipes: Iterable[Recipe], to_root: str) -> str:
    """A table: what to start, and what of ours it needs. `to_root` begins the links."""
    lines = ["| proxy, mode | server | start it with | application |", "|---|---|---|---|"]
    for recipe in recipes:
        topology = recipe.deployment.topology
        files = [f"[{file.name}]({to_root}{file})" for file in recipe.application]
        proxies = " ".join(f"[{file.name}]({to_root}{file})" for file in recipe.proxy)
        lines.append(
            f"| {topology.proxy}, {topology.mode}: {proxies} | {topology.server} "
            f"| `{recipe.server}` | {', '.join(files)} |"
        )
    return "\n".join(lines)


def readme_rows(recipes: Iterable[Recipe]) -> str:
    """The same for the README, which leaves the proxies to their folders: both need the same."""
    lines = ["| mode | server | start it with | application |", "|---|---|---|---|"]
    for recipe in recipes:
        topology = recipe.deployment.topology
        files = [f"[{file.name}]({file})" for file in recipe.application]
        line = f"| {topology.mode} | {topology.server} | `{recipe.server}` | {', '.join(files)} |"
        if line not in lines:
            lines.append(line)
    return "\n".join(lines)


def recipes_page(recipes: Iterable[Recipe]) -> str:
    """docs/recipes.md."""
    return f"""# Recipes
{_GENERATED}
For every proxy, server and mode, what passes the whole contract over http and https. `hoplab
recipe` prints one of them whole, after asking it everything once more. `PROXY` is the address or
network that the proxy comes from: never `*` where strangers could reach the server. Names in
capitals in the proxies' files are set by the environment.

No proxy here says which Host it serves: clients choose the host in redirects. In production,
[name it](usage.md#limits). And http is served beside https, without a redirect.

{recipe_rows(recipes, "../")}
"""


def matrix_page(topologies: Sequence[Topology], rules: Sequence[Rule], predict: Predict) -> str:
    """docs/matrix.md: what must show where, and the rules from which that follows."""
    parts = [
        f"""# The matrix
{_GENERATED}
What every combination must show: a tick, or its first symptom over https. It follows from the rules
below (`src/hoplab/predictions/`); `hoplab matrix` asks the real ones, and any difference is a
*surprise*, with exit status 1. Where proxies differ, both symptoms stand there."""
    ]
    servers = list(dict.fromkeys(topology.server for topology in topologies))
    proxies = list(dict.fromkeys(topology.proxy for topology in topologies))
    for mode in Mode:
        lines = [
            f"## {mode}",
            "",
            "| strategy | trust | " + " | ".join(servers) + " |",
            "|---|---|" + "---|" * len(servers),
        ]
        for strategy in Strategy:
            for trust in Trust:
                shown = [
                    _first(
                        {_told(predict, proxy, server, mode, strategy, trust) for proxy in proxies}
                    )
                    for server in servers
                ]
                lines.append(f"| {strategy} | {trust} | " + " | ".join(shown) + " |")
        parts.append("\n".join(lines))
    told = [
        f"* **{rule.name}**: {rule.statement} " + " ".join(f"<{link}>" for link in rule.references)
        for rule in rules
    ]
    parts.append("## The rules\n\n" + "\n".join(told))
    return "\n\n".join(parts) + "\n"


def symptoms_page(
    symptoms: Iterable[Symptom], advice_on: Callable[[str], Mapping[str, Advice]]
) -> str:
    """docs/symptoms.md; `advice_on` gives that of each proxy and server on a symptom."""
    parts = [f"# Symptoms\n{_GENERATED}\n`hoplab explain SYMPTOM` prints one of them."]
    for symptom in symptoms:
        theirs = advice_on(symptom.name)
        links = [
            *symptom.references,
            *(link for each in theirs.values() for link in each.references),
        ]
        rows = "\n".join(
            f"* **{owner}:** {f'{each.cause} {each.fix}'.strip()}" for owner, each in theirs.items()
        )
        parts.append(
            f"## {symptom.name}\n\n{symptom.seen}\n\n**Why:** {symptom.cause}\n\n"
            f"**Fix:** {symptom.fix}\n\n{rows}\n\n"
            + " ".join(f"<{link}>" for link in dict.fromkeys(links))
        )
    return "\n\n".join(parts) + "\n"


def proxies_page(proxies: Mapping[str, Proxy]) -> str:
    """docs/proxies.md."""
    names = list(proxies)
    headers = [
        f"| {header} | {told.claim} | {told.read_by} | "
        + " | ".join(_treatment(each.behaviour, header) for each in proxies.values())
        + " |"
        for header, told in forwarded.HEADERS.items()
    ]
    rows = [
        f"| {what} | " + " | ".join(told(each.behaviour) for each in proxies.values()) + " |"
        for what, told in _BEHAVIOURS.items()
    ]
    parts = [
        f"""# Proxies
{_GENERATED}
What the configuration in each proxy's folder does to a request: the `[behaviour]` of its
proxy.toml, from which the predictions follow. How each symptom comes about and is fixed in each of
them is in [symptoms.md](symptoms.md).""",
        _grid(["", *names], rows),
        """## Forwarded headers

Headers in which a proxy tells who the client is and what it asked for: what each claims, who reads
it, and what becomes of a client's own. An application that believes one of them believes anyone who
writes it, so the proxy in front sets or drops each of them. The check `spoof` asks for all. Some
readers write `-` and `_` alike (WSGI, CGI): `X_Real_IP` is one of them too.

No such list is complete. If your application reads a login or an address from another header, let
the proxy set or drop that one as well.""",
        _grid(["header", "claims", "read by", *names], headers),
    ]
    for name, proxy in proxies.items():
        told = [f"* {quirk}" for quirk in proxy.quirks]
        told += [f"* It refuses a prefix: {reason}" for reason in proxy.refuses.values()]
        if told:
            parts.append(f"## {name}\n\n" + "\n".join(told))
    return "\n\n".join(parts) + "\n"


def _grid(columns: Sequence[str], rows: Sequence[str]) -> str:
    return "\n".join([f"| {' | '.join(columns)} |", "|---" * len(columns) + "|", *rows])


_BEHAVIOURS: Mapping[str, Callable[[Behaviour], str]] = {
    "Host": lambda behaviour: behaviour.host,
    "Upgrade passed on": lambda behaviour: behaviour.upgrades,
    "path passed on": lambda behaviour: behaviour.path,
    "what ends the prefix": lambda behaviour: behaviour.boundary,
    "largest body": lambda behaviour: (
        f"{behaviour.body_limit // 2**20} MiB" if behaviour.body_limit else "no limit"
    ),
    "answers": lambda behaviour: "collected" if behaviour.buffers else "as they come",
}


def _treatment(behaviour: Behaviour, header: str) -> str:
    told = {mode: behaviour.treats(header, mode) for mode in Mode}
    if len(set(told.values())) == 1:
        return told[Mode.STRIP]
    return ", ".join(f"{mode}: {treatment}" for mode, treatment in told.items())


def variations_page(
    suite: Suite,
    variations: Mapping[str, Variation],
    changes: Mapping[str, Sequence[str]],
    predict: Predict,
) -> str:
    """docs/SUITE-variations.md."""
    head = f"""# Variations of the suite {suite.name}
{_GENERATED}
Configurations that people really write. `hoplab {suite.command} --variation NAME` measures one, in
cells of its own; `hoplab explain NAME` prints one, `hoplab explain CELL` follows a request."""
    parts = [head]
    for name, variation in variations.items():
        if variation.suite != suite.name:
            continue
        lines = "\n".join(changes[name])
        diff = f"\n\n```diff\n{lines}\n```" if lines else ""
        shown = "\n".join(
            f"| `{cell.id}` | {', '.join(dict.fromkeys(predict(cell).values())) or 'pass'} |"
            for cell in variation.symptoms
        )
        links = " ".join(f"<{link}>" for link in variation.references)
        parts.append(
            f"## {name}\n\n{variation.about}{diff}\n\n| cell | must show |\n|---|---|\n{shown}\n\n"
            f"**Fix:** {variation.fix}\n\n{links}"
        )
    return "\n\n".join(parts) + "\n"


def _told(
    predict: Predict, proxy: str, server: str, mode: Mode, strategy: Strategy, trust: Trust
) -> str:
    cell = Cell(Topology(proxy, server, mode), strategy, trust, Scheme.HTTPS)
    return next(iter(predict(cell).values()), "✓")


def _first(told: set[str]) -> str:
    return " / ".join(sorted(told))
