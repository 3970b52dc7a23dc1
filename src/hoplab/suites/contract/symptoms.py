"""The symptoms of the contract's checks."""

from hoplab.symptom import Symptom

# --- where to read on ---

_GITHUB = "https://github.com"
_RFC = "https://www.rfc-editor.org/rfc"
_NGINX = "https://nginx.org/en/docs/http"
_CORE, _PROXY = f"{_NGINX}/ngx_http_core_module.html", f"{_NGINX}/ngx_http_proxy_module.html"
_TRAEFIK = "https://doc.traefik.io/traefik"
_MIDDLEWARES = f"{_TRAEFIK}/reference/routing-configuration/http/middlewares"
_RULES = f"{_TRAEFIK}/v3.8/reference/routing-configuration/http/routing/rules-and-priority/"
_ADVISORIES = f"{_GITHUB}/traefik/traefik/security/advisories"

_GUIDE = "https://fastapi.tiangolo.com/advanced/behind-a-proxy/"
_GUIDE_PR = f"{_GITHUB}/fastapi/fastapi/pull/14238"
_ASGI = "https://asgi.readthedocs.io/en/latest/specs/www.html"
_UVICORN_ROOT_PATH = f"{_GITHUB}/Kludex/uvicorn/pull/2213"
_UVICORN_HEADERS = "https://uvicorn.dev/deployment/#proxies-and-forwarded-headers"
_UVICORN_HOST = f"{_GITHUB}/Kludex/uvicorn/issues/965"
_STARLETTE_ROOT_PATH = f"{_GITHUB}/Kludex/starlette/pull/2400"
_STARLETTE_REDIRECT = f"{_GITHUB}/Kludex/starlette/issues/3293"
_PROXY_FIX = "https://hypercorn.readthedocs.io/en/latest/how_to_guides/proxy_fix.html"
_NGINX_HEADER = f"{_PROXY}#proxy_set_header"
_ENTRY_POINTS = f"{_TRAEFIK}/reference/install-configuration/entrypoints/"
_INTEGRITY = f"{_RFC}/rfc7239#section-8.1"

# --- what several symptoms have in common ---

_DOUBLED = (
    "Uvicorn or `fastapi run` has --root-path behind a proxy that preserves the prefix: it puts"
    " the prefix in front of the path that arrives, and the application is asked for it twice."
)
_UNTOLD = (
    "The proxy strips the prefix, and nobody tells the application. X-Forwarded-Prefix alone does"
    " not: neither Uvicorn nor Hypercorn reads it."
)
_LABEL = (
    "The proxy strips the prefix, and nobody puts it back in front of the path: Hypercorn's"
    " --root-path and FastAPI(root_path=) are only a label, Uvicorn's --root-path does put it back."
)
_TELL = (
    "Prefix stripped: --root-path /api/v1 under Uvicorn or `fastapi run`, ForwardedPrefixMiddleware"
    " under Hypercorn. Prefix preserved: ForwardedPrefixMiddleware with prefix="
    '"/api/v1" and trusted="" under Uvicorn or `fastapi run`, --root-path /api/v1 under Hypercorn.'
)
_HOST = (
    "The proxy sends a Host of its own making: nginx the upstream's name unless told otherwise,"
    " Traefik with passHostHeader = false. Uvicorn does not read X-Forwarded-Host; Hypercorn does"
    " with ProxyFixMiddleware."
)
_SEND_HOST = (
    "nginx: proxy_set_header Host $host$is_request_port$request_port (since 1.29.3; before,"
    " $http_host). Traefik: leave passHostHeader as it is, true."
)
_PORT = (
    "The proxy sends Host without the port: nginx's $host never has one. Neither Uvicorn nor"
    " Hypercorn reads X-Forwarded-Port."
)
_UNTRUSTED = (
    "Uvicorn and `fastapi run` believe X-Forwarded-For and -Proto of 127.0.0.1 and ::1 only, and"
    " the proxy comes from another address; Hypercorn believes nobody's without ProxyFixMiddleware."
    " Or the proxy sends none: nginx does not unless told to."
)
_TRUST = (
    "Uvicorn or `fastapi run`: --forwarded-allow-ips with the proxy's address or network."
    " Hypercorn: ProxyFixMiddleware, outermost, as in app/proxy_fix.py. nginx: proxy_set_header"
    " X-Forwarded-For $remote_addr and X-Forwarded-Proto $scheme."
)
_LET_THROUGH = (
    "nginx does so unless a proxy_set_header names it, Traefik with forwardedHeaders.insecure or"
    " with trustedIPs that are too wide."
)
_OVERWRITE = (
    "Let the first proxy write this header itself, or drop it: nginx by proxy_set_header, Traefik"
    " without forwardedHeaders.insecure and trustedIPs."
)

