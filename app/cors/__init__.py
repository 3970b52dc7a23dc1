"""A main application with a CORS policy, and /metrics with another: ways to write it.

Each module is one of them, as short as people write it, and runs by its import string:
`uvicorn app.cors.both:app`. What is the same in all stands in parts.py and metrics.py. The modules
fixed_prefix, prefix_header and proxied have the same applications, wrapped as each server's recipe
behind a proxy needs it (docs/recipes.md).
"""
