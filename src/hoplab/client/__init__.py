"""The client: exchanges over the wire, recorded; and the stranger that uses it."""
