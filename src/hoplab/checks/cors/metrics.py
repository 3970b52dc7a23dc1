from prometheus_client.parser import text_string_to_metric_families as parsed

from hoplab.probe import Failed, Probe

_INVENTED = ("/invented-by-a-stranger", "/metrics/invented-by-a-stranger")


def metrics(probe: Probe) -> str:
    """Are requests counted and timed by method, route and status, for Prometheus to scrape?

    Read by the library's own parser. By the route's template: a path that a stranger invents must
    not become a series of its own. Symptoms: `metrics-unreachable`, `metrics-wrong`.
    """
    for path in ("/items/", *_INVENTED):
        probe.get(path, [("X-Requested-With", "metrics")])
    answer = probe.get("/metrics/?scraped")
    if not probe.answers(answer) or not (answer.header("Content-Type") or "").startswith(
        "text/plain; version="
    ):
        probe.fail("metrics-unreachable", answer, "200 and Prometheus' text format")
    try:
        samples = [
            (sample.name, sample.labels, sample.value)
            for family in parsed(answer.body.decode())
            for sample in family.samples
        ]
    except ValueError as error:
        raise Failed("metrics-wrong", f"{answer.url}: {error}") from error
    if invented := [labels for _, labels, _ in samples if "invented" in labels.get("route", "")]:
        raise Failed("metrics-wrong", f"a series for an invented path: {invented[0]}")
    items = {"method": "GET", "route": "/items/", "status": "200"}
    for name in ("http_requests_total", "http_request_duration_seconds_count"):
        counted = [value for told, labels, value in samples if (told, labels) == (name, items)]
        if not counted or counted[0] < 1:
            raise Failed("metrics-wrong", f"{name} of {items}: {counted}, expected one or more")
    return f"{len(samples)} samples; GET /items/ is counted and timed"
