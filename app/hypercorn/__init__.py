"""The applications as Hypercorn needs them behind a proxy: wrapped, since it has no option."""
