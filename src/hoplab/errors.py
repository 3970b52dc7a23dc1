"""The lab's own errors: never a finding about a topology."""


class HoplabError(Exception):
    """What a person has to know, in one message with the next step; shown without traceback."""


class HarnessError(HoplabError):
    """While asking: a question could not be put, or another instance answered."""


class NoAnswer(HarnessError):
    """No HTTP response came: refused, cut off, or too late."""


class TimedOut(NoAnswer):
    """None came in the time that there was."""


class EndedUnanswered(NoAnswer):
    """The other side took the connection, and ended it without an HTTP response."""


class BadPrefix(HoplabError):
    """Something that was chosen can't have the prefix that was given."""
