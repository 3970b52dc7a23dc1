"""The fixes that texts prescribe, tried."""
