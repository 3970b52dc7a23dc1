"""Strategy `router`: every route carries the prefix, and so do the URLs of the docs."""

from app.shared import PREFIX, create_app

app = create_app(
    prefix=PREFIX,
    openapi_url=f"{PREFIX}/openapi.json",
    docs_url=f"{PREFIX}/docs",
    redoc_url=f"{PREFIX}/redoc",
    swagger_ui_oauth2_redirect_url=f"{PREFIX}/docs/oauth2-redirect",
)
