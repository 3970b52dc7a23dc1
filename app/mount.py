"""Strategy `mount`: the application is mounted under the prefix in an empty outer one."""

from app.shared import PREFIX_DECODED, Application, create_app

app = Application(docs_url=None, redoc_url=None, openapi_url=None)
app.mount(PREFIX_DECODED, create_app())
