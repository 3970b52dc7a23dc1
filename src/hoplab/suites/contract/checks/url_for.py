from hoplab.client.probe import WRONG, Failed, Probe, compare_urls, resolved
from hoplab.client.target import Purpose, needs


@needs(Purpose.SCOPE, Purpose.GREETING)
def url_for(probe: Probe) -> str:
    """Is `request.url` what the client asked for, and does `request.url_for` lead to its route?

    And has `base_url` the same scheme, host and port, and the outermost application's root_path?
    Whether that is right is another question: `reach`. Symptoms: `url-wrong-host`,
    `url-drops-port`, `url-wrong-port`, `url-wrong-scheme`, `url-drops-prefix`, `url-wrong-path`,
    `url-wrong-query`, `url-for-finds-no-route`.
    """
    scope, prefix = probe.scope("?q=1"), probe.target.prefix
    asked = f"{probe.base}{probe.route(Purpose.SCOPE)}?q=1"
    compare_urls(asked, resolved(probe.base, scope["url"]), prefix, "url")
    given = scope["url_for"]
    if given is None:
        raise Failed("url-for-finds-no-route", "request.url_for finds no route of that name")
    right, at = probe.base + probe.route(Purpose.GREETING), resolved(probe.base, given)
    compare_urls(right, at, prefix, "url")
    landed = probe.expect(probe.get(at))
    content = landed.json()
    if not isinstance(content, dict) or content.get("message") != "Hello World":
        probe.fail(WRONG, landed, "the route that url_for names")
    base = resolved(probe.base, scope["base_url"])
    # Of the outermost application: a mounted one has it from there (Starlette's base_url).
    root = scope.get("app_root_path", scope["root_path"]).rstrip("/")
    compare_urls(resolved(f"{probe.origin}/", f"{root}/"), base, prefix, "url")
    return f"url_for gives {given}, which answers; base_url is {base}"
