"""The symptoms of the contract's checks.

What a proxy or a server has to do with them stands in its own folder or file. {prefix} is the
deployment's prefix.
"""

from hoplab.symptom import Symptom

# --- where to read on ---

_GITHUB = "https://github.com"
_RFC = "https://www.rfc-editor.org/rfc"

_GUIDE = "https://fastapi.tiangolo.com/advanced/behind-a-proxy/"
_GUIDE_PR = f"{_GITHUB}/fastapi/fastapi/pull/14238"
_SUB_APPLICATIONS = "https://fastapi.tiangolo.com/advanced/sub-applications/"
_ASGI = "https://asgi.readthedocs.io/en/latest/specs/www.html"
_STARLETTE_ROOT_PATH = f"{_GITHUB}/Kludex/starlette/pull/2400"
_STARLETTE_REDIRECT = f"{_GITHUB}/Kludex/starlette/issues/3293"
_TRUSTED_HOST = "https://starlette.dev/middleware/#trustedhostmiddleware"
_HOST_RFC = f"{_RFC}/rfc9110#section-7.2"
_FORWARDED = f"{_RFC}/rfc7239"
_INTEGRITY = f"{_RFC}/rfc7239#section-8.1"
_PATH_SEGMENTS = f"{_RFC}/rfc3986#section-3.3"

# --- what several symptoms have in common: whole sentences ---

_DOUBLED = (
    "Often the proxy preserves the prefix, and the ASGI server puts its root path in front of the"
    " path as well: the application receives the prefix twice."
)
_NOT_PASSED = (
    "The proxy strips the prefix, and the application is not configured with it. X-Forwarded-Prefix"
    " alone does not help: ASGI servers do not read it."
)
_LABEL = (
    "The proxy strips the prefix, and nothing puts it back in front of the path:"
    " FastAPI(root_path=) and some servers' root path option only label the request."
)
_GIVE_PREFIX = (
    "If the proxy strips the prefix, use a server that puts its root path in front of the path, or"
    " ForwardedPrefixMiddleware. If the proxy preserves it, use a server whose root path option"
    ' only labels the request, or ForwardedPrefixMiddleware(app, prefix="{prefix}", trusted="").'
)
_HOST = (
    "The proxy sends a Host header of its own, and the ASGI server does not read X-Forwarded-Host."
)
_SEND_HOST = (
    "Configure the proxy to send the client's Host header, including the port. Where it cannot, let"
    " a wrapper around the application apply X-Forwarded-Host, from the proxy's address only."
)
_PORT = (
    "The proxy sends the Host header without the port, and the ASGI server does not read"
    " X-Forwarded-Port."
)
_UNTRUSTED = (
    "The ASGI server does not trust the proxy's address, or reads no forwarded headers by itself."
    " Or the proxy sends none, or sends the values of the hop between itself and another proxy."
)
_TRUST = (
    "Let the proxy set X-Forwarded-For and X-Forwarded-Proto. Let the ASGI server, or a wrapper"
    " around the application, trust the proxy's address or network."
)
_OVERWRITE = (
    "Let the first proxy set or remove this header itself, and let it trust only the proxies in"
    " front of it."
)

