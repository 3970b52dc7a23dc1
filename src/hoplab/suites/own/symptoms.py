"""The symptoms that only a person's own application can have: of the URLs that it makes itself.

They are told from those of the contract because the server and the proxy may be right: then it is
the application that has to change. {prefix} is the deployment's prefix.
"""

from hoplab.suites.contract.sentences import (
    ASGI,
    DOUBLED,
    GIVE_PREFIX,
    GUIDE,
    HOST_RFC,
    LABEL,
    RFC,
    SEND_HOST,
    STARLETTE_ROOT_PATH,
    TRUST,
)
from hoplab.symptom import Symptom

_URL_FOR = "https://www.starlette.io/routing/#reverse-url-lookups"
_MAKE = (
    "Make the URL from the request: `request.url_for` in Starlette and FastAPI, or the root_path of"
    " the ASGI scope and the path. Or write it relative to the page."
)
_RELATIVE = f"{RFC}/rfc3986#section-4.2"

# fmt: off
# A table, as in the contract's.
SYMPTOMS = (
    Symptom("scope-path-wrong",
        seen="The path in the ASGI scope is not root_path and what is below it, as ASGI wants it:"
        " mounts are 404s, and redirects and links lose the prefix or have it twice.",
        cause=f"{LABEL} {DOUBLED}",
        fix=GIVE_PREFIX,
        references=(ASGI, STARLETTE_ROOT_PATH)),
    Symptom("link-drops-prefix",
        seen="A link, form, script, redirect or URL in JSON lacks {prefix}: a 404 from the proxy,"
        " or another site.",
        cause="The application writes a path that begins with a slash, which a browser resolves"
        " against the host alone. If the question `scope` fails as well, that is the cause.",
        fix=_MAKE,
        references=(_URL_FOR, _RELATIVE, GUIDE)),
    Symptom("link-wrong-path",
        seen="A URL that the application gives has the prefix twice, or leads outside it.",
        cause="The application puts a prefix in front of URLs that have it already, for example"
        " root_path in front of request.url_for.",
        fix=_MAKE,
        references=(_URL_FOR, GUIDE)),
    Symptom("link-wrong-host",
        seen="A URL that the application gives has an internal name, such as localhost:8000, which"
        " no client can reach.",
        cause="The name is written in the application or in its settings. If the question"
        " `scope` fails as well, that is the cause.",
        fix=f"{_MAKE} {SEND_HOST}",
        references=(_URL_FOR, HOST_RFC)),
    Symptom("link-drops-port",
        seen="A URL that the application gives lacks the public port.",
        cause="The application makes it from the host's name without the port.",
        fix=f"{_MAKE} {SEND_HOST}",
        references=(_URL_FOR, HOST_RFC)),
    Symptom("link-wrong-port",
        seen="A URL that the application gives has another port than the public one.",
        cause="The application makes it from the port on which it listens.",
        fix=f"{_MAKE} {SEND_HOST}",
        references=(_URL_FOR, HOST_RFC)),
    Symptom("link-wrong-scheme",
        seen="On an https page, a URL that the application gives is http: browsers block it.",
        cause="The scheme is written in the application or in its settings. If the question"
        " `scope` fails as well, that is the cause.",
        fix=f"{_MAKE} {TRUST}",
        references=(_URL_FOR, GUIDE)),
    Symptom("servers-drop-prefix", path="/openapi.json",
        seen='"Try it out" in the docs, and generated clients, ask URLs that lack {prefix}.',
        cause="The OpenAPI document names other servers, or none, which means the host's root. The"
        " framework does not make them from root_path. If the question `scope` fails as well, that"
        " is the cause.",
        fix="List the public URL, or {prefix}, among the servers of the OpenAPI document:"
        ' `servers=[{"url": "{prefix}"}]`. FastAPI lists root_path itself without'
        " `root_path_in_servers=False`.",
        references=("https://spec.openapis.org/oas/v3.1.0#server-object", GUIDE)),
    Symptom("cookie-path-wrong",
        seen="People are logged out at once, or settings are forgotten: the browser does not send"
        " the cookie back.",
        cause="The cookie's path does not match the public path, which begins with {prefix}.",
        fix="Set the cookie's path to the root_path of the request,"
        ' `path=request.scope["root_path"]`, or to a single slash, `path="/"`.',
        references=(f"{RFC}/rfc6265#section-5.1.4",)),
)
# fmt: on
