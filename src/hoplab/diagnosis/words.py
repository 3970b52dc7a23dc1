"""The doctor's words as types: questions, answers, faults, diagnosis. No input or output.

An *answer* is a symbol that does not depend on the application: `redirect-path: without-prefix`. A
*world* is one way in which a deployment may be made (see `worlds.py`), and predicts symbols. A
*fault* is one way in which a world departs from a right one.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, TypeAlias

from hoplab.client.wire import Exchange


class Question(StrEnum):
    """What is asked, and what its symbols are about. Those of SCOPE need the second eye."""

    LOOP = "loop"  # whether everything is redirected to itself over https
    ROUTE = "route"  # what answers below the prefix
    DOUBLED = "doubled"  # what answers where the prefix stands twice
    UNPREFIXED = "unprefixed"  # what answers without the prefix
    DOCS_LINK = "docs-link"  # where the docs page looks for its OpenAPI document
    SERVERS = "servers"  # where the OpenAPI document says that its operations are
    PATHS = "paths"  # whether the document's own paths begin with the prefix
    REDIRECT_PATH = "redirect-path"  # of the redirect to or from a slash at the end
    REDIRECT_SCHEME = "redirect-scheme"
    REDIRECT_HOST = "redirect-host"  # name and port
    LINK_SCHEME = "link-scheme"  # of what pages load from their own host
    UPGRADE = "upgrade"  # whether a WebSocket's handshake arrives as one
    TUNNEL = "tunnel"  # whether an upgrade to h2c is taken
    BOUNDARY = "boundary"  # what answers at a path that only begins with the letters of the prefix
    CORS = "cors"  # how often Access-Control-Allow-Origin comes
    SPOOFED_SCHEME = "spoofed-scheme"  # with --spoof alone: whether a client's word changes links
    SPOOFED_HOST = "spoofed-host"
    SPOOFED_PREFIX = "spoofed-prefix"
    SCOPE_PATH = "scope-path"  # the second eye: what the application got
    SCOPE_ROOT_PATH = "scope-root-path"
    SCOPE_SCHEME = "scope-scheme"
    SCOPE_HOST = "scope-host"
    SCOPE_CLIENT = "scope-client"
    SCOPE_PROTO_HEADER = "scope-proto-header"
    SCOPE_FOR_HEADER = "scope-for-header"


Symbol: TypeAlias = str
"""One of the symbols of a question, for example `without-prefix`."""

Symbols: TypeAlias = Mapping[Question, Symbol]


@dataclass(frozen=True)
class Answer:
    """What one question found: its symbol, and in plain words what was asked and what came.

    wrong: in plain words what is wrong with it for a person who uses the deployment; empty if
    nothing is, or if the symbol alone does not say so. exchanges: those that show it.
    """

    question: Question
    symbol: Symbol
    told: str
    wrong: str = ""
    exchanges: Sequence[Exchange] = ()


@dataclass(frozen=True)
class Unasked:
    """A question that could not be asked, or whose answer says nothing; and why."""

    question: Question
    why: str


@dataclass(frozen=True)
class Sheet:
    """All answers to one deployment, by question, and what could not be asked."""

    answers: Mapping[Question, Answer]
    unasked: Sequence[Unasked] = ()

    @property
    def symbols(self) -> dict[Question, Symbol]:
        """What the diagnosis compares."""
        return {question: answer.symbol for question, answer in self.answers.items()}

    @property
    def findings(self) -> list[Answer]:
        """The answers that are wrong for a person who uses the deployment."""
        return [answer for answer in self.answers.values() if answer.wrong]


class Fault(StrEnum):
    """One way in which a deployment departs from a right one. `faults.py` has the words for it."""

    # The prefix: what the proxy does with it, and how the application learns it.
    UNTOLD_STRIPPED = "prefix-stripped-and-not-told"
    UNTOLD_PRESERVED = "prefix-preserved-and-not-told"
    LABEL_STRIPPED = "root-path-is-a-label-but-prefix-stripped"
    PREPENDED_PRESERVED = "root-path-put-in-front-but-prefix-preserved"
    IN_ROUTES_STRIPPED = "routes-carry-the-prefix-but-it-is-stripped"
    MOUNTED_STRIPPED = "mounted-under-the-prefix-but-it-is-stripped"
    FIXED_STRIPPED = "prefix-added-where-it-is-missing"
    ROOT_PATH_SLASH = "root-path-ends-with-a-slash"
    ROOT_PATH_ONLY_SLASH = "root-path-is-a-slash"
    OTHER_ROOT_PATH = "root-path-is-another-prefix"
    # What the docs say, whatever the prefix is.
    DOCS_FIXED = "docs-link-is-fixed"
    SERVERS_FIXED = "servers-do-not-name-the-prefix"
    # What the proxy does to the path.
    PATH_FIXED = "proxy-asks-for-one-path"
    PATH_SLASHES = "proxy-doubles-a-slash"
    PREFIX_AGAIN = "proxy-adds-the-prefix-again"
    # The scheme.
    NOT_TRUSTED = "proxy-not-trusted"
    PROTO_NOT_SENT = "proto-header-not-sent"
    PROTO_OVERWRITTEN = "inner-proxy-overwrites-proto"
    PROTO_LISTED = "proto-header-is-a-list"
    # Host, redirects, upgrades, boundary.
    HOST_WITHOUT_PORT = "host-without-port"
    HOST_OTHER_PORT = "host-with-another-port"
    HOST_UPSTREAM = "host-of-the-upstream"
    LOCATION_REWRITTEN = "proxy-rewrites-location"
    NO_UPGRADE = "upgrade-not-passed-on"
    ANY_UPGRADE = "any-upgrade-passed-on"
    LETTERS = "prefix-compared-by-letters"
    OPEN_WITHOUT_PREFIX = "open-without-prefix"
    # Belief.
    SPOOFABLE_SCHEME = "client-chooses-scheme"
    SPOOFABLE_HOST = "client-chooses-host"
    SPOOFABLE_PREFIX = "client-chooses-prefix"
    # The application.
    UNREACHABLE = "application-unreachable"
    RAISES = "application-raises"
    NO_SUCH_ROUTE = "application-has-no-such-route"
    CORS_TWICE = "cors-header-twice"


class Area(StrEnum):
    """What a fault is about. Faults of one area exclude each other."""

    PREFIX = "prefix"
    DOCS = "docs"
    SERVERS = "servers"
    PATH = "path"
    SCHEME = "scheme"
    HOST = "host"
    LOCATION = "location"
    UPGRADE = "upgrade"
    BOUNDARY = "boundary"
    SPOOF = "spoof"
    APPLICATION = "application"
    CORS = "cors"


@dataclass(frozen=True)
class Evidence:
    """An answer, and what it says about a cause. weighs: `for`, `against`, or `neutral`."""

    answer: Answer
    weighs: str
    expected: Symbol


@dataclass(frozen=True)
class Cause:
    """One fault that would explain answers, with the evidence for and against it."""

    fault: Fault
    area: Area
    evidence: Sequence[Evidence] = ()


@dataclass(frozen=True)
class Group:
    """Causes that the answers can't tell apart: one of them holds. The likeliest comes first.

    asks: the question to a person, or the fact, that would settle which. settles: the option with
    which it is told to the doctor, if there is one.
    """

    causes: Sequence[Cause]
    asks: str = ""
    settles: str = ""

    @property
    def faults(self) -> list[Fault]:
        """In the same order."""
        return [cause.fault for cause in self.causes]


class Verdict(StrEnum):
    """How it ends; and the exit status, see STATUS."""

    HEALTHY = "healthy"
    SICK = "sick"
    UNCLEAR = "unclear"


STATUS: Mapping[Verdict, int] = {Verdict.HEALTHY: 0, Verdict.SICK: 1, Verdict.UNCLEAR: 3}


@dataclass(frozen=True)
class Known:
    """What is known of the hops: the names of a proxy and a server, given by a person or guessed.

    why: how a guess was made; empty for what a person said.
    """

    proxy: str = ""
    server: str = ""
    why_proxy: str = ""
    why_server: str = ""


@dataclass(frozen=True)
class Diagnosis:
    """What follows from a sheet.

    groups: each has to hold; the most certain first. other: other explanations that are as simple,
    each again a list of groups. odd: answers that the explanation leaves unexplained. why: why
    nothing can be told; empty if something can.
    """

    verdict: Verdict
    groups: Sequence[Group] = ()
    other: Sequence[Sequence[Group]] = ()
    notes: Sequence[Group] = ()
    odd: Sequence[Answer] = ()
    why: str = ""


@dataclass(frozen=True)
class Prescription:
    """What to change: where, the lines, and how sure it is that this is the person's program.

    of: a proxy's, server's or platform's name, or `application`. guessed: nobody said that it is
    used here.
    """

    fault: Fault
    of: str
    text: str
    lines: Sequence[str] = ()
    references: Sequence[str] = ()
    guessed: bool = False


@dataclass(frozen=True)
class Report:
    """All that the doctor knows in the end: what every format writes.

    url: as it was given, without credentials. base: the public base URL that it found, without a
    slash at the end. requests: how many were sent. unfinished: why it ended before the end.
    """

    url: str
    base: str
    prefix: str
    sheet: Sheet
    diagnosis: Diagnosis
    known: Known = Known()
    prescriptions: Sequence[Prescription] = ()
    requests: int = 0
    seconds: float = 0.0
    unfinished: str = ""
    facts: Mapping[str, Any] = field(default_factory=dict)
