"""Break the lab's own code, one expression at a time, and print what its unit tests do not notice.

`mutated` makes the copy with all mutations, `forks` tries each with the tests that reach it, and
`report` says what was not noticed, without what is `equivalent`.
"""

NOTICED, SURVIVED, UNREACHED, ENDLESS = "noticed", "not noticed", "not reached", "time-out"
"""What came of a mutation. A test that never ends has noticed it as well."""

ASKED, REACHED, TOLD = "asked.json", "reached.json", "told.jsonl"
"""The files of a run: names of mutations, which tests reach a function, and what came of each."""