# fmt: off
# A table: as the formatter breaks it, a symptom would not fit on a screen with the next.
CONTRACT = (
    Symptom("unreachable",
        seen="The public URL answers 404, 502, or with somebody else's page.",
        cause=f"No hop has a route for this path. Most often, {_DOUBLED} Or the proxy preserves the"
        " prefix, and the application, told nothing, knows the path without it only.",
        fix=f"{_TELL} Of a 502, the proxy's log says whether it reaches the application at all.",
        references=(_UVICORN_ROOT_PATH, _GUIDE)),
    Symptom("root-path-missing",
        seen="The application answers, but reports an empty or another root_path. What it builds"
        " from that lacks the prefix.",
        cause=_UNTOLD,
        fix=_TELL,
        references=(_GUIDE, _ASGI)),
    Symptom("redirect-wrong-host", path="/items?q=1",
        seen="A redirect leads to a name like app:8000, which the browser can't find.",
        cause=f"Starlette writes the Host that arrived into redirects. {_HOST}",
        fix=_SEND_HOST,
        references=(_UVICORN_HOST, _NGINX_HEADER)),
    Symptom("redirect-drops-port", path="/items?q=1",
        seen="A redirect leads to the right name without its port: to somebody else or to nobody.",
        cause=f"Starlette writes the Host that arrived into redirects. {_PORT}",
        fix=_SEND_HOST,
        references=(f"{_CORE}#var_request_port", _NGINX_HEADER)),
    Symptom("redirect-wrong-scheme", path="/items?q=1",
        seen="From https, a redirect leads to http: the browser blocks it on a page, or the client"
        " drops its credentials.",
        cause=f"Starlette writes the scheme from the scope into redirects. {_UNTRUSTED}",
        fix=_TRUST,
        references=(_UVICORN_HEADERS, _PROXY_FIX, f"{_GITHUB}/pgjones/hypercorn/issues/195")),
    Symptom("redirect-drops-prefix", path="/items?q=1",
        seen="/api/v1/items redirects to /items/, which is a 404.",
        cause=f"Starlette makes the redirect from the path in the scope alone. {_LABEL}",
        fix=_TELL,
        references=(_STARLETTE_REDIRECT, _GUIDE_PR)),
    Symptom("redirect-broken", path="/items?q=1",
        seen="The address without its last slash does not lead to the one with it: no 307, the"
        " query lost, or a target that is a 404.",
        cause=f"Often there is no redirect at all, but a 404: {_DOUBLED} Or nginx's proxy_pass has"
        " a variable in its path, and passes that path without the query.",
        fix=f"{_TELL} In such a proxy_pass, add $is_args$args.",
        references=(f"{_PROXY}#proxy_pass", _UVICORN_ROOT_PATH)),
    Symptom("docs-unreachable", path="/docs",
        seen="/docs, /redoc or the page to which OAuth2 leads back is a 404, or is no docs page.",
        cause=f"{_DOUBLED} Or the routes carry the prefix (strategy `router`), and the docs' own"
        " URLs do not.",
        fix=f"{_TELL} With `router`, put the prefix into docs_url, redoc_url, openapi_url and"
        " swagger_ui_oauth2_redirect_url as well.",
        references=(_UVICORN_ROOT_PATH, _GUIDE)),
    Symptom("docs-openapi-404", path="/docs",
        seen="The docs page loads and says: Failed to load API definition.",
        cause="The page names the OpenAPI document with root_path in front, and root_path is empty:"
        f" the browser asks for /openapi.json, which the proxy does not route. {_UNTOLD}",
        fix=_TELL,
        references=(f"{_GITHUB}/fastapi/fastapi/issues/15", _GUIDE)),
    Symptom("servers-wrong", path="/openapi.json",
        seen='"Try it out" in the docs, or a generated client, asks a URL that does not exist.',
        cause="FastAPI puts root_path first among OpenAPI's servers. If it is empty, or the servers"
        " are written by hand, clients take the operations to be elsewhere. Where the proxy strips"
        " the prefix, neither Uvicorn nor Hypercorn learns it from X-Forwarded-Prefix.",
        fix=f"{_TELL} Do not repeat the prefix in servers; root_path_in_servers=False omits it.",
        references=(_GUIDE, f"{_GITHUB}/fastapi/fastapi/pull/1596")),
    Symptom("mount-unreachable", path="/sub/app",
        seen="Plain routes and the docs work, but everything in a mounted application is a 404, or"
        " it reports another root_path.",
        cause="A mounted application's root_path is the prefix and the mount's path, and Starlette"
        f" takes that off the path only if the path begins with it. {_LABEL} A root_path of the"
        " mounted FastAPI's own replaces the mount's, with the same effect.",
        fix=f"{_TELL} Leave root_path out of the mounted application.",
        references=(_STARLETTE_ROOT_PATH, _GUIDE_PR, f"{_GITHUB}/smithyhq/sqladmin/pull/996")),
    Symptom("url-wrong-host", path="/scope?q=1",
        seen="Links that the application builds have a name like app:8000.",
        cause=f"request.url, base_url and url_for take the Host that arrived. {_HOST}",
        fix=_SEND_HOST,
        references=(_UVICORN_HOST, _NGINX_HEADER)),
    Symptom("url-drops-port", path="/scope?q=1",
        seen="Links that the application builds lack the public port.",
        cause=f"request.url, base_url and url_for take the Host that arrived. {_PORT}",
        fix=_SEND_HOST,
        references=(f"{_CORE}#var_request_port", _NGINX_HEADER)),
    Symptom("url-wrong-scheme", path="/scope?q=1",
        seen="On an https page, links, scripts and styles are http, and the browser blocks them as"
        " mixed content.",
        cause=f"request.url, base_url and url_for take the scheme from the scope. {_UNTRUSTED}",
        fix=_TRUST,
        references=(_UVICORN_HEADERS, _PROXY_FIX, f"{_GITHUB}/Kludex/starlette/issues/538")),
    Symptom("url-drops-prefix", path="/scope?q=1",
        seen="Links that the application builds lack the prefix and are 404s.",
        cause="request.url is made from the path alone, url_for from root_path: a label mends only"
        f" url_for. {_LABEL}",
        fix=_TELL,
        references=(_GUIDE_PR, _STARLETTE_ROOT_PATH)),
    Symptom("url-for-broken", path="/scope?q=1",
        seen="A link that the application builds is a 404, or building it is a 500.",
        cause="The page itself is not found, a hop changed the query, or the name belongs to"
        f" another router: a mounted application asks the outer one. In the first case, {_DOUBLED}",
        fix=f"{_TELL} In a mounted application, put the mount's name in front: mount:name.",
        references=(f"{_GITHUB}/Kludex/starlette/pull/1416", _UVICORN_ROOT_PATH)),
    Symptom("mount-redirect-drops-prefix", path="/sub/items",
        seen="In a mounted application that works otherwise, the redirect to the address with the"
        " slash is a 404.",
        cause="Starlette makes the redirect from the path in the scope, with prefix and mount. If"
        " the mount's routes answer, that path is right, and a hop rewrites Location, as nginx's"
        " proxy_redirect does, or does not route the target.",
        fix="nginx: proxy_redirect off. Let the proxy route all that is below the prefix.",
        references=(f"{_PROXY}#proxy_redirect", _STARLETTE_REDIRECT)),
    Symptom("mount-docs-broken", path="/sub/docs",
        seen="A mounted application works, but its docs page is a 404 or can't load its OpenAPI.",
        cause="The page names the OpenAPI document with the mounted application's root_path in"
        " front: prefix and mount. If its routes answer, then its docs are switched off or have"
        " other URLs, or the proxy routes only some of what is below the mount.",
        fix="Leave docs_url, redoc_url and openapi_url of the mounted FastAPI as they are, and let"
        " the proxy route all that is below the prefix.",
        references=("https://fastapi.tiangolo.com/advanced/sub-applications/", _GUIDE)),
    Symptom("static-unreachable", path="/static/hello.txt",
        seen="Pages load without styles and pictures: static files are 404s, or their links lead"
        " elsewhere.",
        cause="Static files are a mounted application, and their path has to begin with prefix and"
        f" mount. {_LABEL}",
        fix=_TELL,
        references=(_STARLETTE_ROOT_PATH, _GUIDE_PR)),
    Symptom("websocket-refused", path="/ws", method="WEBSOCKET",
        seen="A WebSocket does not open: 403 or 404 in place of 101.",
        cause="403 means that the application has no such route, as the prefix is wrong: Uvicorn's"
        " --root-path with preserve, or in mounts a mere label with strip. 404 or 400 mostly means"
        " that the proxy did not pass the upgrade on; nginx does not by default.",
        fix=f"{_TELL} nginx: proxy_http_version 1.1, proxy_set_header for Upgrade and Connection.",
        references=(f"{_NGINX}/websocket.html", _UVICORN_ROOT_PATH)),
    Symptom("websocket-wrong-scheme", path="/ws", method="WEBSOCKET",
        seen="The WebSocket opens, but the application takes its scheme for ws or https where it is"
        " wss, and builds wrong URLs.",
        cause="Without trust in the proxy, it stays ws under both servers. Hypercorn's"
        " ProxyFixMiddleware copies X-Forwarded-Proto as it is: https behind nginx, wss behind"
        " Traefik. Uvicorn makes wss of both; ASGI knows ws and wss only.",
        fix="Uvicorn: --forwarded-allow-ips with the proxy's address. Hypercorn:"
        " ProxyFixMiddleware, and within it WebSocketSchemeMiddleware, as in app/proxy_fix.py.",
        references=(f"{_GITHUB}/pgjones/hypercorn/issues/198",
                    f"{_GITHUB}/Kludex/uvicorn/pull/2258", _ASGI)),
    Symptom("websocket-wrong-root-path", path="/ws", method="WEBSOCKET",
        seen="The WebSocket opens, but the application does not know its prefix there.",
        cause=f"{_UNTOLD} Or what tells it sees HTTP only, as BaseHTTPMiddleware does.",
        fix=f"{_TELL} A middleware has to treat scopes of the type websocket as well.",
        references=(_GUIDE, _ASGI)),
    Symptom("scheme-wrong", path="/scope",
        seen="The application takes https for http, or the reverse: wrong links, cookies without"
        " Secure, endless redirects to https.",
        cause=_UNTRUSTED,
        fix=_TRUST,
        references=(_UVICORN_HEADERS, _PROXY_FIX, _GUIDE)),
    Symptom("host-wrong", path="/scope",
        seen="The application sees another Host than the client asked for.",
        cause=f"{_HOST} nginx's $host is the right name without the port.",
        fix=_SEND_HOST,
        references=(_NGINX_HEADER, _UVICORN_HOST)),
    Symptom("client-is-proxy", path="/scope",
        seen="Logs, rate limits and lists of addresses see one client: the proxy.",
        cause=_UNTRUSTED,
        fix=_TRUST,
        references=(_UVICORN_HEADERS, _PROXY_FIX)),
    Symptom("client-spoofable", path="/scope", headers=(("X-Forwarded-For", "192.0.2.7"),),
        seen="Clients choose the address that the application sees, and so get past rate limits and"
        " lists of addresses.",
        cause=f"The proxy passes the client's X-Forwarded-For on, or appends to it. {_LET_THROUGH}"
        " Of several addresses, Uvicorn with trust `*` takes the leftmost, which the client wrote,"
        " and Hypercorn's ProxyFixMiddleware the one at trusted_hops from the right.",
        fix="nginx: proxy_set_header X-Forwarded-For $remote_addr, not $proxy_add_x_forwarded_for."
        " Uvicorn: the proxy's address in --forwarded-allow-ips, not `*`. Hypercorn:"
        " trusted_hops as many as append to the header, if -Proto and -Host have as many values.",
        references=(_UVICORN_HEADERS, _PROXY_FIX, _INTEGRITY)),
    Symptom("scheme-spoofable", path="/scope", headers=(("X-Forwarded-Proto", "https"),),
        seen="Clients make the application believe that it was asked over https, or over http.",
        cause="The proxy passes the client's X-Forwarded-Proto on, and the server believes the"
        f" proxy. {_LET_THROUGH}",
        fix=f"{_OVERWRITE} nginx: proxy_set_header X-Forwarded-Proto $scheme.",
        references=(_NGINX_HEADER, _ENTRY_POINTS, _INTEGRITY)),
    Symptom("prefix-spoofable", path="/scope", headers=(("X-Forwarded-Prefix", "/canary"),),
        seen="Clients choose the prefix in links and redirects; for others too, if a cache keeps"
        " the answer.",
        cause="The proxy passes the client's X-Forwarded-Prefix on (nginx unless told otherwise,"
        " Traefik before 3.2.1), and a middleware in the application believes it. Neither Uvicorn"
        " nor Hypercorn reads it.",
        fix="nginx: proxy_set_header X-Forwarded-Prefix, with what it strips or with nothing. Where"
        ' the proxy can\'t, believe nobody: trusted="" and a fixed prefix.',
        references=(f"{_ADVISORIES}/GHSA-h924-8g65-j9wg", _NGINX_HEADER)),
    Symptom("host-spoofable", path="/scope", headers=(("X-Forwarded-Host", "canary.invalid"),),
        seen="Clients choose the name in links and redirects, even of a mail that resets somebody's"
        " password.",
        cause="The proxy passes the client's X-Forwarded-Host on, and Hypercorn's"
        f" ProxyFixMiddleware makes it the Host; Uvicorn does not read it. {_LET_THROUGH}",
        fix=f"{_OVERWRITE} TrustedHostMiddleware refuses all names but the application's own.",
        references=(_PROXY_FIX, _ENTRY_POINTS, _NGINX_HEADER)),
    Symptom("forwarded-passed-on", path="/scope",
        headers=(("Forwarded", "for=192.0.2.7;host=canary.invalid;proto=https"),),
        seen="Nothing yet. What the client claims arrives at the application, and the next"
        " middleware that somebody adds may believe it.",
        cause="nginx passes on every header that no proxy_set_header names. Traefik overwrites or"
        " drops X-Forwarded-* and X-Real-Ip, and passes Forwarded (RFC 7239) on.",
        fix='nginx: proxy_set_header Forwarded "", likewise for the others. Traefik: a headers'
        ' middleware with customRequestHeaders, Forwarded = "".',
        references=(_INTEGRITY, _NGINX_HEADER, f"{_MIDDLEWARES}/headers/")),
    Symptom("direct-spoofable", path="/scope",
        headers=(("X-Forwarded-For", "192.0.2.7"), ("X-Forwarded-Proto", "https")),
        seen="Whoever reaches the application past the proxy chooses the address and the scheme"
        " that it sees.",
        cause="The application believes forwarded headers of anybody: Uvicorn or `fastapi run` has"
        " trust `*`, or Hypercorn's ProxyFixMiddleware stands alone, which asks nobody who the"
        " peer is.",
        fix="Uvicorn: --forwarded-allow-ips with the proxy's address or network. Hypercorn: ask who"
        " the peer is first, as app/proxy_fix.py does. Best let nobody but the proxy connect.",
        references=(_UVICORN_HEADERS, _PROXY_FIX,
                    f"{_GITHUB}/cloud-in-a-bottle/cloud-in-a-bottle/pull/59")),
    Symptom("prefix-leaks", path="/api/v1/app",
        seen="A path outside the prefix reaches the application, or a page has several addresses.",
        cause="The proxy compares letters, not segments: Traefik's PathPrefix(`/api/v1`) and"
        " nginx's location /api/v1 match /api/v10. Or it resolves dots to compare, and passes them"
        " on. Or it strips, Hypercorn's --root-path labels, and Starlette takes the prefix off once"
        " more: /api/v1/api/v1/app answers.",
        fix="Traefik: Path(`/api/v1`) || PathPrefix(`/api/v1/`). nginx: location ~ ^/api/v1(/|$),"
        " 400 if $request_uri begins otherwise. Hypercorn with strip: ForwardedPrefixMiddleware.",
        references=(_RULES, f"{_CORE}#location", f"{_ADVISORIES}/GHSA-vrch-868g-9jx5")),
    Symptom("prefix-stripped-twice", path="/api/v1/nested",
        seen="A route whose own path begins with the prefix, publicly /api/v1/api/v1/nested, is a"
        " 404.",
        cause="The proxy strips the prefix, and Hypercorn's --root-path or FastAPI(root_path=) only"
        " labels it: from the stripped path, /api/v1/nested, Starlette takes root_path off once"
        " more. Uvicorn's --root-path puts the prefix back first.",
        fix="Hypercorn: ForwardedPrefixMiddleware that believes the proxy's X-Forwarded-Prefix. A"
        " fixed prefix is not enough: it takes the stripped path for the whole one.",
        references=(_STARLETTE_ROOT_PATH, f"{_GITHUB}/epam/badgerdoc/pull/1022")),
    Symptom("tunnel-opened",
        headers=(("Connection", "Upgrade, HTTP2-Settings"), ("Upgrade", "h2c"),
                 ("HTTP2-Settings", "AAMAAABkAAQAoAAAAAIAAAAA")),
        seen="An upgrade to h2c is answered 101. What follows on that connection passes the proxy"
        " unread: other paths, forwarded headers of the client's own.",
        cause="The proxy passes Upgrade on, whatever it says, and Hypercorn accepts h2c. Uvicorn"
        " upgrades to WebSocket only.",
        fix="nginx: in place of $http_upgrade, a map of it that knows websocket alone.",
        references=(f"{_RFC}/rfc9113#section-3.1", f"{_NGINX}/websocket.html")),
    Symptom("bare-prefix-broken", path="/",
        seen="/api/v1 or /api/v1/ is a 404, or redirects away from the application.",
        cause="The proxy's rule has the prefix with the slash only, or without it only. Where"
        " nginx's location is /api/v1/, it redirects /api/v1 itself, and to its own port and"
        " scheme, which need not be the public ones.",
        fix="nginx: location ~ ^/api/v1(/|$), or absolute_redirect off. Traefik: Path(`/api/v1`) ||"
        " PathPrefix(`/api/v1/`).",
        references=(f"{_CORE}#location", f"{_CORE}#absolute_redirect")),
    Symptom("path-altered", path="/scope/a%2Fb/caf%C3%A9",
        seen="Names with an encoded slash in them are not found, or are taken for others: /a%2Fb"
        " arrives as /a/b.",
        cause="The proxy passes on the path as it decoded it: nginx does if proxy_pass has a URI,"
        " as in http://app/. Or it refuses encoded slashes, as Traefik's EncodedCharacters does.",
        fix="nginx: proxy_pass without a URI, or with what a map of $request_uri leaves of it."
        " Traefik: allowEncodedSlash = true.",
        references=(f"{_PROXY}#proxy_pass", f"{_MIDDLEWARES}/encodedcharacters/")),
    Symptom("stream-buffered", path="/events?count=3&interval=0.25",
        seen="Server-sent events, or the words of a chat, come all at once at the end.",
        cause="The proxy collects the answer before it passes it on: nginx with its default, small"
        " events over https (in ssl_buffer_size); Traefik with the buffering middleware.",
        fix="nginx: proxy_buffering off, or X-Accel-Buffering: no in the answer. Traefik:"
        " disableResponseBuffer = true, or no buffering.",
        references=(f"{_PROXY}#proxy_buffering", f"{_MIDDLEWARES}/buffering/")),
    Symptom("body-refused", path="/echo", method="POST",
        seen="A large upload fails, mostly with 413.",
        cause="The proxy has a limit: nginx 1 MiB by default, Traefik what maxRequestBodyBytes of"
        " the buffering middleware says.",
        fix="nginx: client_max_body_size 32m. Traefik: a larger maxRequestBodyBytes.",
        references=(f"{_CORE}#client_max_body_size", f"{_MIDDLEWARES}/buffering/")),
    Symptom("body-altered", path="/echo", method="POST",
        seen="A file is damaged or incomplete after upload or download.",
        cause="A hop changed the body, as nginx's sub_filter does, or a connection ended in the"
        " middle, for example by a time-out.",
        fix="Take the rewriting out. Of an answer cut short, the logs of proxy and application say"
        " who ended it.",
        references=(f"{_RFC}/rfc9110#section-7.7", f"{_RFC}/rfc9112#section-8")),
)
# fmt: on
