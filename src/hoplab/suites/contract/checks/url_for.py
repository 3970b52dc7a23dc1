from urllib.parse import urlsplit

from hoplab.client.probe import Failed, Probe, compare_urls, resolved
from hoplab.client.target import Purpose, needs


@needs(Purpose.SCOPE, Purpose.GREETING)
def url_for(probe: Probe) -> str:
    """Is `request.url` what the client asked for, and does what `request.url_for` gives work?

    Symptoms: `url-wrong-host`, `url-drops-port`, `url-wrong-scheme`, `url-drops-prefix`,
    `url-for-broken`.
    """
    asked = f"{probe.base}{probe.route(Purpose.SCOPE)}?q=1"
    scope = probe.scope("?q=1", symptom="url-for-broken")
    url, prefix = resolved(probe.base, scope["url"]), probe.target.prefix
    compare_urls(asked, url, prefix, "url", "url-drops-prefix")
    if url != asked:
        raise Failed("url-for-broken", f"request.url is {url}, asked {asked}")
    given = scope["url_for"]
    if given is None:
        raise Failed("url-for-broken", "request.url_for finds no route of that name")
    at = resolved(probe.base, given)
    compare_urls(probe.base + probe.route(Purpose.GREETING), at, prefix, "url", "url-drops-prefix")
    landed = probe.follow(given, probe.base)
    if landed is None or not probe.answers(landed):
        raise Failed(
            "url-for-broken",
            f"request.url_for gives {given}, which leads to {landed or 'another place'}",
        )
    if urlsplit(scope["base_url"])[:2] != urlsplit(probe.base)[:2]:
        raise Failed("url-wrong-host", f"base_url is {scope['base_url']}, asked {probe.base}")
    return f"url_for gives {given}, which answers; base_url is {scope['base_url']}"
