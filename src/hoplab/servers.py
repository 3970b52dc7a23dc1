"""The ASGI servers: one entry each. A new server is a new entry here and nothing anywhere else."""

from collections.abc import Callable, Mapping
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

    `command(recipe, bind, proxies)` takes `bind` as `host:port` and `proxies` as the addresses and
    networks, separated by commas, that the proxy comes from.
    """

    name: str
    command: Callable[[Recipe, str, str], list[str]]
    recipes: Mapping[Mode, Recipe]


def _uvicorn(recipe: Recipe, bind: str, proxies: str) -> list[str]:
    host, port = bind.rsplit(":", 1)
    command = ["uvicorn", f"{_MODULES[recipe.strategy]}:app", "--host", host, "--port", port]
    if recipe.trust is Trust.NONE:
        command += ["--no-proxy-headers"]  # without it, Uvicorn believes 127.0.0.1 and ::1
    else:
        command += ["--forwarded-allow-ips", "*" if recipe.trust is Trust.ANY else proxies]
    return command + _root_path(recipe)


def _hypercorn(recipe: Recipe, bind: str, _proxies: str) -> list[str]:
    # Hypercorn has no option for it: ProxyFixMiddleware around the application, or nothing.
    name = "app" if recipe.trust is Trust.NONE else "proxied"
    module = _MODULES[recipe.strategy]
    # --workers 0: in this process, as a container wants it; 1 would start another interpreter.
    command = ["hypercorn", f"{module}:{name}", "--bind", bind]
    command += ["--workers", "0", "--access-logfile", "-"]
    return command + _root_path(recipe)


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
            _uvicorn,
            {Mode.STRIP: _SERVER_OPTION, Mode.PRESERVE: _FORWARDED_PREFIX},
        ),
        # Hypercorn's --root-path only tells the application: right where the path still has the
        # prefix; else redirects lose it and mounts are 404. FastAPI's guide calls both options
        # the same; fastapi#14238 would mend it.
        Server(
            "hypercorn",
            _hypercorn,
            {Mode.STRIP: _FORWARDED_PREFIX, Mode.PRESERVE: _SERVER_OPTION},
        ),
    )
}
