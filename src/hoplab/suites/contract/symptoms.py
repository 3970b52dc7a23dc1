"""The symptoms of the contract's checks.

What a proxy or a server has to do with them stands in its own folder or file. {prefix} is the
deployment's prefix.
"""

from hoplab.suites.contract.sentences import (
    ASGI,
    DOUBLED,
    FORWARDED,
    GITHUB,
    GIVE_PREFIX,
    GUIDE,
    HOST,
    HOST_RFC,
    INTEGRITY,
    NOT_PASSED,
    OVERWRITE,
    PATH_SEGMENTS,
    RFC,
    SEND_HOST,
    STARLETTE_ROOT_PATH,
    TRUST,
    TRUSTED_HOST,
    UNTRUSTED,
)
from hoplab.suites.contract.url_symptoms import ANSWERS_AND_URLS
from hoplab.symptom import Symptom

# fmt: off
# A table: as the formatter breaks it, a symptom would not fit on a screen with the next.
CONTRACT = (
    *ANSWERS_AND_URLS,
    Symptom("websocket-refused", path="/ws", method="WEBSOCKET",
        seen="A WebSocket does not open: the application refuses it, mostly with 403 or 404.",
        cause="403 means that the application has no such WebSocket route: the prefix is doubled,"
        " or the root path is only a label in front of a mount. 404 or 400 mostly means that the"
        " proxy did not pass the upgrade on.",
        fix=f"{GIVE_PREFIX} Configure the proxy to pass Upgrade: websocket and Connection on.",
        references=(f"{RFC}/rfc6455#section-4.1", ASGI)),
    Symptom("websocket-unanswered", path="/ws", method="WEBSOCKET",
        seen="A WebSocket neither opens nor is refused, while the application answers a plain"
        " request through the same proxy.",
        cause="The application waits for something else before it accepts, or a hop holds back the"
        " request or its answer.",
        fix="Have the application call `await websocket.accept()`, or refuse, before it waits for"
        " anything. If it does so when asked directly, read the proxy's log: it says what the proxy"
        " waits for.",
        references=(f"{RFC}/rfc6455#section-4.2.2", ASGI)),
    Symptom("websocket-closed", path="/ws", method="WEBSOCKET",
        seen="A WebSocket opens, and closes before a message arrives.",
        cause="A hop closes the connection, or passes on the handshake but not the messages.",
        fix="Read the logs of the proxy and of the application: they say which of them closed it,"
        " and why.",
        references=(f"{RFC}/rfc6455#section-7",)),
    Symptom("websocket-wrong-scheme", path="/ws", method="WEBSOCKET",
        seen="The WebSocket opens, but the application sees the scheme ws or https instead of wss,"
        " and builds wrong URLs.",
        cause="Without trust in the proxy the scheme stays ws. Some proxies send X-Forwarded-Proto:"
        " https for a WebSocket, others wss; ASGI allows ws and wss only, and a wrapper that copies"
        " the header unchanged makes it https.",
        fix=f"{TRUST} Turn https into wss, and http into ws, in the scopes of WebSockets.",
        references=(ASGI, FORWARDED)),
    Symptom("websocket-wrong-root-path", path="/ws", method="WEBSOCKET",
        seen="The WebSocket opens, but the application does not know its prefix there.",
        cause=f"{NOT_PASSED} Or a middleware sets the prefix for HTTP only, as BaseHTTPMiddleware"
        " does.",
        fix=f"{GIVE_PREFIX} A middleware has to handle scopes of the type websocket as well.",
        references=(GUIDE, ASGI)),
    Symptom("scheme-wrong", path="/scope",
        seen="The application sees http instead of https, or the reverse: links are wrong, cookies"
        " lack Secure, redirects to https never end.",
        cause=UNTRUSTED,
        fix=TRUST,
        references=(GUIDE, FORWARDED)),
    Symptom("host-wrong", path="/scope",
        seen="The application receives another host than the client asked for: in Host, or in"
        " X-Forwarded-Host, which some applications read.",
        cause=f"{HOST} Or the proxy sends the right name without the port.",
        fix=SEND_HOST,
        references=(HOST_RFC, GUIDE)),
    Symptom("client-wrong", path="/scope",
        seen="Logs, rate limits and address lists see another address than the client's: mostly the"
        " proxy's, for all clients. Or X-Real-IP, which some of them read, has another one.",
        cause=f"{UNTRUSTED} Or a wrapper counts more or fewer proxies than there are, or takes the"
        " port for a part of the address.",
        fix=TRUST,
        references=(FORWARDED, GUIDE)),
    Symptom("client-spoofable", path="/scope", headers=(("X-Forwarded-For", "192.0.2.7"),),
        seen="Clients choose the address that the application sees, and bypass rate limits and"
        " address lists.",
        cause="The proxy passes the client's X-Forwarded-For on, or appends to it. A server that"
        " trusts every address takes the leftmost entry, which the client wrote; a wrapper that"
        " counts trusted hops from the right takes the wrong one if the number is wrong.",
        fix=f"{OVERWRITE} Trust the proxy's address or network, not every address.",
        references=(INTEGRITY, GUIDE)),
    Symptom("scheme-spoofable", path="/scope", headers=(("X-Forwarded-Proto", "https"),),
        seen="Clients make the application see https for http, or http for https.",
        cause="The proxy passes the client's X-Forwarded-Proto on, and the ASGI server trusts the"
        " proxy.",
        fix=OVERWRITE,
        references=(INTEGRITY, GUIDE)),
    Symptom("prefix-spoofable", path="/scope", headers=(("X-Forwarded-Prefix", "/canary"),),
        seen="Clients choose the prefix in links and redirects. If a cache stores the answer, other"
        " users receive it too.",
        cause="The proxy passes the client's X-Forwarded-Prefix on, and a middleware in the"
        " application trusts it. ASGI servers themselves do not read this header.",
        fix="Let the proxy set X-Forwarded-Prefix to what it strips, or remove it. Where it cannot,"
        ' use a fixed prefix: ForwardedPrefixMiddleware(app, prefix="{prefix}", trusted="").',
        references=(INTEGRITY, "https://cwe.mitre.org/data/definitions/601.html")),
    Symptom("host-spoofable", path="/scope", headers=(("X-Forwarded-Host", "canary.invalid"),),
        seen="Clients choose the host name in links and redirects, even in a password reset mail.",
        cause="The proxy passes the client's X-Forwarded-Host on, and a wrapper around the"
        " application copies it into Host.",
        fix=f"{OVERWRITE} A list of allowed hosts in the application limits the harm.",
        references=(TRUSTED_HOST, INTEGRITY)),
    Symptom("forwarded-misread", path="/scope", headers=(("X-Forwarded-For", "192.0.2.7"),),
        seen="Forwarded headers that the client wrote change what the application sees, though not"
        " to what they say.",
        cause="The proxy passes them on or appends to them, and the ASGI server or a wrapper reads"
        " them differently: it counts proxies, or cannot parse the value.",
        fix=OVERWRITE,
        references=(INTEGRITY,)),
    Symptom("forwarded-passed-on", path="/scope",
        headers=(("Forwarded", "for=192.0.2.7;host=canary.invalid;proto=https"),),
        seen="Nothing yet. Forwarded headers that the client wrote reach the application, and the"
        " next middleware that is added may trust them.",
        cause="The proxy overwrites some forwarded headers and passes the others on unchanged, for"
        " example Forwarded (RFC 7239).",
        fix="Configure the proxy to remove every forwarded header that it does not set."
        " docs/proxies.md lists them all.",
        references=(INTEGRITY,)),
    Symptom("direct-spoofable", path="/scope",
        headers=(("X-Forwarded-For", "192.0.2.7"), ("X-Forwarded-Proto", "https")),
        seen="A client that reaches the application without the proxy chooses the address and the"
        " scheme that the application sees.",
        cause="The application trusts forwarded headers from every peer: the ASGI server trusts"
        " every address, or a wrapper does not check the peer's address.",
        fix="Trust only the proxy's address or network. Better still, allow only the proxy to"
        " connect.",
        references=(INTEGRITY, GUIDE)),
    Symptom("prefix-leaks", path="{prefix}/app",
        seen="A path outside the prefix reaches the application, or a page has several addresses.",
        cause="The proxy compares letters instead of segments, and {prefix}0 matches too; or it"
        " resolves dots, slashes and escapes to compare, and passes the original path on.",
        fix="Configure the proxy to match {prefix} itself and {prefix}/ with what follows, on the"
        " path as the client wrote it. Behind a stripping proxy, use"
        " ForwardedPrefixMiddleware in place of routes that carry the prefix.",
        references=(PATH_SEGMENTS, STARLETTE_ROOT_PATH)),
    Symptom("prefix-stripped-twice", path="{prefix}/nested",
        seen="A route whose own path begins with the prefix, publicly {prefix}{prefix}/nested, is a"
        " 404.",
        cause="The proxy strips the prefix, and the root path is only a label, from the server or"
        " from FastAPI(root_path=). Starlette removes root_path once more from the stripped path,"
        " {prefix}/nested.",
        fix="Use a server that puts its root path in front of the path, or"
        " ForwardedPrefixMiddleware that trusts the proxy's X-Forwarded-Prefix. A fixed prefix is"
        " not enough: the middleware takes the stripped path for the whole one.",
        references=(STARLETTE_ROOT_PATH, f"{GITHUB}/epam/badgerdoc/pull/1022")),
    Symptom("tunnel-opened",
        headers=(("Connection", "Upgrade, HTTP2-Settings"), ("Upgrade", "h2c"),
                 ("HTTP2-Settings", "AAMAAABkAAQAoAAAAAIAAAAA")),
        seen="An upgrade to h2c is answered with 101. The proxy does not inspect what follows on"
        " that connection: other paths, and forwarded headers that the client wrote.",
        cause="The proxy passes every Upgrade header on, and the ASGI server accepts h2c.",
        fix="Configure the proxy to pass on Upgrade: websocket and no other upgrade.",
        references=(f"{RFC}/rfc9113#section-3.1", f"{RFC}/rfc9110#section-7.8")),
    Symptom("bare-prefix-broken", path="/",
        seen="{prefix} or {prefix}/ is a 404 from the application, redirects elsewhere, or loses"
        " the query.",
        cause=f"{DOUBLED} Or the proxy redirects {{prefix}} itself, to its own port and scheme,"
        " which need not be the public ones. Or the application redirects it, with a wrong Host or"
        f" scheme. {HOST}",
        fix="Configure the proxy to match both {prefix} and {prefix}/, and to pass both on."
        f" {SEND_HOST}",
        references=(PATH_SEGMENTS, GUIDE)),
    Symptom("path-altered", path="/scope/a%2Fb/caf%C3%A9",
        seen="Names with an encoded slash become other names: /a%2Fb arrives as /a/b.",
        cause="The proxy decodes or normalises the path before it passes it on.",
        fix="Configure the proxy to pass on the path as the client wrote it, without the prefix"
        " where it strips, and to allow encoded slashes.",
        references=(f"{RFC}/rfc3986#section-2.2", ASGI)),
    Symptom("stream-buffered", path="/events?count=3&interval=0.25",
        seen="Server-sent events, or the words of a chat, arrive all at once at the end; perhaps"
        " only for some clients, such as browsers, which ask for gzip.",
        cause="The proxy buffers the answer before it passes it on. Or it compresses the answer,"
        " and holds data back until a block is full.",
        fix="Disable response buffering in the proxy, at least for this path. Do not compress"
        " text/event-stream.",
        references=("https://html.spec.whatwg.org/multipage/server-sent-events.html",)),
    Symptom("stream-late", path="/events?count=1",
        seen="A stream sends nothing for a second or longer, while other answers come at once: a"
        " page stays empty that long.",
        cause="The application does something slow before the first event: a query, or a call to"
        " another service. Or a hop holds the first bytes back, or inspects them, before it passes"
        " them on.",
        fix=r'Send something at once, such as a comment line, `yield ": \n\n"`, and do the slow'
        " work after it. If that comes late as well, a hop holds it back: ask the application"
        " directly, and compare.",
        references=("https://html.spec.whatwg.org/multipage/server-sent-events.html",)),
    Symptom("events-lost", path="/events?count=3&interval=0.25",
        seen="The stream of events ends, and some of them did not arrive.",
        cause="A hop rewrites the stream, or the application ends it early: for example, a"
        " middleware drops more_body from what it passes on. If a time-out cuts the answer, the"
        " symptom is another one: answer-cut.",
        fix="Remove the rule that rewrites it. In a middleware, pass `more_body` of every message"
        " on. The application's log says whether it ended the stream.",
        references=("https://html.spec.whatwg.org/multipage/server-sent-events.html",)),
    Symptom("body-refused", path="/echo", method="POST",
        seen="A large upload is answered with 413.",
        cause="The proxy limits the size of a request body; some proxies do so by default.",
        fix="Raise the proxy's limit to what the application accepts.",
        references=(f"{RFC}/rfc9110#section-15.5.14",)),
    Symptom("body-altered", path="/echo", method="POST",
        seen="A file is damaged or incomplete after upload or download.",
        cause="A hop changed the body, or a connection ended in the middle, for example by a"
        " time-out.",
        fix="Remove the rule that rewrites bodies. If an answer was cut short, the logs of the"
        " proxy and of the application say which of them ended the connection.",
        references=(f"{RFC}/rfc9110#section-7.7", f"{RFC}/rfc9112#section-8")),
)
# fmt: on
