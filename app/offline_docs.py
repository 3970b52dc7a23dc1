"""Docs pages without a CDN: their scripts and styles come from the application itself.

For a room with bad Wi-Fi: DOCS_OFFLINE=1. See FastAPI's guide, "Custom Docs UI Static Assets".
"""

import os

from fastapi import FastAPI, Request
from fastapi.openapi.docs import get_redoc_html, get_swagger_ui_html
from fastapi.responses import HTMLResponse, Response
from fastapi.staticfiles import StaticFiles
from starlette.routing import Route


def wanted() -> bool:
    """Whether the environment says so; without, the docs are FastAPI's own."""
    return os.environ.get("DOCS_OFFLINE", "").lower() not in {"", "0", "no", "false", "off"}


def serve_offline(app: FastAPI) -> None:
    """Replace the pages at `docs_url` and `redoc_url`, and serve their files below `docs_url`.

    Nothing happens without a `docs_url`.
    """
    files = StaticFiles(packages=[("fastapi_offline", "static")])
    files_url = f"{app.docs_url}/files"

    async def swagger_ui_html(request: Request) -> HTMLResponse:
        root_path = request.scope.get("root_path", "").rstrip("/")
        redirect_url = app.swagger_ui_oauth2_redirect_url
        return get_swagger_ui_html(
            openapi_url=f"{root_path}{app.openapi_url}",
            title=f"{app.title} - Swagger UI",
            oauth2_redirect_url=redirect_url and root_path + redirect_url,
            init_oauth=app.swagger_ui_init_oauth,
            swagger_ui_parameters=app.swagger_ui_parameters,
            swagger_js_url=f"{root_path}{files_url}/swagger-ui-bundle.js",
            swagger_css_url=f"{root_path}{files_url}/swagger-ui.css",
            swagger_favicon_url=f"{root_path}{files_url}/favicon.png",
        )

    async def redoc_html(request: Request) -> HTMLResponse:
        root_path = request.scope.get("root_path", "").rstrip("/")
        page = get_redoc_html(
            openapi_url=f"{root_path}{app.openapi_url}",
            title=f"{app.title} - ReDoc",
            redoc_js_url=f"{root_path}{files_url}/redoc.standalone.js",
            redoc_favicon_url=f"{root_path}{files_url}/favicon.png",
            with_google_fonts=False,
        )
        # ReDoc takes its maker's logo from a CDN, and has no option against that.
        page.headers["Content-Security-Policy"] = "img-src 'self' data:"
        return page

    # Not a mount: it would not be found wherever root_path is told, and the path lacks it.
    async def docs_file(request: Request) -> Response:
        return await files.get_response(request.path_params["name"], request.scope)

    if not app.docs_url:
        return
    ours = [
        Route(app.docs_url, swagger_ui_html),
        *([Route(app.redoc_url, redoc_html)] if app.redoc_url else []),
        Route(f"{files_url}/{{name}}", docs_file),
    ]
    replaced = {route.path for route in ours}
    others = [route for route in app.routes if getattr(route, "path", None) not in replaced]
    app.router.routes[:] = [*ours, *others]
