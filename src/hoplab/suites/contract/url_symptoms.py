"""The symptoms of who answers, and of the URLs that the application makes.

{prefix} is the deployment's prefix.
"""

from hoplab.suites.contract.sentences import (
    ASGI,
    DOUBLED,
    FORWARDED,
    GITHUB,
    GIVE_PREFIX,
    GUIDE,
    GUIDE_PR,
    HOST,
    HOST_RFC,
    LABEL,
    NOT_PASSED,
    PATH_SEGMENTS,
    PORT,
    RFC,
    SEND_HOST,
    STARLETTE_REDIRECT,
    STARLETTE_ROOT_PATH,
    SUB_APPLICATIONS,
    TRUST,
    UNTRUSTED,
)
from hoplab.symptom import Symptom

# fmt: off
# A table: as the formatter breaks it, a symptom would not fit on a screen with the next.
ANSWERS_AND_URLS = (
    Symptom("proxy-has-no-route",
        seen="The proxy itself answers 404. The request does not reach the application.",
        cause="No rule of the proxy matches the path: the rule has another prefix, or applies only"
        " to other paths, hosts or ports.",
        fix="Configure the proxy to match {prefix} itself and {prefix}/ with what follows, for the"
        " public host.",
        references=(f"{RFC}/rfc9110#section-15.5.5", PATH_SEGMENTS)),
    Symptom("application-unreachable",
        seen="The proxy itself answers 502, 503 or 504: it gets no answer from the application.",
        cause="The application does not run, listens on another address or port than the proxy"
        " asks, or takes longer than the proxy waits.",
        fix="Read the proxy's log: it names the address that it asked, and the error. Start the"
        " application there, or correct the address in the proxy.",
        references=(f"{RFC}/rfc9110#section-15.6.3", f"{RFC}/rfc9110#section-15.6.5")),
    Symptom("proxy-answered",
        seen="The proxy answers in the application's place: with a refusal (400, 403, 413, 429), a"
        " redirect or a page of its own.",
        cause="A rule or limit of the proxy applies to this request, or another site of the same"
        " proxy answers. An ASGI server that refuses a request itself looks the same.",
        fix="Find the rule by the status in the proxy's log. Change it, or route the path to the"
        " application.",
        references=(f"{RFC}/rfc9110#section-3.7",)),
    Symptom("application-has-no-route",
        seen="The application itself answers 404: it is asked for a path that it does not have.",
        cause=f"{DOUBLED} Or the proxy preserves the prefix, and the application's routes lack it;"
        " or the proxy strips it, and the routes carry it.",
        fix=GIVE_PREFIX,
        references=(GUIDE, ASGI)),
    Symptom("application-error",
        seen="The application itself answers 500, or another 5xx.",
        cause="The application, or a middleware around it, raises an exception. The prefix and the"
        " proxy may have nothing to do with it.",
        fix="Read the application's log: it has the traceback.",
        references=(f"{RFC}/rfc9110#section-15.6.1",)),
    Symptom("answer-wrong",
        seen="The application answers, but not as this route does: with another status, or with"
        " the content of another route.",
        cause="The proxy sends another path or method than the client, or a hop changes the"
        " answer.",
        fix="Configure the proxy to pass on method, path and answer as they are.",
        references=(f"{RFC}/rfc9110#section-7.7",)),
    Symptom("root-path-missing",
        seen="The application answers, but root_path is empty. URLs that it builds from root_path"
        " lack the prefix.",
        cause=NOT_PASSED,
        fix=GIVE_PREFIX,
        references=(GUIDE, ASGI)),
    Symptom("root-path-wrong",
        seen="The application answers, but its root_path is not the public prefix.",
        cause="The root path was given with a final slash, or is another prefix than the proxy's.",
        fix="Set the root path to exactly the prefix: {prefix}, without a final slash. Leave it out"
        " where there is no prefix.",
        references=(GUIDE, ASGI)),
    Symptom("redirect-wrong-host", path="/items?q=1",
        seen="A redirect leads to an internal name such as app:8000, which the browser cannot"
        " resolve.",
        cause=f"Starlette copies the Host header that it receives into redirects. {HOST}",
        fix=SEND_HOST,
        references=(GUIDE, HOST_RFC)),
    Symptom("redirect-drops-port", path="/items?q=1",
        seen="A redirect leads to the right name without its port, and so to another service or to"
        " none.",
        cause=f"Starlette copies the Host header that it receives into redirects. {PORT}",
        fix=SEND_HOST,
        references=(GUIDE, HOST_RFC)),
    Symptom("redirect-wrong-port", path="/items?q=1",
        seen="A redirect leads to the right name with another port: to another service or to none.",
        cause="Starlette copies the Host header that it receives into redirects, and the proxy"
        " sends a port of its own. Or the proxy itself redirects, to the port on which it listens.",
        fix=SEND_HOST,
        references=(GUIDE, HOST_RFC)),
    Symptom("redirect-wrong-scheme", path="/items?q=1",
        seen="A redirect leads from https to http. The browser blocks it as mixed content, or the"
        " client drops its credentials.",
        cause=f"Starlette copies the scheme of the ASGI scope into redirects. {UNTRUSTED}",
        fix=TRUST,
        references=(GUIDE, FORWARDED)),
    Symptom("redirect-drops-prefix", path="/items?q=1",
        seen="{prefix}/items redirects to /items/, which is a 404.",
        cause=f"Starlette builds the redirect from the path in the ASGI scope alone. {LABEL}",
        fix=GIVE_PREFIX,
        references=(STARLETTE_REDIRECT, GUIDE_PR)),
    Symptom("redirect-wrong-path", path="/items?q=1",
        seen="A redirect leads to another path: with the prefix twice, with two slashes, or to"
        " another page.",
        cause="Starlette builds the redirect from the path in the ASGI scope. A root path with a"
        " final slash doubles the slash. Or the proxy rewrites the Location header, and puts the"
        " prefix in front of one that has it already.",
        fix="Give the root path without a final slash. Configure the proxy to leave Location as it"
        " is.",
        references=(GUIDE, f"{RFC}/rfc9110#section-10.2.2")),
    Symptom("redirect-wrong-query", path="/items?q=1",
        seen="A redirect loses the query, or leads to another one.",
        cause="The proxy does not pass the query on, or rewrites the Location header.",
        fix="Configure the proxy to pass on the query and to leave Location as it is.",
        references=(f"{RFC}/rfc9110#section-10.2.2",)),
    Symptom("redirect-missing", path="/items?q=1",
        seen="The address without its final slash is not redirected to the one with it.",
        cause="The proxy adds the slash itself, or sends another path. Or a hop drops the Location"
        " header.",
        fix="Configure the proxy to pass on the path as the client wrote it, and to leave Location"
        " as it is.",
        references=(STARLETTE_REDIRECT,)),
    Symptom("redirect-wrong-status", path="/items", method="POST",
        seen="A redirect has another status than 307. With 301, 302 or 303, clients go on with a"
        " GET, and the body of a POST is lost.",
        cause="The proxy itself redirects, or changes the status. Or the application redirects by"
        " hand, with another one.",
        fix="Let the application's framework redirect. By hand, use `RedirectResponse(url,"
        " status_code=307)`; if the proxy has to redirect, 307 or 308.",
        references=(f"{RFC}/rfc9110#section-15.4.8",)),
    Symptom("docs-unreachable", path="/docs",
        seen="/docs, /redoc or the OAuth2 redirect page is a 404 from the application.",
        cause=f"{DOUBLED} Or the routes carry the prefix (strategy `router`), and the URLs of the"
        " docs do not.",
        fix=f"{GIVE_PREFIX} With `router`, put the prefix into docs_url, redoc_url, openapi_url"
        " and swagger_ui_oauth2_redirect_url as well.",
        references=(GUIDE, ASGI)),
    Symptom("docs-page-wrong", path="/docs",
        seen="The docs page loads, and stays empty: it is cut short, or names no OpenAPI document,"
        " or its script does not load.",
        cause="Another page answers in its place, or a hop rewrites it. Or its script is a 404, or"
        " an http URL that the browser blocks on an https page.",
        fix="Configure the proxy to pass pages on as they are. Serve the script from the"
        " application, or from an https URL.",
        references=("https://fastapi.tiangolo.com/how-to/custom-docs-ui-assets/",)),
    Symptom("docs-openapi-404", path="/docs",
        seen="The docs page loads and says: Failed to load API definition.",
        cause="The docs page builds the URL of the OpenAPI document from root_path, which is empty:"
        " the browser asks for /openapi.json, and the proxy has no route for it."
        f" {NOT_PASSED}",
        fix=GIVE_PREFIX,
        references=(f"{GITHUB}/fastapi/fastapi/issues/15", GUIDE)),
    Symptom("docs-openapi-wrong", path="/docs",
        seen="The docs page loads and says: Failed to load API definition. The URL that it names is"
        " of another origin, or is not an OpenAPI document.",
        cause="openapi_url is absolute, or a hop rewrites the page or the document.",
        fix="Leave openapi_url relative to the application. Configure the proxy to pass pages and"
        " documents on as they are.",
        references=(GUIDE,)),
    Symptom("servers-wrong", path="/openapi.json",
        seen='"Try it out" in the docs, or a generated client, asks a URL that does not exist.',
        cause="FastAPI lists root_path first among the servers of the OpenAPI document. If"
        " root_path is empty, or the servers are written by hand, clients use the wrong base URL.",
        fix=f"{GIVE_PREFIX} Do not repeat the prefix in servers.",
        references=(GUIDE, f"{GITHUB}/fastapi/fastapi/pull/1596")),
    Symptom("mount-unreachable", path="/sub/app",
        seen="A path of a mounted application is a 404 from the application, often where plain"
        " routes and the docs work.",
        cause="The root_path of a mounted application is the prefix and the mount's path, and"
        f" Starlette removes it only from a path that begins with it. {LABEL} A root_path of the"
        " mounted FastAPI itself replaces the mount's, with the same effect.",
        fix=f"{GIVE_PREFIX} Leave root_path out of the mounted application.",
        references=(STARLETTE_ROOT_PATH, GUIDE_PR, f"{GITHUB}/smithyhq/sqladmin/pull/996")),
    Symptom("mount-wrong-root-path", path="/sub/app",
        seen="A mounted application answers, but its root_path is not the prefix and the mount's"
        " path. URLs that it builds lack the prefix.",
        cause=f"{NOT_PASSED} Or the root path was given with a final slash.",
        fix=f"{GIVE_PREFIX} Give the root path without a final slash.",
        references=(GUIDE, SUB_APPLICATIONS)),
    Symptom("url-wrong-host", path="/scope?q=1",
        seen="Links that the application builds contain an internal name such as app:8000.",
        cause="request.url, base_url and url_for use the Host header that the application"
        f" receives. {HOST}",
        fix=SEND_HOST,
        references=(GUIDE, HOST_RFC)),
    Symptom("url-drops-port", path="/scope?q=1",
        seen="Links that the application builds lack the public port.",
        cause="request.url, base_url and url_for use the Host header that the application"
        f" receives. {PORT}",
        fix=SEND_HOST,
        references=(GUIDE, HOST_RFC)),
    Symptom("url-wrong-port", path="/scope?q=1",
        seen="Links that the application builds have another port than the public one.",
        cause="request.url, base_url and url_for use the Host header that the application"
        " receives, and the proxy sends a port of its own.",
        fix=SEND_HOST,
        references=(GUIDE, HOST_RFC)),
    Symptom("url-wrong-scheme", path="/scope?q=1",
        seen="On an https page, links, scripts and styles are http, and the browser blocks them as"
        " mixed content.",
        cause=f"request.url, base_url and url_for use the scheme of the ASGI scope. {UNTRUSTED}",
        fix=TRUST,
        references=(GUIDE, FORWARDED, f"{GITHUB}/Kludex/starlette/issues/538")),
    Symptom("url-drops-prefix", path="/scope?q=1",
        seen="Links that the application builds lack the prefix and are 404s.",
        cause="request.url is built from the path alone, url_for from root_path: a label fixes"
        f" url_for only. {LABEL}",
        fix=GIVE_PREFIX,
        references=(GUIDE_PR, STARLETTE_ROOT_PATH)),
    Symptom("url-wrong-path", path="/scope?q=1",
        seen="Links that the application builds lead to another path: with the prefix or a slash"
        " twice, or with another prefix.",
        cause="The root path was given with a final slash, or is not the prefix; or the proxy"
        " passes on another path than the client's.",
        fix="Set the root path to exactly the prefix: {prefix}, without a final slash. Configure"
        " the proxy to pass on the path as the client wrote it.",
        references=(GUIDE, ASGI)),
    Symptom("url-wrong-query", path="/scope?q=1",
        seen="request.url has no query, or another one than the client sent.",
        cause="The proxy does not pass the query on, or writes it in another form.",
        fix="Configure the proxy to pass on the query as the client wrote it.",
        references=(f"{RFC}/rfc3986#section-3.4",)),
    Symptom("url-for-finds-no-route", path="/scope",
        seen="request.url_for raises NoMatchFound, and the page is a 500.",
        cause="The name belongs to another router: a mounted application looks it up in the outer"
        " one.",
        fix="In a mounted application, put the mount's name in front of the route's:"
        ' `request.url_for("MOUNT:NAME")`.',
        references=(f"{GITHUB}/Kludex/starlette/pull/1416",)),
    Symptom("mount-docs-broken", path="/sub/docs",
        seen="The docs page of a mounted application is a 404, is cut short, or cannot load its"
        " OpenAPI document.",
        cause="The page builds the URL of the OpenAPI document from the mounted application's"
        " root_path: prefix and mount. If the mount's routes answer, its docs are disabled or have"
        " other URLs, or the proxy routes only part of what is below the mount.",
        fix="Leave docs_url, redoc_url and openapi_url of the mounted FastAPI at their defaults."
        " Configure the proxy to route every path below the prefix.",
        references=(SUB_APPLICATIONS, GUIDE)),
    Symptom("static-unreachable", path="/static/hello.txt",
        seen="Pages load without styles and images: static files are 404s from the application.",
        cause="Static files are a mounted application, and their path has to begin with the prefix"
        f" and the mount's path. {LABEL}",
        fix=GIVE_PREFIX,
        references=(STARLETTE_ROOT_PATH, GUIDE_PR)),
)
# fmt: on
