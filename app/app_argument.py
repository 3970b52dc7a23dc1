"""Strategy `app-argument`: the prefix is an argument of FastAPI (deprecated since 0.146)."""

import warnings

from fastapi.exceptions import FastAPIDeprecationWarning

from app.shared import PREFIX_DECODED, create_app

with warnings.catch_warnings():
    warnings.simplefilter("ignore", FastAPIDeprecationWarning)  # it is shown on purpose
    app = create_app(root_path=PREFIX_DECODED)
