from hoplab.client.probe import WRONG, Failed, Probe, compare_urls, resolved
from hoplab.client.target import Purpose, needs

_TEXT = b"Hello from a static file.\n"
_STYLE = b"body { margin: 0; }\n"


@needs(Purpose.STATIC, Purpose.SCOPE)
def static(probe: Probe) -> str:
    """Does a mounted static file load, and is that the URL that `url_for` gives for it?

    And a style sheet beside it: many a proxy has a rule of its own for .css and .js. Symptoms:
    `static-unreachable`, `url-for-finds-no-route`, `url-wrong-host`, `url-drops-port`,
    `url-wrong-port`, `url-wrong-scheme`, `url-drops-prefix`, `url-wrong-path`, `url-wrong-query`.
    """
    answer = probe.expect(probe.get(probe.route(Purpose.STATIC)), missing="static-unreachable")
    if answer.body != _TEXT:
        probe.fail(WRONG, answer, "the file")
    given = probe.scope()["static_url"]
    if given is None:
        raise Failed("url-for-finds-no-route", "request.url_for finds no mount of that name")
    compare_urls(answer.url, resolved(probe.base, given), probe.target.prefix, "url")
    beside = f"{probe.route(Purpose.STATIC).rpartition('.')[0]}.css"
    style = probe.expect(probe.get(beside), missing="static-unreachable")
    if probe.of_type(style, "text/css").body != _STYLE:
        probe.fail(WRONG, style, "the style sheet")
    return f"{answer}, and url_for gives {given}"
