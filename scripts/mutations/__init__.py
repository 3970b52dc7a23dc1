"""Break the lab's own code, one expression at a time, and print what its unit tests do not notice.

`mutated` makes the copy with all mutations, `forks` tries each with the tests that reach it, and
`report` says what was not noticed, without what is `equivalent`.
"""
