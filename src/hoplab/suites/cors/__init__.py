"""CORS on a mounted application: who gets in where."""
