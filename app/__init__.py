"""The application under test, in the variants that the lab compares."""
