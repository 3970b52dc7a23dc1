from hoplab.client.probe import Failed, Probe
from hoplab.client.target import Purpose, needs

_INVENTED = ("/invented-by-a-stranger", "/metrics/invented-by-a-stranger")
_COUNTED = ("http_requests_total", "http_request_duration_seconds_count")
_ROUTES = ("/items/", "/metrics/")


@needs(Purpose.METRICS)
def metrics(probe: Probe) -> str:
    """Are requests counted and timed by method, route and status, for Prometheus to scrape?

    Read by the library's own parser, before and after some requests. By the route's template: a
    path that a stranger invents must not become a series of its own, and a mounted application's
    route has the mount's path. Symptoms: `metrics-unreachable`, `metrics-wrong`.
    """
    before = _scrape(probe, "before")
    for path in (*_ROUTES, *_INVENTED):
        probe.get(f"{path}?counted")
    after = _scrape(probe, "after")
    if invented := [route for _, route in after if "invented" in route]:
        raise Failed("metrics-wrong", f"a series for an invented path: {invented[0]}")
    for counted in ((name, route) for name in _COUNTED for route in _ROUTES):
        old, new = before.get(counted, 0), after.get(counted, 0)
        # Others may ask the same application meanwhile.
        if new <= old:
            name, route = counted
            detail = f"{name} of GET {route}, 200: {new:.0f} after one more, {old:.0f} before"
            raise Failed("metrics-wrong", detail)
    return f"{len(after)} series; {' and '.join(_ROUTES)} are counted and timed"


def _scrape(probe: Probe, word: str) -> dict[tuple[str, str], float]:
    """Of each answered GET, by name and route."""
    # Here, because it imports an HTTP server and client, and every command imports the checks.
    from prometheus_client.parser import (  # noqa: PLC0415
        text_string_to_metric_families as parsed,
    )

    answer = probe.get(f"{probe.route(Purpose.METRICS)}?{word}")  # each is asked once
    probe.expect(answer, wrong="metrics-unreachable", missing="metrics-unreachable")
    if not (answer.header("Content-Type") or "").startswith("text/plain; version="):
        probe.fail("metrics-unreachable", answer, "200 and Prometheus' text format")
    try:
        samples = [s for family in parsed(answer.body.decode()) for s in family.samples]
    except ValueError as error:
        raise Failed("metrics-wrong", f"{answer.url}: {error}") from error
    found: dict[tuple[str, str], float] = {}
    for sample in samples:
        labels = sample.labels
        if labels.get("method") == "GET" and labels.get("status") in {"200", "404"}:
            key = (sample.name, labels.get("route", ""))
            found[key] = found.get(key, 0) + sample.value
    return found
