"""The symptoms of the questions to the CORS variants, and of Prometheus."""

from hoplab.symptom import Symptom

_GITHUB = "https://github.com"
_CORS = "https://fetch.spec.whatwg.org/#http-cors-protocol"
_STARLETTE_CORS = "https://starlette.dev/middleware/#corsmiddleware"

_MAIN = (("Origin", "http://main.co.kr"),)
_PREFLIGHT = (
    *_MAIN,
    ("Access-Control-Request-Method", "GET"),
    ("Access-Control-Request-Headers", "x-requested-with"),
)

# fmt: off

CORS = (
    Symptom("cors-wrong-policy", path="/metrics/", headers=_MAIN,
        seen="A page of another origin may read what it should not, or one that should may not,"
        " although every origin stands in some CORSMiddleware.",
        cause="Another layer decides than the author thinks. The outermost answers every preflight"
        " and writes its headers over those of the others; a mounted application is inside the"
        " main one's layers. Or the proxy's policy replaces the application's.",
        fix="One layer for each path: around everything, or one for each mount"
        " (Mount(middleware=)) and none around them.",
        references=(_CORS, _STARLETTE_CORS, f"{_GITHUB}/fastapi/fastapi/issues/1174")),
    Symptom("cors-missing", path="/items/", headers=_MAIN,
        seen="The console says: No 'Access-Control-Allow-Origin' header is present. The request"
        " itself was answered, and may have done its work.",
        cause="The path is in no layer that allows this origin: a layer on a mounted application"
        " does not reach the main one, and the redirect to the mount is the main one's.",
        fix="A layer around the application that answers; ask for the path with its slash.",
        references=(_CORS, _STARLETTE_CORS)),
    Symptom("cors-missing-on-error", path="/fail", headers=_MAIN,
        seen="The console says that CORS blocked the answer, and the page learns nothing of the"
        " 500 behind it.",
        cause="Starlette puts what add_middleware adds inside its ServerErrorMiddleware, which"
        " answers what nobody caught: outside the CORS layer.",
        fix="Put CORSMiddleware around the application: app = CORSMiddleware(app, ...).",
        references=(_STARLETTE_CORS, f"{_GITHUB}/Kludex/starlette/issues/1116")),
    Symptom("cors-duplicated", path="/items/", headers=_MAIN,
        seen="The console says: The 'Access-Control-Allow-Origin' header contains multiple values.",
        cause="Application and proxy both add it. nginx's add_header adds to what came from the"
        " application; Traefik replaces it where its own list matches.",
        fix="Leave CORS to one of them; or proxy_hide_header the application's.",
        references=(_CORS, "https://nginx.org/en/docs/http/ngx_http_headers_module.html")),
    Symptom("cors-preflight-redirected", path="/metrics", headers=_PREFLIGHT, method="OPTIONS",
        seen="The console says: Redirect is not allowed for a preflight request.",
        cause="The path lacks the slash of a mount or route, and no CORS layer stands before the"
        " router that redirects it.",
        fix="Ask for the path as it is, with its slash; or a layer around the router.",
        references=("https://fetch.spec.whatwg.org/#cors-preflight-fetch", _CORS)),
    Symptom("cors-vary-missing", path="/items/", headers=_MAIN,
        seen="A page is now and then refused what it may read, after a page of another origin had"
        " read it: the answer came from a cache.",
        cause="The answer names the origin that asked, and does not say that it depends on it.",
        fix="Vary: Origin on every answer of such a path, also on those without the header:"
        " Starlette's CORSMiddleware adds it; nginx needs add_header Vary Origin always, Traefik"
        " addVaryHeader.",
        references=("https://fetch.spec.whatwg.org/#cors-protocol-and-http-caches",)),
    Symptom("cors-origin-reflected", path="/items/", headers=(("Origin", "http://stranger.example"),),
        seen="Nothing, until somebody else's page reads what only yours should.",
        cause="The policy compares loosely: a * with credentials names whoever asks, a regular"
        " expression without its end, nginx's map without ~ (case does not count there).",
        fix="A list of whole origins; allow_origin_regex matches the whole origin.",
        references=(_CORS, "https://portswigger.net/web-security/cors")),
    Symptom("cors-crashes", path="/items/", headers=_PREFLIGHT, method="OPTIONS",
        seen="A 502 or 500 to a preflight with many header names.",
        cause="allow_headers=[\"*\"] sends back what was asked for: an answer whose head is larger"
        " than nginx's proxy_buffer_size (a page, mostly 4 KB) is a 502.",
        fix="Name the headers in allow_headers; or a larger proxy_buffer_size.",
        references=(_STARLETTE_CORS,
            "https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_buffer_size")),
    Symptom("middleware-misordered", path="/metrics/", headers=_MAIN,
        seen="A middleware does not see what another has done, or sees it too early.",
        cause="add_middleware puts each in front of those before it: added last runs first. And a"
        " mounted application's come after all of the main one's.",
        fix="Add them in the reverse of the order in which they should run.",
        references=("https://starlette.dev/middleware/",)),
    # --- Prometheus ---
    Symptom("metrics-unreachable", path="/metrics/",
        seen="Prometheus shows the target as down.",
        cause="/metrics is not reached at its public path, or answers something else than its text"
        " format: a page for people, a redirect that loses the prefix.",
        fix="Let the redirect keep the prefix, or scrape the path with its slash; or the"
        " application itself, past the proxy.",
        references=("https://prometheus.io/docs/instrumenting/exposition_formats/",)),
    Symptom("metrics-wrong", path="/metrics/",
        seen="Requests are missing in the graphs; or Prometheus runs out of memory.",
        cause="The middleware stands inside another that answers before it; or it counts by path"
        " and not by route, and every invented path is a series of its own.",
        fix="Label with the route's template. Put the middleware where it sees what is to be"
        " counted.",
        references=("https://prometheus.io/docs/practices/naming/#labels",)),
)
# fmt: on
