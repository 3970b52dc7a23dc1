"""The ASGI servers: one entry each. A new server is a new entry here and nothing anywhere else."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from hoplab.topology import PREFIX, Mode, Recipe, Strategy, Trust

_MODULES = {
    Strategy.NONE: "app.plain",
    Strategy.SERVER_OPTION: "app.plain",
    Strategy.APP_ARGUMENT: "app.app_argument",
    Strategy.MOUNT: "app.mount",
    Strategy.ROUTER: "app.router",
    Strategy.FORWARDED_PREFIX: "app.forwarded_prefix",
}


@dataclass(frozen=True)
class Server:
    """An ASGI server: the command line that makes a recipe real, and the recipe for each mode.

    `command(recipe, bind, proxies)` needs the variables `environment(trust, proxies)`; `bind` is
    `host:port`, `proxies` are the addresses and networks, separated by commas, that the proxy comes
    from. `package`, of version `minimum` or later, has its console script. in_compose: whether
    compose.yaml has its topologies. The options `log_requests` and `log_no_requests` make it log
    every request, or none, where that is not what it does anyway.
    """

    name: str
    package: str
    minimum: str
    command: Callable[[Recipe, str, str], list[str]]
    environment: Callable[[Trust, str], dict[str, str]]
    recipes: Mapping[Mode, Recipe]
    in_compose: bool = True
    log_requests: Sequence[str] = ()
    log_no_requests: Sequence[str] = ()


def without_settings(environment: Mapping[str, str]) -> dict[str, str]:
    """Without what servers read there: a deployment is what its command line says."""
    read = ("FORWARDED_ALLOW_IPS", "UVICORN_", "WEB_CONCURRENCY")
    return {name: value for name, value in environment.items() if not name.startswith(read)}


def believed(trust: Trust, proxies: str) -> str:
    """Whose forwarded headers count: the value of FORWARDED_ALLOW_IPS and of Uvicorn's option."""
    return {Trust.NONE: "", Trust.PROXY: proxies, Trust.ANY: "*"}[trust]


def _uvicorn(recipe: Recipe, bind: str, proxies: str) -> list[str]:
    host, port = bind.rsplit(":", 1)
    command = ["uvicorn", f"{_MODULES[recipe.strategy]}:app", "--host", host, "--port", port]
    return command + _forwarded(recipe, proxies) + _root_path(recipe)


def _fastapi(recipe: Recipe, bind: str, proxies: str) -> list[str]:
    host, port = bind.rsplit(":", 1)
    # It runs a FastAPI object alone: our middleware has to be inside, where Uvicorn's is outside.
    inside = recipe.strategy is Strategy.FORWARDED_PREFIX
    name = f"{_MODULES[recipe.strategy]}:{'with_middleware' if inside else 'app'}"
    command = ["fastapi", "run", "--entrypoint", name, "--host", host, "--port", port]
    return command + _forwarded(recipe, proxies) + _root_path(recipe)


def _forwarded(recipe: Recipe, proxies: str) -> list[str]:
    if recipe.trust is Trust.NONE:
        return ["--no-proxy-headers"]  # without it, Uvicorn believes 127.0.0.1 and ::1
    return ["--forwarded-allow-ips", believed(recipe.trust, proxies)]


def _hypercorn(recipe: Recipe, bind: str, _proxies: str) -> list[str]:
    # Hypercorn has no option for it: the application is wrapped, or not. Its ProxyFixMiddleware
    # asks nobody who the peer is; app/proxy_fix.py does, by FORWARDED_ALLOW_IPS.
    module = _MODULES[recipe.strategy]
    if recipe.trust is not Trust.NONE:
        module = module.replace("app.", "app.proxied.")
    # --workers 0: in this process, as a container wants it; 1 would start another interpreter.
    command = ["hypercorn", f"{module}:app", "--bind", bind]
    command += ["--workers", "0"]
    return command + _root_path(recipe)


def _allow_ips(trust: Trust, proxies: str) -> dict[str, str]:
    return {"FORWARDED_ALLOW_IPS": believed(trust, proxies)}


def _nothing(_trust: Trust, _proxies: str) -> dict[str, str]:
    return {}


def _root_path(recipe: Recipe) -> list[str]:
    return ["--root-path", PREFIX] if recipe.strategy is Strategy.SERVER_OPTION else []


_SERVER_OPTION = Recipe(Strategy.SERVER_OPTION, Trust.PROXY)
_FORWARDED_PREFIX = Recipe(Strategy.FORWARDED_PREFIX, Trust.PROXY)

SERVERS: Mapping[str, Server] = {
    server.name: server
    for server in (
        # Uvicorn's --root-path is put before the path: right where the proxy took it away, and
        # 404 everywhere where it did not (uvicorn#2213).
        Server(
            "uvicorn",
            "uvicorn",
            "0.31.1",  # networks in --forwarded-allow-ips
            _uvicorn,
            _nothing,
            {Mode.STRIP: _SERVER_OPTION, Mode.PRESERVE: _FORWARDED_PREFIX},
            log_no_requests=("--no-access-log",),
        ),
        # Hypercorn's --root-path only tells the application: right where the path still has the
        # prefix; else redirects lose it and mounts are 404. FastAPI's guide calls both options
        # the same; fastapi#14238 would mend it.
        Server(
            "hypercorn",
            "hypercorn",
            "0.17.0",  # ProxyFixMiddleware and X-Forwarded-Host (hypercorn#237)
            _hypercorn,
            _allow_ips,
            {Mode.STRIP: _FORWARDED_PREFIX, Mode.PRESERVE: _SERVER_OPTION},
            log_requests=("--access-logfile", "-"),
        ),
        # Uvicorn, as FastAPI's guide starts it.
        Server(
            "fastapi",
            "fastapi-cli",
            "0.0.20",  # --entrypoint, --forwarded-allow-ips
            _fastapi,
            _nothing,
            {Mode.STRIP: _SERVER_OPTION, Mode.PRESERVE: _FORWARDED_PREFIX},
            in_compose=False,
        ),
    )
}
