"""A main application with a CORS policy, and /metrics with another: ways to write it.

Each module is one of them, as short as people write it, and runs by its import string:
`uvicorn app.cors.both:app`. What is the same in all stands in parts.py and metrics.py. Behind a
proxy, the recipes' modules (docs/recipes.md) serve one in the place of the usual application:
`APPLICATION=app.cors.both uvicorn app.plain:app --root-path /api/v1`.
"""
