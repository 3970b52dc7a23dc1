from hoplab.client.probe import Failed, Probe, resolved
from hoplab.client.target import Purpose, needs

_TEXT = b"Hello from a static file.\n"


@needs(Purpose.STATIC, Purpose.SCOPE)
def static(probe: Probe) -> str:
    """Does a mounted static file load, at its path and at the URL that `url_for` gives for it?

    Symptom: `static-unreachable`.
    """
    answer = probe.get(probe.route(Purpose.STATIC))
    if not probe.answers(answer) or answer.body != _TEXT:
        probe.fail("static-unreachable", answer, "the file")
    given = probe.scope(symptom="static-unreachable")["static_url"]
    if given and resolved(probe.base, given) == answer.url:  # as it should be: that has been asked
        return f"{answer}, and url_for gives {given}"
    landed = probe.follow(given, probe.base) if given else None
    if landed is None or not probe.answers(landed) or landed.body != _TEXT:
        raise Failed(
            "static-unreachable",
            f"url_for gives {given}, which leads to {landed or 'another place'}",
        )
    return f"{answer}, and url_for gives {given}"
