"""The symptoms of the questions to the CORS variants, and of Prometheus.

What a proxy has to do with them stands in its own folder.
"""

from hoplab.symptom import Symptom

_GITHUB = "https://github.com"
_CORS = "https://fetch.spec.whatwg.org/#http-cors-protocol"
_PREFLIGHT_FETCH = "https://fetch.spec.whatwg.org/#cors-preflight-fetch"
_CACHES = "https://fetch.spec.whatwg.org/#cors-protocol-and-http-caches"
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
        seen="A page of another origin may read what it should not, or may not read what it should,"
        " although every origin is listed in some CORSMiddleware.",
        cause="Another layer than intended decides. The outermost layer answers every preflight and"
        " overwrites the headers of the inner ones, and a mounted application is inside the layers"
        " of the main one. Or the proxy's policy replaces the application's.",
        fix="Use one layer for each path: either one around everything, or one for each mount"
        " (Mount(middleware=)) and none around them.",
        references=(_CORS, _STARLETTE_CORS, f"{_GITHUB}/fastapi/fastapi/issues/1174")),
    Symptom("cors-missing", path="/items/", headers=_MAIN,
        seen="The console says: No 'Access-Control-Allow-Origin' header is present. The request"
        " itself was answered, and may have had its effect.",
        cause="No layer that allows this origin covers the path. A layer on a mounted application"
        " does not cover the main one, and the main one sends the redirect to the mount.",
        fix="Put a layer around the application that answers. Ask for the path with its final"
        " slash.",
        references=(_CORS, _STARLETTE_CORS)),
    Symptom("cors-missing-on-error", path="/fail", headers=_MAIN,
        seen="The console says that CORS blocked the answer, and the page cannot see the 500 behind"
        " it.",
        cause="Starlette places what add_middleware adds inside its ServerErrorMiddleware, which"
        " answers uncaught exceptions outside the CORS layer. The proxy's own errors do not pass"
        " through the application's layers either.",
        fix="Put CORSMiddleware around the application: app = CORSMiddleware(app, ...).",
        references=(_STARLETTE_CORS, f"{_GITHUB}/Kludex/starlette/issues/1116")),
    Symptom("cors-duplicated", path="/items/", headers=_MAIN,
        seen="The console says: The 'Access-Control-Allow-Origin' header contains multiple values.",
        cause="The application and the proxy both add the header.",
        fix="Set CORS headers in one place only: in the application or in the proxy.",
        references=(_CORS,)),
    Symptom("cors-preflight-redirected", path="/metrics", headers=_PREFLIGHT, method="OPTIONS",
        seen="The console says: Redirect is not allowed for a preflight request.",
        cause="The path lacks the final slash of a mount or route, and no CORS layer is in front of"
        " the router that redirects it. Or the proxy redirects, for example from http to https.",
        fix="Ask for the exact path, with its final slash, or put a CORS layer around the router.",
        references=(_PREFLIGHT_FETCH, _CORS)),
    Symptom("cors-vary-missing", path="/items/", headers=_MAIN,
        seen="Now and then the browser blocks a page that is allowed, after a page of another"
        " origin read the same URL: the answer came from a cache.",
        cause="The answer names the origin that asked, and no Vary header says that it depends on"
        " the origin.",
        fix="Send Vary: Origin with every answer of such a path, even with those that have no CORS"
        " headers. Starlette's CORSMiddleware does so.",
        references=(_CACHES,)),
    Symptom("cors-origin-reflected", path="/items/",
        headers=(("Origin", "http://stranger.example"),),
        seen="Nothing, until a page of another site reads what only yours should.",
        cause="The policy compares too loosely. `*` with credentials allows every origin that asks,"
        " and so may a regular expression without an end or a comparison that ignores case.",
        fix="List whole origins. allow_origin_regex has to match the whole origin.",
        references=(_CORS, "https://portswigger.net/web-security/cors")),
    Symptom("cors-crashes", path="/items/", headers=_PREFLIGHT, method="OPTIONS",
        seen="A preflight with many header names is answered with 502 or 500.",
        cause="allow_headers=[\"*\"] sends the requested names back, and that makes the answer's"
        " headers larger than the proxy accepts.",
        fix="Name the headers in allow_headers, or raise the proxy's limit.",
        references=(_STARLETTE_CORS,)),
    Symptom("middleware-misordered", path="/metrics/", headers=_MAIN,
        seen="A middleware does not see what another one has done, or sees it too early.",
        cause="add_middleware puts each middleware in front of those added before: the last one"
        " added runs first. The middlewares of a mounted application run after all of the main"
        " one's.",
        fix="Add them in the reverse of the order in which they should run, or list them in that"
        " order: `FastAPI(middleware=[...])`.",
        references=("https://starlette.dev/middleware/",)),
    # --- Prometheus ---
    Symptom("metrics-unreachable", path="/metrics/",
        seen="Prometheus shows the target as down.",
        cause="/metrics is not reachable at its public path, or answers in another format than"
        " Prometheus' text format: an HTML page, or a redirect that loses the prefix.",
        fix="Answer with `media_type=CONTENT_TYPE_LATEST` of prometheus_client. Make the redirect"
        " keep the prefix, or scrape the path with its final slash. Or scrape the application"
        " directly, without the proxy.",
        references=("https://prometheus.io/docs/instrumenting/exposition_formats/",)),
    Symptom("metrics-wrong", path="/metrics/",
        seen="Requests are missing in the graphs, or Prometheus runs out of memory.",
        cause="The middleware is inside another one that answers before it. Or it counts by path"
        " instead of by route, and every invented path becomes a series.",
        fix='Label with the template of the route, `scope["route"].path`. Put the middleware where'
        " it sees every request that is to be counted.",
        references=("https://prometheus.io/docs/practices/naming/#labels",)),
)
# fmt: on
