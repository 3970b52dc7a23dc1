"""Applications that the doctor has never seen: other routes, other docs, other frameworks."""
