"""The live lab: topologies that are up, changed in place, asked again, and shown on a page."""
