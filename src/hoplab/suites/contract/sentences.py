"""What several symptoms of the contract have in common: references, and whole sentences."""

# --- where to read on ---

GITHUB = "https://github.com"
RFC = "https://www.rfc-editor.org/rfc"

GUIDE = "https://fastapi.tiangolo.com/advanced/behind-a-proxy/"
GUIDE_PR = f"{GITHUB}/fastapi/fastapi/pull/14238"
SUB_APPLICATIONS = "https://fastapi.tiangolo.com/advanced/sub-applications/"
ASGI = "https://asgi.readthedocs.io/en/latest/specs/www.html"
STARLETTE_ROOT_PATH = f"{GITHUB}/Kludex/starlette/pull/2400"
STARLETTE_REDIRECT = f"{GITHUB}/Kludex/starlette/issues/3293"
TRUSTED_HOST = "https://starlette.dev/middleware/#trustedhostmiddleware"
HOST_RFC = f"{RFC}/rfc9110#section-7.2"
FORWARDED = f"{RFC}/rfc7239"
INTEGRITY = f"{RFC}/rfc7239#section-8.1"
PATH_SEGMENTS = f"{RFC}/rfc3986#section-3.3"

# --- what several symptoms have in common: whole sentences ---

DOUBLED = (
    "Often the proxy preserves the prefix, and the ASGI server puts its root path in front of the"
    " path as well: the application receives the prefix twice."
)
NOT_PASSED = (
    "The proxy strips the prefix, and the application is not configured with it. X-Forwarded-Prefix"
    " alone does not help: ASGI servers do not read it."
)
LABEL = (
    "The proxy strips the prefix, and nothing puts it back in front of the path:"
    " FastAPI(root_path=) and some servers' root path option only label the request."
)
GIVE_PREFIX = (
    "If the proxy strips the prefix, use a server that puts its root path in front of the path, or"
    " ForwardedPrefixMiddleware. If the proxy preserves it, use a server whose root path option"
    ' only labels the request, or ForwardedPrefixMiddleware(app, prefix="{prefix}", trusted="").'
)
HOST = (
    "The proxy sends a Host header of its own, and the ASGI server does not read X-Forwarded-Host."
)
SEND_HOST = (
    "Configure the proxy to send the client's Host header, including the port. Where it cannot, let"
    " a wrapper around the application apply X-Forwarded-Host, from the proxy's address only."
)
PORT = (
    "The proxy sends the Host header without the port, and the ASGI server does not read"
    " X-Forwarded-Port."
)
UNTRUSTED = (
    "The ASGI server does not trust the proxy's address, or reads no forwarded headers by itself."
    " Or the proxy sends none, or sends the values of the hop between itself and another proxy."
)
TRUST = (
    "Let the proxy set X-Forwarded-For and X-Forwarded-Proto. Let the ASGI server, or a wrapper"
    " around the application, trust the proxy's address or network."
)
OVERWRITE = (
    "Let the first proxy set or remove this header itself, and let it trust only the proxies in"
    " front of it."
)
