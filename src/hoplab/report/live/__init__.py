"""The live page: its files, and the way of a request as it draws it."""
