"""The same applications as Granian needs them behind a proxy: it has no option for it either."""
