"""Strategy `router`: every route carries the prefix, and so do the URLs of the docs."""

from app.shared import PREFIX_DECODED, create_app

app = create_app(
    prefix=PREFIX_DECODED,
    openapi_url=f"{PREFIX_DECODED}/openapi.json",
    docs_url=f"{PREFIX_DECODED}/docs",
    redoc_url=f"{PREFIX_DECODED}/redoc",
    swagger_ui_oauth2_redirect_url=f"{PREFIX_DECODED}/docs/oauth2-redirect",
)
