"""What each fault means, why it shows as it does, and what to change, in words for any program.

The lines for a person's own proxy and server are in the catalogue, by symptom.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from hoplab.diagnosis.words import Fault


@dataclass(frozen=True)
class Words:
    """A fault in plain words. `{prefix}` is the public prefix.

    note: whether it is worth knowing, and no reason to call a deployment sick: it does harm only in
    some applications. asks: what would settle whether it is this one or another of its group.
    symptoms: the names under which proxies and servers say what to change.
    """

    title: str
    why: str
    change: str
    asks: str = ""
    settles: str = ""
    note: bool = False
    symptoms: Sequence[str] = ()
    references: Sequence[str] = ()


_BEHIND_A_PROXY = "https://fastapi.tiangolo.com/advanced/behind-a-proxy/"
_ROOT_PATH = "https://github.com/Kludex/starlette/pull/2400"
_HOW_STARTED = (
    "How is the server started: with a root path (--root-path or the like), and what is it?"
    " And does the proxy remove {prefix}?"
)
_WHICH_HEADERS = (
    "Which X-Forwarded-Proto arrives at the application? None: the proxy does not send it; http: a"
    " proxy in between overwrites it; https,http: two append; https: the server does not trust the"
    " proxy."
)

FAULTS: Mapping[Fault, Words] = {
    Fault.UNTOLD_STRIPPED: Words(
        "The proxy removes {prefix}, and the application does not know that",
        "It is asked for /path, and knows no prefix: every URL that it makes lacks {prefix}.",
        "Tell the server its root path {prefix}, if it is one that puts it in front of the path"
        " that arrives; with other servers, use a middleware that does that.",
        symptoms=("root-path-missing", "docs-openapi-404", "redirect-drops-prefix"),
        references=(_BEHIND_A_PROXY,),
    ),
    Fault.LABEL_STRIPPED: Words(
        "The proxy removes {prefix}, and the root path {prefix} is only a label",
        "The server's option, or FastAPI(root_path=), sets root_path and leaves the path without"
        " {prefix}. Docs and routes work; redirects lose {prefix}, and mounts are a 404.",
        "Let the proxy leave {prefix} in the path; or remove the root path, and use a middleware"
        " that puts {prefix} in front of the path too.",
        symptoms=("redirect-drops-prefix", "mount-unreachable"),
        references=(_ROOT_PATH,),
    ),
    Fault.PREPENDED_PRESERVED: Words(
        "The proxy leaves {prefix} in the path, and the server puts it in front once more",
        "The application is asked for {prefix}{prefix}/path, and has no such route.",
        "Start the server without its root path, and let a middleware or the routes carry {prefix};"
        " or let the proxy remove {prefix}.",
        asks=_HOW_STARTED,
        settles="--server",
        symptoms=("application-has-no-route",),
        references=("https://github.com/Kludex/starlette/pull/2400",),
    ),
    Fault.UNTOLD_PRESERVED: Words(
        "The proxy leaves {prefix} in the path, and the application has no routes below it",
        "It is asked for {prefix}/path, and knows /path alone.",
        "Let the proxy remove {prefix}, and tell the server its root path; or tell the application"
        " that its paths begin with {prefix}.",
        asks=_HOW_STARTED,
        settles="--server",
        symptoms=("application-has-no-route",),
        references=(_BEHIND_A_PROXY,),
    ),
    Fault.IN_ROUTES_STRIPPED: Words(
        "The application's routes begin with {prefix}, and the proxy removes it",
        "It is asked for /path, and has {prefix}/path: it answers where {prefix} stands twice.",
        "Let the proxy leave {prefix} in the path; or take {prefix} out of the routes, and tell the"
        " server its root path.",
        symptoms=("application-has-no-route",),
    ),
    Fault.MOUNTED_STRIPPED: Words(
        "The application is mounted under {prefix}, and the proxy removes that",
        "It is asked for /path, and has {prefix}/path: it answers where {prefix} stands twice.",
        "Let the proxy leave {prefix} in the path; or do not mount it, and tell the server its root"
        " path.",
        symptoms=("application-has-no-route",),
    ),
    Fault.FIXED_STRIPPED: Words(
        "The prefix is added wherever it is missing, and the proxy removes it",
        "Nothing tells the application what was removed: {prefix}{prefix}/path and {prefix}/path"
        " are the same to it. A route whose own path begins with {prefix} is not found.",
        "Let the proxy say what it removed (X-Forwarded-Prefix) and the middleware believe it; or"
        " use the server's root path, if it puts that in front of the path.",
        note=True,
        symptoms=("prefix-stripped-twice",),
    ),
    Fault.ROOT_PATH_SLASH: Words(
        "The root path ends with a slash: {prefix}/",
        "The server puts it in front of the path as it is: redirects have two slashes, and mounts"
        " see another root path.",
        "Give the root path as {prefix}, without a slash at its end.",
        symptoms=("redirect-wrong-path",),
        references=("https://github.com/ctrliq/ascender/pull/994",),
    ),
    Fault.ROOT_PATH_ONLY_SLASH: Words(
        "The root path is a single slash",
        "That is no root path: the application knows no prefix, and every path begins with two"
        " slashes. //path on its own is another host.",
        "Give the root path {prefix}, or none at all if there is no prefix.",
        symptoms=("redirect-wrong-path",),
        references=("https://github.com/ctrliq/ascender/pull/994",),
    ),
    Fault.OTHER_ROOT_PATH: Words(
        "The application was told another root path than the public prefix",
        "Every URL that it makes begins with that one.",
        "Give the root path as it is public: {prefix}.",
        asks=_HOW_STARTED,
        symptoms=("root-path-wrong",),
    ),
    Fault.DOCS_FIXED: Words(
        "The docs page names its OpenAPI document without {prefix}, whatever the root path is",
        "The URL is fixed in a docs route of its own, or in the framework: it knows no root_path.",
        "Build the URL from root_path: request.scope['root_path'] and the path of the document.",
        asks="Is the docs page a route of your own, with the document's URL in it?",
        symptoms=("docs-openapi-404",),
        references=("https://fastapi.tiangolo.com/how-to/custom-docs-ui-assets/",),
    ),
    Fault.SERVERS_FIXED: Words(
        "The OpenAPI document does not name {prefix} in its servers",
        "The servers are written by hand, or root_path_in_servers is off, or the framework does not"
        ' add root_path. "Try it out" asks without {prefix}.',
        "Add {prefix} to the servers, or leave root_path_in_servers on.",
        asks="Are the servers of the OpenAPI document written by hand, or by which framework?",
        symptoms=("servers-wrong",),
    ),
    Fault.PATH_FIXED: Words(
        "The proxy asks the application for the same path, whatever the client asks for",
        "It passes on a fixed path instead of the client's: every page is the same.",
        "Pass on the client's path, or what follows {prefix} in it.",
        symptoms=("answer-wrong",),
    ),
    Fault.PATH_SLASHES: Words(
        "The path that the proxy passes on begins with two slashes",
        "It replaces {prefix} with a slash, and keeps the next one: //path is no route.",
        "Replace {prefix}/ by /, both with a slash at the end or both without.",
        asks="Which path arrives at the application? Its access log says so.",
        symptoms=("application-has-no-route",),
    ),
    Fault.PREFIX_AGAIN: Words(
        "The proxy puts {prefix} in front of a path that has it already",
        "The application is asked for {prefix}{prefix}/path, and has no such route.",
        "Pass the path on as it is; or remove {prefix} before it is added.",
        asks="Which path arrives at the application? Its access log says so.",
        symptoms=("application-has-no-route",),
    ),
    Fault.NOT_TRUSTED: Words(
        "The server does not trust the proxy",
        "The proxy says X-Forwarded-Proto: https, and the server ignores it: it comes from an"
        " address that it was not told to believe.",
        "Make the server trust the proxy's address or network; never every address, if others can"
        " reach the server.",
        asks=_WHICH_HEADERS,
        symptoms=("redirect-wrong-scheme",),
        references=(_BEHIND_A_PROXY,),
    ),
    Fault.PROTO_NOT_SENT: Words(
        "The proxy does not send X-Forwarded-Proto",
        "The application sees plain http, and nothing says that the client uses https.",
        "Let the proxy set X-Forwarded-Proto to the client's scheme, and X-Forwarded-For with it.",
        asks=_WHICH_HEADERS,
        symptoms=("redirect-wrong-scheme",),
    ),
    Fault.PROTO_OVERWRITTEN: Words(
        "A second proxy overwrites X-Forwarded-Proto with http",
        "The outer one ends TLS, and asks the inner one over http: the inner one sends the scheme"
        " that it sees itself.",
        "Let the inner proxy trust X-Forwarded-Proto and -For from the outer one only.",
        asks=_WHICH_HEADERS,
        symptoms=("redirect-wrong-scheme",),
    ),
    Fault.PROTO_LISTED: Words(
        "Two proxies append to X-Forwarded-Proto, and the server can't read a list",
        "`https,http` arrives: some servers take the last value, others ignore it.",
        "Let one proxy alone set X-Forwarded-Proto: the outer one, or the inner one from it.",
        asks=_WHICH_HEADERS,
        symptoms=("redirect-wrong-scheme",),
        references=("https://github.com/Kludex/uvicorn/issues/2104",),
    ),
    Fault.HOST_WITHOUT_PORT: Words(
        "The proxy passes the host on without its port",
        "The application makes URLs from Host, and they lack the port.",
        "Pass on the client's Host as it is, with its port.",
        symptoms=("redirect-drops-port",),
    ),
    Fault.HOST_OTHER_PORT: Words(
        "The proxy passes on another port than the public one",
        "It sends the port on which it listens itself, for example in a container.",
        "Pass on the client's Host as it is, with its port.",
        symptoms=("redirect-wrong-port", "redirect-drops-port"),
    ),
    Fault.HOST_UPSTREAM: Words(
        "The proxy sends the application another Host than the public name",
        "The application makes URLs from Host, and that is the upstream's name.",
        "Pass on the client's Host.",
        symptoms=("redirect-wrong-host",),
    ),
    Fault.LOCATION_REWRITTEN: Words(
        "The proxy rewrites Location, and hides that it passes on no Host",
        "It replaces the upstream's address in redirects by its own, with {prefix}: right only for"
        " an application that knows no prefix, and every other URL is still wrong.",
        "Pass on Host, X-Forwarded-Proto and -For, and let Location be as the application writes"
        " it.",
        symptoms=("redirect-wrong-path", "url-wrong-host"),
    ),
    Fault.NO_UPGRADE: Words(
        "The proxy does not pass WebSocket handshakes on",
        "Upgrade and Connection are for one connection: a proxy has to pass them on by itself, and"
        " this one does not. Or the server ignores the handshake: it has no library for WebSockets,"
        " or is for WSGI. It matters only if the application has WebSockets.",
        "Pass Upgrade and Connection on for WebSockets, over HTTP/1.1.",
        note=True,
        symptoms=("websocket-refused",),
        references=("https://www.rfc-editor.org/rfc/rfc9110#section-7.8",),
    ),
    Fault.ANY_UPGRADE: Words(
        "The proxy passes every upgrade on, and the server takes h2c",
        "What follows goes through a tunnel, past the proxy's rules: other paths, forged headers.",
        "Pass Upgrade on for `websocket` alone.",
        symptoms=("tunnel-opened",),
        references=("https://www.rfc-editor.org/rfc/rfc9113#section-3.1",),
    ),
    Fault.LETTERS: Words(
        "The proxy compares letters: {prefix}x reaches the application as well",
        "Its rule has {prefix} without a slash or an end after it.",
        "Match {prefix} itself, and what begins with {prefix}/.",
        note=True,
        symptoms=("prefix-leaks",),
    ),
    Fault.OPEN_WITHOUT_PREFIX: Words(
        "The application also answers without {prefix}",
        "The proxy passes on every path, or a second rule leads to the application.",
        "Pass on only what is below {prefix}, unless the other paths are meant to be public.",
        note=True,
        symptoms=("prefix-leaks",),
    ),
    Fault.SPOOFABLE_SCHEME: Words(
        "A client chooses the scheme: its own X-Forwarded-Proto is believed",
        "The proxy passes it on, and the server trusts the proxy.",
        "Let the first proxy set X-Forwarded-Proto itself, whatever the client sends.",
        symptoms=("scheme-spoofable",),
    ),
    Fault.SPOOFABLE_HOST: Words(
        "A client chooses the host: its own X-Forwarded-Host is believed",
        "Links and redirects lead where a stranger says: poisoned caches, stolen reset links.",
        "Let the first proxy set X-Forwarded-Host itself, or drop it.",
        symptoms=("host-spoofable",),
    ),
    Fault.SPOOFABLE_PREFIX: Words(
        "A client chooses the prefix: its own X-Forwarded-Prefix is believed",
        "The proxy passes it on, and something in the application believes it.",
        "Let the first proxy set X-Forwarded-Prefix itself, or drop it.",
        symptoms=("prefix-spoofable",),
    ),
    Fault.UNREACHABLE: Words(
        "The proxy does not reach the application",
        "It answers 502, 503 or 504 itself: nothing listens there, or it answers too late.",
        "Start the application, and compare its address and port with the proxy's upstream.",
        symptoms=("application-unreachable",),
    ),
    Fault.RAISES: Words(
        "The application fails at every request",
        "It answers 5xx to every request: a middleware around everything raises, or its start-up"
        " failed.",
        "Read the application's log: the traceback names the middleware.",
        symptoms=("application-error",),
    ),
    Fault.NO_SUCH_ROUTE: Words(
        "Nothing is wrong: the application has no route at the paths that were asked",
        "No docs page, no OpenAPI document and no start page, at {prefix} or at all.",
        "Name a path that should answer: `hoplab doctor URL` with it, and --prefix {prefix}.",
        asks="Which path of the application should answer?",
        settles="--prefix",
    ),
    Fault.CORS_TWICE: Words(
        "Both the proxy and the application add Access-Control-Allow-Origin",
        "Browsers refuse an answer that has it twice, even with the same value.",
        "Leave CORS to one of them.",
        symptoms=("cors-duplicated",),
        references=("https://fetch.spec.whatwg.org/#http-cors-protocol",),
    ),
}