# fmt: off
# A table: as the formatter breaks it, a symptom would not fit on a screen with the next.
CONTRACT = (
    Symptom("unreachable",
        seen="The public URL answers 404 or 502, or shows a page of another application.",
        cause=f"One hop has no route for this path. {_DOUBLED} Or the proxy preserves the prefix,"
        " and the application knows its paths without it only.",
        fix=f"{_GIVE_PREFIX} For a 502, read the proxy's log: it says whether the proxy reaches the"
        " application.",
        references=(_GUIDE, _ASGI)),
    Symptom("root-path-missing",
        seen="The application answers, but root_path is empty or wrong. URLs that it builds from"
        " root_path lack the prefix.",
        cause=_NOT_PASSED,
        fix=_GIVE_PREFIX,
        references=(_GUIDE, _ASGI)),
    Symptom("redirect-wrong-host", path="/items?q=1",
        seen="A redirect leads to an internal name such as app:8000, which the browser cannot"
        " resolve.",
        cause=f"Starlette copies the Host header that it receives into redirects. {_HOST}",
        fix=_SEND_HOST,
        references=(_GUIDE, _HOST_RFC)),
    Symptom("redirect-drops-port", path="/items?q=1",
        seen="A redirect leads to the right name without its port, and so to another service or to"
        " none.",
        cause=f"Starlette copies the Host header that it receives into redirects. {_PORT}",
        fix=_SEND_HOST,
        references=(_GUIDE, _HOST_RFC)),
    Symptom("redirect-wrong-scheme", path="/items?q=1",
        seen="A redirect leads from https to http. The browser blocks it as mixed content, or the"
        " client drops its credentials.",
        cause=f"Starlette copies the scheme of the ASGI scope into redirects. {_UNTRUSTED}",
        fix=_TRUST,
        references=(_GUIDE, _FORWARDED)),
    Symptom("redirect-drops-prefix", path="/items?q=1",
        seen="{prefix}/items redirects to /items/, which is a 404.",
        cause=f"Starlette builds the redirect from the path in the ASGI scope alone. {_LABEL}",
        fix=_GIVE_PREFIX,
        references=(_STARLETTE_REDIRECT, _GUIDE_PR)),
    Symptom("redirect-broken", path="/items?q=1",
        seen="The address without its final slash does not redirect to the one with it: there is no"
        " 307, the query is lost, or the target is a 404.",
        cause=f"{_DOUBLED} Or the proxy drops the query, or rewrites the Location header.",
        fix=f"{_GIVE_PREFIX} Configure the proxy to pass on the query and to leave Location as it"
        " is.",
        references=(_GUIDE, _STARLETTE_REDIRECT)),
    Symptom("docs-unreachable", path="/docs",
        seen="/docs, /redoc or the OAuth2 redirect page is a 404, or is not the docs page.",
        cause=f"{_DOUBLED} Or the routes carry the prefix (strategy `router`), and the URLs of the"
        " docs do not.",
        fix=f"{_GIVE_PREFIX} With the strategy router, put the prefix into docs_url, redoc_url,"
        " openapi_url and swagger_ui_oauth2_redirect_url as well.",
        references=(_GUIDE, _ASGI)),
    Symptom("docs-openapi-404", path="/docs",
        seen="The docs page loads and says: Failed to load API definition.",
        cause="The docs page builds the URL of the OpenAPI document from root_path, which is empty:"
        " the browser asks for /openapi.json, and the proxy has no route for it."
        f" {_NOT_PASSED}",
        fix=_GIVE_PREFIX,
        references=(f"{_GITHUB}/fastapi/fastapi/issues/15", _GUIDE)),
    Symptom("servers-wrong", path="/openapi.json",
        seen='"Try it out" in the docs, or a generated client, asks a URL that does not exist.',
        cause="FastAPI lists root_path first among the servers of the OpenAPI document. If"
        " root_path is empty, or the servers are written by hand, clients use the wrong base URL.",
        fix=f"{_GIVE_PREFIX} Do not repeat the prefix in servers.",
        references=(_GUIDE, f"{_GITHUB}/fastapi/fastapi/pull/1596")),
    Symptom("mount-unreachable", path="/sub/app",
        seen="Plain routes and the docs work, but every path of a mounted application is a 404, or"
        " the mounted application reports a wrong root_path.",
        cause="The root_path of a mounted application is the prefix and the mount's path, and"
        f" Starlette removes it only from a path that begins with it. {_LABEL} A root_path of the"
        " mounted FastAPI itself replaces the mount's, with the same effect.",
        fix=f"{_GIVE_PREFIX} Leave root_path out of the mounted application.",
        references=(_STARLETTE_ROOT_PATH, _GUIDE_PR, f"{_GITHUB}/smithyhq/sqladmin/pull/996")),
    Symptom("url-wrong-host", path="/scope?q=1",
        seen="Links that the application builds contain an internal name such as app:8000.",
        cause="request.url, base_url and url_for use the Host header that the application"
        f" receives. {_HOST}",
        fix=_SEND_HOST,
        references=(_GUIDE, _HOST_RFC)),
    Symptom("url-drops-port", path="/scope?q=1",
        seen="Links that the application builds lack the public port.",
        cause="request.url, base_url and url_for use the Host header that the application"
        f" receives. {_PORT}",
        fix=_SEND_HOST,
        references=(_GUIDE, _HOST_RFC)),
    Symptom("url-wrong-scheme", path="/scope?q=1",
        seen="On an https page, links, scripts and styles are http, and the browser blocks them as"
        " mixed content.",
        cause=f"request.url, base_url and url_for use the scheme of the ASGI scope. {_UNTRUSTED}",
        fix=_TRUST,
        references=(_GUIDE, _FORWARDED, f"{_GITHUB}/Kludex/starlette/issues/538")),
    Symptom("url-drops-prefix", path="/scope?q=1",
        seen="Links that the application builds lack the prefix and are 404s.",
        cause="request.url is built from the path alone, url_for from root_path: a label fixes"
        f" url_for only. {_LABEL}",
        fix=_GIVE_PREFIX,
        references=(_GUIDE_PR, _STARLETTE_ROOT_PATH)),
    Symptom("url-for-broken", path="/scope?q=1",
        seen="A link that the application builds is a 404, or building it is a 500.",
        cause="The page itself is not found, a hop changed the query, or the name belongs to"
        f" another router: a mounted application looks it up in the outer one. {_DOUBLED}",
        fix=f"{_GIVE_PREFIX} In a mounted application, put the mount's name in front: mount:name.",
        references=(f"{_GITHUB}/Kludex/starlette/pull/1416", _GUIDE)),
    Symptom("mount-redirect-drops-prefix", path="/sub/items",
        seen="A mounted application works, but its redirect to the address with the final slash"
        " leads to a 404.",
        cause="Starlette builds the redirect from the path in the ASGI scope, which holds prefix"
        " and mount. If the mount's routes answer, that path is right: a hop rewrites Location, or"
        " the proxy has no route for the target.",
        fix="Configure the proxy to leave Location as it is and to route every path below the"
        " prefix.",
        references=(f"{_RFC}/rfc9110#section-10.2.2", _STARLETTE_REDIRECT)),
    Symptom("mount-docs-broken", path="/sub/docs",
        seen="A mounted application works, but its docs page is a 404 or cannot load its OpenAPI"
        " document.",
        cause="The page builds the URL of the OpenAPI document from the mounted application's"
        " root_path: prefix and mount. If the mount's routes answer, its docs are disabled or have"
        " other URLs, or the proxy routes only part of what is below the mount.",
        fix="Leave docs_url, redoc_url and openapi_url of the mounted FastAPI at their defaults."
        " Configure the proxy to route every path below the prefix.",
        references=(_SUB_APPLICATIONS, _GUIDE)),
    Symptom("static-unreachable", path="/static/hello.txt",
        seen="Pages load without styles and images: static files are 404s, or their links lead to"
        " another host or scheme.",
        cause="Static files are a mounted application, and their path has to begin with the prefix"
        f" and the mount's path. {_LABEL} Links that lead elsewhere come from a wrong Host or"
        " scheme.",
        fix=_GIVE_PREFIX,
        references=(_STARLETTE_ROOT_PATH, _GUIDE_PR)),
    Symptom("websocket-refused", path="/ws", method="WEBSOCKET",
        seen="A WebSocket does not open: the answer is 403 or 404 instead of 101.",
        cause="403 means that the application has no such WebSocket route, because the prefix is"
        " doubled, or is only a label in front of a mount. 404 or 400 mostly means that the proxy"
        " did not pass the upgrade on.",
        fix=f"{_GIVE_PREFIX} Configure the proxy to pass Upgrade: websocket and Connection on.",
        references=(f"{_RFC}/rfc6455#section-4.1", _ASGI)),
    Symptom("websocket-wrong-scheme", path="/ws", method="WEBSOCKET",
        seen="The WebSocket opens, but the application sees the scheme ws or https instead of wss,"
        " and builds wrong URLs.",
        cause="Without trust in the proxy the scheme stays ws. Some proxies send X-Forwarded-Proto:"
        " https for a WebSocket, others wss; ASGI allows ws and wss only, and a wrapper that copies"
        " the header unchanged makes it https.",
        fix=f"{_TRUST} Turn https into wss, and http into ws, in the scopes of WebSockets.",
        references=(_ASGI, _FORWARDED)),
    Symptom("websocket-wrong-root-path", path="/ws", method="WEBSOCKET",
        seen="The WebSocket opens, but the application does not know its prefix there.",
        cause=f"{_NOT_PASSED} Or a middleware sets the prefix for HTTP only, as BaseHTTPMiddleware"
        " does.",
        fix=f"{_GIVE_PREFIX} A middleware has to handle scopes of the type websocket as well.",
        references=(_GUIDE, _ASGI)),
    Symptom("scheme-wrong", path="/scope",
        seen="The application sees http instead of https, or the reverse: links are wrong, cookies"
        " lack Secure, redirects to https never end.",
        cause=_UNTRUSTED,
        fix=_TRUST,
        references=(_GUIDE, _FORWARDED)),
    Symptom("host-wrong", path="/scope",
        seen="The application sees another Host header than the client sent.",
        cause=f"{_HOST} Or the proxy sends the right name without the port.",
        fix=_SEND_HOST,
        references=(_HOST_RFC, _GUIDE)),
    Symptom("client-is-proxy", path="/scope",
        seen="Logs, rate limits and address lists see a single client: the proxy.",
        cause=_UNTRUSTED,
        fix=_TRUST,
        references=(_FORWARDED, _GUIDE)),
    Symptom("client-spoofable", path="/scope", headers=(("X-Forwarded-For", "192.0.2.7"),),
        seen="Clients choose the address that the application sees, and bypass rate limits and"
        " address lists.",
        cause="The proxy passes the client's X-Forwarded-For on, or appends to it. A server that"
        " trusts every address takes the leftmost entry, which the client wrote; a wrapper that"
        " counts trusted hops from the right takes the wrong one if the number is wrong.",
        fix=f"{_OVERWRITE} Trust the proxy's address or network, not every address.",
        references=(_INTEGRITY, _GUIDE)),
    Symptom("scheme-spoofable", path="/scope", headers=(("X-Forwarded-Proto", "https"),),
        seen="Clients make the application see https for http, or http for https.",
        cause="The proxy passes the client's X-Forwarded-Proto on, and the ASGI server trusts the"
        " proxy.",
        fix=_OVERWRITE,
        references=(_INTEGRITY, _GUIDE)),
    Symptom("prefix-spoofable", path="/scope", headers=(("X-Forwarded-Prefix", "/canary"),),
        seen="Clients choose the prefix in links and redirects. If a cache stores the answer, other"
        " users receive it too.",
        cause="The proxy passes the client's X-Forwarded-Prefix on, and a middleware in the"
        " application trusts it. ASGI servers themselves do not read this header.",
        fix="Let the proxy set X-Forwarded-Prefix to what it strips, or remove it. Where it cannot,"
        ' use a fixed prefix: ForwardedPrefixMiddleware(app, prefix="{prefix}", trusted="").',
        references=(_INTEGRITY, "https://cwe.mitre.org/data/definitions/601.html")),
    Symptom("host-spoofable", path="/scope", headers=(("X-Forwarded-Host", "canary.invalid"),),
        seen="Clients choose the host name in links and redirects, even in a password reset mail.",
        cause="The proxy passes the client's X-Forwarded-Host on, and a wrapper around the"
        " application copies it into Host.",
        fix=_OVERWRITE,
        references=(_TRUSTED_HOST, _INTEGRITY)),
    Symptom("forwarded-passed-on", path="/scope",
        headers=(("Forwarded", "for=192.0.2.7;host=canary.invalid;proto=https"),),
        seen="Nothing yet. Forwarded headers that the client wrote reach the application, and the"
        " next middleware that is added may trust them.",
        cause="The proxy overwrites some forwarded headers and passes the others on unchanged, for"
        " example Forwarded (RFC 7239).",
        fix="Configure the proxy to remove every forwarded header that it does not set."
        " docs/proxies.md lists them all.",
        references=(_INTEGRITY,)),
    Symptom("direct-spoofable", path="/scope",
        headers=(("X-Forwarded-For", "192.0.2.7"), ("X-Forwarded-Proto", "https")),
        seen="A client that reaches the application without the proxy chooses the address and the"
        " scheme that the application sees.",
        cause="The application trusts forwarded headers of every peer: the ASGI server trusts every"
        " address, or a wrapper does not check the peer's address.",
        fix="Trust only the proxy's address or network. Better still, allow only the proxy to"
        " connect.",
        references=(_INTEGRITY, _GUIDE)),
    Symptom("prefix-leaks", path="{prefix}/app",
        seen="A path outside the prefix reaches the application, or a page has several addresses.",
        cause="The proxy compares letters instead of segments, and {prefix}0 matches too; or it"
        " resolves dots, slashes and escapes to compare, and passes the original path on.",
        fix="Configure the proxy to match {prefix} itself and {prefix}/ with what follows, on the"
        " path as the client wrote it.",
        references=(_PATH_SEGMENTS,)),
    Symptom("prefix-stripped-twice", path="{prefix}/nested",
        seen="A route whose own path begins with the prefix, publicly {prefix}{prefix}/nested, is a"
        " 404.",
        cause="The proxy strips the prefix, and the root path is only a label, from the server or"
        " from FastAPI(root_path=). Starlette removes root_path once more from the stripped path,"
        " {prefix}/nested.",
        fix="Use a server that puts its root path in front of the path, or"
        " ForwardedPrefixMiddleware that trusts the proxy's X-Forwarded-Prefix. A fixed prefix is"
        " not enough: the middleware takes the stripped path for the whole one.",
        references=(_STARLETTE_ROOT_PATH, f"{_GITHUB}/epam/badgerdoc/pull/1022")),
    Symptom("tunnel-opened",
        headers=(("Connection", "Upgrade, HTTP2-Settings"), ("Upgrade", "h2c"),
                 ("HTTP2-Settings", "AAMAAABkAAQAoAAAAAIAAAAA")),
        seen="An upgrade to h2c is answered with 101. The proxy does not inspect what follows on"
        " that connection: other paths, and forwarded headers that the client wrote.",
        cause="The proxy passes every Upgrade header on, and the ASGI server accepts h2c.",
        fix="Configure the proxy to pass on Upgrade: websocket and no other upgrade.",
        references=(f"{_RFC}/rfc9113#section-3.1", f"{_RFC}/rfc9110#section-7.8")),
    Symptom("bare-prefix-broken", path="/",
        seen="{prefix} or {prefix}/ is a 404 or an empty page, or redirects away from the"
        " application.",
        cause="The proxy's rule matches the prefix only with the slash, or only without it. Or the"
        " proxy redirects {prefix} itself, to its own port and scheme, which need not be the public"
        " ones.",
        fix="Configure the proxy to match both {prefix} and {prefix}/, and to pass both on.",
        references=(_PATH_SEGMENTS, _GUIDE)),
    Symptom("path-altered", path="/scope/a%2Fb/caf%C3%A9",
        seen="Names with an encoded slash are not found, or are taken for others: /a%2Fb arrives as"
        " /a/b.",
        cause="The proxy passes on the path as it decoded or normalised it, or refuses encoded"
        " slashes.",
        fix="Configure the proxy to pass on the path as the client wrote it, without the prefix"
        " where it strips, and to allow encoded slashes.",
        references=(f"{_RFC}/rfc3986#section-2.2", _ASGI)),
    Symptom("stream-buffered", path="/events?count=3&interval=0.25",
        seen="Server-sent events, or the words of a chat, arrive all at once at the end.",
        cause="The proxy buffers the answer before it passes it on.",
        fix="Disable response buffering in the proxy, at least for this path.",
        references=("https://html.spec.whatwg.org/multipage/server-sent-events.html",)),
    Symptom("body-refused", path="/echo", method="POST",
        seen="A large upload fails, mostly with 413.",
        cause="The proxy limits the size of a request body, some of them by default.",
        fix="Raise the proxy's limit to what the application accepts.",
        references=(f"{_RFC}/rfc9110#section-15.5.14",)),
    Symptom("body-altered", path="/echo", method="POST",
        seen="A file is damaged or incomplete after upload or download.",
        cause="A hop changed the body, or a connection ended in the middle, for example by a"
        " time-out.",
        fix="Remove the rewriting. If an answer was cut short, the logs of the proxy and of the"
        " application say which of them ended the connection.",
        references=(f"{_RFC}/rfc9110#section-7.7", f"{_RFC}/rfc9112#section-8")),
)
# fmt: on
