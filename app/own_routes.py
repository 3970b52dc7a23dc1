"""What an application can be asked: read from its route table, where it has one."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

_MOST = 2000
"""Routes. Who has ten thousand is asked a part of them anyway."""

_LAYERS = 20

_places: list[Path] = []


def remember_directory() -> None:
    """Call before the application is imported, which may go elsewhere: where the person called."""
    _places[:] = [Path.cwd()]


def _here() -> Path:
    return _places[0] if _places else Path.cwd()


def discovered(app: Any) -> dict[str, Any]:
    """Routes (path, methods, kind, where), and what the application says of its docs.

    `table`: whether there is a route table at all. `parameters`: how many routes need values that
    nobody here knows.
    """
    router = _router(app)
    found = list(_routes(router, "")) if router else []
    return {
        "table": router is not None,
        "routes": [route for route in found if "{" not in route["path"]][:_MOST],
        "parameters": sum("{" in route["path"] for route in found),
        "docs": [url for name in ("docs_url", "redoc_url") if (url := _text(router, name))],
        "openapi": _text(router, "openapi_url"),
    }


def _router(app: Any) -> Any:
    """What has `routes`: the application, or one that middleware stands around."""
    for _ in range(_LAYERS):
        if app is None or isinstance(getattr(app, "routes", None), list):
            break
        app = getattr(app, "app", None)
    return app if isinstance(getattr(app, "routes", None), list) else None


def _routes(router: Any, prefix: str) -> Iterator[dict[str, Any]]:
    for route in router.routes:
        path = getattr(route, "path", None)
        if not isinstance(path, str):
            continue
        mounted = getattr(route, "app", None)
        endpoint = _endpoint(route)
        if endpoint is None and mounted is not None:
            yield from _mounted(mounted, prefix + path)
        elif endpoint is not None:
            methods = getattr(route, "methods", None)
            socket = methods is None and "websocket" in type(route).__name__.lower()
            yield {
                "path": prefix + path,
                "kind": "websocket" if socket else "http",
                "methods": sorted(methods or ["GET"]),
                "where": _where(endpoint),
            }


def _endpoint(route: Any) -> Any:
    """Starlette's and FastAPI's `endpoint`; of Litestar's handlers, the first one's function."""
    handlers = getattr(route, "route_handlers", None) or [getattr(route, "route_handler", None)]
    return getattr(route, "endpoint", None) or getattr(handlers[0], "fn", None)


def _mounted(app: Any, path: str) -> Iterator[dict[str, Any]]:
    if (router := _router(app)) is not None:
        yield from _routes(router, path)
    elif file := _static_file(app):
        where = f"static files of {short(str(file[0]))}"
        yield {"path": f"{path}/{file[1]}", "kind": "http", "methods": ["GET"], "where": where}
    else:
        where = f"mounted {type(app).__name__}"
        yield {"path": f"{path}/", "kind": "http", "methods": ["GET"], "where": where}


def _static_file(app: Any) -> tuple[Path, str] | None:
    """A folder of static files, and one that lies in it."""
    for folder in getattr(app, "all_directories", None) or ():
        for root, _, names in os.walk(folder):
            for name in sorted(names):
                path = (Path(root) / name).relative_to(folder).as_posix()
                if path.isascii() and not set(path) & set(" %?#"):
                    return Path(folder), path
    return None


def _where(endpoint: Callable[..., Any]) -> str:
    """The function's name and line, below the working directory; only the name of another's.

    A virtual environment may lie there: what is installed in it is another's.
    """
    name = getattr(endpoint, "__name__", type(endpoint).__name__)
    while hasattr(endpoint, "__wrapped__"):
        endpoint = endpoint.__wrapped__
    code = getattr(endpoint, "__code__", None)
    if code is None or not Path(code.co_filename).is_relative_to(_here()):
        return name
    if is_installed(code.co_filename):
        return name
    return f"{name}, {short(code.co_filename)}:{code.co_firstlineno}"


def is_installed(file: str) -> bool:
    """Whether it came with a package."""
    return bool({"site-packages", "dist-packages"} & set(Path(file).parts))


def short(file: str) -> str:
    """A file's path, from the working directory if it lies below that."""
    path = Path(file)
    return str(path.relative_to(_here()) if path.is_relative_to(_here()) else path)


def _text(app: Any, name: str) -> str:
    value = getattr(app, name, None)
    return value if isinstance(value, str) else ""
